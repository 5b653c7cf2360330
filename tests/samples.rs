//! The samples in the documentation come from real answers of the modules.
//!
//! `tests/samples/MODULE/RUN/` contains a run: `task.json`, the options, and `aspera/`, the files of the installation. Each return value that
//! `library/MODULE.yml` documents has its sample in the answer of one of the module's runs. Related samples come from one place: all samples
//! within a dictionary come from one run, and those within a list of dictionaries from one element of it.
//!
//! Some parts of an answer differ from run to run and from host to host. They are not compared as they are:
//!
//! | part | compared instead |
//! | --- | --- |
//! | the folder of the installation | `/opt/aspera` |
//! | the process and the time in the name of a backup | those of [`BACKUP`] |
//! | the keys of [`OF_THE_HOST`]: which init system there is, whether services run, and the day | whether they exist and have the type of the sample |
//! | the digits in the name of a trial object | documented ones |
//! | the URL of the server that a run asks, `[STORE]` in its options | `https://localhost:9092` |
//! | warnings about services of the host | left out |

mod invocation;
mod program;
mod store;

use std::cmp::Reverse;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use invocation::{ACCESS_KEYS, DOCROOT, INFO, Module, OBJECTS, TRAPD, TRIAL, result_of};
use program::write_script;
use serde_json::{Map, Value, json};

/// The process and the time in the name of a documented backup.
const BACKUP: &str = "4711.2025-11-23@09:30:00~";

/// Values that are known only if the services run, and one that depends on the day.
const OF_THE_HOST: [&str; 10] = [
    "age_days",
    "clock_ahead_seconds",
    "enabled",
    "manager",
    "state",
    "started_at",
    "restart_required",
    "restart_reason",
    "restart_services",
    "settles",
];

#[test]
fn aspera_access_keys_info() {
    check(ACCESS_KEYS);
}

#[test]
fn aspera_docroot_sse() {
    check(DOCROOT);
}

/// The server that it asks is [`store::acme`].
#[test]
fn aspera_s3_objects_info() {
    check(OBJECTS);
}

#[test]
fn aspera_sse_info() {
    check(INFO);
}

#[test]
fn aspera_s3_trial_upload() {
    check(TRIAL);
}

#[test]
fn aspera_trapd_sse() {
    check(TRAPD);
}

/// The table in the pages is also a sample.
#[test]
fn the_table_of_the_pages() {
    let audit = run(INFO, &runs_of(INFO).join("audit"));
    let mut lines: Vec<&str> = audit["table"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line.as_str().unwrap())
        .collect();
    lines.push(audit["summary"].as_str().unwrap());
    let block = format!("```text\n{}\n```\n", lines.join("\n"));
    for page in ["README.md", "docs/audit.md"] {
        let text = fs::read_to_string(repository().join(page)).unwrap();
        assert!(text.contains(&block), "{page} does not show\n{block}");
    }
}

fn check(module: Module) {
    let path = repository().join(format!("library/{}.yml", module.name));
    let documentation: Value = serde_yaml_ng::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let runs: Vec<Value> = fs::read_dir(runs_of(module))
        .unwrap()
        .map(|folder| Value::Object(run(module, &folder.unwrap().path())))
        .collect();
    let mut wrong = Vec::new();
    for (key, documented) in documentation["RETURN"].as_object().unwrap() {
        let found = runs.iter().filter_map(|run| run.get(key));
        let nearest = nearest(key, documented, found);
        wrong.extend(nearest.unwrap_or_else(|| vec![format!("{key} is in no answer")]));
    }
    assert!(
        wrong.is_empty(),
        "samples of {} that no run in tests/samples gives:\n{}",
        module.name,
        wrong.join("\n")
    );
}

/// Returns the differences of the value that is most like the samples. Of equal values, the longest counts. Returns `None` if there is no value.
fn nearest<'v>(
    place: &str,
    documented: &Value,
    values: impl Iterator<Item = &'v Value>,
) -> Option<Vec<String>> {
    let candidates = values.map(|value| (differences(place, documented, value), value));
    let nearest = candidates.min_by_key(|(differences, value)| {
        let length = value.to_string().len();
        (differences.len(), Reverse(length))
    });
    nearest.map(|(differences, _)| differences)
}

