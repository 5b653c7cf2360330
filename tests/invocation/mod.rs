//! Running the built module on an Aspera root of its own.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Map, Value, json};
use tempfile::TempDir;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_aspera_trapd_sse");

/// An Aspera root with a short `s3.properties`.
pub struct Sandbox(TempDir);

impl Sandbox {
    pub fn new() -> Self {
        let sandbox = Self(tempfile::tempdir().unwrap());
        fs::create_dir_all(sandbox.file().parent().unwrap()).unwrap();
        fs::write(
            sandbox.file(),
            "s3service.https-only=true\n# server-side-encryption=NONE\n",
        )
        .unwrap();
        sandbox
    }

    pub fn root(&self) -> PathBuf {
        self.0.path().to_owned()
    }

    pub fn file(&self) -> PathBuf {
        self.0.path().join("etc/trapd/s3.properties")
    }

    /// Options with the root added.
    pub fn arguments(&self, options: &Value) -> Value {
        let mut arguments = options.as_object().unwrap().clone();
        arguments.entry("aspera_root").or_insert(json!(self.root()));
        Value::Object(arguments)
    }

    pub fn argument_file(&self, options: &Value) -> PathBuf {
        let path = self.0.path().join("arguments.json");
        fs::write(&path, self.arguments(options).to_string()).unwrap();
        path
    }

    pub fn run(&self, options: &Value) -> Map<String, Value> {
        let output = Command::new(PROGRAM)
            .arg(self.argument_file(options))
            .output()
            .unwrap();
        result_of(&output)
    }

    /// Runs it, expects a message that starts so, and the file as it was.
    pub fn expect_failure(&self, options: &Value, message: &str) {
        let before = fs::read(self.file()).unwrap();
        let result = self.run(options);
        let found = result
            .get("msg")
            .and_then(Value::as_str)
            .unwrap_or_default();
        assert!(found.starts_with(message), "{options}: {result:?}");
        assert_eq!(
            (&result["failed"], &result["changed"]),
            (&json!(true), &json!(false))
        );
        assert!(
            !Value::Object(result).to_string().contains("DUMMY-SECRET"),
            "{options}"
        );
        assert_eq!(fs::read(self.file()).unwrap(), before, "{options}");
    }
}

/// The result, which is all that a run prints: a line break, one line of ASCII, a line break.
pub fn result_of(output: &Output) -> Map<String, Value> {
    let text = &output.stdout;
    let line = text
        .strip_prefix(b"\n")
        .and_then(|text| text.strip_suffix(b"\n"));
    let line = line.unwrap_or_else(|| panic!("not framed: {}", text.escape_ascii()));
    assert!(
        line.iter().all(|byte| (b' '..=b'~').contains(byte)),
        "{}",
        text.escape_ascii()
    );
    assert!(output.stderr.is_empty(), "{}", output.stderr.escape_ascii());
    let result: Map<String, Value> = serde_json::from_slice(line).unwrap();
    assert!(
        matches!(output.status.code(), Some(0 | 1)),
        "{:?}",
        output.status
    );
    assert_eq!(output.status.success(), !result.contains_key("failed"));
    result
}
