//! The option `settled` of `aspera_sse_info`: what is no answer of the other module is refused, and an answer counts only while nothing has changed.

mod invocation;

use std::fs;
use std::thread;
use std::time::{Duration, SystemTime};

use aspera_sse::utc::Utc;
use invocation::{INFO, Sandbox};
use serde_json::{Value, json};

const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const CONF: &str = "<CONF><default><file_system><access><paths><path><absolute>s3://AKIADUMMY:DUMMY-SECRET@s3.amazonaws.com/b?server-side-encryption=AWS_KMS</absolute>\
    </path></paths></access></file_system></default></CONF>";

/// An answer about the docroot of [`CONF`], with some other values.
fn answer(other: &Value) -> Value {
    let mut answer = json!({
        "scope": "global", "name": null, "peer_ip": null, "uri": "s3://****:****@s3.amazonaws.com/b?server-side-encryption=AWS_KMS",
        "server_side_encryption": "AWS_KMS", "kms_key_id": KEY,
        "last_modified": "2025-11-21T11:30:00Z", "serving_since": "2025-11-20T08:00:00Z",
        "settles": ["docroot_and_file"], "rules_out": ["AES256"],
    });
    answer
        .as_object_mut()
        .unwrap()
        .extend(other.as_object().unwrap().clone());
    answer
}

#[test]
fn what_is_no_answer_is_refused_with_a_sentence() {
    let sandbox = Sandbox::of(INFO, CONF);
    for (other, message) in [
        (
            json!({"scope": null}),
            "scope and name do not name a docroot.",
        ),
        (
            json!({"scope": "user"}),
            "scope and name do not name a docroot.",
        ),
        (
            json!({"name": "DUMMY-SECRET"}),
            "scope and name do not name a docroot.",
        ),
        (
            json!({"server_side_encryption": "NONE"}),
            "server_side_encryption is neither AES256 nor AWS_KMS.",
        ),
        (
            json!({"server_side_encryption": "DUMMY-SECRET"}),
            "server_side_encryption is neither AES256 nor AWS_KMS.",
        ),
        (
            json!({"kms_key_id": "DUMMY-SECRET x"}),
            "kms_key_id is not the name of a key.",
        ),
        (
            json!({"kms_key_id": "alias/media"}),
            "kms_key_id is not the ARN of a key",
        ),
        (
            json!({"kms_key_id": null}),
            "kms_key_id is not the ARN of a key",
        ),
        (
            json!({"server_side_encryption": "AES256"}),
            "kms_key_id is not the ARN of a key, or does not go with the encryption.",
        ),
        (
            json!({"last_modified": "DUMMY-SECRET"}),
            "last_modified and serving_since are not times.",
        ),
        (
            json!({"serving_since": null}),
            "last_modified and serving_since are not times.",
        ),
        (
            json!({"serving_since": "2999-01-01T00:00:00Z"}),
            "serving_since is in the future.",
        ),
        (json!({"uri": null}), "uri is missing."),
    ] {
        let options = json!({"settled": [answer(&json!({})), answer(&other)]});
        sandbox.expect_failure(&options, &format!("settled[1]: {message}"));
    }
}

#[test]
fn an_answer_counts_while_the_docroot_and_the_files_are_as_they_were() {
    let sandbox = Sandbox::of(INFO, CONF);
    for (path, text) in [
        ("etc/trapd/s3.properties", "server-side-encryption=AES256\n"),
        ("bin/ascp", ""),
    ] {
        let path = sandbox.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    // A second in which the files do not change any more.
    let since = SystemTime::now() + Duration::from_secs(1);
    while SystemTime::now() <= since {
        thread::yield_now();
    }
    let since = Utc::from(since).to_string();
    for (what, other, counts, place) in [
        ("as it was", json!({}), true, json!("global")),
        (
            "older than the files",
            json!({"serving_since": "2025-11-20T08:00:00Z"}),
            false,
            json!("global"),
        ),
        (
            "another docroot",
            json!({"uri": "s3://h/b"}),
            false,
            Value::Null,
        ),
        (
            "of a user who is not there",
            json!({"scope": "user", "name": "a"}),
            false,
            Value::Null,
        ),
        (
            "for an address",
            json!({"peer_ip": "192.0.2.1"}),
            false,
            Value::Null,
        ),
    ] {
        let mut entry = answer(&json!({"serving_since": since}));
        entry
            .as_object_mut()
            .unwrap()
            .extend(other.as_object().unwrap().clone());
        let result = sandbox.run(&json!({"settled": [entry]}));
        assert!(
            !Value::Object(result.clone())
                .to_string()
                .contains("DUMMY-SECRET")
        );
        let settled = &result["settled"][0];
        assert_eq!(
            (&settled["counts"], &settled["where"]),
            (&json!(counts), &place),
            "{what}: {settled}"
        );
        assert_eq!(settled["why"].is_null(), counts, "{what}");
        // The file names another encryption, and the object tells which of the two counts.
        let reasons = result["docroots"][0]["effective"]["reasons"].to_string();
        assert_eq!(
            reasons.contains("docroot_and_file"),
            !counts,
            "{what}: {reasons}"
        );
    }
}
