//! Converts the options that describe an encryption into a setting.

use anyhow::Result;
use serde::Deserialize;

use crate::ansible::{Failure, Kind, OptionSpec};
use crate::aspera::setting::{Encryption, EncryptionSetting, InvalidKmsKey, KmsKey};

/// The option that says whether a bare key id must have the form of AWS key ids.
pub(super) const VALIDATE_KMS_KEY_ID: OptionSpec =
    OptionSpec::new("validate_kms_key_id", Kind::Bool).or_true();

/// The option `state`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Present,
    Absent,
}

/// Returns the desired setting, or `None` for `absent`. The options that describe a setting are ignored then.
pub(super) fn desired(
    state: State,
    encryption: Option<&str>,
    kms_key: Option<&str>,
    validate_kms_key_id: bool,
) -> Result<Option<EncryptionSetting>> {
    if state == State::Absent {
        return Ok(None);
    }
    let Some(encryption) = encryption else {
        return Err(Failure::new(
            "The option server_side_encryption is missing, which state=present needs. Set it to NONE, AES256 or AWS_KMS.",
        )
        .into());
    };
    let encryption = Encryption::parse(encryption)
        .map_err(|error| Failure::new(format!("server_side_encryption {error}")))?;
    let kms_key = kms_key.map(|text| parsed_key(text, validate_kms_key_id));
    let kms_key = kms_key.transpose()?;
    let setting = EncryptionSetting::new(encryption, kms_key).map_err(|error| {
        Failure::new(format!(
            "kms_key_id goes with server_side_encryption AWS_KMS only, not with {}. Remove kms_key_id or set server_side_encryption to AWS_KMS.",
            error.encryption
        ))
    })?;
    Ok(Some(setting))
}

fn parsed_key(text: &str, validate_kms_key_id: bool) -> Result<KmsKey, Failure> {
    let key = if validate_kms_key_id {
        KmsKey::parse_for_aws(text)
    } else {
        KmsKey::parse(text)
    };
    key.map_err(|error| {
        let remedy = match error {
            InvalidKmsKey::Empty | InvalidKmsKey::TemplateWord => {
                " Leave the option out for the key that AWS manages (aws/s3)."
            }
            InvalidKmsKey::KeyId => {
                " If the store is not AWS and its keys have such ids, set validate_kms_key_id: false."
            }
            _ => "",
        };
        Failure::new(format!("kms_key_id {error}{remedy}"))
    })
}
