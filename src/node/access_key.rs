//! The access keys of a node (`/access_keys`).

use serde::{Deserialize, Deserializer};

use super::field::{Field, Lenient, Object};

#[derive(Deserialize)]
pub struct AccessKey {
    /// Its id, which is no secret.
    #[serde(default)]
    pub id: Field,
    #[serde(default)]
    pub storage: Storage,
    /// The key for bearer tokens. With one, it is an access key for Aspera on Cloud: the node is tethered.
    #[serde(default)]
    token_verification_key: Field,
    /// Whether it is enabled. No version documents this, and some return it.
    #[serde(default, deserialize_with = "boolean")]
    pub enabled: Option<bool>,
}

/// The storage of an access key.
#[derive(Default)]
pub enum Storage {
    /// None of its own: uploads go to the docroot of its transfer user.
    #[default]
    OfUser,
    /// One of its own.
    Own(Box<OwnStorage>),
    /// Something that is no storage.
    Odd,
}

/// A storage of an access key. There may be credentials beside these fields in what a node answers; they are not read.
#[derive(Deserialize)]
pub struct OwnStorage {
    /// `local`, `aws_s3`, and others.
    #[serde(default, rename = "type")]
    pub kind: Field,
    #[serde(default)]
    pub bucket: Field,
    /// The host of the store.
    #[serde(default)]
    pub endpoint: Field,
    #[serde(default)]
    pub path: Field,
    #[serde(default, rename = "server_side_encryption")]
    pub encryption: Field,
    #[serde(default, rename = "server_side_encryption_aws_kms_key_id")]
    pub kms_key: Field,
}

impl AccessKey {
    /// Reads the list, if it is one of access keys.
    pub fn parse_all(body: &[u8]) -> Option<Vec<Self>> {
        // From bytes, a field that is skipped may hold any.
        let text = str::from_utf8(body).ok()?;
        let keys: Vec<Object<Self>> = serde_json::from_str(text).ok()?;
        Some(keys.into_iter().map(|Object(key)| key).collect())
    }

    /// Returns whether it takes bearer tokens, as the access keys of Aspera on Cloud do.
    pub fn takes_bearer_tokens(&self) -> bool {
        !matches!(&self.token_verification_key, Field::Absent)
            && self.token_verification_key.text() != Some("")
    }
}

impl<'de> Deserialize<'de> for Storage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(
            match Lenient::<Object<OwnStorage>>::deserialize(deserializer)? {
                None => Self::OfUser,
                Some(Lenient::Known(Object(storage))) if storage.is_empty() => Self::OfUser,
                Some(Lenient::Known(Object(storage))) => Self::Own(Box::new(storage)),
                Some(Lenient::Other(_)) => Self::Odd,
            },
        )
    }
}

impl OwnStorage {
    /// Returns whether nothing is set: the vendor's example of a new access key has such a storage.
    fn is_empty(&self) -> bool {
        let fields = [
            &self.kind,
            &self.bucket,
            &self.endpoint,
            &self.path,
            &self.encryption,
            &self.kms_key,
        ];
        fields.into_iter().all(|field| *field == Field::Absent)
    }
}

fn boolean<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    Ok(match Lenient::<bool>::deserialize(deserializer)? {
        Some(Lenient::Known(boolean)) => Some(boolean),
        None | Some(Lenient::Other(_)) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<Vec<AccessKey>> {
        AccessKey::parse_all(text.as_bytes())
    }

    #[test]
    fn fields_of_other_types_are_told_from_those_that_are_not_there() {
        let keys = parse(
            r#"[{"id":"a","storage":{"type":"aws_s3","bucket":null,"endpoint":1,"server_side_encryption":["AES256"],"path":"/in"},"configuration":{"x":1.5}},
               {"id":2,"storage":"s3","enabled":false,"token_verification_key":"-----BEGIN"},
               {"storage":{},"enabled":"no"}, {"storage":null}, {"storage":[]}]"#,
        )
        .unwrap();
        let Storage::Own(storage) = &keys[0].storage else {
            panic!("a storage")
        };
        assert_eq!(keys[0].id.text(), Some("a"));
        assert_eq!(storage.kind.text(), Some("aws_s3"));
        assert_eq!(storage.path.text(), Some("/in"));
        assert!(storage.bucket == Field::Absent && storage.endpoint == Field::Odd);
        assert!(storage.encryption == Field::Odd && storage.kms_key == Field::Absent);
        assert!(keys[1].id == Field::Odd && matches!(keys[1].storage, Storage::Odd));
        assert_eq!(
            keys.iter().map(|key| key.enabled).collect::<Vec<_>>(),
            [None, Some(false), None, None, None]
        );
        assert_eq!(
            keys.iter()
                .map(AccessKey::takes_bearer_tokens)
                .collect::<Vec<_>>(),
            [false, true, false, false, false]
        );
        assert!(matches!(keys[4].storage, Storage::Odd));
        assert!(
            keys[2..4]
                .iter()
                .all(|key| matches!(key.storage, Storage::OfUser))
        );
    }

    #[test]
    fn anything_but_a_list_of_objects_is_no_answer() {
        for text in ["", "{}", "null", "[1]", "[{}", "<html>", "[[]]", "\"a\""] {
            assert!(parse(text).is_none(), "{text}");
        }
        assert!(AccessKey::parse_all(b"[{\"not read\": \"\xff\"}]").is_none());
        assert_eq!(parse("[]").map(|keys| keys.len()), Some(0));
    }
}
