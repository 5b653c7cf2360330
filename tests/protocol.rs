//! The protocol with Ansible, on the real binary: arguments in, one line of JSON out.

mod invocation;

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};

use invocation::{PROGRAM, Sandbox, result_of};
use serde_json::{Value, json};

const ARN: &str = "arn:aws:kms:us-east-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

#[test]
fn a_person_gets_a_description() {
    for (arguments, success) in [(vec!["--help"], true), (vec!["-h"], true), (vec![], false)] {
        let output = Command::new(PROGRAM).args(arguments).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.starts_with("aspera_trapd_sse 0."), "{text}");
        assert!(
            text.contains("a module for Ansible") && text.contains("server_side_encryption"),
            "{text}"
        );
        assert_eq!(output.status.success(), success);
    }
    let version = Command::new(PROGRAM).arg("--version").output().unwrap();
    let expected = concat!("aspera_trapd_sse ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(version.stdout, expected.as_bytes());
}

#[test]
fn arguments_that_cannot_be_read_are_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Command::new(PROGRAM)
        .arg(folder.path().join("none"))
        .output()
        .unwrap();
    assert!(
        failure(&missing)
            .starts_with("Could not read the file with the arguments: entity not found.")
    );
    let directory = Command::new(PROGRAM).arg(folder.path()).output().unwrap();
    assert!(failure(&directory).starts_with("Could not read the file with the arguments: "));
    for (text, expected) in [
        ("", "The arguments are not valid JSON."),
        ("{", "The arguments are not valid JSON."),
        ("{} x", "The arguments are not valid JSON."),
        ("[]", "The arguments are JSON but not an object."),
        ("\"text\"", "The arguments are JSON but not an object."),
        (
            r#"{"kms_key_id": NaN}"#,
            "The option kms_key_id is not a finite number",
        ),
        (
            r#"{"kms_key_id": {"a": [1, -Infinity]}}"#,
            "The option kms_key_id is not a finite number",
        ),
        (
            r#"{"path": "x\udcffy"}"#,
            "The option path contains bytes that are not UTF-8",
        ),
        (
            r#"{"path": ["__omit_place_holder__0123"]}"#,
            "The option path contains omit inside a list or dictionary",
        ),
    ] {
        let path = folder.path().join("arguments");
        fs::write(&path, text).unwrap();
        let output = Command::new(PROGRAM).arg(&path).output().unwrap();
        let message = failure(&output);
        assert!(message.starts_with(expected), "{text}: {message}");
    }
    fs::write(folder.path().join("deep"), "[".repeat(100_000)).unwrap();
    let deep = Command::new(PROGRAM)
        .arg(folder.path().join("deep"))
        .output()
        .unwrap();
    failure(&deep);
}

