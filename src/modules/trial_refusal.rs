//! What to do where a trial upload was refused, with the statement to ask for.

use crate::s3::{KmsAction, Refusal};

/// What a trial upload asked for.
pub(super) struct Asked<'a> {
    pub(super) bucket: &'a str,
    pub(super) folder: &'a str,
    pub(super) kms_key: Option<&'a str>,
}

/// Returns why an upload was refused, as a sentence without a full stop.
pub(super) fn why(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Denied => {
            "S3 denies the upload to this identity (403): it is not allowed to upload there or to use the key, or a policy of the bucket requires another encryption"
                .to_owned()
        }
        Refusal::BadRequest | Refusal::Other(None) => "S3 refuses the upload with this encryption".to_owned(),
        Refusal::NotImplemented => "the store does not support this encryption".to_owned(),
        refusal => refusal.why(),
    }
}

/// Returns what to do, in sentences.
pub(super) fn fix(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Denied => {
            "Add the statement to the policy of the identity, and check the policies of the bucket and of the key for conditions on the encryption."
        }
        Refusal::BadRequest | Refusal::Other(None) => "Check the encryption and the key.",
        Refusal::NotImplemented => "Use an encryption that the store supports.",
        refusal => refusal.fix(),
    }
}

/// Returns the statement for the policy of the identity, as JSON, if one could help.
pub(super) fn statement(refusal: &Refusal, asked: &Asked) -> Option<String> {
    let (actions, resource) = match refusal {
        Refusal::Denied => {
            let resource = format!("arn:aws:s3:::{}/{}*", asked.bucket, asked.folder);
            (&["s3:PutObject"] as &[_], resource)
        }
        Refusal::KmsDenied(KmsAction::GenerateDataKey) => {
            (&["kms:GenerateDataKey"] as &[_], key_arn(asked))
        }
        Refusal::KmsDenied(KmsAction::Decrypt) => (
            &["kms:GenerateDataKey", "kms:Decrypt"] as &[_],
            key_arn(asked),
        ),
        _ => return None,
    };
    let statement = serde_json::json!({"Effect": "Allow", "Action": actions, "Resource": resource});
    Some(statement.to_string())
}

/// Policies name keys by their ARN alone.
fn key_arn(asked: &Asked) -> String {
    let key = asked
        .kms_key
        .filter(|key| key.starts_with("arn:") && key.contains(":key/"));
    key.unwrap_or("arn:aws:kms:REGION:ACCOUNT:key/ID")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_name_what_is_missing() {
        let arn = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
        let asked = |kms_key| Asked {
            bucket: "media",
            folder: "in/",
            kms_key,
        };
        for (refusal, key, expected) in [
            (Refusal::Denied, Some(arn), Some("arn:aws:s3:::media/in/*")),
            (
                Refusal::KmsDenied(KmsAction::GenerateDataKey),
                Some(arn),
                Some(arn),
            ),
            (
                Refusal::KmsDenied(KmsAction::Decrypt),
                Some("alias/a"),
                Some("key/ID"),
            ),
            (Refusal::KeyDisabled, Some(arn), None),
        ] {
            let statement = statement(&refusal, &asked(key));
            assert_eq!(statement.is_some(), expected.is_some(), "{refusal:?}");
            assert!(
                statement
                    .unwrap_or_default()
                    .contains(expected.unwrap_or_default())
            );
        }
    }
}
