//! Every answer that S3, a proxy or a login page can give has its reason, its sentence and its remedy, and nothing of it is repeated.

mod invocation;
mod store;

use invocation::{OBJECTS, Sandbox};
use serde_json::{Map, Value, json};
use store::{Asked, Reply, Store, answer, error, listing, object};

const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const TIME: &str = "2025-11-20T10:00:00.000Z";
const HTTP_TIME: &str = "Thu, 20 Nov 2025 10:00:00 GMT";
const SSE: &str = "x-amz-server-side-encryption";
const SSE_KEY: &str = "x-amz-server-side-encryption-aws-kms-key-id";

/// What a server answers.
type Answer = Box<dyn Fn(&Asked) -> Reply + Send + Sync>;
/// What a server answers about one object.
type AboutObject = Box<dyn Fn() -> Reply + Send + Sync>;

/// The answer about a bucket with one docroot, from a server that answers a listing, HEAD requests and the default in some way.
fn ask(
    options: &Value,
    answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
) -> (Map<String, Value>, usize) {
    let store = Store::start(answer);
    let result = ask_at(&store.url, options);
    (result, store.requests())
}

fn ask_at(url: &str, options: &Value) -> Map<String, Value> {
    let sandbox = Sandbox::of(
        OBJECTS,
        "<CONF><default><file_system><access><paths><path><absolute>s3://AKIADUMMY:DUMMY-SECRET@store.test/media/in</absolute></path></paths>\
         </access></file_system></default></CONF>",
    );
    let mut all = json!({
        "endpoint_url": url,
        "timeout": 3,
        "expect": [{"server_side_encryption": "AWS_KMS", "kms_key_ids": [KEY]}],
    });
    all.as_object_mut()
        .unwrap()
        .extend(options.as_object().unwrap().clone());
    let result = sandbox.run(&all);
    let text = Value::Object(result.clone()).to_string();
    assert!(!text.contains("DUMMY-SECRET"), "{text}");
    result
}

fn is_listing(asked: &Asked) -> bool {
    asked.query.contains("list-type=2")
}

/// The answer to HEAD of a right object, and to a question for the default.
fn right(asked: &Asked) -> Reply {
    if asked.method == "HEAD" {
        object(HTTP_TIME, &[(SSE, "aws:kms"), (SSE_KEY, KEY)])
    } else {
        error(404, "ServerSideEncryptionConfigurationNotFoundError")
    }
}

