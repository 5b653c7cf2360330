//! Real processes that are named like a service, and what `aspera_sse_info` takes them for.

mod invocation;
mod program;

use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use invocation::{INFO, Sandbox, result_of};
use program::{copy_program, write_script};
use serde_json::{Map, Value, json};

const NOBODY: u32 = 65_534;

/// A process that ends with the test, and those that it started.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> Self {
        let command = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .process_group(0);
        Self(command.spawn().unwrap())
    }

    /// Waits until a process runs a program under a name. Before, it is a copy of this test.
    fn named(self, pid: u32, name: &str) -> Self {
        let command_line = format!("/proc/{pid}/cmdline");
        let is_so =
            || fs::read(&command_line).is_ok_and(|found| found.starts_with(name.as_bytes()));
        wait_for(is_so, name);
        self
    }

    fn id(&self) -> u32 {
        self.0.id()
    }

    /// The only process that it started.
    fn child(&self) -> u32 {
        let path = format!("/proc/{0}/task/{0}/children", self.id());
        let child = || fs::read_to_string(&path).ok()?.trim().parse().ok();
        wait_for(|| child().is_some(), "a child");
        child().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let group = nix::unistd::Pid::from_raw(self.id().try_into().unwrap());
        let _ = nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL);
        let _ = self.0.wait();
    }
}

fn wait_for(mut is_so: impl FnMut() -> bool, what: &str) {
    for _ in 0..6_000 {
        if is_so() {
            return;
        }
        sleep(Duration::from_millis(10));
    }
    panic!("waited in vain for {what}");
}

/// An installation whose asperanoded is a program that waits.
fn installation() -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::of(INFO, "<CONF/>");
    fs::set_permissions(sandbox.root(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = sandbox.root().join("sbin/asperanoded");
    copy_of_sleep(&program);
    (sandbox, program)
}

fn copy_of_sleep(program: &Path) {
    fs::create_dir_all(program.parent().unwrap()).unwrap();
    copy_program("/bin/sleep", program);
    fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
}

fn told(sandbox: &Sandbox) -> (Value, String) {
    let result = sandbox.run(&json!({}));
    parts(&result)
}

fn parts(result: &Map<String, Value>) -> (Value, String) {
    assert!(!result.contains_key("failed"), "{result:?}");
    let service = result["services"]["asperanoded"].clone();
    (service, result["warnings"].to_string())
}

/// Whether a process is taken for the service.
fn runs(service: &Value) -> bool {
    if runs_under_systemd() {
        // No unit started it.
        service["restart_reason"] == json!("outside_unit")
    } else {
        service["state"] == json!("running")
    }
}

fn runs_under_systemd() -> bool {
    Path::new("/run/systemd/system").is_dir()
}

#[test]
#[ignore = "needs root"]
fn the_program_of_the_installation_counts() {
    let (sandbox, program) = installation();
    assert!(!runs(&told(&sandbox).0));
    let process = Running::start(Command::new(&program).arg("600"));
    let id = process.id();
    let process = process.named(id, program.to_str().unwrap());
    let (service, warnings) = told(&sandbox);
    assert!(runs(&service), "{service}");
    assert!(
        !warnings.contains(&format!("process {} ", process.id())),
        "{warnings}"
    );
    // An upgrade replaces the program while it runs.
    fs::remove_file(&program).unwrap();
    assert!(runs(&told(&sandbox).0));
    // It has ended, and nobody has taken note yet.
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(process.id().try_into().unwrap()),
        nix::sys::signal::Signal::SIGKILL,
    )
    .unwrap();
    let stat = format!("/proc/{}/stat", process.id());
    wait_for(
        || fs::read_to_string(&stat).unwrap().contains(") Z "),
        "a zombie",
    );
    assert!(!runs(&told(&sandbox).0));
}

