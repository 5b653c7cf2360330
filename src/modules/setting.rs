//! Converts the options that describe an encryption into a setting.

use anyhow::Result;
use serde::Deserialize;

use crate::ansible::{Failure, Kind, OptionSpec};
use crate::aspera::setting::{Encryption, EncryptionSetting, InvalidKmsKey, KmsKey};

/// The option that says whether a bare key id must have the form of AWS key ids.
pub(super) const VALIDATE_KMS_KEY_ID: OptionSpec =
    OptionSpec::new("validate_kms_key_id", Kind::Bool).default_true();

/// The option that says that uploads are meant to use the key that AWS manages, so that a key that is set may go.
pub(super) const AWS_MANAGED_KEY: OptionSpec = OptionSpec::new("aws_managed_key", Kind::Bool);

/// The option that says how many backups of the file are left.
pub(super) const BACKUP_KEEP: OptionSpec = OptionSpec::new("backup_keep", Kind::Int);

/// Returns how many backups are left, or `None` for all.
pub(super) fn backups_kept(keep: Option<i64>, backup: bool) -> Result<Option<usize>, Failure> {
    let Some(keep) = keep else { return Ok(None) };
    if !backup {
        return Err(Failure::new(
            "The option backup_keep goes with backup: true, which makes the backups. Set it, or remove backup_keep.",
        ));
    }
    match usize::try_from(keep) {
        Ok(keep @ 1..) => Ok(Some(keep)),
        _ => Err(Failure::new(
            "The option backup_keep must be 1 or more: the backup that this run makes stays. To keep none, remove backup.",
        )),
    }
}

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
    aws_managed_key: bool,
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
    if aws_managed_key {
        refuse_contradiction(encryption, kms_key)?;
    }
    let kms_key = kms_key.map(|text| {
        parsed_key(text, validate_kms_key_id).map_err(|error| {
            let remedy = remedy(error);
            Failure::new(format!("kms_key_id {error}{remedy}"))
        })
    });
    let kms_key = kms_key.transpose()?;
    let setting = EncryptionSetting::new(encryption, kms_key).map_err(|error| {
        Failure::new(format!(
            "kms_key_id goes with server_side_encryption AWS_KMS only, not with {}. Remove kms_key_id or set server_side_encryption to AWS_KMS.",
            error.encryption
        ))
    })?;
    Ok(Some(setting))
}

/// Refuses `aws_managed_key: true` beside something that says otherwise.
fn refuse_contradiction(encryption: Encryption, kms_key: Option<&str>) -> Result<(), Failure> {
    if kms_key.is_some() {
        return Err(Failure::new(
            "kms_key_id names a key, and aws_managed_key: true says that the key that AWS manages is meant. Remove one of the two.",
        ));
    }
    if encryption != Encryption::AwsKms {
        return Err(Failure::new(format!(
            "aws_managed_key: true goes with server_side_encryption AWS_KMS only, not with {encryption}. Remove aws_managed_key or set \
             server_side_encryption to AWS_KMS."
        )));
    }
    Ok(())
}

/// Parses a key. A bare key id must have the form of AWS key ids, unless the option `validate_kms_key_id` says that it need not.
pub(super) fn parsed_key(text: &str, validate_kms_key_id: bool) -> Result<KmsKey, InvalidKmsKey> {
    if validate_kms_key_id {
        KmsKey::parse_for_aws(text)
    } else {
        KmsKey::parse(text)
    }
}

/// What to do about a bare key id without the form of AWS key ids, if it is right.
pub(super) const OTHER_KEY_IDS: &str =
    " If the store is not AWS and its keys have such ids, set validate_kms_key_id: false.";

fn remedy(error: InvalidKmsKey) -> &'static str {
    match error {
        InvalidKmsKey::Empty | InvalidKmsKey::TemplateWord => {
            " For the key that AWS manages (aws/s3), leave the option out and set aws_managed_key: true."
        }
        InvalidKmsKey::KeyId => OTHER_KEY_IDS,
        _ => "",
    }
}
