//! The URI of a docroot: `s3://user:password@host/bucket/path?option=value&...`.
//!
//! The form is that of the vendor's pages on docroots in object storage. A URI holds credentials, so it cannot be printed: [`DocrootUri::masked`]
//! is what may be shown.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::aspera::setting::{
    ENCRYPTION_KEY, EncryptionSetting, FoundSetting, FoundValue, KMS_KEY_KEY, KmsKey,
};
use crate::text::splice::{Edit, Edits};

/// What takes the place of a secret.
const MASK: &str = "****";

/// The characters that RFC 3986 calls unreserved stay as they are.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The text of a docroot.
#[derive(Clone, PartialEq, Eq)]
pub struct DocrootUri(String);

/// What a docroot leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// Nothing is said: the whole file system.
    Empty,
    /// `AS_NULL`, the vendor's word for unset.
    Unset,
    /// S3, or something that speaks it.
    S3,
    /// `S3://` and the like: the scheme is case-sensitive.
    MisspelledS3,
    /// Another storage, by its scheme.
    Other(&'static str),
    /// A path of the local file system.
    Local,
    /// Nothing that the vendor's pages describe.
    Unknown,
}

/// The schemes of the vendor's pages on docroots, beside S3's.
const OTHER_SCHEMES: [&str; 9] = [
    "adl",
    "azu",
    "azure-files",
    "file",
    "google-gcs",
    "gs",
    "hdfs",
    "oss",
    "swift",
];

/// How the characters `:` and `/` of a key are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyEncoding {
    /// As they are.
    Raw,
    /// As `%3A` and `%2F`.
    Percent,
}

/// An option of the query, by its place.
struct UriOption<'u> {
    range: Range<usize>,
    /// The name, decoded.
    name: Cow<'u, str>,
    /// The value with its place; none if there is no `=`.
    value: Option<(Range<usize>, Cow<'u, str>)>,
}

impl DocrootUri {
    /// Takes any text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text. It may hold credentials.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// What it leads to.
    pub fn storage(&self) -> Storage {
        match self.0.split_once("://") {
            _ if self.0.is_empty() => Storage::Empty,
            _ if self.0 == "AS_NULL" => Storage::Unset,
            _ if self.0.starts_with(['/', '$']) => Storage::Local,
            Some(("s3", _)) => Storage::S3,
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("s3") => Storage::MisspelledS3,
            // Only a scheme that is known is named: anything else may be part of a secret.
            Some((scheme, _)) => OTHER_SCHEMES
                .into_iter()
                .find(|known| *known == scheme)
                .map_or(Storage::Unknown, Storage::Other),
            None => Storage::Unknown,
        }
    }

    /// Whether its credentials seem to hold a bare `?`, so that it cannot be told where the query starts.
    pub fn has_question_mark_in_credentials(&self) -> bool {
        let Some(query) = self.query_start() else {
            return false;
        };
        let base = self.after_scheme().split('?').next().unwrap_or_default();
        let Some((before_at, _)) = self.0[query..].split_once('@') else {
            return false;
        };
        !base.contains('@') && (has_port_like_secret(base) || !before_at.contains('='))
    }

    /// The settings in its query. Where one is repeated, the first: which of them the server takes is not documented.
    pub fn found_setting(&self, desired: Option<&KmsKey>) -> FoundSetting {
        let options = self.options();
        let first = |name: &str| {
            let option = options.iter().find(|option| option.name == name)?;
            Some(option.value.as_ref().map_or("", |(_, value)| &**value))
        };
        FoundSetting {
            encryption: first(ENCRYPTION_KEY).map(FoundValue::encryption),
            kms_key: first(KMS_KEY_KEY).map(|value| FoundValue::kms_key(value, desired)),
        }
    }

    /// All values of the two settings in its query, decoded, in their order.
    pub fn setting_values(&self) -> (Vec<String>, Vec<String>) {
        let options = self.options();
        let values = |name: &str| {
            let named = options.iter().filter(|option| option.name == name);
            named
                .map(|option| {
                    let value = option.value.as_ref();
                    value.map_or_else(String::new, |(_, value)| value.clone().into_owned())
                })
                .collect()
        };
        (values(ENCRYPTION_KEY), values(KMS_KEY_KEY))
    }

