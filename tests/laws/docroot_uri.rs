//! The laws of the URI of a docroot.

use aspera_sse::aspera::docroot::{DocrootUri, KeyEncoding, Storage};
use aspera_sse::aspera::setting::{EncryptionSetting, FoundValue, KmsKey};

use super::choice::{Choice, all_desired};
use super::docroots::{assert_uri, is_plain};
use super::secret::{SECRET, Shown, is_in};

/// Every law, for a text that comes after a byte of choice.
pub fn any_input(input: &[u8]) {
    let (mut choice, text) = Choice::of(input);
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let desired = choice.one_of(&all_desired()).clone();
    let encoding = *choice.one_of(&[None, Some(KeyEncoding::Raw), Some(KeyEncoding::Percent)]);
    let scheme = *choice.one_of(&["", "s3://", "azu://"]);
    let text = format!("{scheme}{text}");
    // Blanks around a docroot are not part of it.
    let text = text.trim_ascii();
    parts(text);
    if DocrootUri::new(text).storage() == Storage::S3 {
        edits(text, desired.as_ref(), encoding);
    }
    no_secret(text);
    if let Ok(key) = KmsKey::parse(text) {
        assert_eq!(key.is_same(&key), Ok(true), "{text}");
        key.doubts();
    }
}

/// Checks that the parts are all of the text.
fn parts(text: &str) {
    let uri = DocrootUri::new(text);
    assert_eq!(uri.text(), text);
    let Some((scheme, rest)) = text.split_once("://") else {
        return;
    };
    let credentials = uri
        .credentials()
        .map(|credentials| format!("{credentials}@"));
    let credentials = credentials.unwrap_or_default();
    let whole = format!("{scheme}://{credentials}{}{}", uri.host(), uri.path());
    let query = text.strip_prefix(&whole);
    let query = query.unwrap_or_else(|| panic!("{whole} is not the beginning of {text}"));
    let _ = rest;
    assert!(query.is_empty() || query.starts_with('?'), "{text}");
    let count = query
        .strip_prefix('?')
        .map_or(0, |query| query.split('&').count());
    assert_eq!(uri.options().count(), count, "{text}");
    uri.queries();
    uri.hosts();
    uri.has_too_many_marks();
}

/// Checks what a setting changes, that it changes it once, and that it goes again.
fn edits(text: &str, desired: Option<&EncryptionSetting>, encoding: Option<KeyEncoding>) {
    let before = DocrootUri::new(text);
    let after = before.with_setting(desired, encoding);
    let shown = format!("{text}\n---\n{}", after.text());
    assert_uri(text, after.text(), desired, &shown);
    assert!(after.holds(desired), "{shown}");
    assert!(!after.repeats_a_setting(), "{shown}");
    assert_eq!(
        after.with_setting(desired, encoding),
        after,
        "second run: {shown}"
    );
    let found = after.found_setting(None);
    let encryption = desired.map(|desired| desired.encryption().as_str());
    let found = found.encryption.as_ref().map(FoundValue::shown);
    assert_eq!(found, encryption, "{shown}");
    if is_plain(text) {
        let back = after.with_setting(None, None);
        assert_eq!(back.text(), text, "there and back: {shown}");
    }
}

/// Puts a secret into the credentials, and another one into the options, and looks for it in what may be shown.
fn no_secret(text: &str) {
    if is_in(text.as_bytes()) {
        return;
    }
    let (before, after) = text.split_once('@').unwrap_or(("", text));
    let before = before.split_once("://").map_or(before, |(_, rest)| rest);
    let joint = if text.contains('?') { '&' } else { '?' };
    for planted in [
        format!("s3://KEY:{SECRET}{before}@{after}"),
        format!("s3://KEY:{before}{SECRET}@{after}"),
        format!("s3://{SECRET}:{before}@{after}"),
        format!("azu://KEY:{SECRET}{before}%40{after}"),
        format!("{text}{joint}secret-access-key={SECRET}"),
    ] {
        let uri = DocrootUri::new(&*planted);
        let mut shown = Shown::default();
        // What stands behind a fragment or in a path without a scheme is no option.
        if planted.contains("://") && uri.storage() != Storage::Local {
            shown.say(&uri.masked(None));
            shown.take(&uri);
        }
        shown.is_clean(planted.as_bytes());
        assert!(
            !planted.contains('@') || uri.may_hold_credentials(),
            "{planted}"
        );
    }
}
