//! A node with access keys, behind its Node API. The secrets in its answers are those that the documentation of the API has.

use serde_json::{Value, json};

use super::{Asked, Reply, Store, answer};

/// The name and password of its user.
pub const LOGIN: (&str, &str) = ("node_audit", "DUMMY-SECRET");
/// `Basic` with both.
const AUTHORIZATION: &str = "authorization: Basic bm9kZV9hdWRpdDpEVU1NWS1TRUNSRVQ=";

/// Starts a node of a version with access keys.
pub fn node(version: &str, keys: Vec<Value>) -> Store {
    let version = version.to_owned();
    Store::start(move |asked| answer_of(asked, &version, &keys))
}

/// Returns the answer of such a node. Before 3.8.0, it returns storages only if it is asked for them.
pub fn answer_of(asked: &Asked, version: &str, keys: &[Value]) -> Reply {
    let mut header = asked.header.iter().map(|line| line.to_ascii_lowercase());
    if !header.any(|line| line == AUTHORIZATION.to_ascii_lowercase()) {
        return error(401, "Unauthorized");
    }
    match &*asked.path {
        "/info" => info(version),
        "/access_keys" => {
            let is_old = version.starts_with("3.6") || version.starts_with("3.7");
            let asks = asked.query == "embed%5B%5D=storage";
            let keys = keys.iter().cloned().map(|mut key| {
                if is_old && !asks {
                    key.as_object_mut().unwrap().remove("storage");
                }
                key
            });
            answer(200, &[], &Value::Array(keys.collect()).to_string())
        }
        _ => error(404, "Not Found"),
    }
}

/// The answer of `/info`.
pub fn info(version: &str) -> Reply {
    let mut info = json!({
        "application": "node",
        "current_time": "2025-11-24T12:30:32Z",
        "transfer_user": "xfer",
        "docroot": "s3://AKIADUMMY:DUMMY-SECRET@s3.amazonaws.com/media",
        "acls": ["impersonation"],
    });
    if !version.is_empty() {
        info["version"] = json!(version);
    }
    answer(200, &[], &info.to_string())
}

/// An error in the form of the API.
pub fn error(status: u16, reason: &str) -> Reply {
    let error =
        json!({"error": {"code": status, "reason": reason, "user_message": "DUMMY-SECRET"}});
    answer(status, &[], &error.to_string())
}

/// An access key with a storage, as a node lists it.
pub fn key(id: &str, storage: Value) -> Value {
    let mut key = json!({
        "id": id,
        "root_file_id": "7",
        "license": {"customer_id": "acme"},
        "configuration": {"transfer": {
            "content_protection_secret": "DUMMY-SECRET",
            "token_encryption_key": "DUMMY-SECRET",
            "target_rate_kbps": 10_000,
            "aggressiveness": 0.25,
        }},
    });
    if !storage.is_null() {
        key["storage"] = storage;
    }
    key
}

/// A storage in S3, with an encryption and a key if they are named.
pub fn in_s3(bucket: &str, encryption: Option<&str>, kms_key: Option<&str>) -> Value {
    let mut storage = json!({
        "type": "aws_s3",
        "bucket": bucket,
        "endpoint": "s3.eu-west-1.amazonaws.com",
        "path": "/in",
        "storage_class": "STANDARD",
        // No version is documented to return them.
        "credentials": {"type": "key", "access_key_id": "AKIADUMMY", "secret_access_key": "DUMMY-SECRET"},
    });
    if let Some(encryption) = encryption {
        storage["server_side_encryption"] = json!(encryption);
    }
    if let Some(kms_key) = kms_key {
        storage["server_side_encryption_aws_kms_key_id"] = json!(kms_key);
    }
    storage
}
