//! The trial upload: what S3 and KMS may answer to it, and what is left behind.

mod invocation;
mod store;

use std::sync::Mutex;

use invocation::{Sandbox, TRIAL};
use serde_json::{Map, Value, json};
use store::{Asked, Reply, Store, answer, error, listing, object};

const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const OTHER: &str = "arn:aws:kms:us-east-1:111122223333:key/00000000-12ab-34cd-56ef-1234567890ab";
const TIME: &str = "Thu, 20 Nov 2025 10:00:00 GMT";
const SSE: &str = "x-amz-server-side-encryption";
const SSE_KEY: &str = "x-amz-server-side-encryption-aws-kms-key-id";
const CONF: &str = "<CONF><default><file_system><access><paths><path><absolute>s3://AKIADUMMY:DUMMY-SECRET@store.test/media/in</absolute></path></paths>\
    </access></file_system></default></CONF>";

/// The requests of a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Listing,
    Uploads,
    Put,
    Begin,
    Part,
    Complete,
    Abort,
    Head,
    Delete,
}

fn step(asked: &Asked) -> Step {
    let has = |name: &str| asked.query.contains(name);
    match &*asked.method {
        "GET" if has("list-type") => Step::Listing,
        "GET" => Step::Uploads,
        "PUT" if has("partNumber") => Step::Part,
        "PUT" => Step::Put,
        "POST" if has("uploadId") => Step::Complete,
        "POST" => Step::Begin,
        "DELETE" if has("uploadId") => Step::Abort,
        "DELETE" => Step::Delete,
        _ => Step::Head,
    }
}

/// The answer of a store where all goes well.
fn fine(step: Step) -> Reply {
    let encryption = [(SSE, "aws:kms"), (SSE_KEY, KEY)];
    match step {
        Step::Listing => listing(&[], None),
        Step::Uploads => answer(200, &[], "<ListMultipartUploadsResult/>"),
        Step::Put => answer(200, &encryption, ""),
        Step::Begin => answer(
            200,
            &encryption,
            "<InitiateMultipartUploadResult><UploadId>U1</UploadId></InitiateMultipartUploadResult>",
        ),
        Step::Part => answer(200, &[("ETag", "\"e\"")], ""),
        Step::Complete => answer(200, &encryption, "<CompleteMultipartUploadResult/>"),
        Step::Head => object(TIME, &encryption),
        Step::Abort | Step::Delete => answer(204, &[], ""),
    }
}

/// Runs the module against a server, and returns its result with the steps that it took.
fn run(
    options: &Value,
    reply: impl Fn(Step, &Asked) -> Reply + Send + Sync + 'static,
) -> (Map<String, Value>, Vec<Step>) {
    let steps = std::sync::Arc::new(Mutex::new(Vec::new()));
    let seen = std::sync::Arc::clone(&steps);
    let store = Store::start(move |asked| {
        let step = step(asked);
        seen.lock().unwrap().push(step);
        reply(step, asked)
    });
    let mut all = json!({"endpoint_url": store.url, "timeout": 3, "server_side_encryption": "AWS_KMS", "kms_key_id": KEY});
    all.as_object_mut()
        .unwrap()
        .extend(options.as_object().unwrap().clone());
    let result = Sandbox::of(TRIAL, CONF).run(&all);
    let text = Value::Object(result.clone()).to_string();
    assert!(!text.contains("DUMMY-SECRET"), "{text}");
    assert!(!result.contains_key("failed"), "{text}");
    let steps = steps.lock().unwrap().clone();
    (result, steps)
}

fn denied(action: &str) -> Reply {
    let message = format!(
        "User: DUMMY-SECRET is not authorized to perform: {action} on resource: DUMMY-SECRET"
    );
    answer(
        403,
        &[],
        &format!("<Error><Code>AccessDenied</Code><Message>{message}</Message></Error>"),
    )
}