fn reasons(result: &Map<String, Value>) -> Vec<&str> {
    let unknown = result["docroots"][0]["unknown"].as_array().unwrap();
    for one in unknown {
        let text = |name: &str| one[name].as_str().unwrap();
        assert!(
            !text("why").ends_with('.') && text("fix").ends_with('.'),
            "{one}"
        );
    }
    unknown
        .iter()
        .map(|one| one["reason"].as_str().unwrap())
        .collect()
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn a_listing_that_is_refused_has_its_reason() {
    let html = "<!DOCTYPE html><html><body>DUMMY-SECRET login</body></html>";
    let dtd = "<!DOCTYPE x [<!ENTITY a \"b\">]><ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";
    let raw = |text: &str| Reply::Bytes(text.as_bytes().to_vec());
    let cases: Vec<(&str, &str, Answer)> = vec![
        (
            "301",
            "elsewhere",
            Box::new(|_| error(301, "PermanentRedirect")),
        ),
        (
            "302 to a login",
            "elsewhere",
            Box::new(|_| answer(302, &[("Location", "https://login.test/?DUMMY-SECRET")], "")),
        ),
        (
            "307",
            "elsewhere",
            Box::new(|_| error(307, "TemporaryRedirect")),
        ),
        (
            "a region that is named twice",
            "elsewhere",
            Box::new(|asked| {
                let region = if asked.header.iter().any(|line| line.contains("/eu-west-1/")) {
                    "eu-west-2"
                } else {
                    "eu-west-1"
                };
                answer(
                    400,
                    &[("x-amz-bucket-region", region)],
                    "<Error><Code>AuthorizationHeaderMalformed</Code></Error>",
                )
            }),
        ),
        (
            "400 without a body",
            "customer_key",
            Box::new(|_| answer(400, &[], "")),
        ),
        (
            "400 with another code",
            "other_error",
            Box::new(|_| error(400, "InvalidArgument")),
        ),
        (
            "400 with no code",
            "not_s3",
            Box::new(|_| answer(400, &[], html)),
        ),
        (
            "an expired token",
            "expired_token",
            Box::new(|_| error(400, "ExpiredToken")),
        ),
        ("403", "denied", Box::new(|_| error(403, "AccessDenied"))),
        (
            "403 without a body",
            "denied",
            Box::new(|_| answer(403, &[], "")),
        ),
        (
            "403 of a proxy",
            "not_s3",
            Box::new(|_| answer(403, &[], html)),
        ),
        (
            "clock skew",
            "clock_skew",
            Box::new(|_| error(403, "RequestTimeTooSkewed")),
        ),
        (
            "wrong secret",
            "wrong_secret",
            Box::new(|_| error(403, "SignatureDoesNotMatch")),
        ),
        (
            "unknown key",
            "unknown_access_key",
            Box::new(|_| error(403, "InvalidAccessKeyId")),
        ),
        ("404", "no_bucket", Box::new(|_| error(404, "NoSuchBucket"))),
        (
            "404 without a body",
            "no_bucket",
            Box::new(|_| answer(404, &[], "")),
        ),
        (
            "412",
            "precondition",
            Box::new(|_| error(412, "PreconditionFailed")),
        ),
        ("416", "precondition", Box::new(|_| answer(416, &[], ""))),
        ("429", "busy", Box::new(|_| answer(429, &[], ""))),
        (
            "500",
            "server_error",
            Box::new(|_| error(500, "InternalError")),
        ),
        (
            "501",
            "not_implemented",
            Box::new(|_| error(501, "NotImplemented")),
        ),
        ("503", "busy", Box::new(|_| error(503, "SlowDown"))),
        (
            "a code that is none",
            "denied",
            Box::new(|_| error(403, "DUMMY-SECRET {{ x }}")),
        ),
        (
            "200 with a login page",
            "not_s3",
            Box::new(|_| answer(200, &[("Content-Type", "text/html")], html)),
        ),
        (
            "200 with nothing",
            "not_s3",
            Box::new(|_| answer(200, &[], "")),
        ),
        (
            "200 with JSON",
            "not_s3",
            Box::new(|_| answer(200, &[], "{}")),
        ),
        (
            "XML with a DTD",
            "not_s3",
            Box::new(move |_| answer(200, &[], dtd)),
        ),
        (
            "half of an XML",
            "not_s3",
            Box::new(|_| answer(200, &[], "<ListBucketResult><Contents>")),
        ),
        (
            "another root",
            "not_s3",
            Box::new(|_| answer(200, &[], "<ListAllMyBucketsResult/>")),
        ),
        (
            "keys of another prefix",
            "not_s3",
            Box::new(|_| listing(&[("out/a", TIME)], None)),
        ),
        (
            "the same page for ever",
            "not_s3",
            Box::new(|_| listing(&[], Some("same"))),
        ),
        (
            "pages without an object",
            "not_s3",
            Box::new(|asked| listing(&[], Some(&format!("{}x", asked.query.len())))),
        ),
        (
            "gzip",
            "no_answer",
            Box::new(|_| answer(200, &[("Content-Encoding", "gzip")], "x")),
        ),
        (
            "a body that ends early",
            "no_answer",
            Box::new(move |_| {
                raw("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n<ListBucketResult>")
            }),
        ),
        (
            "a body without end",
            "no_answer",
            Box::new(|_| Reply::Endless(b"HTTP/1.1 200 OK\r\n\r\n<a>".to_vec(), &[b'x'; 65_536])),
        ),
        (
            "a header without end",
            "no_answer",
            Box::new(|_| {
                Reply::Endless(
                    b"HTTP/1.1 200 OK\r\n".to_vec(),
                    b"X-Filler: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n",
                )
            }),
        ),
        (
            "complete and truncated",
            "not_s3",
            Box::new(|_| {
                let body = "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated><IsTruncated>true</IsTruncated>\
                            <Contents><Key>in/a</Key><LastModified>2025-11-20T10:00:00.000Z</LastModified></Contents></ListBucketResult>";
                answer(200, &[], body)
            }),
        ),
        (
            "an element in a value",
            "not_s3",
            Box::new(|_| {
                let body = "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>fal<true/>se</IsTruncated></ListBucketResult>";
                answer(200, &[], body)
            }),
        ),
        (
            "no HTTP",
            "no_answer",
            Box::new(move |_| raw("220 mail.test ESMTP\r\n")),
        ),
        (
            "the end of the connection",
            "no_answer",
            Box::new(move |_| raw("")),
        ),
    ];
    for (name, reason, reply) in cases {
        let (result, requests) = ask(&json!({}), move |asked| {
            if is_listing(asked) {
                reply(asked)
            } else {
                right(asked)
            }
        });
        assert_eq!(reasons(&result), [reason], "{name}: {result:?}");
        assert_eq!(result["compliant"], Value::Null, "{name}");
        let sent = &result["docroots"][0]["requests"];
        assert!(
            sent["sent"].as_u64().unwrap() >= u64::try_from(requests.min(1)).unwrap(),
            "{name}: {sent}"
        );
        let is_repeated = sent["repeated"].as_u64().unwrap() > 0;
        let may_pass = [
            "429",
            "500",
            "503",
            "a body that ends early",
            "the end of the connection",
        ]
        .contains(&name);
        // 501 is none of those that pass.
        assert_eq!(is_repeated, may_pass, "{name}: {sent}");
    }
}

#[test]
fn an_object_that_is_not_described_has_its_reason() {
    let cases: Vec<(&str, &str, AboutObject)> = vec![
        ("400", "customer_key", Box::new(|| answer(400, &[], ""))),
        ("403", "denied", Box::new(|| answer(403, &[], ""))),
        ("404", "no_object", Box::new(|| answer(404, &[], ""))),
        (
            "405",
            "delete_marker",
            Box::new(|| answer(405, &[("x-amz-delete-marker", "true")], "")),
        ),
        ("412", "precondition", Box::new(|| answer(412, &[], ""))),
        ("301", "elsewhere", Box::new(|| answer(301, &[], ""))),
        (
            "200 of a login page",
            "not_s3",
            Box::new(|| answer(200, &[("Content-Type", "text/html")], "")),
        ),
        (
            "an archive",
            "other_error",
            Box::new(|| answer(418, &[], "")),
        ),
        (
            "two encryptions",
            "not_s3",
            Box::new(|| {
                let found = [(SSE, "aws:kms"), (SSE, "AES256"), (SSE_KEY, KEY)];
                object(HTTP_TIME, &found)
            }),
        ),
        (
            "two keys",
            "not_s3",
            Box::new(|| {
                let found = [(SSE, "aws:kms"), (SSE_KEY, KEY), (SSE_KEY, "other")];
                object(HTTP_TIME, &found)
            }),
        ),
        (
            "two times",
            "not_s3",
            Box::new(|| {
                let other = ("Last-Modified", "Thu, 20 Nov 2025 11:00:00 GMT");
                object(HTTP_TIME, &[(SSE, "aws:kms"), (SSE_KEY, KEY), other])
            }),
        ),
        (
            "no key",
            "key_not_named",
            Box::new(|| object(HTTP_TIME, &[(SSE, "aws:kms")])),
        ),
    ];
    for (name, reason, reply) in cases {
        let (result, _) = ask(&json!({}), move |asked| match &*asked.method {
            _ if is_listing(asked) => listing(&[("in/a", TIME), ("in/b", TIME)], None),
            "HEAD" if asked.path.ends_with("/b") => reply(),
            _ => right(asked),
        });
        let expected = if reason == "other_error" {
            "not_s3"
        } else {
            reason
        };
        assert_eq!(reasons(&result), [expected], "{name}: {result:?}");
        assert_eq!(result["compliant"], Value::Null, "{name}");
    }
}

#[test]
fn what_differs_is_a_violation_and_what_fits_is_not() {
    for (headers, compliant) in [
        (vec![(SSE, "aws:kms"), (SSE_KEY, KEY)], json!(true)),
        (vec![(SSE, "AES256")], json!(false)),
        (vec![], json!(false)),
        (vec![(SSE, "aws:kms:dsse"), (SSE_KEY, KEY)], json!(false)),
        (vec![(SSE, "DUMMY-SECRET")], json!(false)),
        (
            vec![(SSE, "aws:kms"), (SSE_KEY, "DUMMY-SECRET!")],
            json!(false),
        ),
        // Objects may be compressed; the answer about one is not.
        (
            vec![
                (SSE, "aws:kms"),
                (SSE_KEY, KEY),
                ("Content-Encoding", "gzip"),
            ],
            json!(true),
        ),
    ] {
        let shown = format!("{headers:?}");
        let (result, _) = ask(&json!({}), move |asked| match &*asked.method {
            _ if is_listing(asked) => listing(&[("in/a", TIME)], None),
            "HEAD" => object(HTTP_TIME, &headers),
            _ => right(asked),
        });
        assert_eq!(result["compliant"], compliant, "{shown}: {result:?}");
    }
}

#[test]
fn requests_that_may_pass_are_sent_again_and_counted() {
    let tries = std::sync::atomic::AtomicUsize::new(0);
    let (result, requests) = ask(&json!({}), move |asked| {
        if tries.fetch_add(1, std::sync::atomic::Ordering::SeqCst) < 2 {
            return error(503, "SlowDown");
        }
        if is_listing(asked) {
            listing(&[("in/a", TIME)], None)
        } else {
            right(asked)
        }
    });
    assert_eq!(result["compliant"], true, "{result:?}");
    assert_eq!(
        result["docroots"][0]["requests"],
        json!({"sent": 5, "repeated": 2})
    );
    assert_eq!(requests, 5);
}

#[test]
fn silence_has_an_end() {
    let (result, _) = ask(&json!({"timeout": 1}), |_| Reply::Silence);
    assert_eq!(reasons(&result), ["no_answer"]);
    let why = result["docroots"][0]["unknown"][0]["why"].as_str().unwrap();
    assert!(why.contains("time limit"), "{why}");
}

#[test]
fn servers_that_are_not_there_have_their_sentence() {
    let closed = Store::start(|_| Reply::Silence).url.clone();
    for (url, words) in [
        (&*closed, "refuses connections"),
        ("http://name.invalid", "DNS"),
    ] {
        let result = ask_at(url, &json!({}));
        let why = result["docroots"][0]["unknown"][0]["why"].as_str().unwrap();
        assert!(why.contains(words), "{url}: {why}");
    }
}

#[test]
fn a_large_bucket_is_listed_up_to_the_limit() {
    let page = |asked: &Asked| -> Reply {
        let from = asked.query.split('&').find_map(|pair| {
            pair.strip_prefix("continuation-token=")?
                .parse::<usize>()
                .ok()
        });
        let most = asked
            .query
            .split('&')
            .find_map(|pair| pair.strip_prefix("max-keys=")?.parse::<usize>().ok());
        let (from, most) = (from.unwrap_or(0), most.unwrap());
        let keys: Vec<String> = (from..from + most)
            .map(|number| format!("in/{number:07}"))
            .collect();
        // Newer by key, but the middle is the newest of all.
        let time = |number: usize| {
            if number == 4_321 {
                "2025-11-22T10:00:00.000Z"
            } else {
                TIME
            }
        };
        let keys: Vec<(&str, &str)> = keys
            .iter()
            .zip(from..)
            .map(|(key, number)| (&**key, time(number)))
            .collect();
        listing(&keys, Some(&(from + most).to_string()))
    };
    let (result, requests) = ask(
        &json!({"list_limit": 10_500, "head_limit": 20}),
        move |asked| {
            if is_listing(asked) {
                page(asked)
            } else {
                right(asked)
            }
        },
    );
    let docroot = &result["docroots"][0];
    assert_eq!(docroot["listed"]["keys"], 10_500);
    assert_eq!(docroot["listed"]["complete"], false);
    assert_eq!(docroot["looked_at"], 20);
    assert_eq!(reasons(&result), ["not_all_listed", "not_all_looked_at"]);
    assert_eq!(result["compliant"], Value::Null);
    assert_eq!(requests, 11 + 20 + 1);
}

#[test]
fn objects_before_since_are_counted_and_not_judged() {
    let (result, _) = ask(
        &json!({"since": "2025-11-20T09:00:00Z"}),
        |asked| match &*asked.method {
            _ if is_listing(asked) => listing(
                &[
                    ("in/new", TIME),
                    ("in/old", "2025-11-20T08:59:00.000Z"),
                    ("in/near", "2025-11-20T09:00:00.000Z"),
                ],
                None,
            ),
            "HEAD" if asked.path.ends_with("new") => right(asked),
            "HEAD" => object(HTTP_TIME, &[(SSE, "AES256")]),
            _ => right(asked),
        },
    );
    assert_eq!(result["docroots"][0]["listed"]["older"], 1);
    assert_eq!(result["docroots"][0]["looked_at"], 2);
    assert_eq!(reasons(&result), ["near_since"]);
    assert_eq!(result["compliant"], Value::Null);
}

#[test]
fn bad_options_fail_with_a_sentence() {
    let sandbox = Sandbox::of(OBJECTS, "<CONF/>");
    let authority = sandbox.root().join("etc/aspera.conf");
    for (options, message) in [
        (
            json!({"user": "a", "global": true}),
            "Set at most one of the options user, group, global and all.",
        ),
        (json!({"group": ""}), "The option group is empty."),
        (json!({"keys": []}), "The option keys is empty"),
        (json!({"keys": ["a", ""]}), "The option keys is empty"),
        (
            json!({"keys": ["a"], "prefix": "x"}),
            "The option keys does not go with prefix or since",
        ),
        (
            json!({"keys": ["a"], "since": "2025-01-01"}),
            "The option keys does not go with prefix or since",
        ),
        (
            json!({"prefix": "/a"}),
            "The option prefix starts with a slash.",
        ),
        (
            json!({"list_limit": 0}),
            "The option list_limit must be a number from 1 to 1000000",
        ),
        (
            json!({"head_limit": 10_001}),
            "The option head_limit must be a number from 1 to 10000",
        ),
        (
            json!({"timeout": -1}),
            "The option timeout must be a number from 1 to 600",
        ),
        (
            json!({"since": "yesterday"}),
            "The option since is neither the word setting nor a time",
        ),
        (
            json!({"since": "2999-01-01"}),
            "The option since is in the future",
        ),
        (
            json!({"access_key_id": "DUMMY-SECRET"}),
            "The options access_key_id and secret_access_key go together.",
        ),
        (
            json!({"session_token": "DUMMY-SECRET"}),
            "The option session_token goes with",
        ),
        (
            json!({"access_key_id": "a", "secret_access_key": "DUMMY-SECRET\n"}),
            "access_key_id, secret_access_key or session_token is empty",
        ),
        (
            json!({"assume_role_arn": "DUMMY-SECRET"}),
            "The option assume_role_arn is not the ARN of a role",
        ),
        (
            json!({"assume_role_external_id": "DUMMY-SECRET"}),
            "The option assume_role_external_id goes with assume_role_arn.",
        ),
        (
            json!({"region": "Frankfurt"}),
            "The option region is not the code of a region",
        ),
        (
            json!({"endpoint_url": "https://h/bucket"}),
            "The option endpoint_url has a path",
        ),
        (
            json!({"endpoint_url": "h:9000"}),
            "The option endpoint_url does not start with https://",
        ),
        (
            json!({"endpoint_url": "https://b\u{fc}cher.test"}),
            "The option endpoint_url has a host with characters that are not ASCII.",
        ),
        (
            json!({"endpoint_url": "https://[::1"}),
            "The option endpoint_url has no valid host.",
        ),
        (
            json!({"addressing_style": "dns"}),
            "The option addressing_style",
        ),
        (
            json!({"ca_file": "/nowhere/ca.pem"}),
            "ca_file: /nowhere/ca.pem does not exist.",
        ),
        (
            json!({"ca_file": authority}),
            "ca_file: [FILE] has no certificate in PEM form",
        ),
        (json!({"expect": []}), "The option expect is an empty list."),
    ] {
        sandbox.expect_failure(&options, message);
    }
}

#[test]
fn docroots_that_are_not_clear_have_their_reason() {
    for (docroot, reason) in [
        ("s3://store.test/media", "no_credentials"),
        ("s3://AKIADUMMY@store.test/media", "malformed_credentials"),
        (
            "s3://AKIADUMMY:a%0Ab@store.test/media",
            "malformed_credentials",
        ),
        ("s3://k:s@store.test/", "no_bucket_named"),
        ("s3://k:s@store.test/a%20b", "not_a_bucket"),
        ("s3://k:s@store.test/media/a//b", "unclear_folder"),
        ("s3://k:s@store.test/media/$(name)", "substitution"),
        ("s3://k:s/@store.test/media", "unclear_docroot"),
        ("s3://k:s@/media", "unclear_host"),
        ("s3://k:s@media.s3.amazonaws.com/in", "bucket_in_host"),
        ("S3://k:s@store.test/media", "unknown_docroot"),
    ] {
        let conf = format!(
            "<CONF><default><file_system><access><paths><path><absolute>{docroot}</absolute></path></paths></access></file_system></default></CONF>"
        );
        let sandbox = Sandbox::of(OBJECTS, conf);
        let mut command =
            sandbox.command(&json!({"expect": [{"server_side_encryption": "AES256"}]}));
        command
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env_remove("AWS_ACCESS_KEY_ID");
        let result = invocation::result_of(&command.output().unwrap());
        assert_eq!(reasons(&result), [reason], "{docroot}");
        assert_eq!(result["compliant"], Value::Null);
        assert_eq!(result["unknown"][0]["reasons"], json!([reason]));
    }
}

#[test]
fn a_file_that_cannot_be_read_is_never_a_green() {
    for (conf, reason) in [("<CONF>", "malformed"), ("<html/>", "malformed")] {
        let sandbox = Sandbox::of(OBJECTS, conf);
        let result = sandbox.run(&json!({"expect": [{"server_side_encryption": "AES256"}]}));
        assert_eq!(result["compliant"], Value::Null);
        assert_eq!(
            result["unknown"][0]["reasons"],
            json!([reason]),
            "{result:?}"
        );
    }
    let sandbox = Sandbox::of(OBJECTS, "<CONF/>");
    let options =
        json!({"path": "/nowhere/aspera.conf", "expect": [{"server_side_encryption": "AES256"}]});
    assert_eq!(
        sandbox.run(&options)["unknown"][0]["reasons"],
        json!(["missing"])
    );
    let options = json!({"user": "gone", "expect": [{"server_side_encryption": "AES256"}]});
    assert_eq!(
        sandbox.run(&options)["unknown"][0]["reasons"],
        json!(["no_docroot"])
    );
    let options = json!({"since": "setting", "expect": [{"server_side_encryption": "AES256"}]});
    assert_eq!(sandbox.run(&options)["compliant"], Value::Null);
}
