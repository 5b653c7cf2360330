//! The record that a module leaves in the system log, with a socket of the test in the place of the log.

mod invocation;

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};

use invocation::{Sandbox, result_of};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use serde_json::{Value, json};

const SOCKET: &str = "/dev/log";

#[test]
#[ignore = "needs root"]
fn an_invocation_is_logged_unless_ansible_asks_for_silence() {
    let sandbox = Sandbox::new();
    let long = format!("/{}", "x".repeat(5_000));
    let arguments = |more: Value| {
        let mut arguments =
            json!({"server_side_encryption": "AES256", "_ansible_check_mode": true});
        let more = more.as_object().unwrap().clone();
        arguments.as_object_mut().unwrap().extend(more);
        sandbox.arguments(&arguments).to_string()
    };
    let records = with_log(move |log| {
        [
            json!({"_ansible_syslog_facility": "LOG_LOCAL3"}),
            json!({"_ansible_no_log": true}),
            json!({"kms_key_id": "HIDDEN SECRET", "_ansible_target_log_info": "run 7"}),
            json!({"path": long}),
        ]
        .map(|more| {
            run(&arguments(more));
            let mut record = vec![0; 10_000];
            let length = log.recv(&mut record).unwrap_or(0);
            String::from_utf8(record[..length].to_vec()).unwrap()
        })
    });
    let [plain, silent, prefixed, cut] = records;
    assert!(
        plain.starts_with("<158>ansible-aspera_trapd_sse: Invoked with "),
        "{plain}"
    );
    assert!(plain.contains(" server_side_encryption=AES256"), "{plain}");
    assert_eq!(silent, "");
    assert!(
        prefixed.starts_with("<14>ansible-aspera_trapd_sse: run 7 Invoked with "),
        "{prefixed}"
    );
    assert!(!prefixed.contains("SECRET"), "{prefixed}");
    assert_eq!(cut.len(), 2048);
}

/// Runs the module to its end, with its arguments on standard input: what it logged is then in the socket.
fn run(arguments: &str) {
    use std::io::Write;
    let mut process = Command::new(invocation::PROGRAM)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = process.stdin.take().unwrap();
    input.write_all(arguments.as_bytes()).unwrap();
    drop(input);
    result_of(&process.wait_with_output().unwrap());
}

/// Calls a function in a mount namespace in which /dev is empty but for a socket of the log.
fn with_log<T: Send>(test: impl FnOnce(UnixDatagram) -> T + Send) -> T {
    std::thread::scope(|scope| {
        let run = scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNS).unwrap();
            let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
            mount(None::<&str>, "/", None::<&str>, private, None::<&str>).unwrap();
            let plain = MsFlags::empty();
            mount(Some("tmpfs"), "/dev", Some("tmpfs"), plain, None::<&str>).unwrap();
            let log = UnixDatagram::bind(SOCKET).unwrap();
            // What was sent is there: the module has ended.
            log.set_nonblocking(true).unwrap();
            assert_eq!(fs::read_dir("/dev").unwrap().count(), 1);
            test(log)
        });
        run.join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
