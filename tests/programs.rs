//! How the modules run the programs of an installation: only trusted ones, and with nothing of what the module inherited.

mod invocation;
mod program;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use invocation::{DOCROOT, INFO, Module, Sandbox, TRAPD, result_of};
use program::write_script;
use serde_json::{Map, Value, json};

const CONF: &str = "<CONF><default><file_system><access><paths><path><absolute>s3://h/b</absolute></path></paths></access>\
                    </file_system></default></CONF>\n";

/// An installation with programs that leave a note beside them.
struct Server {
    sandbox: Sandbox,
}

/// The modules with options for which they run a program.
fn users_of(program: &str) -> Vec<(Module, Value)> {
    let kms = |more: Value| {
        let mut options = json!({"server_side_encryption": "AWS_KMS"});
        let options_map = options.as_object_mut().unwrap();
        options_map.extend(more.as_object().unwrap().clone());
        options
    };
    match program {
        "ascp" => vec![
            (INFO, json!({})),
            (TRAPD, kms(json!({}))),
            (DOCROOT, kms(json!({"global": true}))),
        ],
        "asuserdata" => vec![(
            INFO,
            json!({"expect": [{"server_side_encryption": "AES256"}]}),
        )],
        "asconfigurator" => {
            let options = json!({"server_side_encryption": "AES256", "global": true, "method": "asconfigurator"});
            vec![(DOCROOT, options)]
        }
        _ => unreachable!(),
    }
}

impl Server {
    fn new(module: Module, script: &str) -> Self {
        let content = if module.name == TRAPD.name {
            "s3service.https-only=true\n"
        } else {
            CONF
        };
        let server = Self {
            sandbox: Sandbox::of(module, content),
        };
        fs::create_dir(server.bin()).unwrap();
        for name in ["ascp", "asuserdata", "asconfigurator"] {
            write_script(
                &server.bin().join(name),
                &format!("#!/bin/sh\n{script}\n: >\"$0.done\"\necho ascp version 4.3.1.100\n"),
            );
        }
        server
    }

    fn bin(&self) -> PathBuf {
        self.sandbox.root().join("bin")
    }

    fn was_started(&self, program: &str) -> bool {
        self.bin().join(program).with_extension("done").exists()
    }
}

#[test]
fn a_program_that_others_can_change_is_not_started() {
    for program in ["ascp", "asuserdata", "asconfigurator"] {
        for (module, options) in users_of(program) {
            let check = |what: &str, spoil: &dyn Fn(&Path), is_started: bool| {
                let server = Server::new(module, "");
                spoil(&server.bin().join(program));
                let what = format!("{program} {} {what}", module.name);
                for settings in [json!({"_ansible_check_mode": true}), json!({})] {
                    let mut options = options.clone();
                    let map = options.as_object_mut().unwrap();
                    map.extend(settings.as_object().unwrap().clone());
                    let result = Value::Object(server.sandbox.run(&options)).to_string();
                    assert_eq!(
                        result.contains("untrusted_program"),
                        !is_started,
                        "{what}: {result}"
                    );
                    if !is_started {
                        assert!(!server.was_started(program), "{what}");
                    }
                }
                assert_eq!(server.was_started(program), is_started, "{what}");
            };
            let mode = |path: &Path, mode| {
                fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
            };
            check("as it is", &|_| (), true);
            check("0775", &|path| mode(path, 0o775), false);
            check("0757", &|path| mode(path, 0o757), false);
            check("folder", &|path| mode(path.parent().unwrap(), 0o777), false);
        }
    }
}

#[test]
#[ignore = "needs root"]
fn a_program_of_another_user_is_not_started() {
    for program in ["ascp", "asuserdata", "asconfigurator"] {
        for (module, options) in users_of(program) {
            let server = Server::new(module, "");
            std::os::unix::fs::chown(server.bin().join(program), Some(65_534), None).unwrap();
            let result = Value::Object(server.sandbox.run(&options)).to_string();
            assert!(result.contains("untrusted_program"), "{program}: {result}");
            assert!(
                result.contains("belongs to user 65534"),
                "{program}: {result}"
            );
            assert!(!server.was_started(program), "{program} {}", module.name);
        }
    }
}

#[test]
fn a_program_inherits_no_open_file_no_session_and_no_environment() {
    // The shell itself may have its script open, under a number of its own.
    let script = "ls -l /proc/self/fd >\"$0.files\"; env >\"$0.environment\"; tty >\"$0.tty\"
cut -d' ' -f6 /proc/self/stat >\"$0.session\"; echo $$ >>\"$0.session\"";
    for program in ["ascp", "asuserdata", "asconfigurator"] {
        for (module, options) in users_of(program) {
            let server = Server::new(module, script);
            let secret = server.sandbox.root().join("inherited");
            fs::write(&secret, "").unwrap();
            let wrapper = "exec 3<\"$0\" 9>>\"$0\" 250<\"$0\"; exec \"$@\"";
            let output = Command::new("bash")
                .args(["-c", wrapper])
                .arg(&secret)
                .arg(module.program)
                .arg(server.sandbox.argument_file(&options))
                .env("LD_LIBRARY_PATH", "/nowhere")
                .output()
                .unwrap();
            let result: Map<String, Value> = result_of(&output);
            let note = |name: &str| {
                let path = server.bin().join(format!("{program}.{name}"));
                fs::read_to_string(path)
                    .unwrap_or_else(|error| panic!("{program} {error} {result:?}"))
            };
            let files = note("files");
            let inherited: Vec<&str> = files
                .lines()
                .filter_map(|line| Some(line.rsplit_once(" -> ")?.1))
                .filter(|target| target.starts_with(server.sandbox.root().to_str().unwrap()))
                .filter(|target| !target.contains("/bin/"))
                .collect();
            assert!(inherited.is_empty(), "{program} {}: {files}", module.name);
            let session = note("session");
            let lines: Vec<&str> = session.lines().collect();
            assert_eq!(lines[0], lines[1], "{program} {}", module.name);
            assert!(!note("environment").contains("LD_"), "{program}");
        }
    }
}
