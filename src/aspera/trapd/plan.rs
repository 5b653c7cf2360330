//! The edits that bring an `s3.properties` to a desired state.

use super::display::{ChangedPlace, changed_places};
use super::file::{
    PlanError, duplicates_warning, found_value, https_warning, is_ours, nearly_warnings, open,
    parse, refuse_other_files,
};
use crate::aspera::setting::{
    ENCRYPTION_KEY, Encryption, EncryptionSetting, FoundSetting, KMS_KEY_KEY, KmsKey,
};
use crate::text::properties::{Document, Editor, Item, Items, JavaString};
use crate::text::splice::Edits;

/// The comment lines of the shipped file, where nothing is set.
const ENCRYPTION_COMMENT: &str = "# server-side-encryption=NONE";
const KMS_KEY_COMMENT: &str = "# server-side-encryption-aws-kms-key-id";

/// The edits that bring a file to a desired state, and the warnings about it.
#[derive(Debug)]
pub struct Plan {
    /// The setting that was in force.
    pub previous: FoundSetting,
    /// Whether a key was in force, and with the desired setting uploads use the key that AWS manages instead.
    pub uses_aws_managed_key_instead: bool,
    /// The edits. There are none if the file is as desired.
    pub edits: Edits,
    /// The file after the edits.
    pub after: Vec<u8>,
    /// The changes as they may be shown.
    pub places: Vec<ChangedPlace>,
    /// Warnings for the user.
    pub warnings: Vec<String>,
}

/// Plans the edits. `None` as the desired setting means that neither setting is active.
pub fn plan(bytes: &[u8], desired: Option<&EncryptionSetting>) -> Result<Plan, PlanError> {
    let document = open(bytes)?;
    let kms_key = desired.and_then(EncryptionSetting::kms_key);
    let previous = found_setting(&document, kms_key);
    let mut editor = Editor::new(&document);
    match desired {
        Some(setting) => {
            editor.set(ENCRYPTION_KEY, setting.encryption().as_str())?;
            match setting.kms_key() {
                Some(key) => editor.set(KMS_KEY_KEY, key.as_str())?,
                None => editor.comment_out(KMS_KEY_KEY, KMS_KEY_COMMENT),
            }
        }
        None => {
            editor.comment_out(ENCRYPTION_KEY, ENCRYPTION_COMMENT);
            editor.comment_out(KMS_KEY_KEY, KMS_KEY_COMMENT);
        }
    }
    let edits = editor.finish();
    let after = edits.apply(bytes);
    // The next run must be able to read it.
    refuse_other_files(&after)?;
    // If nothing is edited, it is the same document.
    let edited = if edits.is_empty() {
        None
    } else {
        Some(read_again(&after)?)
    };
    let edited = edited.as_ref().unwrap_or(&document);
    check(&document, edited, desired)?;
    Ok(Plan {
        warnings: warnings(&document, desired),
        uses_aws_managed_key_instead: desired.is_some_and(EncryptionSetting::is_aws_managed_key)
            && document
                .value(KMS_KEY_KEY)
                .is_some_and(|key| !key.code_units().is_empty()),
        places: changed_places(&document, &edits, edited, kms_key),
        previous,
        edits,
        after,
    })
}

pub(super) fn found_setting(document: &Document, known_key: Option<&KmsKey>) -> FoundSetting {
    let found = |key| {
        let entry = document.entries_of(key).next_back();
        entry.map(|entry| found_value(entry, known_key))
    };
    FoundSetting {
        encryption: found(ENCRYPTION_KEY),
        kms_key: found(KMS_KEY_KEY),
    }
}

/// Reads the edited file, as trapd will.
fn read_again(after: &[u8]) -> Result<Document<'_>, PlanError> {
    parse(after).map_err(|_| PlanError::NotAsIntended)
}

/// Returns whether our settings in the edited file are the desired ones, and every other key still has its value.
fn check(
    before: &Document,
    after: &Document,
    desired: Option<&EncryptionSetting>,
) -> Result<(), PlanError> {
    let in_force = |key, expected: Option<&str>| match (after.value(key), expected) {
        (None, None) => true,
        (Some(value), Some(expected)) => value == expected,
        _ => false,
    };
    let kms_key = desired.and_then(EncryptionSetting::kms_key);
    let as_desired = in_force(ENCRYPTION_KEY, desired.map(|d| d.encryption().as_str()))
        && in_force(KMS_KEY_KEY, kms_key.map(KmsKey::as_str));
    let others_kept = others(before.bytes).eq(others(after.bytes));
    if as_desired && others_kept {
        Ok(())
    } else {
        Err(PlanError::NotAsIntended)
    }
}

/// Reads the other settings of a file, one after the other.
fn others(bytes: &[u8]) -> impl Iterator<Item = (JavaString, JavaString)> {
    let items = Items::new(bytes).filter_map(Result::ok);
    let entries = items.filter_map(Item::entry);
    entries
        .filter(|entry| !is_ours(entry))
        .map(|entry| (entry.key, entry.value))
}

