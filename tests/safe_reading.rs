//! Whatever stands in the place of a file of the installation, each module answers, opens nothing that is no regular file, follows no link of
//! another user, and says what it could not read.

mod invocation;

use std::fs::{self, File};
use std::os::unix::fs::{lchown, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use invocation::{ACCESS_KEYS, DOCROOT, INFO, Module, OBJECTS, Sandbox, TRAPD, result_of};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use serde_json::{Map, Value, json};

const CONF: &str = "<CONF><default><file_system><access><paths><path><absolute>s3://h/b</absolute></path></paths></access></file_system></default></CONF>";
const PROPERTIES: &str = "s3service.https-only=true\n";

/// What may stand in the place of a file, and a word of what is said about it.
const OBSTACLES: [(&str, &str); 6] = [
    ("fifo", "is a FIFO"),
    ("link to a device", "is a device"),
    ("link of another user", "a symbolic link of another user"),
    (
        "folder of another user's link",
        "a symbolic link of another user",
    ),
    ("folder", "is a directory"),
    ("huge", "larger than"),
];

#[test]
#[ignore = "needs root"]
fn a_file_that_cannot_be_read_is_a_failure_of_the_module_that_edits_it() {
    for (module, options, path) in [
        (TRAPD, json!({}), "etc/trapd/s3.properties"),
        (DOCROOT, json!({"global": true}), "etc/aspera.conf"),
    ] {
        for (obstacle, word) in OBSTACLES {
            let result = answer(module, &options, path, obstacle);
            let message = result["msg"].as_str().unwrap();
            assert!(message.contains(word), "{path} {obstacle}: {message}");
            assert_eq!(result["changed"], json!(false), "{path} {obstacle}");
        }
    }
}

#[test]
#[ignore = "needs root"]
fn a_file_that_is_only_looked_at_and_cannot_be_read_is_a_warning() {
    for (module, options, path) in [
        (DOCROOT, json!({"global": true}), "etc/trapd/s3.properties"),
        (TRAPD, json!({"create": true}), "etc/trapd/trap.properties"),
        (INFO, json!({}), "etc/aspera.conf"),
        (INFO, json!({}), "etc/trapd/s3.properties"),
        (ACCESS_KEYS, nowhere(), "etc/aspera.conf"),
        (ACCESS_KEYS, nowhere(), "etc/trapd/s3.properties"),
        // Of a user who is not there no object is asked about.
        (OBJECTS, json!({"user": "gone"}), "etc/aspera.conf"),
        (OBJECTS, json!({"user": "gone"}), "etc/trapd/s3.properties"),
    ] {
        for (obstacle, word) in OBSTACLES {
            if path.ends_with("trap.properties") && obstacle == "huge" {
                // Nothing is read of it but owner and mode.
                continue;
            }
            if module.name == TRAPD.name && obstacle == "folder of another user's link" {
                // The folder of the file that it edits, too.
                continue;
            }
            let result = answer(module, &options, path, obstacle);
            let warnings = result["warnings"].to_string();
            assert!(warnings.contains(word), "{path} {obstacle}: {warnings}");
            assert!(
                !warnings.contains("Nothing was changed"),
                "{path} {obstacle}: {warnings}"
            );
            assert!(
                !result.contains_key("failed"),
                "{path} {obstacle}: {result:?}"
            );
            assert_eq!(result["changed"], json!(edits(module)), "{path} {obstacle}");
        }
    }
}

#[test]
#[ignore = "needs root"]
fn a_program_that_is_none_is_not_waited_for() {
    for (module, options) in [
        (TRAPD, json!({"create": true})),
        (DOCROOT, json!({"global": true})),
        (INFO, json!({})),
    ] {
        for (obstacle, _) in OBSTACLES {
            if obstacle.contains("link of another") || obstacle.contains("another user's link") {
                continue;
            }
            let result = answer(module, &options, "bin/ascp", obstacle);
            assert!(
                !result.contains_key("failed"),
                "{} {obstacle}: {result:?}",
                module.name
            );
        }
    }
}

/// Options for a node at which nothing listens.
fn nowhere() -> Value {
    json!({"url": "http://127.0.0.1:1", "username": "node_audit", "password": "DUMMY"})
}

fn edits(module: Module) -> bool {
    ![ACCESS_KEYS.name, INFO.name, OBJECTS.name].contains(&module.name)
}

/// Runs a module where something stands in the place of a file. It gets 512 MiB and a minute.
fn answer(module: Module, options: &Value, path: &str, obstacle: &str) -> Map<String, Value> {
    let sandbox = Sandbox::of(
        module,
        if module.name == TRAPD.name {
            PROPERTIES
        } else {
            CONF
        },
    );
    let root = sandbox.root();
    for (name, text) in [
        ("etc/aspera.conf", CONF),
        ("etc/trapd/s3.properties", PROPERTIES),
        ("etc/trapd/trap.properties", ""),
        ("bin/ascp", "no program"),
    ] {
        let file = root.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
    }
    if path.ends_with("trap.properties") {
        fs::remove_file(root.join("etc/trapd/s3.properties")).unwrap();
    }
    put(obstacle, &root.join(path));
    let mut arguments = options.as_object().unwrap().clone();
    arguments.insert("aspera_root".to_owned(), json!(root));
    if edits(module) {
        arguments.insert("server_side_encryption".to_owned(), json!("AWS_KMS"));
    }
    let file = root.join("arguments.json");
    fs::write(&file, Value::Object(arguments).to_string()).unwrap();
    let output = Command::new("sh")
        .args([
            "-c",
            "ulimit -v 524288 && exec timeout -s KILL 60 \"$0\" \"$1\"",
            module.program,
        ])
        .arg(&file)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(
        !output.stdout.is_empty(),
        "{} {path} {obstacle}: {output:?}",
        module.name
    );
    result_of(&output)
}

fn put(obstacle: &str, path: &Path) {
    // What a link of another user leads to holds what would be a good file.
    let elsewhere = path.with_extension("elsewhere");
    if obstacle == "folder of another user's link" {
        let folder = path.parent().unwrap();
        fs::rename(folder, folder.with_extension("elsewhere")).unwrap();
        symlink(folder.with_extension("elsewhere"), folder).unwrap();
        return lchown(folder, Some(12), Some(34)).unwrap();
    }
    fs::rename(path, &elsewhere).unwrap();
    match obstacle {
        "fifo" => mkfifo(path, Mode::from_bits_truncate(0o644)).unwrap(),
        "link to a device" => symlink("/dev/zero", path).unwrap(),
        "link of another user" => {
            symlink(&elsewhere, path).unwrap();
            lchown(path, Some(12), Some(34)).unwrap();
        }
        "folder" => fs::create_dir(path).unwrap(),
        "huge" => File::create(path).unwrap().set_len(1 << 40).unwrap(),
        _ => unreachable!("{obstacle}"),
    }
}