#[test]
fn an_upload_that_s3_takes_leaves_nothing() {
    let (result, steps) = run(&json!({}), |step, _| fine(step));
    assert_eq!(
        (&result["accepted"], &result["changed"]),
        (&json!(true), &json!(false))
    );
    let docroot = &result["docroots"][0];
    assert_eq!(
        (&docroot["algorithm"], &docroot["kms_key_id"]),
        (&json!("aws:kms"), &json!(KEY))
    );
    assert_eq!(
        (&docroot["seen"], &docroot["left"], &docroot["reason"]),
        (&json!(true), &json!(false), &Value::Null)
    );
    assert!(
        docroot["key"]
            .as_str()
            .unwrap()
            .starts_with("in/.aspera-sse-trial-")
    );
    assert_eq!(
        steps,
        [
            Step::Listing,
            Step::Uploads,
            Step::Put,
            Step::Head,
            Step::Delete
        ]
    );
}

#[test]
fn an_upload_in_parts_is_completed() {
    let (result, steps) = run(&json!({"multipart": true}), |step, _| fine(step));
    assert_eq!(
        (&result["accepted"], &result["changed"]),
        (&json!(true), &json!(false))
    );
    let expected = [
        Step::Listing,
        Step::Uploads,
        Step::Begin,
        Step::Part,
        Step::Complete,
        Step::Head,
        Step::Delete,
    ];
    assert_eq!(steps, expected);
}

#[test]
fn the_encryption_that_was_asked_for_is_sent_and_the_version_that_was_made_is_deleted() {
    let (result, _) = run(&json!({}), |step, asked| match step {
        Step::Put => {
            for line in [format!("{SSE}: aws:kms"), format!("{SSE_KEY}: {KEY}")] {
                assert!(
                    asked
                        .header
                        .iter()
                        .any(|sent| sent.eq_ignore_ascii_case(&line)),
                    "{:?}",
                    asked.header
                );
            }
            answer(
                200,
                &[
                    (SSE, "aws:kms"),
                    (SSE_KEY, KEY),
                    ("x-amz-version-id", "V/1"),
                ],
                "",
            )
        }
        Step::Delete if asked.query != "versionId=V%2F1" => error(403, "AccessDenied"),
        step => fine(step),
    });
    assert_eq!(result["changed"], false, "{result:?}");
}

#[test]
fn each_refusal_has_its_reason() {
    type Answer = fn() -> Reply;
    let cases: [(&str, bool, Answer); 12] = [
        ("denied", false, || error(403, "AccessDenied")),
        ("kms_generate_data_key", true, || {
            denied("kms:GenerateDataKey")
        }),
        ("kms_decrypt", true, || denied("kms:Decrypt")),
        ("denied", false, || denied("s3:PutObject")),
        ("key_disabled", false, || {
            error(400, "KMS.DisabledException")
        }),
        ("key_not_found", false, || {
            error(400, "KMS.NotFoundException")
        }),
        ("key_state", false, || {
            error(400, "KMS.KMSInvalidStateException")
        }),
        ("key_usage", false, || {
            error(400, "KMS.InvalidKeyUsageException")
        }),
        ("not_implemented", false, || error(501, "NotImplemented")),
        ("other_error", false, || error(400, "InvalidArgument")),
        ("no_bucket", false, || error(404, "NoSuchBucket")),
        ("wrong_secret", false, || {
            error(403, "SignatureDoesNotMatch")
        }),
    ];
    for (reason, is_kms, reply) in cases {
        for (options, refused) in [
            (json!({}), Step::Put),
            (json!({"multipart": true}), Step::Begin),
            (json!({"multipart": true}), Step::Complete),
        ] {
            let (result, steps) = run(
                &options,
                move |step, _| if step == refused { reply() } else { fine(step) },
            );
            let docroot = &result["docroots"][0];
            assert_eq!(docroot["reason"], reason, "{refused:?}");
            assert_eq!(
                (&result["accepted"], &result["changed"]),
                (&json!(false), &json!(false)),
                "{reason} {refused:?}"
            );
            let (why, fix) = (
                docroot["why"].as_str().unwrap(),
                docroot["fix"].as_str().unwrap(),
            );
            assert!(!why.ends_with('.') && fix.ends_with('.'), "{why} {fix}");
            let statement = docroot["statement"].as_str().unwrap_or_default();
            assert_eq!(statement.contains(KEY), is_kms, "{reason}: {statement}");
            assert_eq!(
                statement.contains("arn:aws:s3:::media/in/*"),
                reason == "denied",
                "{reason}"
            );
            // What was begun is taken away.
            assert_eq!(
                steps.last() == Some(&Step::Abort),
                refused == Step::Complete,
                "{steps:?}"
            );
        }
    }
}

