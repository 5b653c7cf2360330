//! The laws of what a node, or whatever stands in its place, answers. `serde_json::Value` is a second reader.

use aspera_sse::node::{AccessKey, Field, Info, Storage};
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::choice::Choice;
use super::secret::SECRET;

/// Every law, for a body that comes after a byte of choice.
pub fn any_input(input: &[u8]) {
    let (mut choice, body) = Choice::of(input);
    let value: Option<Value> = serde_json::from_slice(body).ok();
    // Half a character in a field that is not read matters to the second reader only.
    let is_skipped = value.is_none() && serde_json::from_slice::<IgnoredAny>(body).is_ok();
    if !is_skipped || str::from_utf8(body).is_err() {
        info(body, value.as_ref());
        access_keys(body, value.as_ref());
    }
    if let Some(value) = value {
        let secrets = ["content_protection_secret", "token_encryption_key", "x"];
        let name = choice.one_of(&secrets);
        beside(&value, name);
    }
}

fn info(body: &[u8], value: Option<&Value>) {
    let Some(info) = Info::parse(body) else {
        return;
    };
    let shown = body.escape_ascii();
    let value = value.unwrap_or_else(|| panic!("read, and not JSON: {shown}"));
    let text = |name: &str| value[name].as_str();
    assert_eq!(info.version(), text("version"), "{shown}");
    assert_eq!(info.transfer_user(), text("transfer_user"), "{shown}");
    let is_node = text("application") == Some("node") || info.version().is_some();
    assert!(is_node, "{shown}");
}

fn access_keys(body: &[u8], value: Option<&Value>) {
    let Some(keys) = AccessKey::parse_all(body) else {
        return;
    };
    let shown = body.escape_ascii().to_string();
    let value = value.unwrap_or_else(|| panic!("read, and not JSON: {shown}"));
    let values = value.as_array().unwrap_or_else(|| panic!("{shown}"));
    assert_eq!(keys.len(), values.len(), "{shown}");
    for (key, value) in keys.iter().zip(values) {
        let value = value.as_object().unwrap_or_else(|| panic!("{shown}"));
        same(&key.id, value, "id", &shown);
        assert_eq!(
            key.enabled,
            value.get("enabled").and_then(Value::as_bool),
            "{shown}"
        );
        let token = value.get("token_verification_key");
        let takes_tokens = token.is_some_and(|token| !token.is_null() && token != "");
        assert_eq!(key.takes_bearer_tokens(), takes_tokens, "{shown}");
        storage(
            &key.storage,
            value.get("storage").unwrap_or(&Value::Null),
            &shown,
        );
    }
}

/// A storage that is none is never taken for that of the user, whose docroot then decides.
fn storage(storage: &Storage, value: &Value, shown: &str) {
    const FIELDS: [&str; 6] = [
        "type",
        "bucket",
        "endpoint",
        "path",
        "server_side_encryption",
        "server_side_encryption_aws_kms_key_id",
    ];
    match (storage, value) {
        (Storage::OfUser, Value::Null) => {}
        (Storage::OfUser, Value::Object(value)) => {
            let mut set = FIELDS.iter().filter_map(|name| value.get(*name));
            assert!(set.all(Value::is_null), "{shown}");
        }
        (Storage::Own(own), Value::Object(value)) => {
            let fields = [
                &own.kind,
                &own.bucket,
                &own.endpoint,
                &own.path,
                &own.encryption,
                &own.kms_key,
            ];
            for (field, name) in fields.into_iter().zip(FIELDS) {
                same(field, value, name, shown);
            }
        }
        // An object in which a field stands twice is odd, too.
        (Storage::Odd, value) => assert!(!value.is_null(), "{shown}"),
        _ => panic!("another storage: {shown}"),
    }
}

fn same(field: &Field, value: &Map<String, Value>, name: &str, shown: &str) {
    match (field, value.get(name)) {
        (Field::Absent, None | Some(Value::Null)) => {}
        (Field::Text(text), Some(Value::String(value))) => assert_eq!(text, value, "{shown}"),
        (Field::Odd, Some(value)) => assert!(!value.is_null() && !value.is_string(), "{shown}"),
        _ => panic!("{name} is another: {shown}"),
    }
}

/// Checks that a secret in a field that is not read changes nothing of what is read.
fn beside(value: &Value, name: &str) {
    let Value::Array(values) = value else {
        return;
    };
    let mut changed = values.clone();
    for value in &mut changed {
        if let Value::Object(value) = value {
            value.insert(name.to_owned(), Value::from(SECRET));
        }
    }
    let read = |values: &[Value]| {
        let body = Value::Array(values.to_vec()).to_string();
        let keys = AccessKey::parse_all(body.as_bytes())?;
        Some(keys.iter().map(said).collect::<Vec<_>>())
    };
    let (before, after) = (read(values), read(&changed));
    assert_eq!(before, after, "{name} in {value}");
}

/// All that is read of an access key.
fn said(key: &AccessKey) -> Vec<Option<String>> {
    let text = |field: &Field| match field {
        Field::Absent => None,
        Field::Text(text) => Some(text.clone()),
        Field::Odd => Some("odd".to_owned()),
    };
    let mut said = vec![
        text(&key.id),
        Some(format!("{:?} {}", key.enabled, key.takes_bearer_tokens())),
    ];
    match &key.storage {
        Storage::OfUser => said.push(None),
        Storage::Odd => said.push(Some("odd".to_owned())),
        Storage::Own(own) => said.extend(
            [
                &own.kind,
                &own.bucket,
                &own.endpoint,
                &own.path,
                &own.encryption,
                &own.kms_key,
            ]
            .map(text),
        ),
    }
    said
}
