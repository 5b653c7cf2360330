//! Which docroots a trial upload is for, and with what: those that are to be set, and have not been set yet.

mod invocation;
mod store;

use std::fs;
use std::sync::{Arc, Mutex};

use invocation::{Sandbox, TRIAL};
use serde_json::{Map, Value, json};
use store::{Store, answer, error, listing, object};

const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const OTHER: &str = "arn:aws:kms:us-east-1:111122223333:key/00000000-12ab-34cd-56ef-1234567890ab";
const SSE: &str = "x-amz-server-side-encryption";
const SSE_KEY: &str = "x-amz-server-side-encryption-aws-kms-key-id";

/// A server with docroots of each kind. `plain` and `twin` lead to the same place.
const CONF: &str = r"<CONF><default><file_system><access><paths><path><absolute>s3://A:DUMMY-SECRET@h/media/global</absolute></path></paths></access></file_system></default>
<aaa><realms><realm><users>
<user><name>plain</name><file_system><access><paths><path><absolute>s3://A:DUMMY-SECRET@h/media/plain</absolute></path></paths></access></file_system></user>
<user><name>twin</name><file_system><access><paths><path><absolute>s3://A:DUMMY-SECRET@h/media/plain/</absolute></path></paths></access></file_system></user>
<user><name>own</name><file_system><access><paths><path><absolute>s3://A:DUMMY-SECRET@h/media/own?server-side-encryption=AES256</absolute></path></paths></access></file_system></user>
<user><name>local</name><file_system><access><paths><path><absolute>/data</absolute></path></paths></access></file_system></user>
</users></realm></realms></aaa></CONF>";

/// What was uploaded: the folder, the algorithm and the key.
type Upload = (String, String, String);

/// Runs the module, and returns its result with the uploads.
fn run(properties: &str, options: &Value) -> (Map<String, Value>, Vec<Upload>) {
    let puts = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&puts);
    let store = Store::start(move |asked| {
        let header = |name: &str| {
            let mut lines = asked.header.iter();
            let line = lines.find_map(|line| {
                line.split_once(':')
                    .filter(|(n, _)| n.eq_ignore_ascii_case(name))
            });
            line.map(|(_, value)| value.trim().to_owned())
                .unwrap_or_default()
        };
        let (algorithm, key) = (header(SSE), header(SSE_KEY));
        match &*asked.method {
            "PUT" => {
                let folder = asked.path.split('/').nth(2).unwrap_or_default().to_owned();
                let given = [(SSE, algorithm.as_str()), (SSE_KEY, key.as_str())];
                let reply = answer(200, &given[..if key.is_empty() { 1 } else { 2 }], "");
                seen.lock().unwrap().push((folder, algorithm, key));
                reply
            }
            "GET" => listing(&[], None),
            "DELETE" => answer(204, &[], ""),
            // It was looked at enough by the answer to the upload.
            _ => error(403, "AccessDenied"),
        }
    });
    let mut all = json!({"endpoint_url": store.url, "timeout": 3});
    all.as_object_mut()
        .unwrap()
        .extend(options.as_object().unwrap().clone());
    let sandbox = Sandbox::of(TRIAL, CONF);
    fs::create_dir(sandbox.root().join("etc/trapd")).unwrap();
    fs::write(sandbox.root().join("etc/trapd/s3.properties"), properties).unwrap();
    let result = sandbox.run(&all);
    assert!(!result.contains_key("failed"), "{result:?}");
    assert!(
        !Value::Object(result.clone())
            .to_string()
            .contains("DUMMY-SECRET")
    );
    let puts = puts.lock().unwrap().clone();
    (result, puts)
}

