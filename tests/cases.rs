//! Cases as folders: the file before and the task, the file after and the result.
//!
//! `tests/cases/MODULE/NAME/` holds `task.json` (the options, the version of the stand-in `ascp`, and if the case is about it, an `s3.properties` or a `backup`
//! to stand beside the file), the file before, the file after (if it changes) and `result.json`. Each case is run in check mode, for real, and again.
//!
//! `BLESS=MODULE/NAME cargo test --test cases` writes the result of one case as the expected one, says which files it wrote, and fails: only a run
//! without `BLESS` can pass. Read the diff before you commit it.

mod program;

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use program::write_script;
use serde_json::{Map, Value, json};

#[test]
fn aspera_trapd_sse() {
    run_all(&Module {
        name: "aspera_trapd_sse",
        program: env!("CARGO_BIN_EXE_aspera_trapd_sse"),
        file: "etc/trapd/s3.properties",
        before: "before.properties",
        after: "after.properties",
    });
}

#[test]
fn aspera_docroot_sse() {
    run_all(&Module {
        name: "aspera_docroot_sse",
        program: env!("CARGO_BIN_EXE_aspera_docroot_sse"),
        file: "etc/aspera.conf",
        before: "before.conf",
        after: "after.conf",
    });
}

struct Module {
    name: &'static str,
    program: &'static str,
    /// The file it edits, below the Aspera root.
    file: &'static str,
    before: &'static str,
    after: &'static str,
}

fn run_all(module: &Module) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cases")
        .join(module.name);
    let mut cases: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    assert!(cases.len() > 10, "the cases of {} are gone", module.name);
    if let Some(blessed) = std::env::var_os("BLESS") {
        panic!("{}", bless(module, &cases, &blessed.to_string_lossy()));
    }
    let failed: Vec<String> = cases
        .iter()
        .filter_map(|case| run_case(module, case, compare).err())
        .collect();
    assert!(
        failed.is_empty(),
        "{} of {} cases failed:\n{}",
        failed.len(),
        cases.len(),
        failed.join("\n")
    );
}

/// Writes what comes out of one case as expected. Returns what it did, as the message with which the run fails.
fn bless(module: &Module, cases: &[PathBuf], blessed: &str) -> String {
    let case = cases.iter().find(|case| {
        let name = case.file_name().unwrap().to_string_lossy();
        blessed == format!("{}/{name}", module.name)
    });
    let Some(case) = case else {
        return format!(
            "No case of {} ran, because BLESS={blessed} names none of them. Set BLESS=MODULE/NAME for one case, or unset it.",
            module.name
        );
    };
    let written = RefCell::new(Vec::new());
    let broken = run_case(module, case, |path, found, _| {
        if fs::read(path).ok().as_deref() != found {
            match found {
                Some(found) => fs::write(path, found).unwrap(),
                None => fs::remove_file(path).unwrap(),
            }
            written.borrow_mut().push(path.display().to_string());
        }
        Ok(())
    })
    .err();
    let written = match written.take() {
        names if names.is_empty() => "BLESS found nothing to rewrite.".to_owned(),
        names => format!("BLESS rewrote {}. Read the diff.", names.join(" and ")),
    };
    let broken = broken.map_or_else(String::new, |law| format!("\nA law is broken: {law}"));
    format!("{written} Only a run without BLESS can pass.{broken}")
}

fn run_case(
    module: &Module,
    case: &Path,
    expect: impl Fn(&Path, Option<&[u8]>, &Path) -> Result<(), String>,
) -> Result<(), String> {
    let task: Value = serde_json::from_slice(&fs::read(case.join("task.json")).unwrap()).unwrap();
    let root = AsperaRoot::new(module, case, &task);
    let before = root.content();

    let mut checked = root.run(&task, true);
    if root.content() != before {
        return Err(format!("{}: check mode changed the file", case.display()));
    }
    let mut result = root.run(&task, false);
    let after = root.content();
    expect(
        &case.join("result.json"),
        Some(pretty(&result).as_bytes()),
        case,
    )?;
    let changed = after != before;
    expect(
        &case.join(module.after),
        after.as_deref().filter(|_| changed),
        case,
    )?;

    for answer in [&mut result, &mut checked] {
        answer.remove("backup_file");
    }
    if result != checked {
        return Err(format!(
            "{}: check mode predicts {}",
            case.display(),
            pretty(&checked)
        ));
    }
    if result.get("changed") != Some(&json!(changed)) {
        return Err(format!(
            "{}: the result lies about the change",
            case.display()
        ));
    }
    if !result.contains_key("failed") {
        let again = root.run(&task, false);
        if again["changed"] != json!(false) || root.content() != after || again.contains_key("diff")
        {
            return Err(format!(
                "{}: the second run says {}",
                case.display(),
                pretty(&again)
            ));
        }
    }
    Ok(())
}