#[test]
fn standard_input_is_read_only_on_request() {
    let sandbox = Sandbox::new();
    let text = sandbox
        .arguments(&json!({"server_side_encryption": "AES256"}))
        .to_string();
    let mut child = Command::new(PROGRAM)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(result_of(&output)["changed"], json!(true));

    // Reading a terminal without input would never end.
    let file = sandbox.argument_file(&json!({"server_side_encryption": "AES256"}));
    let mut child = Command::new(PROGRAM)
        .arg(file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let _open = child.stdin.take();
    let output = child.wait_with_output().unwrap();
    assert_eq!(result_of(&output)["changed"], json!(false));
}

#[test]
fn options_are_checked() {
    let sandbox = Sandbox::new();
    for (options, expected) in [
        (
            json!({}),
            "The option server_side_encryption is missing, which state=present needs.",
        ),
        (
            json!({"server_side_encryption": null}),
            "The option server_side_encryption is missing",
        ),
        (
            json!({"server_side_encription": "AWS_KMS"}),
            "There is no option server_side_encription. Did you mean server_side_encryption?",
        ),
        (
            json!({"s3://KEY:DUMMY-SECRET@host": "x"}),
            "There is an option whose name is not valid. The options are: aspera_root,",
        ),
        (
            json!({"state": "gone"}),
            "The option state must be one of: present, absent.",
        ),
        (
            json!({"backup": "perhaps"}),
            "The option backup must be a boolean (true or false).",
        ),
        (
            json!({"create": []}),
            "The option create must be a boolean (true or false).",
        ),
        (
            json!({"server_side_encryption": "DUMMY-SECRET"}),
            "server_side_encryption must be exactly NONE, AES256 or AWS_KMS.",
        ),
        (json!({"path": {}}), "The option path must be a string."),
        (
            json!({"path": ""}),
            "The option path must be an absolute path.",
        ),
        (
            json!({"aspera_root": "opt/aspera"}),
            "The option aspera_root must be an absolute path.",
        ),
        (
            json!({"server_side_encryption": ["AWS_KMS"]}),
            "The option server_side_encryption must be a string.",
        ),
        (
            json!({"server_side_encryption": ""}),
            "server_side_encryption must be exactly NONE, AES256 or AWS_KMS.",
        ),
        (
            json!({"server_side_encryption": true}),
            "server_side_encryption must be exactly NONE, AES256 or AWS_KMS.",
        ),
    ] {
        sandbox.expect_failure(&options, expected);
    }
    for near in ["aws:kms", "aws_kms", "kms", "AWS-KMS"] {
        sandbox.expect_failure(
            &json!({"server_side_encryption": near}),
            "server_side_encryption must be exactly NONE, AES256 or AWS_KMS. Did you mean AWS_KMS?",
        );
    }
    sandbox.expect_failure(
        &json!({"server_side_encryption": "aws:kms:dsse"}),
        "server_side_encryption must be NONE, AES256 or AWS_KMS. Aspera has no setting for dual-layer encryption",
    );
}

#[test]
fn keys_are_checked() {
    let sandbox = Sandbox::new();
    for (key, expected) in [
        (
            "",
            "kms_key_id is empty. Name a key. For the key that AWS manages (aws/s3), leave the option out and set aws_managed_key: true.",
        ),
        ("None", "kms_key_id is a word that a template writes"),
        ("0", "kms_key_id is a word that a template writes"),
        ("two words", "kms_key_id contains a blank or a line break."),
        (
            "key\nserver-side-encryption=NONE",
            "kms_key_id contains a blank or a line break.",
        ),
        ("key\u{1}", "kms_key_id contains a control character."),
        (
            "schl\u{fc}ssel",
            "kms_key_id contains a character that is not ASCII.",
        ),
        (
            "arn:aws:s3:::bucket/key",
            "kms_key_id is an ARN of a service other than kms",
        ),
        (
            "arn:aws:kms:us-east-2:1111:key/a",
            "kms_key_id is an ARN whose account is not 12 digits",
        ),
        ("DUMMY-SECRET!", "kms_key_id is not a key id, a key ARN"),
        ("a&b", "kms_key_id is not a key id, a key ARN"),
        (
            "DUMMY-SECRET",
            "kms_key_id is a key id that is neither a UUID nor mrk- and 32 hexadecimal digits, unlike the key ids of AWS. Use the full key ARN. If \
             the store is not AWS and its keys have such ids, set validate_kms_key_id: false.",
        ),
    ] {
        sandbox.expect_failure(
            &json!({"server_side_encryption": "AWS_KMS", "kms_key_id": key}),
            expected,
        );
    }
    for encryption in ["AES256", "NONE"] {
        sandbox.expect_failure(
            &json!({"server_side_encryption": encryption, "kms_key_id": ARN}),
            &format!(
                "kms_key_id goes with server_side_encryption AWS_KMS only, not with {encryption}."
            ),
        );
    }
}

#[test]
fn a_key_of_another_store_is_accepted_on_request_and_not_repeated_if_it_may_be_a_secret() {
    let sandbox = Sandbox::new();
    let options = json!({"server_side_encryption": "AWS_KMS", "kms_key_id": "my-key", "validate_kms_key_id": false});
    let result = sandbox.run(&options);
    assert_eq!(result["kms_key_id"], json!("my-key"));
    let repeated = &result["invocation"]["module_args"]["kms_key_id"];
    assert_eq!(repeated, &json!("VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"));
    assert_eq!(sandbox.run(&options)["changed"], json!(false));
    // A key that is malformed for any store is still refused.
    sandbox.expect_failure(
        &json!({"server_side_encryption": "AWS_KMS", "kms_key_id": "DUMMY-SECRET!", "validate_kms_key_id": false}),
        "kms_key_id is not a key id, a key ARN",
    );
}

#[test]
fn settings_of_later_releases_are_ignored_and_unknown_options_on_request() {
    let sandbox = Sandbox::new();
    let result = sandbox.run(&json!({
        "server_side_encryption": "AES256",
        "unheard_of": 1,
        "_ansible_ignore_unknown_opts": true,
        "_ansible_from_the_future": {"x": [1.5, null]},
    }));
    assert_eq!(result["changed"], json!(true));
}

#[test]
fn the_invocation_is_repeated_if_it_is_due() {
    let sandbox = Sandbox::new();
    let options = |extra: Value| {
        let mut options = json!({"server_side_encryption": "AES256"});
        options
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        options
    };
    let answer = sandbox.run(&options(json!({})));
    let expected = json!({
        "module_args": {
            "aspera_root": sandbox.root(), "path": null, "state": "present", "server_side_encryption": "AES256", "kms_key_id": null,
            "aws_managed_key": null, "validate_kms_key_id": true, "create": false, "backup": false, "backup_keep": null, "restore": null, "unsafe_writes": false,
        }
    });
    assert_eq!(answer["invocation"], expected);
    let injected = sandbox.run(&options(json!({"_ansible_inject_invocation": true})));
    assert_eq!(injected["invocation"], expected);
    let silent = sandbox.run(&options(json!({"_ansible_inject_invocation": false})));
    assert_eq!(silent.get("invocation"), None);
}

#[test]
fn the_output_is_one_line_of_ascii_whatever_is_in_it() {
    let sandbox = Sandbox::new();
    let path = sandbox
        .root()
        .join("\u{2028}\u{85}\u{1f600}\u{e4}\u{7f}\n.properties");
    fs::write(&path, "# server-side-encryption=NONE\n").unwrap();
    let result = sandbox
        .run(&json!({"path": path, "server_side_encryption": "AES256", "_ansible_diff": true}));
    assert_eq!(result["path"], json!(path));
    assert_eq!(result["changed"], json!(true));
}

#[test]
fn the_diff_is_returned_only_on_request() {
    let sandbox = Sandbox::new();
    let without =
        sandbox.run(&json!({"server_side_encryption": "AES256", "_ansible_check_mode": true}));
    assert_eq!(without.get("diff"), None);
    let with = sandbox.run(&json!({"server_side_encryption": "AES256", "_ansible_check_mode": true, "_ansible_diff": true}));
    assert_eq!(
        with["diff"]["after"],
        json!("s3.properties line 2\n...\nserver-side-encryption=AES256\n")
    );
}

#[test]
#[ignore = "needs root"]
fn the_message_without_permission_says_that_root_is_needed() {
    let sandbox = Sandbox::new();
    let output = as_nobody(&sandbox, 0o600);
    assert_eq!(
        failure(&output),
        format!(
            "Could not open {}: permission denied. This needs root: run the task with become: true. Nothing was changed.",
            sandbox.file().display()
        )
    );
    let output = as_nobody(&sandbox, 0o644);
    assert!(failure(&output).starts_with("Could not create a file beside "));
}

#[test]
fn an_answer_that_cannot_be_written_is_a_failure() {
    let sandbox = Sandbox::new();
    let full = fs::File::create("/dev/full").unwrap();
    let options = json!({"server_side_encryption": "AES256"});
    let status = sandbox.command(&options).stdout(full).status().unwrap();
    assert_eq!(status.code(), Some(1));
}

#[test]
fn a_limit_on_the_size_of_files_is_named() {
    let sandbox = Sandbox::new();
    let file = sandbox.argument_file(&json!({"server_side_encryption": "AES256"}));
    let output = Command::new("/bin/sh")
        .args(["-c", "ulimit -f 0; exec \"$@\"", "sh", PROGRAM])
        .arg(file)
        .output()
        .unwrap();
    let message = failure(&output);
    assert!(
        message.contains("Raise the limit on file sizes (ulimit -f). Nothing was changed."),
        "{message}"
    );
}

fn as_nobody(sandbox: &Sandbox, mode: u32) -> Output {
    let file = sandbox.argument_file(&json!({"server_side_encryption": "AES256"}));
    for (path, mode) in [
        (sandbox.root(), 0o755),
        (file.clone(), 0o644),
        (sandbox.file(), mode),
    ] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    // The build folder may be closed to others.
    let program = sandbox.root().join("module");
    // Another process copies it: a program that another thread starts might keep a file open that this process opened for writing.
    let copied = Command::new("cp").arg(PROGRAM).arg(&program).status();
    assert!(copied.unwrap().success());
    Command::new(program)
        .arg(file)
        .uid(65534)
        .gid(65534)
        .output()
        .unwrap()
}

fn failure(output: &Output) -> String {
    let result = result_of(output);
    assert_eq!(result["failed"], json!(true));
    assert_eq!(result["changed"], json!(false));
    assert_eq!(output.status.code(), Some(1));
    result["msg"].as_str().unwrap().to_owned()
}