    /// The options of its query with their values, decoded, in their order.
    pub fn decoded_options(&self) -> Vec<(String, String)> {
        let options = self.options().into_iter();
        let value = |value: Option<(_, Cow<str>)>| {
            value.map_or_else(String::new, |(_, value)| value.into_owned())
        };
        options
            .map(|option| (option.name.into_owned(), value(option.value)))
            .collect()
    }

    /// The URI up to a bare `#`, where a fragment begins (RFC 3986, 3.5); nothing if there is none.
    pub fn without_fragment(&self) -> Option<Self> {
        let (text, _) = self.0.split_once('#')?;
        text.contains("://").then(|| Self::new(text))
    }

    /// The host, with its port: what stands behind the credentials. They may hold a bare `/`, so that the last `@` before the query counts.
    pub fn host(&self) -> &str {
        let base = self.after_scheme().split('?').next().unwrap_or_default();
        let behind = base.rsplit_once('@').map_or(base, |(_, behind)| behind);
        behind.split(['/', '#']).next().unwrap_or_default()
    }

    /// Whether one of the two settings stands in its query more than once.
    pub fn repeats_a_setting(&self) -> bool {
        let options = self.options();
        let count = |name| options.iter().filter(|option| option.name == name).count();
        count(ENCRYPTION_KEY) > 1 || count(KMS_KEY_KEY) > 1
    }

    /// Whether its query holds exactly a setting, each option once or not at all.
    pub fn holds(&self, desired: Option<&EncryptionSetting>) -> bool {
        self.edits(desired, None).is_empty()
    }

