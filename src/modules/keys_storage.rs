//! What an access key says of its storage: for the judgement, and as it may be shown.

use serde::Serialize;

use super::objects_report::escaped;
use crate::aspera::audit::{Endpoint, KeyStorage};
use crate::aspera::docroot::DocrootUri;
use crate::aspera::setting::{ENCRYPTION_KEY, Encryption, FoundValue, KMS_KEY_KEY, KmsKey};
use crate::http::encode_path;
use crate::node::{AccessKey, Field, OwnStorage, Storage};
use crate::s3::Place;

/// The kinds of storage with the protocol of S3.
const S3: [&str; 2] = ["aws_s3", "ibm-s3"];
/// The other kinds that the Node API documents.
const OTHERS: [&str; 5] = ["local", "azure", "azure_sas", "azure-files", "google-gcs"];

/// An access key as it is shown.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    pub(super) id: String,
    enabled: Option<bool>,
    bearer_tokens: bool,
    storage_type: Option<String>,
    bucket: Option<String>,
    endpoint: Option<String>,
    path: Option<String>,
    server_side_encryption: Option<String>,
    kms_key_id: Option<String>,
}

/// Where uploads with an access key go, in the form of a docroot, for `aspera_s3_objects_info`.
#[derive(Debug, Serialize)]
pub(super) struct KeyPlace {
    access_key: String,
    uri: String,
}

impl KeyPlace {
    /// Returns the place of an access key with a storage in S3 of its own, if it is clear where that is.
    pub(super) fn of(key: &AccessKey) -> Option<Self> {
        let (Storage::Own(own), Some(KeyStorage::S3 { host, .. })) = (&key.storage, storage(key))
        else {
            return None;
        };
        let bucket = own
            .bucket
            .text()
            .filter(|bucket| Place::is_bucket(bucket))?;
        let path = own.path.text().unwrap_or_default();
        let path = path.strip_prefix('/').unwrap_or(path);
        let encryption = own
            .encryption
            .text()
            .and_then(|text| Encryption::parse(text).ok());
        let kms_key = own.kms_key.text().and_then(|text| KmsKey::parse(text).ok());
        let options = [
            encryption.map(|encryption| format!("{ENCRYPTION_KEY}={encryption}")),
            kms_key.map(|key| format!("{KMS_KEY_KEY}={key}")),
        ];
        let options: Vec<String> = options.into_iter().flatten().collect();
        let mark = if options.is_empty() { "" } else { "?" };
        let uri = format!(
            "s3://{host}/{bucket}/{}{mark}{}",
            encode_path(path),
            options.join("&")
        );
        // A path of which not all may be shown may hold credentials.
        let is_shown = DocrootUri::new(&*uri).masked(None) == uri;
        let access_key = key.id.text()?.to_owned();
        is_shown.then_some(Self { access_key, uri })
    }
}

/// Returns the storage for the judgement, or `None` if the access key has none of its own.
pub(super) fn storage(key: &AccessKey) -> Option<KeyStorage<'_>> {
    let own = match &key.storage {
        Storage::OfUser => return None,
        Storage::Odd => return Some(KeyStorage::Unclear),
        Storage::Own(own) => own,
    };
    let is_one_of = |kinds: &[&str]| own.kind.text().is_some_and(|kind| kinds.contains(&kind));
    Some(if is_one_of(&OTHERS) {
        KeyStorage::NotS3
    } else if is_one_of(&S3) {
        in_s3(own).unwrap_or(KeyStorage::Unclear)
    } else {
        KeyStorage::Unclear
    })
}

fn in_s3(own: &OwnStorage) -> Option<KeyStorage<'_>> {
    // The bucket is required, as the endpoint is.
    own.bucket.text().filter(|bucket| !bucket.is_empty())?;
    let is_odd = own.encryption == Field::Odd || own.kms_key == Field::Odd;
    let host = host(own.endpoint.text()?)?;
    (!is_odd).then_some(KeyStorage::S3 {
        host,
        encryption: own.encryption.text(),
        kms_key: own.kms_key.text(),
    })
}

/// Returns the host of an endpoint, if it is one in plain form.
pub(super) fn host(endpoint: &str) -> Option<&str> {
    let host = endpoint.strip_prefix("https://").unwrap_or(endpoint);
    let host = host.strip_suffix('/').unwrap_or(host);
    let is_host = !host.is_empty() && !host.starts_with(':') && Endpoint::parse(host).is_clear();
    is_host.then_some(host)
}

impl Shown {
    /// Takes of an access key what may be shown. What is not recognised may be a secret in the wrong place.
    pub(super) fn of(key: &AccessKey) -> Self {
        let own = match &key.storage {
            Storage::Own(own) => Some(&**own),
            Storage::OfUser | Storage::Odd => None,
        };
        let shown =
            |field: fn(&OwnStorage) -> &Field, words: fn(&str) -> Option<String>| match field(own?)
            {
                Field::Absent => None,
                Field::Text(text) => Some(words(text).unwrap_or_else(unrecognised)),
                Field::Odd => Some(unrecognised()),
            };
        let is_kind = |kind: &str| S3.contains(&kind) || OTHERS.contains(&kind);
        Self {
            id: key.id.text().map_or_else(unrecognised, escaped),
            enabled: key.enabled,
            bearer_tokens: key.takes_bearer_tokens(),
            storage_type: match (&key.storage, own.and_then(|own| own.kind.text())) {
                (Storage::OfUser, _) => None,
                (_, Some(kind)) if is_kind(kind) => Some(kind.to_owned()),
                _ => Some(unrecognised()),
            },
            bucket: shown(
                |own| &own.bucket,
                |text| Place::is_bucket(text).then(|| text.to_owned()),
            ),
            endpoint: shown(
                |own| &own.endpoint,
                |text| host(text).is_some().then(|| text.to_owned()),
            ),
            path: shown(|own| &own.path, |text| Some(shown_path(text))),
            server_side_encryption: shown(
                |own| &own.encryption,
                |text| Some(FoundValue::encryption(text).shown().to_owned()),
            ),
            kms_key_id: shown(
                |own| &own.kms_key,
                |text| Some(FoundValue::kms_key(text, None).shown().to_owned()),
            ),
        }
    }
}

/// Returns a path as that of a docroot is shown, from the bucket or the root on.
fn shown_path(path: &str) -> String {
    let path = format!("/{}", path.strip_prefix('/').unwrap_or(path));
    escaped(&DocrootUri::new(path).masked(None))
}

fn unrecognised() -> String {
    FoundValue::Unrecognised.shown().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_host_in_plain_form() {
        for (endpoint, expected) in [
            ("s3.amazonaws.com", Some("s3.amazonaws.com")),
            (
                "https://s3.eu-west-1.amazonaws.com/",
                Some("s3.eu-west-1.amazonaws.com"),
            ),
            ("store.example:9000", Some("store.example:9000")),
            ("", None),
            (":9000", None),
            ("http://store.example", None),
            ("https://id:secret@store.example", None),
            ("store.example/bucket", None),
        ] {
            assert_eq!(host(endpoint), expected, "{endpoint}");
        }
    }

    #[test]
    fn paths_are_shown_without_what_may_be_credentials() {
        for (path, shown) in [
            ("/in/2026", "/in/2026"),
            ("in", "/in"),
            ("", "/"),
            ("s3://id:secret@h/b", "****"),
            ("id:secret@h", "****"),
            ("a\nb", "/a\\u{a}b"),
        ] {
            assert_eq!(shown_path(path), shown, "{path}");
        }
    }
}