/// Returns the places where a value differs from the samples, at every depth.
fn differences(place: &str, documented: &Value, found: &Value) -> Vec<String> {
    let (sample, inner) = (documented.get("sample"), documented.get("contains"));
    let key = place.rsplit('.').next().unwrap();
    let mut differences = Vec::new();
    match sample {
        // What only running services give.
        _ if OF_THE_HOST.contains(&key) && inner.is_some() => return differences,
        None if inner.is_none() => differences.push(format!("{place} has no sample")),
        None => {}
        Some(sample) if OF_THE_HOST.contains(&key) => {
            let type_name = documented["type"].as_str().unwrap();
            if !is_of_type(type_name, sample) {
                differences.push(format!("{place}: {sample} is not of type {type_name}"));
            }
        }
        Some(sample) if sample == found => {}
        Some(sample) => differences.push(format!("{place} is {found}, its sample {sample}")),
    }
    let Some(inner) = inner else {
        return differences;
    };
    differences.extend(match found {
        Value::Object(fields) => within(place, inner, fields),
        Value::Array(elements) => {
            let elements = elements.iter().map(|element| {
                let fields = element.as_object().unwrap();
                within(place, inner, fields)
            });
            let nearest = elements.min_by_key(Vec::len);
            nearest.unwrap_or_else(|| within(place, inner, &Map::new()))
        }
        _ => vec![format!("{place} is {found}")],
    });
    differences
}

fn within(place: &str, documented: &Value, found: &Map<String, Value>) -> Vec<String> {
    let documented = documented.as_object().unwrap();
    let differences = documented.iter().map(|(key, documented)| {
        let place = format!("{place}.{key}");
        nearest(&place, documented, found.get(key).into_iter())
            .unwrap_or_else(|| vec![format!("{place} is not there")])
    });
    differences.flatten().collect()
}

/// Null stands for a value that does not exist or is not known.
fn is_of_type(name: &str, value: &Value) -> bool {
    match name {
        _ if value.is_null() => true,
        "bool" => value.is_boolean(),
        "int" => value.is_i64(),
        "str" => value.is_string(),
        "list" => value.is_array(),
        _ => false,
    }
}

/// Returns the answer of a run, with the parts that differ between runs as in the documentation.
fn run(module: Module, folder: &Path) -> Map<String, Value> {
    let sandbox = tempfile::tempdir().unwrap();
    let root = sandbox.path().join("aspera");
    lay_out(&folder.join("aspera"), &root);
    let store = store::acme();
    let task = fs::read_to_string(folder.join("task.json")).unwrap();
    let task = task.replace("[STORE]", &store.url);
    let mut task: Map<String, Value> = serde_json::from_str(&task).unwrap();
    task.insert("aspera_root".to_owned(), json!(root));
    task.insert("_ansible_no_log".to_owned(), json!(true));
    let arguments = sandbox.path().join("arguments.json");
    fs::write(&arguments, Value::Object(task).to_string()).unwrap();
    let output = Command::new(module.program).arg(&arguments).output();
    let answer = Value::Object(result_of(&output.unwrap())).to_string();
    let answer = answer.replace(root.to_str().unwrap(), "/opt/aspera");
    let answer = answer.replace(&store.url, "https://localhost:9092");
    let answer = without_random_name(&answer);
    let mut answer: Map<String, Value> = serde_json::from_str(&answer).unwrap();
    assert!(!answer.contains_key("failed"), "{answer:?}");
    if let Some(Value::String(backup)) = answer.get_mut("backup_file") {
        let (file, number) = backup.rsplit_once('.').unwrap().0.rsplit_once('.').unwrap();
        assert!(number.parse::<u32>().is_ok(), "{backup}");
        *backup = format!("{file}.{BACKUP}");
    }
    if let Some(Value::Array(warnings)) = answer.get_mut("warnings") {
        warnings.retain(|warning| {
            let warning = warning.as_str().unwrap();
            !warning.starts_with("asperatrapd is not enabled")
                && !warning.starts_with("Processes that are named like")
        });
    }
    answer
}

/// Returns an answer with the documented digits in the name of a trial object.
fn without_random_name(answer: &str) -> String {
    const NAME: &str = ".aspera-sse-trial-";
    let Some(start) = answer.find(NAME).map(|start| start + NAME.len()) else {
        return answer.to_owned();
    };
    let (before, rest) = answer.split_at(start);
    let (digits, after) = rest.split_at(16);
    assert!(
        digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{digits}"
    );
    format!("{before}0123456789abcdef{after}")
}

/// Copies the files of an installation, and adds stand-ins for its programs.
fn lay_out(files: &Path, root: &Path) {
    let status = Command::new("cp").arg("-r").args([files, root]).status();
    assert!(status.unwrap().success(), "{}", files.display());
    fs::create_dir(root.join("bin")).unwrap();
    let ascp = "#!/bin/sh\n# A stand-in for ascp: it only prints a version.\necho 'ascp version 4.3.1.102989'\n";
    write_script(&root.join("bin/ascp"), ascp);
    let asuserdata =
        "#!/bin/sh\n# A stand-in for asuserdata: it takes any configuration for valid.\n";
    write_script(&root.join("bin/asuserdata"), asuserdata);
}

fn runs_of(module: Module) -> PathBuf {
    repository().join("tests/samples").join(module.name)
}

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
