//! The encryption of an object or of a bucket, as S3 names it.

use crate::http::Response;

/// The headers that describe the encryption of an object.
const ALGORITHM: &str = "x-amz-server-side-encryption";
const KMS_KEY: &str = "x-amz-server-side-encryption-aws-kms-key-id";
const BUCKET_KEY: &str = "x-amz-server-side-encryption-bucket-key-enabled";

/// The algorithms that the Amazon S3 API Reference documents for `x-amz-server-side-encryption`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// No header: another store than Amazon's may encrypt nothing.
    None,
    /// Keys that S3 manages, `AES256`.
    Aes256,
    /// Keys in KMS, `aws:kms`.
    Kms,
    /// Two layers of encryption with keys in KMS, `aws:kms:dsse`.
    KmsDsse,
    /// The encryption of Amazon `FSx` behind an access point, `aws:fsx`.
    Fsx,
    /// The encryption of AWS Backup, `aws:backup`.
    Backup,
    /// A value that is not documented.
    Undocumented,
}

/// The encryption of an object, or the one that a bucket gives to objects by default.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectEncryption {
    pub algorithm: Algorithm,
    /// The name of the KMS key. It comes from the store, and is not checked.
    pub kms_key: Option<String>,
    /// Whether a bucket key is used.
    pub bucket_key: bool,
}

impl ObjectEncryption {
    /// Reads it from the header of an answer about an object.
    pub(super) fn of(answer: &Response) -> Self {
        let algorithm = if Self::is_ambiguous(answer) {
            Algorithm::Undocumented
        } else {
            Algorithm::of_header(answer.header(ALGORITHM))
        };
        Self {
            algorithm,
            kms_key: answer.header(KMS_KEY).map(str::to_owned),
            bucket_key: answer.header(BUCKET_KEY) == Some("true"),
        }
    }

    /// Returns whether an answer names several encryptions.
    pub(super) fn is_ambiguous(answer: &Response) -> bool {
        let mut headers = [ALGORITHM, KMS_KEY, BUCKET_KEY].into_iter();
        headers.any(|header| answer.is_ambiguous(header))
    }
}

impl Algorithm {
    /// Reads the value of the header.
    pub fn of_header(value: Option<&str>) -> Self {
        let Some(value) = value else {
            return Self::None;
        };
        let known = [
            Self::Aes256,
            Self::Kms,
            Self::KmsDsse,
            Self::Fsx,
            Self::Backup,
        ];
        let found = known.into_iter().find(|known| known.name() == Some(value));
        found.unwrap_or(Self::Undocumented)
    }

    /// Returns the value of the header.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Aes256 => Some("AES256"),
            Self::Kms => Some("aws:kms"),
            Self::KmsDsse => Some("aws:kms:dsse"),
            Self::Fsx => Some("aws:fsx"),
            Self::Backup => Some("aws:backup"),
            Self::Undocumented => Some("(undocumented value)"),
        }
    }
}
