//! Every answer that a node, a proxy or a login page can give has its reason, its sentence and its remedy, and nothing of it is repeated. What the
//! access keys say is judged together with what the host says, and only what is known under every reading is called compliant.

mod invocation;
mod program;
mod store;

use std::fs;
use std::time::Instant;

use invocation::{ACCESS_KEYS, OBJECTS, Sandbox};
use program::write_script;
use serde_json::{Map, Value, json};
use store::node::{LOGIN, answer_of, error, in_s3, info, key, node};
use store::{Asked, Reply, Store, answer, listing, object};

const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const RESTRICTED: &str = "<restrictions><restriction>s3://*</restriction></restrictions>";

/// The configuration of users, each with what is in `access` of the file system.
fn conf(users: &[(&str, &str)]) -> String {
    let users = users.iter().map(|(name, access)| {
        format!(
            "<user><name>{name}</name><file_system><access><paths><path>{access}</path></paths></access></file_system></user>"
        )
    });
    format!(
        "<CONF version=\"2\"><aaa><realms><realm><users>{}</users></realm></realms></aaa></CONF>",
        users.collect::<String>()
    )
}

/// The configuration of a cloud node: its transfer user has a restriction and no docroot.
fn cloud_node() -> String {
    conf(&[("xfer", &format!("<absolute>AS_NULL</absolute>{RESTRICTED}"))])
}

/// A server with these users and no setting in `s3.properties`.
fn server(conf: &str) -> Sandbox {
    let sandbox = Sandbox::of(ACCESS_KEYS, conf);
    let root = sandbox.root();
    fs::create_dir_all(root.join("etc/trapd")).unwrap();
    fs::create_dir_all(root.join("bin")).unwrap();
    fs::write(
        root.join("etc/trapd/s3.properties"),
        "s3service.https-only=true\n",
    )
    .unwrap();
    write_script(
        &root.join("bin/ascp"),
        "#!/bin/sh\necho ascp version 4.4.6.1646\n",
    );
    write_script(&root.join("bin/asuserdata"), "#!/bin/sh\n");
    sandbox
}

fn ask_on(sandbox: &Sandbox, url: &str, options: &Value) -> Map<String, Value> {
    let mut all = json!({
        "url": url,
        "username": LOGIN.0,
        "password": LOGIN.1,
        "timeout": 5,
        "expect": [{"server_side_encryption": "AWS_KMS", "kms_key_ids": [KEY]}],
    });
    let all = all.as_object_mut().unwrap();
    all.extend(options.as_object().unwrap().clone());
    all.retain(|_, value| !value.is_null());
    let result = sandbox.run(&Value::Object(all.clone()));
    let text = Value::Object(result.clone()).to_string();
    assert!(!text.contains("DUMMY-SECRET"), "{text}");
    assert!(!result.contains_key("failed"), "{text}");
    result
}

/// The answer about a cloud node.
fn ask_at(url: &str, options: &Value) -> Map<String, Value> {
    ask_on(&server(&cloud_node()), url, options)
}

fn ask(
    options: &Value,
    answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
) -> Map<String, Value> {
    let store = Store::start(answer);
    ask_at(&store.url, options)
}

/// The reasons in `incomplete`, which have their sentences.
fn gaps(result: &Map<String, Value>) -> Vec<&str> {
    let incomplete = result["incomplete"].as_array().unwrap();
    for one in incomplete {
        for name in ["why", "fix", "message"] {
            let text = one[name].as_str().unwrap();
            assert!(text.ends_with('.'), "{one}");
            assert!(text.starts_with(|c: char| !c.is_ascii_lowercase()) || name == "message");
        }
    }
    let reasons = incomplete.iter();
    reasons.map(|one| one["reason"].as_str().unwrap()).collect()
}

fn verdicts(result: &Map<String, Value>) -> Vec<&str> {
    let keys = result["access_keys"].as_array().unwrap().iter();
    keys.map(|key| key["verdict"].as_str().unwrap_or("none"))
        .collect()
}

