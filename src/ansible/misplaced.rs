//! Credentials in an option that names something: a user, a group, a path, a scope.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::Value;

/// How often a text is decoded. A text that is encoded more often names nothing, and each time takes a pass over all of it.
const MAX_ENCODINGS: usize = 8;

/// Returns whether a value looks like a URI, or like credentials in front of a host, in any percent-encoding. No name or path of a host does.
pub(super) fn holds_credentials(value: &Value) -> bool {
    match value {
        Value::String(text) => text_holds_credentials(text),
        Value::Array(elements) => elements.iter().any(holds_credentials),
        _ => false,
    }
}

fn text_holds_credentials(text: &str) -> bool {
    let mut text = Cow::Borrowed(text);
    for _ in 0..=MAX_ENCODINGS {
        let has_at_behind_colon = |(_, behind): (&str, &str)| behind.contains('@');
        if text.contains("://") || text.split_once(':').is_some_and(has_at_behind_colon) {
            return true;
        }
        let decoded = percent_decode_str(&text).decode_utf8_lossy().into_owned();
        if decoded == *text {
            return false;
        }
        text = decoded.into();
    }
    true
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn uris_and_credentials_are_recognised_in_any_spelling() {
        for (value, expected) in [
            (json!("s3://h/b"), true),
            (json!("user s3://k:s@h"), true),
            (json!("k:s@h"), true),
            (json!("k%3As%40h"), true),
            (json!("k%253As%2540h"), true),
            (json!("s3%3a%2f%2fh"), true),
            (json!(["a", "k:s@h"]), true),
            (json!("a@b:c"), false),
            (json!("a@corp.example"), false),
            (json!("CORP\\a"), false),
            (json!("/opt/aspera"), false),
            (json!("100%"), false),
            (json!(["user a", "group b"]), false),
            (json!(true), false),
        ] {
            assert_eq!(holds_credentials(&value), expected, "{value}");
        }
    }

    #[test]
    fn a_text_that_is_encoded_without_end_names_nothing() {
        let encoded = |times| format!("%{}41", "25".repeat(times));
        assert!(!holds_credentials(&json!(encoded(MAX_ENCODINGS - 1))));
        assert!(holds_credentials(&json!(encoded(MAX_ENCODINGS))));
        assert!(holds_credentials(&json!(encoded(1_000_000))));
    }
}