#[test]
fn an_error_after_200_is_a_refusal() {
    let (result, _) = run(&json!({"multipart": true}), |step, _| match step {
        Step::Complete => answer(
            200,
            &[],
            "<Error><Code>AccessDenied</Code><Message>not authorized to perform: kms:Decrypt</Message></Error>",
        ),
        step => fine(step),
    });
    assert_eq!(result["docroots"][0]["reason"], "kms_decrypt");
    assert_eq!(result["accepted"], false);
}

#[test]
fn what_a_store_encrypts_otherwise_is_not_accepted() {
    type Headers = &'static [(&'static str, &'static str)];
    let cases: [(Headers, Option<Headers>, Value, Value); 6] = [
        (
            &[(SSE, "AES256")],
            Some(&[(SSE, "AES256")]),
            json!(false),
            json!("not_as_asked"),
        ),
        (
            &[(SSE, "aws:kms"), (SSE_KEY, OTHER)],
            None,
            json!(false),
            json!("not_as_asked"),
        ),
        (&[], Some(&[]), json!(false), json!("not_as_asked")),
        (&[], None, Value::Null, json!("not_shown")),
        (&[(SSE, "aws:kms")], None, Value::Null, json!("not_shown")),
        (
            &[],
            Some(&[(SSE, "aws:kms"), (SSE_KEY, KEY)]),
            json!(true),
            Value::Null,
        ),
    ];
    for (taken, seen, accepted, reason) in cases {
        let (result, _) = run(&json!({}), move |step, _| match (step, seen) {
            (Step::Put, _) => answer(200, taken, ""),
            (Step::Head, Some(seen)) => object(TIME, seen),
            (Step::Head, None) => answer(403, &[], ""),
            (step, _) => fine(step),
        });
        assert_eq!(
            (&result["accepted"], &result["docroots"][0]["reason"]),
            (&accepted, &reason),
            "{taken:?} {seen:?}"
        );
    }
}

#[test]
fn what_is_left_is_named_and_changed_is_true() {
    // The identity may not delete.
    let (result, _) = run(&json!({}), |step, _| {
        if step == Step::Delete {
            error(403, "AccessDenied")
        } else {
            fine(step)
        }
    });
    let docroot = &result["docroots"][0];
    assert_eq!(
        (&result["accepted"], &result["changed"], &docroot["left"]),
        (&json!(true), &json!(true), &json!(true))
    );
    assert_eq!(docroot["left_reason"], "denied");
    // An upload in parts stays open.
    let (result, _) = run(&json!({"multipart": true}), |step, _| match step {
        Step::Complete | Step::Abort => error(403, "AccessDenied"),
        step => fine(step),
    });
    let docroot = &result["docroots"][0];
    assert_eq!(
        (&result["accepted"], &result["changed"], &docroot["left"]),
        (&json!(false), &json!(true), &json!(true))
    );
}

#[test]
fn an_upload_without_an_answer_is_looked_after() {
    for (head, left, changed) in [
        (200, json!(false), false),
        (404, json!(false), false),
        (403, Value::Null, true),
    ] {
        let (result, steps) = run(&json!({}), move |step, _| match step {
            Step::Put => Reply::Bytes(Vec::new()),
            Step::Head if head == 200 => fine(step),
            Step::Head => answer(head, &[], ""),
            step => fine(step),
        });
        assert_eq!(
            (&result["accepted"], &result["docroots"][0]["left"]),
            (&Value::Null, &left),
            "{head}"
        );
        assert_eq!(result["changed"], changed, "{head}");
        // A request that writes is not sent twice.
        assert_eq!(steps.iter().filter(|step| **step == Step::Put).count(), 1);
        assert_eq!(steps.contains(&Step::Delete), head == 200);
    }
}