#[test]
#[ignore = "needs root"]
fn whoever_only_bears_the_name_does_not_count() {
    let (sandbox, program) = installation();
    let elsewhere = tempfile::tempdir().unwrap();
    fs::set_permissions(elsewhere.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let copy = elsewhere.path().join("asperanoded");
    copy_of_sleep(&copy);
    let (other, below_another_root) = installation();
    let mut false_name = Command::new("/bin/sleep");
    let mut other_user = Command::new(&program);
    let mut container = Command::new("unshare");
    let mut copied = Command::new(&copy);
    let mut of_other = Command::new(&below_another_root);
    // Its mount namespace has another file in the place of the program, and the kernel names that by the same path.
    let mut mounted = Command::new("unshare");
    let cover = "mount --bind \"$1\" \"$2\" && exec \"$2\" 600";
    for (what, command, in_container, word) in [
        (
            "false name",
            false_name.arg0("asperanoded").arg("600"),
            false,
            "its program is not below aspera_root",
        ),
        (
            "copy",
            copied.arg("600"),
            false,
            "its program is not below aspera_root",
        ),
        (
            "other user",
            other_user.uid(NOBODY).arg("600"),
            false,
            "its account is not one of the installation",
        ),
        (
            "container",
            container.args(["--pid", "--fork"]).arg(&program).arg("600"),
            true,
            "another PID namespace",
        ),
        (
            "below another root",
            of_other.arg("600"),
            false,
            "its program is not below aspera_root",
        ),
        (
            "mounted",
            mounted
                .args(["--mount", "sh", "-c", cover, "sh"])
                .args([&copy, &program]),
            false,
            "another file in the place of its program",
        ),
    ] {
        let process = Running::start(command);
        let pid = if in_container {
            process.child()
        } else {
            process.id()
        };
        let name = match what {
            "false name" => "asperanoded",
            "copy" => copy.to_str().unwrap(),
            "below another root" => below_another_root.to_str().unwrap(),
            _ => program.to_str().unwrap(),
        };
        let process = process.named(pid, name);
        let (service, warnings) = told(&sandbox);
        assert!(!runs(&service), "{what}: {service}");
        assert!(
            warnings.contains(&format!("process {pid} of account ")),
            "{what}: {warnings}"
        );
        assert!(warnings.contains(word), "{what}: {warnings}");
        let account = if what == "other user" {
            "nobody"
        } else {
            "root"
        };
        let named = format!("process {pid} of account {account} (");
        assert!(warnings.contains(&named), "{what}: {warnings}");
        drop(process);
    }
    drop(other);
}

/// Many processes. They end when their input does, so that none outlives the test, however that ends.
const CROWD: &str = "exec 3<&0; i=0
while [ $i -lt 10000 ]; do { read -r line <&3; } & i=$((i + 1)); done
echo; read -r line <&3";

/// The others do not bear the name, since tests that run beside this one look at what does. `tests/restart.rs` has a thousand of the same name.
#[test]
#[ignore = "needs root"]
fn one_beside_ten_thousand_others_is_found() {
    let (sandbox, program) = installation();
    let mut crowd = Command::new("/bin/sh");
    crowd
        .args(["-c", CROWD])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .process_group(0);
    let mut crowd = Running(crowd.spawn().unwrap());
    let output = crowd.0.stdout.as_mut().unwrap();
    output.read_exact(&mut [0]).unwrap();
    assert!(!runs(&told(&sandbox).0));
    let mut other_user = Command::new(&program);
    let stranger = Running::start(other_user.uid(NOBODY).arg("600"));
    let id = stranger.id();
    let stranger = stranger.named(id, program.to_str().unwrap());
    let (service, warnings) = told(&sandbox);
    assert!(!runs(&service), "{service}");
    let named = format!("process {id} of account nobody (");
    assert!(warnings.contains(&named), "{warnings}");
    let process = Running::start(Command::new(&program).arg("600"));
    let id = process.id();
    let process = process.named(id, program.to_str().unwrap());
    assert!(runs(&told(&sandbox).0));
    drop((process, stranger, crowd));
}

/// Runs the module in a mount namespace where systemd is the init system, and where a control group has these processes.
fn told_under_systemd(sandbox: &Sandbox, in_unit: &[u32]) -> (Value, String) {
    const GROUP: &str = "/system.slice/asperanoded.service";
    let systemctl = sandbox.root().join("systemctl");
    let active = if in_unit.is_empty() {
        "inactive"
    } else {
        "active"
    };
    write_script(
        &systemctl,
        &format!(
            "#!/bin/sh\nprintf 'LoadState=loaded\\nActiveState={active}\\nControlGroup={GROUP}\\nUser=\\n'\n"
        ),
    );
    let pids: Vec<String> = in_unit.iter().map(ToString::to_string).collect();
    let script = format!(
        "set -e; mount -t tmpfs tmpfs /run; mkdir -p /run/systemd/system
         mount -t tmpfs tmpfs /sys/fs/cgroup; mkdir -p /sys/fs/cgroup{GROUP}
         echo {} >/sys/fs/cgroup{GROUP}/cgroup.procs
         mount --bind \"$1\" /usr/bin/systemctl; shift; exec \"$@\"",
        pids.join("\n")
    );
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", &script, "sh"])
        .arg(&systemctl)
        .arg(INFO.program)
        .arg(sandbox.argument_file(&json!({})))
        .output()
        .unwrap();
    parts(&result_of(&output))
}

#[test]
#[ignore = "needs root and namespaces"]
fn a_process_that_was_started_by_hand_is_outside_its_unit() {
    let (sandbox, program) = installation();
    let started = || {
        let process = Running::start(Command::new(&program).arg("600"));
        let id = process.id();
        process.named(id, program.to_str().unwrap())
    };
    let state = |in_unit: &[u32]| {
        let (service, warnings) = told_under_systemd(&sandbox, in_unit);
        assert_eq!(service["manager"], json!("systemd"), "{service}");
        (
            service["state"].clone(),
            service["restart_required"].clone(),
            service["restart_reason"].clone(),
            warnings,
        )
    };
    let (found, required, ..) = state(&[]);
    assert_eq!((found, required), (json!("stopped"), json!(false)));
    let by_hand = started();
    let (found, required, reason, warnings) = state(&[]);
    let outside = (Value::Null, Value::Null, json!("outside_unit"));
    assert_eq!((found, required, reason), outside);
    // Other tests start processes of that name.
    let own = format!("process {} ", by_hand.id());
    assert!(!warnings.contains(&own), "{warnings}");
    // The unit runs beside it.
    let of_unit = started();
    let (found, required, reason, _) = state(&[of_unit.id()]);
    assert_eq!(
        (found, required, reason),
        (json!("running"), Value::Null, json!("outside_unit"))
    );
    drop(by_hand);
    let (found, required, reason, _) = state(&[of_unit.id()]);
    assert_eq!(found, json!("running"), "{required} {reason}");
    assert_ne!(reason, json!("outside_unit"));
    // What only bears the name is not outside the unit. It is named.
    let mut other_user = Command::new(&program);
    let process = Running::start(other_user.uid(NOBODY).arg("600"));
    let id = process.id();
    let process = process.named(id, program.to_str().unwrap());
    drop(of_unit);
    let (found, required, _, warnings) = state(&[]);
    assert_eq!((found, required), (json!("stopped"), json!(false)));
    let named = format!("process {id} of account nobody (");
    assert!(warnings.contains(&named), "{warnings}");
    drop(process);
}

#[test]
#[ignore = "needs root"]
fn whoever_may_not_look_at_a_process_does_not_guess() {
    let (sandbox, program) = installation();
    let process = Running::start(Command::new(&program).arg("600"));
    let id = process.id();
    let process = process.named(id, program.to_str().unwrap());
    let ascp = sandbox.root().join("bin/ascp");
    copy_of_sleep(&ascp);
    let transfer = Running::start(Command::new(&ascp).arg("600"));
    let id = transfer.id();
    let transfer = transfer.named(id, ascp.to_str().unwrap());
    let module = sandbox.root().join("module");
    copy_program(INFO.program, &module);
    let arguments = sandbox.argument_file(&json!({}));
    for path in [&module, &arguments] {
        chown(path, Some(NOBODY), None).unwrap();
    }
    let output = Command::new(&module)
        .arg(&arguments)
        .uid(NOBODY)
        .gid(NOBODY)
        .output()
        .unwrap();
    let result = result_of(&output);
    assert_eq!(result["transfers"], Value::Null);
    drop(transfer);
    let (service, _) = parts(&result);
    assert_eq!(
        (&service["state"], &service["restart_reason"]),
        (&Value::Null, &json!("process_unknown")),
        "{service}"
    );
    drop(process);
}

#[test]
#[ignore = "needs root and namespaces"]
fn where_proc_hides_the_processes_of_others_nobody_guesses() {
    let (sandbox, _) = installation();
    let module = sandbox.root().join("module");
    copy_program(INFO.program, &module);
    let arguments = sandbox.argument_file(&json!({"expect": [{"server_side_encryption": "NONE"}]}));
    for path in [&module, &arguments] {
        chown(path, Some(NOBODY), None).unwrap();
    }
    for hidden in ["1", "2"] {
        // Each test has processes of its own, of which this login sees none.
        let script = format!(
            "mount -t proc -o hidepid={hidden} proc /proc; exec setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups \"$@\""
        );
        let output = Command::new("unshare")
            .args(["--mount", "--pid", "--fork", "sh", "-c", &script, "sh"])
            .args([&module, &arguments])
            .output()
            .unwrap();
        let result = result_of(&output);
        assert_eq!(result["transfers"], Value::Null, "{hidden}");
        assert_eq!(result["compliant"], Value::Null, "{hidden}");
        let (service, _) = parts(&result);
        assert_eq!(
            (&service["state"], &service["restart_reason"]),
            (&Value::Null, &json!("process_unknown")),
            "{hidden}: {service}"
        );
    }
}

#[test]
#[ignore = "needs root"]
fn a_file_whose_metadata_or_time_misleads_is_never_taken_for_the_one_that_the_service_read() {
    let (sandbox, program) = installation();
    let file = sandbox.root().join("etc/aspera.conf");
    let written = fs::metadata(&file).unwrap().modified().unwrap();
    let age = || SystemTime::now().duration_since(written);
    let is_apart = || age().is_ok_and(|age| age > Duration::from_millis(50));
    wait_for(is_apart, "a moment of its own");
    let process = Running::start(Command::new(&program).arg("600"));
    let id = process.id();
    let _process = process.named(id, program.to_str().unwrap());
    if runs_under_systemd() {
        // No unit started it, which is a reason of its own.
        return;
    }
    let restart = |options: Value| {
        let (service, warnings) = parts(&sandbox.run(&options));
        let required = service["restart_required"].as_bool();
        let reason = service["restart_reason"].as_str().map(str::to_owned);
        ((required, reason), warnings)
    };
    let reason = |reason: &str| Some(reason.to_owned());
    let ignoring = json!({"ignore_metadata_changes": true});
    let current = || restart(json!({})).0;
    assert_eq!(current(), (Some(false), None));
    // A job of the night that touches what it always touches.
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    wait_for(|| current() == (None, reason("metadata_changed")), "a tick");
    assert_eq!(restart(ignoring.clone()).0, (Some(false), None));
    // cp -p over it looks the same.
    let old = fs::metadata(&file).unwrap().modified().unwrap();
    fs::write(&file, "<CONF></CONF>").unwrap();
    let set_time = |time| {
        fs::File::options()
            .write(true)
            .open(&file)
            .unwrap()
            .set_modified(time)
    };
    set_time(old).unwrap();
    assert_eq!(current(), (None, reason("metadata_changed")));
    // A time in the future says nothing; that of the last touch does.
    set_time(old + Duration::from_secs(1_000_000)).unwrap();
    for options in [json!({}), ignoring.clone()] {
        let (found, warnings) = restart(options);
        assert_eq!(found, (Some(true), reason("pending")));
        assert!(warnings.contains("Correct it with touch"), "{warnings}");
    }
    // A copy with an old time that was moved into its place was made after the start.
    let copy = file.with_extension("new");
    fs::write(&copy, "<CONF/>").unwrap();
    fs::File::options()
        .write(true)
        .open(&copy)
        .unwrap()
        .set_modified(old)
        .unwrap();
    fs::rename(&copy, &file).unwrap();
    let notes_births = fs::metadata(&file).unwrap().created().is_ok();
    let expected = if notes_births {
        (Some(true), reason("pending"))
    } else {
        (None, reason("metadata_changed"))
    };
    assert_eq!(current(), expected);
}

/// An installation with two transfers as ascp and one that only bears the name.
#[test]
#[ignore = "needs root"]
fn transfers_are_the_processes_of_ascp_of_any_account() {
    let (sandbox, _) = installation();
    let told = |options: &Value| sandbox.run(options)["transfers"].clone();
    let ascp = sandbox.root().join("bin/ascp");
    copy_of_sleep(&ascp);
    // It prints no version, and is not taken for a transfer while it is asked for that.
    assert_eq!(told(&json!({})), json!(0));
    let transfer = |seconds: &str| {
        let process = Running::start(Command::new(&ascp).uid(NOBODY).arg(seconds));
        let id = process.id();
        process.named(id, ascp.to_str().unwrap())
    };
    let one = transfer("600");
    let false_name = Running::start(Command::new("/bin/sleep").arg0("ascp").arg("600"));
    let id = false_name.id();
    let false_name = false_name.named(id, "ascp");
    let in_container = Running::start(
        Command::new("unshare")
            .args(["--pid", "--fork"])
            .arg(&ascp)
            .arg("600"),
    );
    let pid = in_container.child();
    let in_container = in_container.named(pid, ascp.to_str().unwrap());
    assert_eq!(told(&json!({})), json!(1));
    let other = transfer("600");
    assert_eq!(told(&json!({})), json!(2));
    drop((other, false_name, in_container));

    // It waits no longer than it may, and no longer than it must.
    let start = Instant::now();
    assert_eq!(told(&json!({"wait_until_idle": 2})), json!(1));
    assert!(start.elapsed() >= Duration::from_secs(2));
    drop(one);
    let short = transfer("3");
    let start = Instant::now();
    assert_eq!(told(&json!({"wait_until_idle": 600})), json!(0));
    assert!(start.elapsed() < Duration::from_mins(5));
    drop(short);
}

#[test]
fn a_wait_that_is_no_number_of_seconds_is_refused() {
    let sandbox = Sandbox::of(INFO, "<CONF/>");
    for seconds in [-1, 86_401] {
        sandbox.expect_failure(
            &json!({"wait_until_idle": seconds}),
            "The option wait_until_idle must be a number of seconds from 0 to 86400.",
        );
    }
}

/// The role restarts a service at least one round trip to the host after the module has replaced the file. Here it is less than that, on a machine with no
/// time to spare.
#[test]
#[ignore = "needs root"]
fn after_a_restart_nothing_is_pending() {
    const ROUNDS: u64 = 100;
    let (sandbox, program) = installation();
    let stop = AtomicBool::new(false);
    let pending = std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let rounds = (0..ROUNDS).filter(|round| {
            let beside = sandbox.root().join("etc/new");
            fs::write(&beside, format!("<CONF><!-- {round} --></CONF>")).unwrap();
            fs::rename(&beside, sandbox.file()).unwrap();
            sleep(Duration::from_millis(50));
            let process = Running::start(Command::new(&program).arg("600"));
            let id = process.id();
            let _process = process.named(id, program.to_str().unwrap());
            let (service, _) = told(&sandbox);
            assert!(runs(&service), "{service}");
            service["restart_required"] == json!(true)
        });
        let pending = rounds.count();
        stop.store(true, Ordering::Relaxed);
        pending
    });
    assert_eq!(pending, 0, "of {ROUNDS}");
}
