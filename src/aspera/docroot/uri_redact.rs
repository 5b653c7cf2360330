//! The part of a docroot's URI that may be shown.

use std::fmt;

use super::uri::{DocrootUri, Storage, UriOption};
use crate::aspera::setting::{ENCRYPTION_KEY, FoundValue, KMS_KEY_KEY, KmsKey};

/// The replacement for a secret.
const MASK: &str = "****";

impl DocrootUri {
    /// Returns the URI with everything that may be secret as `****`: the text before the last `@`, and all options except those that are known to
    /// contain no secret. `known_key` is a key that the task itself names.
    pub fn masked(&self, known_key: Option<&KmsKey>) -> String {
        let text = self.text();
        let parts = match (self.storage(), self.parts()) {
            (Storage::Empty | Storage::Unset, _) => return text.to_owned(),
            (Storage::Local, _)
                if !self.text().contains("://")
                    && !text.contains('@')
                    && !self.has_encoded_at() =>
            {
                return text.to_owned();
            }
            (Storage::S3 | Storage::MisspelledS3 | Storage::Other(_), Some(parts)) => parts,
            _ => return MASK.to_owned(),
        };
        // Secrets may contain a bare / or ?, so the @ that ends the credentials may even be in the query. It may also be encoded, or missing.
        let query = parts.query();
        let is_at_in_query = query.clone().is_some_and(|query| text[query].contains('@'));
        let is_unclear = is_at_in_query || self.has_unclear_host() || self.has_encoded_at();
        let shown_base = match parts.credentials() {
            _ if is_unclear => MASK.to_owned(),
            Some(_) => format!(
                "{MASK}:{MASK}@{}",
                &text[parts.host().start..parts.path().end]
            ),
            None => text[parts.base()].to_owned(),
        };
        let mut masked = format!("{}://{shown_base}", &text[parts.scheme()]);
        if query.is_some() {
            let options = self.query_options().iter();
            let shown: Vec<&str> = options
                .map(|option| self.shown_option(option, known_key))
                .collect();
            masked += &format!("?{}", shown.join("&"));
        }
        masked
    }

    fn shown_option(&self, option: &UriOption, known_key: Option<&KmsKey>) -> &str {
        let value = self.value(option);
        let is_harmless = match self.name(option) {
            "" => option.range().is_empty(),
            ENCRYPTION_KEY => FoundValue::encryption(value) != FoundValue::Unrecognised,
            KMS_KEY_KEY => FoundValue::kms_key(value, known_key) != FoundValue::Unrecognised,
            "storage-class" => value
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte == b'_'),
            _ => false,
        };
        if is_harmless {
            &self.text()[option.range()]
        } else {
            MASK
        }
    }
}

/// Writes nothing of the text, which may contain credentials.
impl fmt::Debug for DocrootUri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DocrootUri({})", self.masked(None))
    }
}
