//! The settings in an `s3.properties`, read without changing it.

use super::file::{
    PlanError, duplicates_warnings, entries_of_nearly, https_warning, is_https_only,
    nearly_warnings, open,
};
use crate::aspera::setting::{ENCRYPTION_KEY, Encryption, KMS_KEY_KEY, KmsKey};
use crate::text::properties::Document;

/// The settings in a file.
#[derive(Debug)]
pub struct Contents {
    /// The encryption in force, as it is written.
    pub encryption: Option<String>,
    /// The key in force, as it is written.
    pub kms_key: Option<String>,
    /// The encryption and the key if names that are nearly theirs count as well, or `None` if that changes nothing.
    pub nearly: Option<(Option<String>, Option<String>)>,
    /// Whether trapd is set to use HTTPS only.
    pub https_only: bool,
    /// The problems and doubts about it, as sentences.
    pub problems: Vec<String>,
}

/// Reads a file without changing it.
pub fn read(bytes: &[u8]) -> Result<Contents, PlanError> {
    let document = open(bytes)?;
    let value = |key| {
        let value = document.value(key)?;
        // A surrogate without its other half is not part of any valid value.
        Some(value.to_text().unwrap_or_default())
    };
    let (encryption, kms_key) = (value(ENCRYPTION_KEY), value(KMS_KEY_KEY));
    // In what order Java gives out different names is not defined, so any of them may count.
    let nearly = |key, exactly: &Option<String>| {
        let values = entries_of_nearly(&document, key)
            .filter(|entry| entry.key != *key)
            .map(|entry| entry.value.to_text().unwrap_or_default());
        let mut others = values.map(Some).filter(|value| value != exactly);
        others.next().unwrap_or_else(|| exactly.clone())
    };
    let nearly = (
        nearly(ENCRYPTION_KEY, &encryption),
        nearly(KMS_KEY_KEY, &kms_key),
    );
    let nearly = (nearly != (encryption.clone(), kms_key.clone())).then_some(nearly);
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
        https_only: is_https_only(&document),
        problems,
    })
}

/// Returns a warning about the file for uploads with SSE-KMS, if there is one.
pub fn kms_warning(bytes: &[u8]) -> Option<String> {
    match Document::parse(bytes) {
        Ok(document) => https_warning(&document),
        Err(error) => Some(PlanError::from(error).to_string()),
    }
}
