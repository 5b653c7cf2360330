//! Running a built module on an Aspera root of its own.

#![allow(dead_code, reason = "each test program uses its part of it")]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// A built module, and the file that it edits.
#[derive(Debug, Clone, Copy)]
pub struct Module {
    pub name: &'static str,
    pub program: &'static str,
    /// Below the Aspera root.
    pub file: &'static str,
}

pub const TRAPD: Module = Module {
    name: "aspera_trapd_sse",
    program: PROGRAM,
    file: "etc/trapd/s3.properties",
};

pub const DOCROOT: Module = Module {
    name: "aspera_docroot_sse",
    program: env!("CARGO_BIN_EXE_aspera_docroot_sse"),
    file: "etc/aspera.conf",
};

/// It edits nothing; the file is one that it reads.
pub const INFO: Module = Module {
    name: "aspera_sse_info",
    program: env!("CARGO_BIN_EXE_aspera_sse_info"),
    file: "etc/aspera.conf",
};

/// It edits nothing, and asks a node.
pub const ACCESS_KEYS: Module = Module {
    name: "aspera_access_keys_info",
    program: env!("CARGO_BIN_EXE_aspera_access_keys_info"),
    file: "etc/aspera.conf",
};

/// It edits nothing, and asks S3.
pub const OBJECTS: Module = Module {
    name: "aspera_s3_objects_info",
    program: env!("CARGO_BIN_EXE_aspera_s3_objects_info"),
    file: "etc/aspera.conf",
};

/// It edits nothing on the host, and writes to S3.
pub const TRIAL: Module = Module {
    name: "aspera_s3_trial_upload",
    program: env!("CARGO_BIN_EXE_aspera_s3_trial_upload"),
    file: "etc/aspera.conf",
};

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_aspera_trapd_sse");

/// An Aspera root with the file that a module edits.
pub struct Sandbox {
    folder: TempDir,
    module: Module,
}

impl Sandbox {
    /// With a short `s3.properties`.
    pub fn new() -> Self {
        Self::of(
            TRAPD,
            "s3service.https-only=true\n# server-side-encryption=NONE\n",
        )
    }

    /// With the file of a module.
    pub fn of(module: Module, content: impl AsRef<[u8]>) -> Self {
        let sandbox = Self {
            folder: tempfile::tempdir().unwrap(),
            module,
        };
        fs::create_dir_all(sandbox.file().parent().unwrap()).unwrap();
        fs::write(sandbox.file(), content).unwrap();
        sandbox
    }

    pub fn root(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    pub fn file(&self) -> PathBuf {
        self.folder.path().join(self.module.file)
    }

    /// Options with the root added.
    pub fn arguments(&self, options: &Value) -> Value {
        let mut arguments = options.as_object().unwrap().clone();
        arguments.entry("aspera_root").or_insert(json!(self.root()));
        Value::Object(arguments)
    }

    pub fn argument_file(&self, options: &Value) -> PathBuf {
        let path = self.folder.path().join("arguments.json");
        fs::write(&path, self.arguments(options).to_string()).unwrap();
        path
    }

    /// The module with its arguments, ready to be started.
    pub fn command(&self, options: &Value) -> Command {
        let mut command = Command::new(self.module.program);
        command.arg(self.argument_file(options));
        command
    }

    pub fn run(&self, options: &Value) -> Map<String, Value> {
        result_of(&self.command(options).output().unwrap())
    }

    /// Runs it, expects a message that starts so, and the file as it was. `[FILE]` in the message stands for the path of the file.
    pub fn expect_failure(&self, options: &Value, message: &str) {
        let before = fs::read(self.file()).unwrap();
        let result = self.run(options);
        let found = result
            .get("msg")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let message = message.replace("[FILE]", self.file().to_str().unwrap());
        assert!(found.starts_with(&message), "{options}: {result:?}");
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
    let line =
        line.unwrap_or_else(|| panic!("not framed: {} {:?}", text.escape_ascii(), output.status));
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
