//! Programs that tests write and run.
//!
//! Another process writes them. If this one did, a program that another thread starts at that moment would inherit the open file for a moment, and
//! the kernel runs no file that is open for writing (`ETXTBSY`).

#![allow(dead_code, reason = "each test program takes what it needs")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Writes a script that can be run at once.
pub fn write_script(path: &Path, text: &str) {
    let mut writer = Command::new("/bin/sh")
        .args(["-c", "cat >\"$1\" && chmod 755 \"$1\"", "sh"])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = writer.stdin.take().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    drop(input);
    assert!(writer.wait().unwrap().success(), "{}", path.display());
}

/// Copies a program that can be run at once.
pub fn copy_program(program: impl AsRef<Path>, copy: &Path) {
    let status = Command::new("cp")
        .arg("--")
        .arg(program.as_ref())
        .arg(copy)
        .status()
        .unwrap();
    assert!(status.success(), "{}", copy.display());
}
