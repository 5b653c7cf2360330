//! The server-side encryption of S3 objects, in Aspera's terms.

use std::fmt;

use super::kms_key::KmsKey;

/// The name of the encryption setting, in `s3.properties` and in the query of a docroot.
pub const ENCRYPTION_KEY: &str = "server-side-encryption";
/// The name of the setting for the KMS key, in both places.
pub const KMS_KEY_KEY: &str = "server-side-encryption-aws-kms-key-id";
/// The name of the setting for HTTPS, in both places.
pub const HTTPS_KEY: &str = "s3service.https-only";

/// The values that Aspera documents for `server-side-encryption`.
///
/// `NONE` and `AWS_KMS` are in the vendor's article on SSE-KMS, `AES256` in its docroot reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encryption {
    /// No encryption requested by Aspera. Since 2023, S3 encrypts with its own keys even then.
    None,
    /// Keys of S3 (SSE-S3).
    Aes256,
    /// Keys of the Key Management Service (SSE-KMS).
    AwsKms,
}

impl Encryption {
    pub const ALL: [Self; 3] = [Self::None, Self::Aes256, Self::AwsKms];

    /// Returns the value as Aspera spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Aes256 => "AES256",
            Self::AwsKms => "AWS_KMS",
        }
    }

    /// Reads a value, which must be exactly as Aspera spells it.
    pub fn parse(text: &str) -> Result<Self, InvalidEncryption> {
        Self::ALL
            .into_iter()
            .find(|encryption| encryption.as_str() == text)
            .ok_or_else(|| match Meaning::recognise(text) {
                Some(Meaning::Known(meant)) => InvalidEncryption::Misspelled(meant),
                Some(Meaning::Dsse) => InvalidEncryption::Dsse,
                None => InvalidEncryption::Unknown,
            })
    }

    /// Returns whether a text is an encryption or a known misspelling of one, so that it is safe to show.
    pub fn is_recognised(text: &str) -> bool {
        Meaning::recognise(text).is_some()
    }
}

/// The meaning of a value, in any spelling.
enum Meaning {
    Known(Encryption),
    /// Dual-layer encryption (`aws:kms:dsse`), which Aspera does not have.
    Dsse,
}

impl Meaning {
    fn recognise(text: &str) -> Option<Self> {
        let letters: String = text
            .chars()
            .filter(|c| !matches!(c, ' ' | '\t' | '_' | '-' | ':' | '.'))
            .map(|c| c.to_ascii_lowercase())
            .collect();
        Some(match letters.as_str() {
            "none" | "off" | "no" | "false" | "disabled" => Self::Known(Encryption::None),
            "aes256" | "aes" | "sses3" | "s3" => Self::Known(Encryption::Aes256),
            "awskms" | "kms" | "ssekms" => Self::Known(Encryption::AwsKms),
            "awskmsdsse" | "ssekmsdsse" | "kmsdsse" | "dssekms" | "dsse" => Self::Dsse,
            _ => return None,
        })
    }
}

impl fmt::Display for Encryption {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The reason why Aspera does not know a value, as the rest of a sentence after the name of the option. Does not contain the value, which may be a
/// secret in the wrong place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEncryption {
    /// Another spelling of a known value.
    #[error("must be exactly NONE, AES256 or AWS_KMS. Did you mean {0}?")]
    Misspelled(Encryption),
    /// Dual-layer encryption. `AWS_KMS` would be weaker.
    #[error(
        "must be NONE, AES256 or AWS_KMS. Aspera has no setting for dual-layer encryption (aws:kms:dsse)."
    )]
    Dsse,
    #[error("must be exactly NONE, AES256 or AWS_KMS.")]
    Unknown,
}

/// An encryption with its key, declared as one state: a key belongs to SSE-KMS only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncryptionSetting {
    encryption: Encryption,
    kms_key: Option<KmsKey>,
}

impl EncryptionSetting {
    /// Combines the two. `AWS_KMS` without a key means the key that AWS manages, `aws/s3`.
    pub fn new(encryption: Encryption, kms_key: Option<KmsKey>) -> Result<Self, KeyWithoutKms> {
        if kms_key.is_some() && encryption != Encryption::AwsKms {
            return Err(KeyWithoutKms { encryption });
        }
        Ok(Self {
            encryption,
            kms_key,
        })
    }

    pub fn encryption(&self) -> Encryption {
        self.encryption
    }

    /// Returns whether uploads use the key that AWS manages, `aws/s3`.
    pub fn is_aws_managed_key(&self) -> bool {
        self.encryption == Encryption::AwsKms && self.kms_key.is_none()
    }

    /// Returns the key, if one is named.
    pub fn kms_key(&self) -> Option<&KmsKey> {
        self.kms_key.as_ref()
    }
}

/// The error for a key that is given with an encryption that has none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("A KMS key goes with AWS_KMS only, not with {encryption}.")]
pub struct KeyWithoutKms {
    pub encryption: Encryption,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_vendors_spelling_is_accepted() {
        for encryption in Encryption::ALL {
            assert_eq!(Encryption::parse(encryption.as_str()), Ok(encryption));
        }
        for near in ["aws:kms", "aws_kms", "kms", "AWS_KMS ", "SSE-KMS"] {
            let error = Encryption::parse(near).unwrap_err();
            assert_eq!(error, InvalidEncryption::Misspelled(Encryption::AwsKms));
        }
        for text in ["", "hunter2"] {
            assert_eq!(Encryption::parse(text), Err(InvalidEncryption::Unknown));
        }
    }

    #[test]
    fn the_message_for_dual_layer_encryption_suggests_no_weaker_one() {
        for text in ["aws:kms:dsse", "DSSE-KMS", "AWS_KMS_DSSE"] {
            let error = Encryption::parse(text).unwrap_err();
            assert_eq!(error, InvalidEncryption::Dsse);
            assert!(!error.to_string().contains("mean"), "{error}");
        }
    }

    #[test]
    fn a_key_needs_kms() {
        let key = KmsKey::parse("alias/tenant").unwrap();
        assert!(EncryptionSetting::new(Encryption::AwsKms, Some(key.clone())).is_ok());
        assert!(EncryptionSetting::new(Encryption::Aes256, Some(key.clone())).is_err());
        assert!(EncryptionSetting::new(Encryption::None, Some(key)).is_err());
        assert!(EncryptionSetting::new(Encryption::None, None).is_ok());
    }
}