fn right(id: &str) -> Value {
    key(id, in_s3("media", Some("AWS_KMS"), Some(KEY)))
}

/// What a server answers.
type Answer = Box<dyn Fn(&Asked) -> Reply + Send + Sync>;

#[test]
fn every_refusal_has_its_reason() {
    let html = "<!DOCTYPE html><html><body>DUMMY-SECRET login</body></html>";
    let raw = |text: &str| Reply::Bytes(text.as_bytes().to_vec());
    let of_keys = |reply: fn() -> Reply| -> Answer {
        Box::new(move |asked| match &*asked.path {
            "/info" => info("4.4.6.1646"),
            _ => reply(),
        })
    };
    let cases: Vec<(&str, Answer)> = vec![
        ("wrong_login", Box::new(|_| error(401, "Unauthorized"))),
        ("denied", of_keys(|| error(403, "Forbidden"))),
        ("no_node_api", Box::new(|_| error(404, "Not Found"))),
        ("no_node_api", Box::new(move |_| answer(404, &[], html))),
        ("no_access_keys", of_keys(|| error(404, "Not Found"))),
        (
            "elsewhere",
            Box::new(|_| {
                answer(
                    302,
                    &[("Location", "https://login.example/?DUMMY-SECRET")],
                    "",
                )
            }),
        ),
        ("busy", Box::new(|_| error(503, "Busy"))),
        ("server_error", Box::new(move |_| answer(500, &[], html))),
        (
            "not_the_node_api",
            Box::new(move |_| answer(200, &[], html)),
        ),
        ("not_the_node_api", Box::new(|_| answer(200, &[], "{}"))),
        ("not_the_node_api", Box::new(|_| answer(200, &[], "[]"))),
        ("not_the_node_api", Box::new(|_| answer(204, &[], ""))),
        (
            "not_the_node_api",
            of_keys(|| answer(200, &[], "{\"DUMMY-SECRET\": 1}")),
        ),
        (
            "not_the_node_api",
            of_keys(|| answer(200, &[], "[\"DUMMY-SECRET\"]")),
        ),
        (
            "not_the_node_api",
            of_keys(|| answer(200, &[], "[{\"id\": \"a\"}")),
        ),
        ("not_the_node_api", of_keys(|| answer(400, &[], "{}"))),
        ("no_answer", Box::new(move |_| raw("DUMMY-SECRET\r\n\r\n"))),
        (
            "no_answer",
            Box::new(move |_| raw("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[{")),
        ),
        (
            "no_answer",
            Box::new(|_| {
                Reply::Endless(
                    b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n[".to_vec(),
                    b"                                                                ",
                )
            }),
        ),
    ];
    for (index, (reason, answer)) in cases.into_iter().enumerate() {
        let result = ask(&json!({}), answer);
        assert_eq!(gaps(&result), [reason], "{index}");
        assert_eq!(result["complete"], false, "{index}");
        assert_eq!(result["complete_reason"], reason, "{index}");
        assert_eq!(result["compliant"], Value::Null, "{index}");
        assert_eq!(result["settles"], json!([]), "{index}");
    }
}

#[test]
fn nothing_that_listens_and_nothing_that_answers_are_told_apart() {
    let result = ask_at("http://127.0.0.1:1", &json!({}));
    assert_eq!(gaps(&result), ["no_answer"]);
    let message = result["incomplete"][0]["why"].as_str().unwrap();
    assert_eq!(message, "The server refuses connections.");
    let start = Instant::now();
    let result = ask(&json!({"timeout": 1}), |_| Reply::Silence);
    let message = result["incomplete"][0]["why"].as_str().unwrap();
    assert!(message.contains("time limit"), "{message}");
    assert!(start.elapsed().as_secs() < 10);
}

#[test]
fn before_3_8_0_storages_are_asked_for() {
    for (version, requests) in [
        ("3.6.1.1", 2),
        ("3.7.4.9", 2),
        ("3.8.0.1", 2),
        ("4.4.6.1646", 2),
        ("", 2),
    ] {
        let store = node(version, vec![right("a")]);
        let result = ask_at(&store.url, &json!({}));
        assert_eq!(verdicts(&result), ["met"], "{version}");
        assert_eq!(store.requests(), requests, "{version}");
    }
    // Of an unknown version that shows none, they are asked for after all.
    let store = Store::start(|asked| match &*asked.path {
        "/info" => answer(200, &[], "{\"application\": \"node\"}"),
        _ => answer_of(asked, "3.7.4", &[right("a")]),
    });
    let result = ask_at(&store.url, &json!({}));
    assert_eq!(verdicts(&result), ["met"]);
    assert_eq!(store.requests(), 3);
    // It is not known whose docroot a key without a storage has.
    let store = Store::start(|asked| match &*asked.path {
        "/info" => answer(200, &[], "{\"application\": \"node\"}"),
        _ => answer_of(asked, "4.4.6", &[key("a", Value::Null)]),
    });
    let result = ask_at(&store.url, &json!({}));
    assert_eq!(result["unknown"][0]["reasons"], json!(["no_transfer_user"]));
}

#[test]
fn a_list_that_may_be_cut_is_not_complete() {
    let keys = |number: usize| (0..number).map(|one| right(&format!("ak{one}"))).collect();
    for (number, options, reason) in [
        (999, json!({}), None),
        (1000, json!({}), Some("perhaps_cut")),
        (1001, json!({}), None),
        (10_000, json!({}), None),
        (
            10_000,
            json!({"max_response_entries": 10_000}),
            Some("perhaps_cut"),
        ),
    ] {
        let store = node("4.4.6.1646", keys(number));
        let result = ask_at(&store.url, &options);
        let all = result["access_keys"].as_array().unwrap().len();
        assert_eq!(all, number);
        assert_eq!(result["complete"], reason.is_none(), "{number}");
        assert_eq!(result["complete_reason"], json!(reason), "{number}");
        assert_eq!(gaps(&result), reason.into_iter().collect::<Vec<_>>());
        let expected = if reason.is_none() {
            (json!(true), json!(["user xfer"]))
        } else {
            (Value::Null, json!([]))
        };
        assert_eq!(
            (result["compliant"].clone(), result["settles"].clone()),
            expected,
            "{number}"
        );
    }
}

#[test]
fn a_login_by_an_access_key_sees_perhaps_only_itself() {
    for options in [
        json!({"username": null, "password": null, "access_key": LOGIN.0, "secret": LOGIN.1}),
        json!({}),
    ] {
        let store = node("4.4.6.1646", vec![right(LOGIN.0)]);
        let result = ask_at(&store.url, &options);
        assert_eq!(result["complete_reason"], "login_by_access_key");
        assert_eq!(verdicts(&result), ["met"]);
        assert_eq!(result["compliant"], Value::Null);
        assert_eq!(result["settles"], json!([]));
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn the_table_of_storages() {
    let other = KEY.replace("1234abcd", "00000000");
    let with = |name: &str, value: Value| {
        let mut storage = in_s3("media", Some("AWS_KMS"), Some(KEY));
        storage[name] = value;
        storage
    };
    for (storage, verdict, reasons) in [
        (in_s3("media", Some("AWS_KMS"), Some(KEY)), "met", json!([])),
        (in_s3("media", Some("AES256"), None), "violated", json!([])),
        (in_s3("media", None, None), "violated", json!([])),
        (in_s3("media", Some("AWS_KMS"), None), "violated", json!([])),
        (
            in_s3("media", Some("AWS_KMS"), Some(&other)),
            "violated",
            json!([]),
        ),
        (
            in_s3("media", Some("AWS_KMS"), Some("alias/media")),
            "unknown",
            json!(["alias"]),
        ),
        (
            in_s3("media", Some("aws:kms"), Some(KEY)),
            "unknown",
            json!(["undocumented_value", "key_without_kms"]),
        ),
        (in_s3("media", None, Some(KEY)), "violated", json!([])),
        (with("type", json!("local")), "not_s3", json!([])),
        (with("type", json!("azure_sas")), "not_s3", json!([])),
        (with("type", json!("google-gcs")), "not_s3", json!([])),
        (with("type", json!("ibm-s3")), "met", json!([])),
        (
            with("type", json!("DUMMY-SECRET")),
            "unknown",
            json!(["unclear_storage"]),
        ),
        (
            with("type", Value::Null),
            "unknown",
            json!(["unclear_storage"]),
        ),
        (
            with("bucket", json!("")),
            "unknown",
            json!(["unclear_storage"]),
        ),
        (
            with("endpoint", json!("https://a:DUMMY-SECRET@h")),
            "unknown",
            json!(["unclear_storage"]),
        ),
        (
            with("endpoint", json!("minio.example:9000")),
            "unknown",
            json!(["not_amazon"]),
        ),
        (
            with("endpoint", json!("s3.us-east-1.amazonaws.com")),
            "unknown",
            json!(["key_of_another_region"]),
        ),
        (
            with("path", json!("s3://a:DUMMY-SECRET@h/")),
            "met",
            json!([]),
        ),
        (
            with("server_side_encryption", json!(["AWS_KMS"])),
            "unknown",
            json!(["unclear_storage"]),
        ),
        (
            with("server_side_encryption", json!("DUMMY-SECRET")),
            "unknown",
            json!(["undocumented_value", "key_without_kms"]),
        ),
        (json!("DUMMY-SECRET"), "unknown", json!(["unclear_storage"])),
        (json!({}), "unknown", json!(["no_storage"])),
        (Value::Null, "unknown", json!(["no_storage"])),
    ] {
        let store = node("4.4.6.1646", vec![key("a", storage.clone())]);
        let result = ask_at(&store.url, &json!({}));
        assert_eq!(verdicts(&result), [verdict], "{storage}");
        let unknown = result["unknown"].as_array().unwrap();
        let found = unknown
            .first()
            .map_or(json!([]), |one| one["reasons"].clone());
        assert_eq!(found, reasons, "{storage}");
        let compliant = match verdict {
            "met" | "not_s3" => json!(true),
            "violated" => json!(false),
            _ => Value::Null,
        };
        assert_eq!(result["compliant"], compliant, "{storage}");
        let settles = if compliant == true {
            json!(["user xfer"])
        } else {
            json!([])
        };
        assert_eq!(result["settles"], settles, "{storage}");
        let text = Value::Object(result.clone()).to_string();
        assert!(!text.contains("the docroot and"), "{text}");
    }
}

#[test]
fn a_key_without_a_storage_has_the_docroot_of_its_user() {
    let docroot = |query: &str| {
        conf(&[(
            "xfer",
            &format!("<absolute>s3://s3.eu-west-1.amazonaws.com/media{query}</absolute>"),
        )])
    };
    let kms =
        format!("?server-side-encryption=AWS_KMS&amp;server-side-encryption-aws-kms-key-id={KEY}");
    let store = node("4.4.6.1646", vec![key("a", Value::Null), right("b")]);
    for (conf, verdict) in [
        (docroot(&kms), "met"),
        (docroot("?server-side-encryption=AES256"), "violated"),
        (docroot(""), "violated"),
        (conf(&[("xfer", "<absolute>/srv</absolute>")]), "not_s3"),
        // The user is in no block, and has the default, which is the whole file system.
        (conf(&[("other", "<absolute>/srv</absolute>")]), "not_s3"),
        ("<CONF".to_owned(), "unknown"),
    ] {
        let server = server(&conf);
        // With trapd, pvcl_cloud does not serve docroots.
        write_script(
            &server.root().join("bin/ascp"),
            "#!/bin/sh\necho ascp version 4.3.1.100\n",
        );
        let result = ask_on(&server, &store.url, &json!({}));
        assert_eq!(verdicts(&result)[0], verdict, "{conf}");
        assert_eq!(result["settles"], json!([]), "{conf}");
    }
}

#[test]
fn what_s3_properties_sets_may_win() {
    let server = server(&cloud_node());
    let properties = server.root().join("etc/trapd/s3.properties");
    let store = node("4.4.6.1646", vec![right("a")]);
    fs::write(
        &properties,
        "s3service.https-only=true\nserver-side-encryption=AES256\n",
    )
    .unwrap();
    let result = ask_on(&server, &store.url, &json!({}));
    assert_eq!(result["compliant"], Value::Null);
    let unknown = &result["unknown"][0];
    assert_eq!(
        unknown["reasons"],
        json!(["docroot_and_file", "key_without_kms"])
    );
    assert_eq!(unknown["where"], "access_key a");
    let why = unknown["why"].as_str().unwrap();
    assert!(
        why.starts_with("the storage of the access key and s3.properties have different settings"),
        "{why}"
    );
    fs::remove_file(&properties).unwrap();
    fs::create_dir(&properties).unwrap();
    let result = ask_on(&server, &store.url, &json!({}));
    assert_eq!(result["compliant"], Value::Null);
    assert!(gaps(&result).contains(&"unreadable"));
}

#[test]
fn only_what_access_keys_decide_is_settled_by_them() {
    let expect = |user: &str, keys: &str| {
        json!({"expect": [
            {"server_side_encryption": user, "scopes": ["user"]},
            {"server_side_encryption": keys, "scopes": ["access_key"]},
        ]})
    };
    let kms = "AWS_KMS";
    let restricted = format!("<absolute>AS_NULL</absolute>{RESTRICTED}");
    let beside_docroot =
        format!("<absolute>s3://s3.eu-west-1.amazonaws.com/media</absolute>{RESTRICTED}");
    let xfer = || vec![("xfer", &*restricted)];
    let right_key = || vec![right("a")];
    for (users, keys, options, settles) in [
        (xfer(), right_key(), expect(kms, kms), json!(["user xfer"])),
        // What is expected of the user must be what its access keys give.
        (xfer(), right_key(), expect("AES256", kms), json!([])),
        (
            xfer(),
            vec![right("a"), key("b", in_s3("b", Some("AES256"), None))],
            expect(kms, kms),
            json!([]),
        ),
        (xfer(), vec![], expect(kms, kms), json!([])),
        // A user of another login.
        (
            vec![("xfer", &*restricted), ("other", &*restricted)],
            right_key(),
            expect(kms, kms),
            json!(["user xfer"]),
        ),
        // A docroot beside the restriction.
        (
            vec![("xfer", &*beside_docroot)],
            right_key(),
            expect(kms, kms),
            json!([]),
        ),
        // Two blocks with the name of the user, of which one has a docroot.
        (
            vec![("xfer", &*restricted), ("xfer", &*beside_docroot)],
            right_key(),
            expect(kms, kms),
            json!([]),
        ),
        // Access keys that no entry judges.
        (
            xfer(),
            right_key(),
            json!({"expect": [{"server_side_encryption": kms, "scopes": ["user"]}]}),
            json!([]),
        ),
        (
            xfer(),
            vec![right("a"), right("b")],
            json!({"expect": [{"server_side_encryption": kms, "scopes": ["user", "access_key a"]}]}),
            json!([]),
        ),
    ] {
        let store = node("4.4.6.1646", keys);
        let result = ask_on(&server(&conf(&users)), &store.url, &options);
        assert_eq!(result["settles"], settles, "{users:?} {options}");
    }
}

#[test]
fn the_first_entry_that_names_an_access_key_judges_it() {
    let store = node(
        "4.4.6.1646",
        vec![right("a"), key("b", in_s3("b", Some("AES256"), None))],
    );
    let result = ask_at(
        &store.url,
        &json!({"expect": [
            {"server_side_encryption": "AWS_KMS", "scopes": ["system", "user"]},
            {"server_side_encryption": "AES256", "scopes": ["access_key b", "access_key gone"]},
            {"server_side_encryption": "AWS_KMS", "scopes": ["access_key"]},
            {"server_side_encryption": "AWS_KMS", "scopes": ["access_key a"]},
        ]}),
    );
    assert_eq!(verdicts(&result), ["met", "met"]);
    assert_eq!(result["access_keys"][0]["judged_by"], 2);
    assert_eq!(result["access_keys"][1]["judged_by"], 1);
    assert_eq!(gaps(&result), ["no_such_access_key", "judged_earlier"]);
    // Access keys that no entry names are listed, and if it names none, that is a gap.
    let of_users = json!({"expect": [{"server_side_encryption": "AWS_KMS", "scopes": ["user"]}]});
    let result = ask_at(&store.url, &of_users);
    assert_eq!(
        result["not_judged"],
        json!(["access_key a", "access_key b"])
    );
    assert_eq!(gaps(&result), ["judges_nothing"]);
    assert_eq!(result["compliant"], Value::Null);
}

#[test]
fn without_an_expectation_nothing_is_judged() {
    let store = node("4.4.6.1646", vec![right("a")]);
    let result = ask_at(&store.url, &json!({"expect": null}));
    assert_eq!(result["access_keys"][0]["verdict"], Value::Null);
    for name in ["compliant", "summary", "violations", "unknown", "settles"] {
        assert!(!result.contains_key(name), "{name}");
    }
    assert_eq!(
        result["table"],
        json!([format!("access_key a  AWS_KMS with {KEY} from its storage")])
    );
}

#[test]
fn what_is_in_an_answer_is_shown_as_plain_text() {
    let mut odd = right("a\n\u{1b}[0m{{ x }}");
    odd["enabled"] = json!(false);
    odd["token_verification_key"] = json!("-----BEGIN DUMMY-SECRET");
    let store = node("4.4.6.1646", vec![odd, key("", Value::Null)]);
    let result = ask_at(&store.url, &json!({}));
    let shown = &result["access_keys"][0];
    assert_eq!(shown["id"], "a\\u{a}\\u{1b}[0m{{ x }}");
    assert_eq!(shown["enabled"], false);
    assert_eq!(shown["bearer_tokens"], true);
    // One that is disabled can be enabled at any time.
    assert_eq!(shown["verdict"], "met");
}

#[test]
fn the_places_of_access_keys_can_be_looked_at_in_s3() {
    let store = node(
        "4.4.6.1646",
        vec![
            right("a"),
            key("b", in_s3("other", None, None)),
            key("local", json!({"type": "local", "path": "/in"})),
            key("odd", in_s3("a bucket", None, None)),
            key("no", Value::Null),
        ],
    );
    let result = ask_at(&store.url, &json!({}));
    let places = &result["places"];
    assert_eq!(
        *places,
        json!([
            {"access_key": "a", "uri": format!(
                "s3://s3.eu-west-1.amazonaws.com/media/in?server-side-encryption=AWS_KMS&server-side-encryption-aws-kms-key-id={KEY}"
            )},
            {"access_key": "b", "uri": "s3://s3.eu-west-1.amazonaws.com/other/in"},
        ])
    );
    let s3 = Store::start(|asked| match &*asked.method {
        "GET" if asked.query.contains("list-type=2") && asked.path.starts_with("/media") => {
            assert!(asked.query.contains("prefix=in%2F"), "{}", asked.query);
            listing(&[("in/a.mxf", "2025-11-20T10:00:00.000Z")], None)
        }
        "GET" if asked.query.contains("list-type=2") => listing(&[], None),
        "HEAD" => object(
            "Thu, 20 Nov 2025 10:00:00 GMT",
            &[
                ("x-amz-server-side-encryption", "aws:kms"),
                ("x-amz-server-side-encryption-aws-kms-key-id", KEY),
            ],
        ),
        _ => answer(404, &[], ""),
    });
    let sandbox = Sandbox::of(OBJECTS, cloud_node());
    let options = json!({
        "places": places,
        "endpoint_url": s3.url,
        "access_key_id": "AKIADUMMY",
        "secret_access_key": "DUMMY-SECRET",
        "timeout": 5,
        "expect": [{"server_side_encryption": "AWS_KMS", "kms_key_ids": [KEY], "scopes": ["access_key a"]}],
    });
    let result = sandbox.run(&options);
    assert_eq!(result["compliant"], true, "{result:?}");
    assert_eq!(result["not_judged"], json!(["access_key b"]));
    let looked = &result["docroots"][0];
    assert_eq!(
        (&looked["scope"], &looked["name"]),
        (&json!("access_key"), &json!("a"))
    );
    assert_eq!(looked["configured"]["source"], "access_key");
    assert_eq!(looked["looked_at"], 1);
    for (places, message) in [
        (
            json!([{"access_key": "a", "uri": "/in"}]),
            "places[0] must have access_key",
        ),
        (
            json!([{"uri": "s3://h/DUMMY-SECRET"}]),
            "places[0] must have access_key",
        ),
    ] {
        let mut options = options.clone();
        options["places"] = places;
        let found = sandbox.run(&options);
        assert!(
            found["msg"].as_str().unwrap().starts_with(message),
            "{found:?}"
        );
    }
}

#[test]
fn bad_options_fail_with_a_sentence() {
    let sandbox = server("<CONF/>");
    let login = json!({"username": "a", "password": "DUMMY-SECRET"});
    for (options, message) in [
        (json!({}), "There is no login for the Node API."),
        (
            json!({"username": "a"}),
            "Set either username and password, or access_key and secret",
        ),
        (
            json!({"username": "a", "password": "b", "access_key": "c", "secret": "d"}),
            "Set either username and password, or access_key and secret",
        ),
        (
            json!({"username": "a", "secret": "DUMMY-SECRET"}),
            "Set either username and password, or access_key and secret",
        ),
        (
            json!({"username": "a:b", "password": "DUMMY-SECRET"}),
            "The option username is empty or has a colon",
        ),
        (
            json!({"access_key": "a", "secret": "DUMMY-SECRET\n"}),
            "The option access_key is empty or has a colon",
        ),
        (
            json!({"url": "https://a:DUMMY-SECRET@h"}),
            "The option url has an @ in it. Give the login by username and password.",
        ),
        (
            json!({"url": "https://h/DUMMY-SECRET"}),
            "The option url has a path, query or fragment.",
        ),
        (
            json!({"url": "localhost:9092"}),
            "The option url does not start with https://",
        ),
        (
            json!({"url": "http://node.example:9091"}),
            "The option url starts with http://, so anyone on the network could read the password",
        ),
        (
            json!({"timeout": 0}),
            "The option timeout must be a number from 1 to 600",
        ),
        (
            json!({"max_response_entries": 0}),
            "The option max_response_entries must be a number from 1 to 1000000",
        ),
        (
            json!({"ca_file": "/none"}),
            "ca_file: /none does not exist.",
        ),
        (json!({"expect": []}), "The option expect is an empty list."),
        (
            json!({"expect": [{"server_side_encryption": "AES256", "scopes": ["access_key "]}]}),
            "expect[0]: scopes[0] is not one of system, user, group, global, access_key,",
        ),
    ] {
        let mut all = if options
            .as_object()
            .unwrap()
            .keys()
            .any(|name| ["username", "password", "access_key", "secret"].contains(&&**name))
            || options == json!({})
        {
            json!({})
        } else {
            login.clone()
        };
        all.as_object_mut()
            .unwrap()
            .extend(options.as_object().unwrap().clone());
        let result = sandbox.run(&all);
        let text = Value::Object(result.clone()).to_string();
        assert!(!text.contains("DUMMY-SECRET"), "{text}");
        let found = result["msg"].as_str().unwrap();
        assert!(found.starts_with(message), "{found}");
        assert_eq!(result["failed"], true);
    }
}