#[test]
fn earlier_trials_are_counted_and_never_deleted() {
    let (result, steps) = run(&json!({}), |step, asked| match step {
        Step::Listing => {
            assert!(
                asked.query.contains("prefix=in%2F.aspera-sse-trial-"),
                "{}",
                asked.query
            );
            listing(
                &[("in/.aspera-sse-trial-1", "2025-11-20T10:00:00.000Z")],
                None,
            )
        }
        Step::Uploads => answer(
            200,
            &[],
            "<ListMultipartUploadsResult><Upload/><Upload/></ListMultipartUploadsResult>",
        ),
        step => fine(step),
    });
    let docroot = &result["docroots"][0];
    assert_eq!(
        (&docroot["earlier_objects"], &docroot["earlier_uploads"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(
        steps.iter().filter(|step| **step == Step::Delete).count(),
        1
    );
    let (result, _) = run(&json!({}), |step, _| match step {
        Step::Listing | Step::Uploads => error(403, "AccessDenied"),
        step => fine(step),
    });
    assert_eq!(
        (
            &result["accepted"],
            &result["docroots"][0]["earlier_objects"]
        ),
        (&json!(true), &Value::Null)
    );
}

#[test]
fn nothing_is_tried_in_check_mode() {
    let (result, steps) = run(&json!({"_ansible_check_mode": true}), |step, _| fine(step));
    assert_eq!(
        (&result["accepted"], &result["changed"]),
        (&Value::Null, &json!(false))
    );
    assert_eq!(steps, []);
}

#[test]
fn bad_options_fail_with_a_sentence() {
    let sandbox = Sandbox::of(TRIAL, CONF);
    for (options, message) in [
        (
            json!({"server_side_encryption": "NONE"}),
            "server_side_encryption is NONE, which asks S3 for nothing.",
        ),
        (
            json!({"server_side_encryption": "aws:kms"}),
            "server_side_encryption must be exactly NONE, AES256 or AWS_KMS. Did you mean AWS_KMS?",
        ),
        (
            json!({"server_side_encryption": "AWS_KMS", "kms_key_id": "DUMMY-SECRET x"}),
            "kms_key_id contains a blank",
        ),
        (
            json!({"server_side_encryption": "AES256", "kms_key_id": KEY}),
            "kms_key_id goes with server_side_encryption AWS_KMS only, not with AES256.",
        ),
        (
            json!({"kms_key_id": KEY}),
            "The option server_side_encryption is missing.",
        ),
        (
            json!({"kms_key_id": KEY, "docroots": [{"user": "a", "server_side_encryption": "AES256"}]}),
            "kms_key_id goes with server_side_encryption AWS_KMS. Set both, or leave out both.",
        ),
        (
            json!({"docroots": []}),
            "The option docroots is an empty list.",
        ),
        (
            json!({"docroots": [{"user": "a"}]}),
            "docroots[0]: The option server_side_encryption is missing",
        ),
        (
            json!({"docroots": [{"server_side_encryption": "AES256"}]}),
            "docroots[0]: Set exactly one of user, group and global",
        ),
        (
            json!({"all": true, "docroots": [{"global": true, "server_side_encryption": "AES256"}]}),
            "The option docroots names the docroots itself.",
        ),
        (
            json!({"docroots": [{"global": true, "server_side_encryption": "AES256", "docroot": "/DUMMY-SECRET"}]}),
            "docroots[0]: The option docroot is not a URI of S3 storage",
        ),
        (
            json!({"server_side_encryption": "AES256", "user": "a", "all": true}),
            "Set at most one of the options user, group, global and all.",
        ),
        (
            json!({"server_side_encryption": "AES256", "endpoint_url": "https://h/b"}),
            "The option endpoint_url has a path",
        ),
        (
            json!({"server_side_encryption": "AES256", "access_key_id": "DUMMY-SECRET"}),
            "There is no option access_key_id.",
        ),
    ] {
        sandbox.expect_failure(&options, message);
    }
}

#[test]
fn only_the_identity_of_the_server_is_used() {
    let conf = CONF.replace("AKIADUMMY:DUMMY-SECRET@", "");
    let sandbox = Sandbox::of(TRIAL, conf);
    let mut command = sandbox.command(&json!({"server_side_encryption": "AES256"}));
    command
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_ACCESS_KEY_ID", "AKIADUMMY")
        .env("AWS_SECRET_ACCESS_KEY", "DUMMY-SECRET");
    let result = invocation::result_of(&command.output().unwrap());
    assert_eq!(result["docroots"][0]["reason"], "no_credentials_of_server");
    assert_eq!(
        (&result["accepted"], &result["changed"]),
        (&Value::Null, &json!(false))
    );
}