    /// The edits of the text that leave exactly the desired setting in the query, and everything else as it is.
    pub fn edits(
        &self,
        desired: Option<&EncryptionSetting>,
        encoding: Option<KeyEncoding>,
    ) -> Edits {
        let options = self.options();
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
            let mut places = (0..options.len()).filter(|&index| options[index].name == name);
            if let Some(value) = value {
                match places.next() {
                    Some(kept) => edits.extend(change(&options[kept], value, encoding)),
                    None => added.push(format!("{name}={}", spelled(value, encoding))),
                }
            }
            places.for_each(|index| removed[index] = true);
        }
        edits.extend(self.removals(&options, &removed, &added));
        Edits::new(edits)
    }

    /// The URI after some edits.
    #[must_use]
    pub fn with(&self, edits: &Edits) -> Self {
        let bytes = edits.apply(self.0.as_bytes());
        // Edits are between whole characters, so that nothing is lost here.
        Self(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The URI without options for encryption.
    #[must_use]
    pub fn without_setting(&self) -> Self {
        self.with(&self.edits(None, None))
    }

    /// Whether there seem to be credentials in it, in any spelling.
    pub fn may_hold_credentials(&self) -> bool {
        let base = self.after_scheme().split('?').next().unwrap_or_default();
        self.0.contains('@') || has_port_like_secret(base) || has_encoded_mark(base)
    }

    /// The URI with everything that may be secret as `****`: what stands before the last `@`, and options other than those that are known to hold no
    /// secret.
    pub fn masked(&self, desired: Option<&KmsKey>) -> String {
        let scheme = match self.storage() {
            Storage::S3 => "s3",
            Storage::Other(scheme) => scheme,
            Storage::Empty | Storage::Unset => return self.0.clone(),
            Storage::Local if !self.0.contains('@') => return self.0.clone(),
            Storage::MisspelledS3 => "S3",
            Storage::Local | Storage::Unknown => return MASK.to_owned(),
        };
        let query = self.query_start();
        let base = &self.0[scheme.len() + 3..query.map_or(self.0.len(), |query| query - 1)];
        // Secrets may hold a bare / or ?, so that the last @ counts, also one in the query.
        let last_at = self.0.rfind('@');
        let is_in_query = last_at.is_some_and(|at| query.is_some_and(|query| at >= query));
        let shown_base = match base.rsplit_once('@') {
            Some((_, shown)) if !is_in_query => format!("{MASK}:{MASK}@{shown}"),
            None if !is_in_query && !has_port_like_secret(base) && !has_encoded_mark(base) => {
                base.to_owned()
            }
            _ => MASK.to_owned(),
        };
        let mut masked = format!("{scheme}://{shown_base}");
        if query.is_some() {
            let options = self.options();
            let shown: Vec<&str> = options
                .iter()
                .map(|option| self.shown_option(option, desired))
                .collect();
            masked += &format!("?{}", shown.join("&"));
        }
        masked
    }

    fn shown_option(&self, option: &UriOption, desired: Option<&KmsKey>) -> &str {
        let value = option.value.as_ref().map_or("", |(_, value)| &**value);
        let is_known = match &*option.name {
            "" => option.range.is_empty(),
            ENCRYPTION_KEY => FoundValue::encryption(value) != FoundValue::Unrecognised,
            KMS_KEY_KEY => FoundValue::kms_key(value, desired) != FoundValue::Unrecognised,
            "storage-class" => value
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte == b'_'),
            _ => false,
        };
        if is_known {
            &self.0[option.range.clone()]
        } else {
            MASK
        }
    }

    /// Takes out the options that go, with one `&` each, and puts new ones at the end.
    fn removals(&self, options: &[UriOption], removed: &[bool], added: &[String]) -> Vec<Edit> {
        let end = self.0.len();
        let Some(query) = self.query_start() else {
            return insertion(end, "?", added);
        };
        let kept: Vec<usize> = (0..options.len())
            .filter(|&index| !removed[index])
            .collect();
        let Some(&last_kept) = kept.last() else {
            // Nothing else in the query: it is replaced, or goes with its ?.
            let start = if added.is_empty() { query - 1 } else { query };
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
                    Some(before) => options[before].range.end..options[last].range.end,
                    None => options[0].range.start..options[last + 1].range.start,
                };
                edits.push(Edit {
                    range,
                    replacement: Vec::new(),
                });
            }
            index += run.max(1);
        }
        let joint = if options[last_kept].range.is_empty() {
            ""
        } else {
            "&"
        };
        edits.extend(insertion(end, joint, added));
        edits
    }

    /// Where the query starts, behind its `?` (RFC 3986, 3.4).
    fn query_start(&self) -> Option<usize> {
        self.0.contains("://").then_some(())?;
        let rest = self.after_scheme();
        Some(self.0.len() - rest.len() + rest.find('?')? + 1)
    }

    fn after_scheme(&self) -> &str {
        self.0.split_once("://").map_or("", |(_, rest)| rest)
    }

    fn options(&self) -> Vec<UriOption<'_>> {
        let Some(query) = self.query_start() else {
            return Vec::new();
        };
        let mut start = query;
        self.0[query..]
            .split('&')
            .map(|text| {
                let range = start..start + text.len();
                start = range.end + 1;
                let (name, value) = match text.split_once('=') {
                    Some((name, value)) => (name, Some(value)),
                    None => (text, None),
                };
                let value_start = range.start + name.len() + 1;
                UriOption {
                    name: decoded(name),
                    value: value.map(|value| (value_start..range.end, decoded(value))),
                    range,
                }
            })
            .collect()
    }
}

/// Without the text, which may hold credentials.
impl fmt::Debug for DocrootUri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DocrootUri({})", self.masked(None))
    }
}

/// The edit that gives an option its value, unless it has it: in any spelling, or in the one that is asked for.
fn change(option: &UriOption, value: &str, encoding: Option<KeyEncoding>) -> Option<Edit> {
    let Some((range, found)) = &option.value else {
        return Some(Edit {
            range: option.range.end..option.range.end,
            replacement: format!("={}", spelled(value, encoding)).into(),
        });
    };
    let wanted = spelled(value, encoding);
    // Equal text of equal length is spelled so, but perhaps for %3a in the place of %3A.
    let is_spelled_so = encoding.is_none() || range.len() == wanted.len();
    (found != value || !is_spelled_so).then(|| Edit {
        range: range.clone(),
        replacement: wanted.into_owned().into(),
    })
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

fn decoded(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

/// `key:secret` where a host and a port should be, without an `@`.
fn has_port_like_secret(base: &str) -> bool {
    let authority = base.split('/').next().unwrap_or_default();
    authority
        .split_once(':')
        .is_some_and(|(_, port)| !port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// An encoded `:` or `@` in the place of the host, where it may part credentials from it.
fn has_encoded_mark(base: &str) -> bool {
    let authority = base.split('/').next().unwrap_or_default();
    decoded(authority).contains([':', '@']) && authority.contains('%')
}
