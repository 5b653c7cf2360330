//! Values that were found in a file, shown only if they are recognised.

use super::encryption::Encryption;
use super::kms_key::KmsKey;

/// A value found in the file. A value that is not recognised may be a secret in the wrong place and is never shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundValue {
    /// An encryption, a key, or a near miss of one.
    Recognised(String),
    Unrecognised,
}

impl FoundValue {
    /// Classifies the value of an encryption setting.
    pub fn encryption(text: &str) -> Self {
        Self::new(text, Encryption::is_recognised)
    }

    /// Classifies the value of a key setting. A key that the task itself names is recognised in any form.
    pub fn kms_key(text: &str, known_key: Option<&KmsKey>) -> Self {
        Self::new(text, |trimmed| {
            KmsKey::is_recognised(trimmed) || known_key.is_some_and(|key| key.as_str() == trimmed)
        })
    }

    /// Returns the value, or a replacement for it.
    pub fn shown(&self) -> &str {
        match self {
            Self::Recognised(text) => text,
            Self::Unrecognised => "(unrecognised value)",
        }
    }

    fn new(text: &str, recognises: impl Fn(&str) -> bool) -> Self {
        let trimmed = text.trim_ascii();
        if trimmed.is_empty() || recognises(trimmed) {
            Self::Recognised(text.to_owned())
        } else {
            Self::Unrecognised
        }
    }
}

/// The two settings in force at one place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundSetting {
    /// `server-side-encryption`, if it is set.
    pub encryption: Option<FoundValue>,
    /// `server-side-encryption-aws-kms-key-id`, if it is set.
    pub kms_key: Option<FoundValue>,
}
