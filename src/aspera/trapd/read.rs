//! The settings in an `s3.properties`, read without changing it.

use super::file::{
    PlanError, duplicates_warnings, entries_of_nearly, has_other_endpoint, https_warning,
    is_https_only, nearly_warnings, open,
};
use crate::aspera::setting::{ENCRYPTION_KEY, Encryption, KMS_KEY_KEY, KmsKey};
use crate::text::properties::{Document, JavaString};

/// The settings in a file. A value may be a secret in the wrong place, so they cannot be printed.
pub struct Contents {
    /// The encryption in force, as it is written.
    pub encryption: Option<String>,
    /// The key in force, as it is written.
    pub kms_key: Option<String>,
    /// Each other encryption and key that are possible if names that are nearly theirs count as well.
    pub nearly: Vec<(Option<String>, Option<String>)>,
    /// Whether even more are possible.
    pub has_more_nearly: bool,
    /// Whether trapd is set to use HTTPS only.
    pub https_only: bool,
    /// Whether it sets the endpoint or the signature of requests.
    pub has_other_endpoint: bool,
    /// The problems and doubts about it, as sentences.
    pub problems: Vec<String>,
}

/// Reads a file without changing it.
pub fn read(bytes: &[u8]) -> Result<Contents, PlanError> {
    let document = open(bytes)?;
    let value = |key| document.value(key).map(text);
    let (encryption, kms_key) = (value(ENCRYPTION_KEY), value(KMS_KEY_KEY));
    let encryptions = possible_values(&document, ENCRYPTION_KEY, encryption.clone());
    let kms_keys = possible_values(&document, KMS_KEY_KEY, kms_key.clone());
    let pairs = encryptions.iter().flat_map(|encryption| {
        let pair = |kms_key: &Option<String>| (encryption.clone(), kms_key.clone());
        kms_keys.iter().map(pair)
    });
    // The first pair is the plain reading.
    let nearly = pairs.skip(1).collect();
    let is_kms = encryption.as_deref() == Some(Encryption::AwsKms.as_str());
    let mut problems: Vec<String> = duplicates_warnings(&document);
    problems.extend(nearly_warnings(&document));
    if let Some(text) = &encryption
        && Encryption::parse(text).is_err()
    {
        problems.push(format!(
            "{ENCRYPTION_KEY} is not NONE, AES256 or AWS_KMS, the values that the vendor documents."
        ));
    }
    if let Some(text) = &kms_key {
        match KmsKey::parse(text) {
            Err(_) => problems.push(format!("{KMS_KEY_KEY} is not a valid name of a KMS key.")),
            Ok(_) if !is_kms => problems.push(format!(
                "{KMS_KEY_KEY} is set, and {ENCRYPTION_KEY} is not AWS_KMS."
            )),
            Ok(_) => {}
        }
    }
    if is_kms {
        problems.extend(https_warning(&document));
    }
    Ok(Contents {
        encryption,
        kms_key,
        nearly,
        has_more_nearly: encryptions.len().max(kms_keys.len()) > MOST_VALUES,
        https_only: is_https_only(&document),
        has_other_endpoint: has_other_endpoint(&document),
        problems,
    })
}

/// Returns a value as text. A surrogate without its other half becomes U+FFFD, and no valid value contains either.
fn text(value: &JavaString) -> String {
    String::from_utf16_lossy(value.code_units())
}

/// Values of one setting that are read. Nobody writes a file with more.
const MOST_VALUES: usize = 8;

/// Returns the different values that a setting may have: the one in force first, then those of names that are nearly its name. Java gives out different names
/// in no defined order, so any of them may count. There is one more than [`MOST_VALUES`] if there are too many.
fn possible_values(
    document: &Document,
    key: &str,
    in_force: Option<String>,
) -> Vec<Option<String>> {
    let mut values = vec![in_force];
    for entry in entries_of_nearly(document, key).filter(|entry| entry.key != *key) {
        let value = Some(text(&entry.value));
        if values.len() <= MOST_VALUES && !values.contains(&value) {
            values.push(value);
        }
    }
    values
}

/// Returns a warning about the file for uploads with SSE-KMS, if there is one.
pub fn kms_warning(bytes: &[u8]) -> Option<String> {
    match open(bytes) {
        Ok(document) => https_warning(&document),
        Err(error @ PlanError::OtherFile(_)) => Some(error.problem()),
        Err(error) => Some(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::may_set;
    use super::*;

    #[test]
    fn a_file_that_sets_one_of_the_settings_or_cannot_be_read_may_set_it() {
        for (text, may) in [
            (b"".as_slice(), false),
            (
                b"aspera.session.upload.start-check-small-file.enabled=true\n",
                false,
            ),
            (b"#server-side-encryption=NONE\n", false),
            (b"server-side-encryption=NONE\n", true),
            (b"s3service.https_only=false\n", true),
            (b"s3service.s3-endpoint=minio.example.com\n", true),
            (b"a=\\u12\n", true),
        ] {
            assert_eq!(may_set(text), may, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn a_file_of_another_kind_is_named_in_the_warning() {
        let warning = kms_warning(b"<a/>").unwrap();
        assert!(
            warning.contains("The file is not a properties file"),
            "{warning}"
        );
        assert_eq!(kms_warning(b"s3service.https-only=true\n"), None);
    }

    #[test]
    fn a_value_with_half_a_surrogate_pair_is_not_empty() {
        let contents = read(b"server-side-encryption=\\uD800").unwrap();
        assert_eq!(contents.encryption.as_deref(), Some("\u{fffd}"));
    }

    #[test]
    fn each_value_of_a_nearly_right_name_is_possible() {
        let line =
            |number: usize| format!("Server-Side-Encryption{}=V{number}\n", "_".repeat(number));
        let read_lines = |count: usize| {
            let lines: String = (0..count).map(line).collect();
            read(format!("server-side-encryption=V1\n{lines}").as_bytes()).unwrap()
        };
        for (count, possible, has_more) in [
            (0, 0, false),
            (2, 1, false),
            (8, 7, false),
            (9, 8, true),
            (100, 8, true),
        ] {
            let contents = read_lines(count);
            assert_eq!(contents.nearly.len(), possible, "{count}");
            assert_eq!(contents.has_more_nearly, has_more, "{count}");
        }
    }
}
