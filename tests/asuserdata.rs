//! What `aspera_sse_info` makes of the answers of `asuserdata -v`.

mod invocation;
mod program;

use std::fs;

use invocation::{INFO, Sandbox};
use program::write_script;
use serde_json::{Map, Value, json};

/// A server without storage in S3, which is compliant if its configuration is valid.
fn server() -> Sandbox {
    let sandbox = Sandbox::of(INFO, "<CONF/>");
    let properties = sandbox.root().join("etc/trapd/s3.properties");
    fs::create_dir_all(properties.parent().unwrap()).unwrap();
    fs::write(properties, "s3service.https-only=true\n").unwrap();
    fs::create_dir(sandbox.root().join("bin")).unwrap();
    write_script(
        &sandbox.root().join("bin/ascp"),
        "#!/bin/sh\necho ascp version 4.3.1.100\n",
    );
    sandbox
}

fn judged(sandbox: &Sandbox) -> Map<String, Value> {
    sandbox.run(&json!({"expect": [{"server_side_encryption": "AES256"}]}))
}

/// What is incomplete about the program. Services of the host may be incomplete, too.
fn incomplete(result: &Map<String, Value>) -> Vec<&Value> {
    let incomplete = result["incomplete"].as_array().unwrap().iter();
    incomplete
        .filter(|one| one["where"].as_str().unwrap().ends_with("/bin/asuserdata"))
        .collect()
}

#[test]
fn only_exit_status_and_output_that_agree_are_an_answer() {
    let sandbox = server();
    let program = sandbox.root().join("bin/asuserdata");
    for (script, configuration, why) in [
        ("exit 0", Some("not_refused"), None),
        ("echo Invalid value; exit 1", Some("refused"), None),
        ("echo Invalid value >&2; exit 1", Some("refused"), None),
        (
            "echo invalid; head -c 1000000 /dev/zero; exit 1",
            Some("refused"),
            None,
        ),
        ("echo usage; exit 1", None, Some("exit status 1")),
        ("exit 3", None, Some("exit status 3")),
        ("echo Rejected >&2", None, Some("exit status 0")),
        ("exec sleep 60", None, Some("within 5 seconds")),
        ("kill -9 $$", None, Some("A signal ended")),
        ("kill -SEGV $$", None, Some("A signal ended")),
        ("sh -c 'kill -9 $$'", None, Some("A signal ended")),
        ("exec /nonexistent", None, Some("could not be started")),
        ("exit 126", None, Some("could not be started")),
    ] {
        write_script(&program, &format!("#!/bin/sh\n{script}\n"));
        let result = judged(&sandbox);
        assert_eq!(result["configuration"], json!(configuration), "{script}");
        let incomplete = incomplete(&result);
        assert_eq!(incomplete.len(), usize::from(why.is_some()), "{script}");
        for one in incomplete {
            assert!(one["why"].as_str().unwrap().contains(why.unwrap()), "{one}");
            assert!(!one["fix"].as_str().unwrap().is_empty(), "{one}");
        }
        let refused = configuration == Some("refused");
        assert_eq!(result["compliant"] == json!(false), refused, "{script}");
        if why.is_some() {
            assert_eq!(result["compliant"], Value::Null, "{script}");
        }
    }
}

/// Otherwise a refusal would become a green when the program is taken away.
#[test]
fn an_installation_without_the_program_is_not_compliant() {
    let sandbox = server();
    let program = sandbox.root().join("bin/asuserdata");
    let check = |what: &str, word: &str| {
        let result = judged(&sandbox);
        assert_eq!(result["configuration"], Value::Null, "{what}");
        assert_eq!(result["compliant"], Value::Null, "{what}");
        let incomplete = incomplete(&result);
        assert_eq!(incomplete.len(), 1, "{what}: {result:?}");
        let why = incomplete[0]["why"].as_str().unwrap();
        assert!(why.contains(word), "{what}: {why}");
    };
    check("missing", "does not exist");
    fs::create_dir_all(&program).unwrap();
    check("a folder", "a directory");
    fs::remove_dir(&program).unwrap();
    fs::write(&program, "").unwrap();
    check("no permission to run it", "could not be started");
    fs::remove_dir_all(sandbox.root().join("bin")).unwrap();
    check("no programs at all", "does not exist");
}