fn warnings(document: &Document, desired: Option<&EncryptionSetting>) -> Vec<String> {
    let mut warnings = Vec::new();
    let Some(setting) = desired else {
        return warnings;
    };
    for key in [ENCRYPTION_KEY, KMS_KEY_KEY] {
        if key == ENCRYPTION_KEY || setting.kms_key().is_some() {
            warnings.extend(duplicates_warning(document, key));
        }
    }
    warnings.extend(nearly_warnings(document));
    let encryption = setting.encryption();
    if encryption != Encryption::AwsKms && document.value(KMS_KEY_KEY).is_some() {
        warnings.push(format!(
            "The active {KMS_KEY_KEY} is removed: {encryption} uses no KMS key."
        ));
    }
    if encryption == Encryption::AwsKms {
        warnings.extend(https_warning(document));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aspera::setting::{DisplayLine, FoundValue};

    fn kms(key: Option<&str>) -> EncryptionSetting {
        let key = key.map(|key| KmsKey::parse(key).unwrap());
        EncryptionSetting::new(Encryption::AwsKms, key).unwrap()
    }

    fn planned(text: &str, desired: Option<&EncryptionSetting>) -> String {
        String::from_utf8(plan(text.as_bytes(), desired).unwrap().after).unwrap()
    }

    const SHIPPED: &str =
        "# server-side-encryption=NONE\n\n# server-side-encryption-aws-kms-key-id\n";

    #[test]
    fn the_articles_comments_are_uncommented_and_come_back() {
        let set = planned(SHIPPED, Some(&kms(Some("alias/a"))));
        assert_eq!(
            set,
            "server-side-encryption=AWS_KMS\n\nserver-side-encryption-aws-kms-key-id=alias/a\n"
        );
        assert_eq!(planned(&set, None), SHIPPED);
    }

    #[test]
    fn a_file_that_the_next_run_could_not_read_is_not_written() {
        let most = usize::try_from(super::super::MAX_LENGTH).unwrap();
        let line = "server-side-encryption=AWS_KMS\n";
        for (length, fits) in [(most - line.len(), true), (most - line.len() + 1, false)] {
            let file = [&b"#".repeat(length - 1)[..], b"\n"].concat();
            let plan = plan(&file, Some(&kms(None)));
            assert_eq!(plan.is_ok(), fits, "{length}");
            let refused = matches!(plan, Err(PlanError::OtherFile(_)));
            assert_eq!(refused, !fits);
        }
    }

    #[test]
    fn the_key_is_removed_if_none_is_declared() {
        let text =
            "server-side-encryption=AWS_KMS\nserver-side-encryption-aws-kms-key-id = alias/a\n";
        let plan = plan(text.as_bytes(), Some(&kms(None))).unwrap();
        assert_eq!(
            plan.after,
            b"server-side-encryption=AWS_KMS\n# server-side-encryption-aws-kms-key-id\n"
        );
        assert!(plan.uses_aws_managed_key_instead);
    }

    #[test]
    fn an_edit_that_does_something_else_is_refused() {
        let before = "a=1\n# server-side-encryption=NONE\nb=2\n";
        let document = parse(before.as_bytes()).unwrap();
        let encryption = "server-side-encryption=AWS_KMS\n";
        let key = "server-side-encryption-aws-kms-key-id=alias/a\n";
        let passes = |after: &str, desired: Option<&EncryptionSetting>| {
            let after = read_again(after.as_bytes());
            let checked = after.and_then(|after| check(&document, &after, desired));
            assert!(matches!(checked, Ok(()) | Err(PlanError::NotAsIntended)));
            checked.is_ok()
        };
        let with_key = kms(Some("alias/a"));
        assert!(passes(
            &format!("a=1\n{encryption}b=2\n{key}"),
            Some(&with_key)
        ));
        assert!(passes(&format!("a=1\n{encryption}b=2\n"), Some(&kms(None))));
        assert!(passes("a=1\nb=2\n", None));
        for after in [
            format!("a=1\n{encryption}b=2\n"),
            format!("a=1\nb=2\n{key}"),
            format!("a=1\n{encryption}b=2\n{key}x"),
            format!("a=1\n{encryption}{key}"),
            format!("a=1\n{encryption}b=3\n{key}"),
            format!("a=1\n{encryption}B=2\n{key}"),
            format!("a=1\n{encryption}b=2\n{key}c=3\n"),
            format!("b=2\n{encryption}a=1\n{key}"),
            format!("a=1\n{encryption}b=2\n{key}c=\\u12\n"),
            format!("a=1\n{encryption}b=2\n{key}server-side-encryption=AES256\n"),
            format!("a=1\n{encryption}b=2\n{key}server-side-encryption-aws-kms-key-id=alias/b\n"),
            before.to_owned(),
        ] {
            assert!(!passes(&after, Some(&with_key)), "{after}");
        }
        assert!(!passes(&format!("a=1\n{encryption}b=2\n"), None));
        assert!(!passes(&format!("a=1\nb=2\n{key}"), None));
    }

    #[test]
    fn unrecognised_values_are_not_shown() {
        let text = "server-side-encryption=hunter2 \nserver-side-encryption-aws-kms-key-id=s3cr3t!\nother=x\n";
        let plan = plan(text.as_bytes(), Some(&kms(Some("alias/a")))).unwrap();
        assert_eq!(plan.previous.encryption, Some(FoundValue::Unrecognised));
        assert_eq!(plan.previous.kms_key, Some(FoundValue::Unrecognised));
        let places = plan.places;
        let shown = |text: &str| DisplayLine::Shown(text.to_owned());
        assert_eq!(
            places[0].before,
            [
                shown("server-side-encryption=(unrecognised value)"),
                shown("server-side-encryption-aws-kms-key-id=(unrecognised value)"),
                DisplayLine::Hidden,
            ]
        );
        assert_eq!(
            places[0].after,
            [
                shown("server-side-encryption=AWS_KMS"),
                shown("server-side-encryption-aws-kms-key-id=alias/a"),
                DisplayLine::Hidden,
            ]
        );
    }
}
