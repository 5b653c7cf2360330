//! The memory of a module: what happens where there is too little, and that nothing of it is left in a core file.

mod invocation;
mod program;

use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

use invocation::{DOCROOT, INFO, Module, Sandbox, TRAPD, result_of};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use program::copy_program;
use serde_json::{Value, json};

const MODULES: [Module; 3] = [TRAPD, DOCROOT, INFO];
const NOBODY: u32 = 65_534;

/// Runs a command with a limit on its address space, in KiB.
fn run_within(limit: u64, command: &Command) -> Output {
    Command::new("sh")
        .args(["-c", "ulimit -v \"$1\"; shift; exec \"$@\"", "sh"])
        .arg(limit.to_string())
        .arg(command.get_program())
        .args(command.get_args())
        .output()
        .unwrap()
}

/// An `aspera.conf` of some 7 MB. What is read of it takes more.
fn large_conf() -> String {
    let user = |number: usize| {
        format!(
            "<user><name>user{number}</name><file_system><access><paths><path><absolute>s3://h/{number}</absolute></path></paths></access></file_system></user>\n"
        )
    };
    let users = (0..50_000).map(user).collect::<Vec<_>>().concat();
    format!("<CONF><aaa><realms><realm><users>{users}</users></realm></realms></aaa></CONF>\n")
}

#[test]
fn where_memory_ends_the_answer_is_a_failure_in_json() {
    let conf = large_conf();
    let options = json!({"server_side_encryption": "AES256", "all": true});
    for (module, options) in [(DOCROOT, options), (INFO, json!({}))] {
        let sandbox = Sandbox::of(module, &conf);
        let command = sandbox.command(&options);
        let enough = result_of(&run_within(2 * 1024 * 1024, &command));
        assert!(!enough.contains_key("failed"), "{}", module.name);
        fs::write(sandbox.file(), &conf).unwrap();
        let mut failures = 0;
        // From one in which the program just starts to one in which it is nearly done.
        for limit in (10..=26).step_by(2) {
            // The result is looked at, and the exit status.
            let result = result_of(&run_within(limit * 1024, &command));
            if let Some(message) = result.get("msg").and_then(Value::as_str) {
                failures += 1;
                assert!(
                    message.contains("not enough memory") || message.contains("ran out of memory"),
                    "{limit}: {message}"
                );
                assert!(!message.contains("user1"), "{limit}: {message}");
                let content = fs::read_to_string(sandbox.file()).unwrap();
                assert!(content == conf, "{limit}");
            }
        }
        assert!(failures > 3, "{} {failures}", module.name);
    }
}

#[test]
fn a_program_for_which_there_is_nearly_none_says_so_or_does_not_start() {
    let sandbox = Sandbox::new();
    let command = sandbox.command(&json!({"server_side_encryption": "AES256"}));
    let mut answers = 0;
    for limit in (1_000..12_000).step_by(200) {
        let output = run_within(limit, &command);
        // The kernel or the loader ends what it cannot even lay out, before any code of ours runs.
        if output.stdout.is_empty() {
            assert_eq!(answers, 0, "{limit}: {:?}", output.status);
            continue;
        }
        answers += 1;
        result_of(&output);
    }
    assert!(answers > 0);
}

/// Starts a module that waits for its arguments.
fn waiting(module: Module, prepare: impl FnOnce(&mut Command)) -> Child {
    let mut command = Command::new("sh");
    // Without a limit of its own, a module would write a core file.
    command
        .args([
            "-c",
            "ulimit -c unlimited; exec \"$@\"",
            "sh",
            module.program,
            "-",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::null());
    prepare(&mut command);
    let child = command.spawn().unwrap();
    // It waits in a read of its standard input.
    let state = || {
        let name = fs::read_to_string(format!("/proc/{}/comm", child.id())).unwrap();
        let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
        (name, stat.rsplit_once(") ").unwrap().1.starts_with('S'))
    };
    let is_waiting = || {
        let (name, sleeps) = state();
        sleeps && !name.starts_with("sh\n")
    };
    while !is_waiting() {
        sleep(Duration::from_millis(5));
    }
    child
}

#[test]
fn no_module_leaves_a_core_file() {
    for module in MODULES {
        let folder = tempfile::tempdir().unwrap();
        let mut child = waiting(module, |command| {
            command.current_dir(folder.path());
        });
        let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
        let core = limits
            .lines()
            .find(|line| line.starts_with("Max core file size"));
        let soft = core.unwrap()["Max core file size".len()..]
            .split_ascii_whitespace()
            .next();
        assert_eq!(soft, Some("0"), "{}", module.name);
        let pid = Pid::from_raw(child.id().try_into().unwrap());
        kill(pid, Signal::SIGQUIT).unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.signal(), Some(Signal::SIGQUIT as i32));
        assert!(!status.core_dumped(), "{}", module.name);
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            0,
            "{}",
            module.name
        );
    }
}

/// The kernel gives the files of a process that cannot be dumped to root (proc(5)).
#[test]
#[ignore = "needs root"]
fn the_memory_of_a_module_is_closed_to_its_own_user() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(
        folder.path(),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    for module in MODULES {
        let copy = folder.path().join(module.name);
        copy_program(module.program, &copy);
        let program: &'static str = Box::leak(copy.to_str().unwrap().into());
        let mut child = waiting(Module { program, ..module }, |command| {
            command.uid(NOBODY).gid(NOBODY);
        });
        let memory = Path::new("/proc").join(child.id().to_string()).join("mem");
        assert_eq!(fs::metadata(memory).unwrap().uid(), 0, "{}", module.name);
        child.stdin.take().unwrap().write_all(b"{}").unwrap();
        child.wait().unwrap();
    }
}
