//! The encryption settings in all their places, and the part of them that may be shown.

mod encryption;
mod endpoint_names;
mod found_value;
mod kms_key;
mod kms_key_form;
mod nearly;
mod redact;

pub use encryption::{
    ENCRYPTION_KEY, Encryption, EncryptionSetting, HTTPS_KEY, InvalidEncryption, KMS_KEY_KEY,
    KeyWithoutKms,
};
pub use endpoint_names::sets_endpoint;
pub use found_value::{FoundSetting, FoundValue};
pub use kms_key::{KmsKey, OnlyAwsKnows};
pub use kms_key_form::InvalidKmsKey;
pub use nearly::is_nearly;
pub use redact::DisplayLine;