/// Returns the docroots that the result is about.
fn places(result: &Map<String, Value>) -> Vec<String> {
    let docroots = result["docroots"].as_array().unwrap().iter();
    let place = |docroot: &Value| match docroot["name"].as_str() {
        Some(name) => name.to_owned(),
        None => docroot["scope"].as_str().unwrap().to_owned(),
    };
    docroots.map(place).collect()
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn what_is_to_be_set_is_tried_where_it_is_to_be_set() {
    let kms = |key: &str| ("aws:kms".to_owned(), key.to_owned());
    let aes = || ("AES256".to_owned(), String::new());
    let system =
        json!({"server_side_encryption": "AWS_KMS", "kms_key_id": KEY, "system_wide": true});
    let with = |more: Value| {
        let mut options = system.clone();
        options
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        options
    };
    let is_set =
        format!("server-side-encryption=AWS_KMS\nserver-side-encryption-aws-kms-key-id={KEY}\n");
    let own = |more: Value| {
        let mut entry = json!({"user": "own"});
        entry
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!({"docroots": [entry]})
    };
    for (case, properties, options, tried, uploads) in [
        (
            "all docroots",
            "",
            json!({"server_side_encryption": "AWS_KMS", "kms_key_id": KEY}),
            vec!["global", "plain", "twin", "own"],
            vec![("global", kms(KEY)), ("plain", kms(KEY)), ("own", kms(KEY))],
        ),
        (
            "the whole server: not where a docroot has its own",
            "",
            system.clone(),
            vec!["global", "plain", "twin"],
            vec![("global", kms(KEY)), ("plain", kms(KEY))],
        ),
        (
            "the whole server, set already",
            &is_set,
            with(json!({"unless_set": true})),
            vec![],
            vec![],
        ),
        (
            "the whole server, with another key",
            &is_set,
            with(json!({"unless_set": true, "kms_key_id": OTHER})),
            vec!["global", "plain", "twin"],
            vec![("global", kms(OTHER)), ("plain", kms(OTHER))],
        ),
        (
            "the whole server, and a docroot that loses its own",
            &is_set,
            with(json!({"unless_set": true, "docroots": [{"user": "own", "state": "absent"}]})),
            vec!["own"],
            vec![("own", kms(KEY))],
        ),
        (
            "the whole server, and a docroot with its own",
            "",
            with(
                json!({"docroots": [{"user": "plain", "server_side_encryption": "AWS_KMS", "kms_key_id": OTHER}]}),
            ),
            vec!["global", "plain", "twin"],
            vec![
                ("global", kms(KEY)),
                ("plain", kms(OTHER)),
                ("plain", kms(KEY)),
            ],
        ),
        (
            "a docroot alone",
            "",
            own(json!({"server_side_encryption": "AWS_KMS", "kms_key_id": KEY})),
            vec!["own"],
            vec![("own", kms(KEY))],
        ),
        (
            "a docroot with the encryption of the task",
            "",
            json!({"server_side_encryption": "AWS_KMS", "kms_key_id": KEY, "docroots": [{"user": "own"}]}),
            vec!["own"],
            vec![("own", kms(KEY))],
        ),
        (
            "a docroot that is set already",
            "",
            json!({"unless_set": true, "docroots": own(json!({"server_side_encryption": "AES256"}))["docroots"]}),
            vec![],
            vec![],
        ),
        (
            "set already, and tried all the same",
            "",
            own(json!({"server_side_encryption": "AES256"})),
            vec!["own"],
            vec![("own", aes())],
        ),
        (
            "nothing to ask for",
            "",
            own(json!({"server_side_encryption": "NONE"})),
            vec![],
            vec![],
        ),
        (
            "nothing to set",
            "",
            own(json!({"state": "absent"})),
            vec![],
            vec![],
        ),
        (
            "a docroot that moves",
            "",
            json!({"unless_set": true, "docroots":
                own(json!({"server_side_encryption": "AES256", "docroot": "s3://A:DUMMY-SECRET@h/media/new"}))["docroots"]}),
            vec!["own"],
            vec![("new", aes())],
        ),
        (
            "a docroot that stays where it is",
            "",
            json!({"unless_set": true, "docroots":
                own(json!({"server_side_encryption": "AES256", "docroot": "s3://A:DUMMY-SECRET@h/media/own/"}))["docroots"]}),
            vec![],
            vec![],
        ),
        (
            "a docroot that is not there yet",
            "",
            json!({"docroots": [{"user": "local", "server_side_encryption": "AES256", "docroot": "s3://A:DUMMY-SECRET@h/media/first"}]}),
            vec!["local"],
            vec![("first", aes())],
        ),
    ] {
        let (result, found) = run(properties, &options);
        let expected: Vec<_> = uploads
            .into_iter()
            .map(|(folder, (algorithm, key))| (folder.to_owned(), algorithm, key))
            .collect();
        assert_eq!(places(&result), tried, "{case}");
        assert_eq!(found, expected, "{case}");
        let accepted = (!tried.is_empty()).then_some(true);
        assert_eq!(result["accepted"], json!(accepted), "{case}");
    }
}

#[test]
fn a_docroot_that_is_not_there_is_no_green() {
    let named = json!([{"user": "own", "server_side_encryption": "AES256"}, {"user": "local", "server_side_encryption": "AES256"}]);
    let (result, uploads) = run("", &json!({"docroots": named}));
    assert_eq!((uploads.len(), &result["accepted"]), (1, &Value::Null));
    let warnings = result["warnings"].to_string();
    assert!(
        warnings.contains("user local: it has no S3 docroot of its own"),
        "{warnings}"
    );
}

#[test]
fn what_is_left_is_a_warning_that_names_the_first() {
    let store = Store::start(|asked| match &*asked.method {
        "PUT" => answer(200, &[(SSE, "AES256")], ""),
        "GET" => listing(&[], None),
        "HEAD" => object("Thu, 20 Nov 2025 10:00:00 GMT", &[(SSE, "AES256")]),
        _ => error(403, "AccessDenied"),
    });
    let options = json!({"endpoint_url": store.url, "server_side_encryption": "AES256"});
    let result = Sandbox::of(TRIAL, CONF).run(&options);
    assert_eq!(result["changed"], true);
    let warning = result["warnings"][0].as_str().unwrap();
    assert!(
        warning.starts_with(
            "A trial of one byte is, or may be, left in S3: \"global/.aspera-sse-trial-"
        ),
        "{warning}"
    );
    assert!(
        warning.contains("\" in the bucket of global, and others in 3 more docroots."),
        "{warning}"
    );
}
