//! Real processes that are named like a service, and what `aspera_sse_info` takes them for.

mod invocation;
mod program;

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use invocation::{INFO, Sandbox, result_of};
use program::copy_program;
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
    if Path::new("/run/systemd/system").is_dir() {
        // No unit started it.
        service["restart_reason"] == json!("outside_unit")
    } else {
        service["state"] == json!("running")
    }
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
    let elsewhere = sandbox.root().with_extension("elsewhere");
    let copy = elsewhere.join("asperanoded");
    copy_of_sleep(&copy);
    let mut false_name = Command::new("/bin/sleep");
    let mut other_user = Command::new(&program);
    let mut container = Command::new("unshare");
    let mut copied = Command::new(&copy);
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
        drop(process);
    }
    fs::remove_dir_all(elsewhere).unwrap();
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
