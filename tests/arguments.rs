//! The answer to any file of arguments is one line of ASCII JSON with exit status 0 or 1 and without a secret.

mod invocation;

use std::fs;
use std::process::Command;

use invocation::{DOCROOT, Module, Sandbox, TRAPD, result_of};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use serde_json::{Map, Value, json};

/// A part of every value that no output may repeat.
const SECRET: &str = "DUMMY-SECRET";
const PROPERTIES: &str = "s3service.x=DUMMY-SECRET\n# server-side-encryption=NONE\n";
const CONF: &str = "<CONF><default><file_system><access><paths><path><absolute>s3://DUMMY-SECRET:DUMMY-SECRET@h/b</absolute>\
                    </path></paths></access></file_system></default></CONF>\n";

/// The options of both modules, and settings of Ansible.
const NAMES: [&str; 26] = [
    "state",
    "server_side_encryption",
    "kms_key_id",
    "aws_managed_key",
    "validate_kms_key_id",
    "create",
    "backup",
    "unsafe_writes",
    "user",
    "group",
    "global",
    "all",
    "docroots",
    "kms_key_encoding",
    "docroot",
    "_ansible_check_mode",
    "_ansible_diff",
    "_ansible_no_log",
    "_ansible_ignore_unknown_opts",
    "_ansible_inject_invocation",
    "_ansible_module_name",
    "_ansible_target_log_info",
    "_ansible_syslog_facility",
    "_ansible_verbosity",
    "aspera_root",
    "unheard_of",
];

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        9 => prop::sample::select(&NAMES[..]).prop_map(str::to_owned),
        1 => ".{0,8}",
    ]
}

fn text() -> impl Strategy<Value = String> {
    let known = [
        "present",
        "absent",
        "AWS_KMS",
        "AES256",
        "NONE",
        "raw",
        "percent",
        "yes",
        "no",
        "true",
        "0",
        "DUMMY-SECRET",
        "s3://DUMMY-SECRET:DUMMY-SECRET@h/b",
        "alias/aws/s3",
        "{\"user\": \"x\"}",
        "[{'global': True}]",
        "a=1 b='2",
        "",
        "__omit_place_holder__DUMMY-SECRET",
        "\u{0}",
        "\u{1f600}\u{2028}\u{85}",
        "NaN",
    ];
    prop_oneof![
        6 => prop::sample::select(known.to_vec()).prop_map(str::to_owned),
        2 => "[^/~$]{0,20}",
        1 => (0_usize..200_000).prop_map(|length| SECRET.repeat(length / SECRET.len())),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        Just(json!(1e300)),
        Just(serde_json::from_str("123456789012345678901234567890.5e-400").unwrap()),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((name(), inner), 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// The damage to the text of the arguments.
#[derive(Debug, Clone)]
enum Damage {
    None,
    /// It ends early, after some part of its length.
    Truncated(prop::sample::Index),
    /// Some text is replaced by another.
    Replaced(prop::sample::Index, Vec<u8>),
    /// A value is nested to this depth.
    Nested(usize),
    /// It is not an object.
    Wrapped,
}

fn damage() -> impl Strategy<Value = Damage> {
    let pieces = [
        &b"\\ud800"[..],
        b"\\udc80\\ud800",
        b"\\u12",
        b"NaN",
        b"-Infinity",
        b"\xff\xfe",
        b"\xed\xa0\x80",
        b"\0",
        b"\"",
        b"{",
        b"]",
        b",",
        b":",
        b"1e999999999",
    ];
    prop_oneof![
        6 => Just(Damage::None),
        2 => any::<prop::sample::Index>().prop_map(Damage::Truncated),
        3 => (any::<prop::sample::Index>(), prop::sample::select(pieces.to_vec())).prop_map(|(at, piece)| Damage::Replaced(at, piece.to_vec())),
        1 => (1_usize..200_000).prop_map(Damage::Nested),
        1 => Just(Damage::Wrapped),
    ]
}

fn damaged(text: &str, damage: &Damage) -> Vec<u8> {
    match damage {
        Damage::None => text.into(),
        Damage::Truncated(at) => text.as_bytes()[..at.index(text.len())].into(),
        Damage::Replaced(at, piece) => {
            let at = at.index(text.len());
            [&text.as_bytes()[..at], piece, &text.as_bytes()[at + 1..]].concat()
        }
        Damage::Nested(depth) => {
            let nested = "[".repeat(*depth) + &"]".repeat(*depth);
            text.replacen(':', &format!(":{nested},\"x\":"), 1).into()
        }
        Damage::Wrapped => format!("[{text}]").into(),
    }
}

/// Runs a module with some arguments. Everything that it could write is in its sandbox.
fn run(module: Module, content: &str, options: &[(String, Value)], damage: &Damage) {
    let sandbox = Sandbox::of(module, content);
    let mut arguments: Map<String, Value> = options.iter().cloned().collect();
    if arguments.get("aspera_root").is_none_or(Value::is_string) {
        arguments.insert("aspera_root".to_owned(), json!(sandbox.root()));
    }
    let text = damaged(&Value::Object(arguments).to_string(), damage);
    let file = sandbox.root().join("arguments.json");
    fs::write(&file, &text).unwrap();
    let output = Command::new(module.program)
        .arg(&file)
        .current_dir(sandbox.root())
        .output()
        .unwrap();
    let result = result_of(&output);
    let shown = || {
        format!(
            "{} with {}",
            Value::Object(result.clone()),
            text.escape_ascii()
        )
    };
    assert!(result["changed"].is_boolean(), "{}", shown());
    assert_eq!(
        result.get("failed").is_some(),
        result.get("msg").is_some(),
        "{}",
        shown()
    );
    // The names of users and groups are shown, because a person must read them. So is a key of any form that the task allows.
    let has = |wanted: &str| options.iter().any(|(name, _)| name == wanted);
    let may_name_it = ["user", "group", "docroots", "aspera_root"]
        .into_iter()
        .any(has)
        || has("kms_key_id") && has("validate_kms_key_id");
    assert!(
        may_name_it
            || !output
                .stdout
                .windows(SECRET.len())
                .any(|part| part == SECRET.as_bytes()),
        "{}",
        shown()
    );
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1_500,
        max_shrink_iters: 2_000,
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_arguments_of_aspera_trapd_sse_are_answered(options in prop::collection::vec((name(), value()), 0..6), damage in damage()) {
        run(TRAPD, PROPERTIES, &options, &damage);
    }

    #[test]
    fn any_arguments_of_aspera_docroot_sse_are_answered(options in prop::collection::vec((name(), value()), 0..6), damage in damage()) {
        run(DOCROOT, CONF, &options, &damage);
    }
}
