//! A panic, wherever it happens, is a failure in JSON that names file and line and nothing else.

mod invocation;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use invocation::result_of;
use serde_json::json;

#[test]
fn a_panic_anywhere_is_a_failure_with_file_and_line_only() {
    for (place, after, subject) in [
        ("masking", "old\n", None),
        ("start", "old\n", None),
        ("plan", "old\n", None),
        ("user b", "old\n", Some("user b")),
        ("second plan", "rewritten\n", None),
        ("result", "old\nnew\n", None),
        ("no object", "old\nnew\n", None),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        let arguments = folder.path().join("arguments.json");
        fs::write(&file, "old\n").unwrap();
        fs::write(
            &arguments,
            json!({"path": file, "place": place}).to_string(),
        )
        .unwrap();
        let output = Command::new(panicking_module())
            .arg(&arguments)
            .output()
            .unwrap();
        let result = result_of(&output);
        let message = result["msg"].as_str().unwrap();
        let start = format!(
            "panicking_module {} hit an internal error, in ",
            env!("CARGO_PKG_VERSION")
        );
        assert!(message.starts_with(&start), "{place}: {message}");
        assert!(message.contains(".rs line "), "{place}: {message}");
        let about = subject.map_or(". Please".to_owned(), |subject| {
            format!(", while it worked on {subject}. Please")
        });
        assert!(message.contains(&about), "{place}: {message}");
        assert_eq!(
            message.ends_with("replaced. Set the others without it."),
            subject.is_some(),
            "{place}: {message}"
        );
        assert_eq!(result["failed"], json!(true), "{place}");
        assert_eq!(output.status.code(), Some(1), "{place}");
        assert!(
            !output
                .stdout
                .windows(12)
                .any(|part| part == b"DUMMY-SECRET"),
            "{place}: {message}"
        );
        assert_eq!(fs::read_to_string(&file).unwrap(), after, "{place}");
    }
}

#[test]
fn without_a_panic_the_same_module_succeeds() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    let arguments = folder.path().join("arguments.json");
    fs::write(&file, "old\n").unwrap();
    fs::write(
        &arguments,
        json!({"path": file, "place": "nowhere"}).to_string(),
    )
    .unwrap();
    let output = Command::new(panicking_module())
        .arg(&arguments)
        .output()
        .unwrap();
    assert_eq!(result_of(&output)["changed"], json!(true));
}

/// Cargo builds examples beside the tests, and has no variable that names them.
fn panicking_module() -> PathBuf {
    let this = std::env::current_exe().unwrap();
    let examples = this.parent().unwrap().with_file_name("examples");
    let program = examples.join("panicking_module");
    assert!(
        program.exists(),
        "cargo builds the stand-in when it does not build one test only: run cargo build --examples"
    );
    program
}