struct AsperaRoot<'m> {
    folder: tempfile::TempDir,
    module: &'m Module,
}

impl<'m> AsperaRoot<'m> {
    fn new(module: &'m Module, case: &Path, task: &Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Self { folder, module };
        fs::create_dir_all(root.file().parent().unwrap()).unwrap();
        fs::create_dir(root.folder.path().join("bin")).unwrap();
        if let Ok(before) = fs::read(case.join(module.before)) {
            fs::write(root.file(), before).unwrap();
        }
        if let Some(backup) = task["backup"].as_str() {
            let mut name = root.file().into_os_string();
            name.push(".4711.2025-11-23@09:30:00~");
            fs::write(name, backup).unwrap();
        }
        if module.name == "aspera_trapd_sse" {
            // A new file gets the owner of this one; without it, it would get root, which only root can give it.
            fs::write(root.file().with_file_name("trap.properties"), "").unwrap();
        }
        if let Some(properties) = task["s3.properties"].as_str() {
            let path = root.folder.path().join("etc/trapd/s3.properties");
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, properties).unwrap();
        }
        if let Some(version) = task["ascp"].as_str() {
            let script = format!(
                "#!/bin/sh\n# A stand-in for ascp: it only prints a version.\necho 'ascp version {version}'\n"
            );
            write_script(&root.folder.path().join("bin/ascp"), &script);
        }
        root
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join(self.module.file)
    }

    fn content(&self) -> Option<Vec<u8>> {
        fs::read(self.file()).ok()
    }

    fn run(&self, task: &Value, check_mode: bool) -> Map<String, Value> {
        let mut arguments = task["options"].as_object().unwrap().clone();
        let settings = json!({
            "aspera_root": self.folder.path(),
            "_ansible_check_mode": check_mode,
            "_ansible_diff": true,
            "_ansible_no_log": true,
            "_ansible_inject_invocation": false,
        });
        arguments.extend(settings.as_object().unwrap().clone());
        let path = self.folder.path().join("arguments.json");
        fs::write(&path, Value::Object(arguments).to_string()).unwrap();
        let output = Command::new(self.module.program)
            .arg(&path)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let root = self.folder.path().to_str().unwrap();
        let mut result: Map<String, Value> =
            serde_json::from_str(&text.replace(root, "[ROOT]")).unwrap();
        redact(&mut result);
        result
    }
}

/// Takes out what differs from run to run and from machine to machine.
fn redact(result: &mut Map<String, Value>) {
    for key in ["restart_required", "restart_reason", "restart_services"] {
        if let Some(value) = result.get_mut(key) {
            *value = json!("[HOST]");
        }
    }
    if let Some(Value::String(backup)) = result.get_mut("backup_file") {
        let file = backup.split('.').take(2).collect::<Vec<_>>().join(".");
        let time = backup.rsplit('.').next().unwrap();
        assert_eq!(time.len(), "2026-01-31@23:59:59~".len(), "{backup}");
        *backup = format!("{file}.[PID].[TIME]~");
    }
    if let Some(Value::Array(warnings)) = result.get_mut("warnings") {
        // Whether this machine has trapd, or containers with one, is not the case's business.
        warnings.retain(|warning| {
            let warning = warning.as_str().unwrap();
            !warning.starts_with("asperatrapd is not enabled")
                && !warning.starts_with("Processes that are named like")
        });
    }
}

fn pretty(result: &Map<String, Value>) -> String {
    serde_json::to_string_pretty(result).unwrap() + "\n"
}

/// Holds a file of a case against what came out.
fn compare(path: &Path, found: Option<&[u8]>, case: &Path) -> Result<(), String> {
    let expected = fs::read(path).ok();
    if expected.as_deref() == found {
        return Ok(());
    }
    let shown = |bytes: Option<&[u8]>| {
        bytes.map_or("(no file)".into(), |bytes| {
            String::from_utf8_lossy(bytes).into_owned()
        })
    };
    Err(format!(
        "{}: {} should be\n{}but is\n{}",
        case.display(),
        path.file_name().unwrap().display(),
        shown(expected.as_deref()),
        shown(found)
    ))
}
