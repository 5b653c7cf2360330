//! The edits of a docroot's URI that give it its encryption.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::spelling::spelled_like;
use super::uri::{DocrootUri, Parts, UriOption};
use crate::aspera::setting::{ENCRYPTION_KEY, EncryptionSetting, KMS_KEY_KEY, KmsKey};
use crate::text::splice::{Edit, Edits};

/// The characters that RFC 3986 calls unreserved stay as they are.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The encoding of the characters `:` and `/` of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyEncoding {
    /// The plain characters, as in an ARN.
    Raw,
    /// The sequences `%3A` and `%2F`.
    Percent,
}

impl DocrootUri {
    /// Returns whether its query contains exactly a setting, each option once or not at all.
    pub fn holds(&self, desired: Option<&EncryptionSetting>) -> bool {
        self.edits(desired, None).is_empty()
    }

    /// Returns the edits of the text that leave exactly the desired setting in the query, and everything else as it is.
    pub fn edits(
        &self,
        desired: Option<&EncryptionSetting>,
        encoding: Option<KeyEncoding>,
    ) -> Edits {
        let options = self.query_options();
        let mut edits = Vec::new();
        let mut removed = vec![false; options.len()];
        let mut added = Vec::new();
        let encryption = desired.map(|desired| desired.encryption().as_str());
        let kms_key = desired
            .and_then(EncryptionSetting::kms_key)
            .map(KmsKey::as_str);
        for (name, value, encoding) in [
            (ENCRYPTION_KEY, encryption, None),
            (KMS_KEY_KEY, kms_key, encoding),
        ] {
            let is_named = |&index: &usize| self.name(&options[index]) == name;
            let mut places = (0..options.len()).filter(is_named);
            if let Some(value) = value {
                match places.next() {
                    Some(kept) => edits.extend(self.change(&options[kept], value, encoding)),
                    None => added.push(format!("{name}={}", spelled(value, encoding))),
                }
            }
            places.for_each(|index| removed[index] = true);
        }
        edits.extend(self.removals(&removed, &added));
        Edits::new(edits)
    }

    /// Returns the URI after some edits.
    #[must_use]
    pub fn with(&self, edits: &Edits) -> Self {
        Self::new(self.text_with(edits))
    }

    /// Returns the URI with exactly the desired setting in its query.
    #[must_use]
    pub fn with_setting(
        &self,
        desired: Option<&EncryptionSetting>,
        encoding: Option<KeyEncoding>,
    ) -> Self {
        let text = self.text_with(&self.edits(desired, encoding));
        // If the last option is removed, the blanks before it are around the docroot and no longer part of it.
        Self::new(text.trim_ascii_end())
    }

    /// Returns the text of the URI after some edits.
    pub fn text_with(&self, edits: &Edits) -> String {
        let bytes = edits.apply(self.text().as_bytes());
        // Edits are between whole characters, so that nothing is lost here.
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Returns the text of the URI without encryption options.
    pub(super) fn text_without_setting(&self) -> String {
        self.text_with(&self.edits(None, None))
    }

    /// Returns the edit that gives an option its value, unless it already has the value: in any encoding, or in the requested one. Without a requested one, a new
    /// value is spelled as the old one.
    fn change(
        &self,
        option: &UriOption,
        value: &str,
        encoding: Option<KeyEncoding>,
    ) -> Option<Edit> {
        let Some(found) = option.value_range() else {
            return Some(Edit {
                range: option.range().end..option.range().end,
                replacement: format!("={}", spelled(value, encoding)).into(),
            });
        };
        let wanted = match encoding {
            Some(_) => spelled(value, encoding),
            None => spelled_like(&self.text()[found.clone()], value).into(),
        };
        // Equal text of equal length has the same encoding, except perhaps %3a instead of %3A.
        let is_spelled_as_wanted = encoding.is_none() || found.len() == wanted.len();
        (self.value(option) != value || !is_spelled_as_wanted).then(|| Edit {
            range: found,
            replacement: wanted.into_owned().into(),
        })
    }

    /// Returns the edits that remove options, with one `&` each, and add new ones at the end.
    fn removals(&self, removed: &[bool], added: &[String]) -> Vec<Edit> {
        let end = self.text().len();
        let Some(query) = self.parts().and_then(Parts::query) else {
            return insertion(end, "?", added);
        };
        let options = self.query_options();
        let Some(last_kept) = removed.iter().rposition(|removed| !removed) else {
            // The query contains nothing else: it is replaced, or removed with its ?.
            let start = query.start;
            let start = if added.is_empty() { start - 1 } else { start };
            return vec![Edit {
                range: start..end,
                replacement: added.join("&").into(),
            }];
        };
        let mut edits = Vec::new();
        let mut index = 0;
        while index < options.len() {
            let run = removed[index..]
                .iter()
                .take_while(|removed| **removed)
                .count();
            if run > 0 {
                let last = index + run - 1;
                let range = match index.checked_sub(1) {
                    Some(before) => options[before].range().end..options[last].range().end,
                    None => options[0].range().start..options[last + 1].range().start,
                };
                edits.push(Edit {
                    range,
                    replacement: Vec::new(),
                });
            }
            index += run.max(1);
        }
        let joint = if options[last_kept].range().is_empty() {
            ""
        } else {
            "&"
        };
        edits.extend(insertion(end, joint, added));
        edits
    }
}

fn insertion(end: usize, joint: &str, added: &[String]) -> Vec<Edit> {
    if added.is_empty() {
        return Vec::new();
    }
    vec![Edit {
        range: end..end,
        replacement: format!("{joint}{}", added.join("&")).into(),
    }]
}

fn spelled(value: &str, encoding: Option<KeyEncoding>) -> Cow<'_, str> {
    match encoding {
        Some(KeyEncoding::Percent) => utf8_percent_encode(value, ENCODED).into(),
        Some(KeyEncoding::Raw) | None => value.into(),
    }
}
