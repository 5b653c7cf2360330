//! The URI of a docroot: `s3://user:password@host/bucket/path?option=value&...`.
//!
//! The form is that of the vendor's pages on docroots in object storage. A URI holds credentials, so it cannot be printed: [`DocrootUri::masked`]
//! is what may be shown. It is parsed once, when it is made.

use std::borrow::Cow;
use std::ops::Range;

use percent_encoding::percent_decode_str;

use crate::aspera::setting::{ENCRYPTION_KEY, FoundSetting, FoundValue, KMS_KEY_KEY, KmsKey};

/// The text of a docroot, with the places of its parts.
#[derive(Clone, PartialEq, Eq)]
pub struct DocrootUri {
    text: String,
    storage: Storage,
    /// Nothing where there is no `://`.
    parts: Option<Parts>,
}

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

/// Where the parts of a URI are in its text.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) scheme: Range<usize>,
    /// What stands before the `@`, if there is one. Credentials may hold a bare `/` or `@`, so that the last `@` before the query counts.
    pub(super) credentials: Option<Range<usize>>,
    /// The host, with its port.
    pub(super) host: Range<usize>,
    /// From the host to the query or the end.
    pub(super) path: Range<usize>,
    pub(super) query: Option<Query>,
}

/// The query of a URI, behind its `?` (RFC 3986, 3.4).
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Query {
    pub(super) range: Range<usize>,
    pub(super) options: Vec<UriOption>,
}

/// An option of the query.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct UriOption {
    pub(super) range: Range<usize>,
    pub(super) name: Encoded,
    /// Nothing if there is no `=`.
    pub(super) value: Option<Encoded>,
}

/// A name or a value, by its place.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Encoded {
    pub(super) range: Range<usize>,
    /// What it decodes to, where that is another text.
    decoded: Option<Box<str>>,
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

impl DocrootUri {
    /// Takes any text.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            storage: Storage::of(&text),
            parts: Parts::of(&text),
            text,
        }
    }

    /// The text. It may hold credentials.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it leads to.
    pub fn storage(&self) -> Storage {
        self.storage
    }

    /// The host, with its port.
    pub fn host(&self) -> &str {
        let parts = self.parts.as_ref();
        parts.map_or("", |parts| &self.text[parts.host.clone()])
    }

    /// The options of its query with their values, decoded, in their order. The value is empty where there is no `=`.
    pub fn options(&self) -> impl Iterator<Item = (&str, &str)> {
        let options = self.query_options().iter();
        options.map(|option| (self.name(option), self.value(option)))
    }

    /// The settings in its query. Where one is repeated, the first: which of them the server takes is not documented.
    pub fn found_setting(&self, known_key: Option<&KmsKey>) -> FoundSetting {
        let first = |wanted: &str| {
            let mut options = self.options();
            Some(options.find(|(name, _)| *name == wanted)?.1)
        };
        FoundSetting {
            encryption: first(ENCRYPTION_KEY).map(FoundValue::encryption),
            kms_key: first(KMS_KEY_KEY).map(|value| FoundValue::kms_key(value, known_key)),
        }
    }

    /// Whether one of the two settings stands in its query more than once.
    pub fn repeats_a_setting(&self) -> bool {
        let count = |wanted| self.options().filter(|(name, _)| *name == wanted).count();
        count(ENCRYPTION_KEY) > 1 || count(KMS_KEY_KEY) > 1
    }

    /// The URI up to each bare `#` at which a fragment may begin: the first of all (RFC 3986, 3.5), and the first in the query, for a reader that
    /// looks for the `?` first.
    pub fn without_fragment(&self) -> Vec<Self> {
        let first = self.text.find('#');
        let query = self.parts.as_ref().and_then(|parts| parts.query.as_ref());
        let in_query = query.and_then(|query| {
            let place = self.text[query.range.clone()].find('#')?;
            Some(query.range.start + place)
        });
        let mut ends: Vec<usize> = first.into_iter().chain(in_query).collect();
        ends.dedup();
        let texts = ends.into_iter().map(|end| &self.text[..end]);
        texts
            .filter(|text| text.contains("://"))
            .map(Self::new)
            .collect()
    }

    /// Whether its credentials seem to hold a bare `?`, so that it cannot be told where the query starts.
    pub fn has_question_mark_in_credentials(&self) -> bool {
        let Some(parts) = &self.parts else {
            return false;
        };
        let Some(query) = &parts.query else {
            return false;
        };
        let Some((before_at, _)) = self.text[query.range.clone()].split_once('@') else {
            return false;
        };
        parts.credentials.is_none() && (self.has_port_like_secret() || !before_at.contains('='))
    }

    /// Whether there seem to be credentials in it, in any spelling.
    pub fn may_hold_credentials(&self) -> bool {
        self.text.contains('@') || self.has_port_like_secret() || self.has_encoded_mark()
    }

    /// `key:secret` where a host and a port should be, without an `@`.
    pub(super) fn has_port_like_secret(&self) -> bool {
        let port = self.authority().split_once(':');
        port.is_some_and(|(_, port)| !port.bytes().all(|byte| byte.is_ascii_digit()))
    }

    /// An encoded `:` or `@` in the place of the host, where it may part credentials from it.
    pub(super) fn has_encoded_mark(&self) -> bool {
        let authority = self.authority();
        decoded(authority).contains([':', '@']) && authority.contains('%')
    }

    /// What stands before the first `/`.
    fn authority(&self) -> &str {
        let parts = self.parts.as_ref();
        let base = parts.map_or("", |parts| &self.text[parts.base()]);
        base.split('/').next().unwrap_or_default()
    }

    pub(super) fn parts(&self) -> Option<&Parts> {
        self.parts.as_ref()
    }

    pub(super) fn query_options(&self) -> &[UriOption] {
        let query = self.parts.as_ref().and_then(|parts| parts.query.as_ref());
        query.map_or(&[], |query| &query.options)
    }

    pub(super) fn name<'u>(&'u self, option: &'u UriOption) -> &'u str {
        self.decoded(&option.name)
    }

    pub(super) fn value<'u>(&'u self, option: &'u UriOption) -> &'u str {
        let value = option.value.as_ref();
        value.map_or("", |value| self.decoded(value))
    }

    fn decoded<'u>(&'u self, encoded: &'u Encoded) -> &'u str {
        match &encoded.decoded {
            Some(decoded) => decoded,
            None => &self.text[encoded.range.clone()],
        }
    }
}

impl Storage {
    fn of(text: &str) -> Self {
        match text.split_once("://") {
            _ if text.is_empty() => Self::Empty,
            _ if text == "AS_NULL" => Self::Unset,
            _ if text.starts_with(['/', '$']) => Self::Local,
            Some(("s3", _)) => Self::S3,
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("s3") => Self::MisspelledS3,
            // Only a scheme that is known is named: anything else may be part of a secret.
            Some((scheme, _)) => OTHER_SCHEMES
                .into_iter()
                .find(|known| *known == scheme)
                .map_or(Self::Unknown, Self::Other),
            None => Self::Unknown,
        }
    }
}

impl Parts {
    fn of(text: &str) -> Option<Self> {
        let scheme = 0..text.find("://")?;
        let start = scheme.end + "://".len();
        let query_mark = text[start..].find('?').map(|length| start + length);
        let base = &text[start..query_mark.unwrap_or(text.len())];
        let at = base.rfind('@').map(|length| start + length);
        let host_start = at.map_or(start, |at| at + 1);
        let end = start + base.len();
        let host_length = text[host_start..end].find(['/', '#']);
        let host_end = host_length.map_or(end, |length| host_start + length);
        Some(Self {
            scheme,
            credentials: at.map(|at| start..at),
            host: host_start..host_end,
            path: host_end..end,
            query: query_mark.map(|mark| Query::of(text, mark + 1)),
        })
    }

    /// From the `://` to the query or the end.
    pub(super) fn base(&self) -> Range<usize> {
        let credentials = self.credentials.as_ref();
        credentials.unwrap_or(&self.host).start..self.path.end
    }
}

impl Query {
    fn of(text: &str, start: usize) -> Self {
        let mut next = start;
        let option = |option: &str| {
            let range = next..next + option.len();
            next = range.end + 1;
            let equals = option.find('=').map(|length| range.start + length);
            let name = range.start..equals.unwrap_or(range.end);
            UriOption {
                name: Encoded::of(text, name),
                value: equals.map(|equals| Encoded::of(text, equals + 1..range.end)),
                range,
            }
        };
        Self {
            range: start..text.len(),
            options: text[start..].split('&').map(option).collect(),
        }
    }
}

impl Encoded {
    fn of(text: &str, range: Range<usize>) -> Self {
        Self {
            decoded: match decoded(&text[range.clone()]) {
                Cow::Borrowed(_) => None,
                Cow::Owned(decoded) => Some(decoded.into()),
            },
            range,
        }
    }
}

fn decoded(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_where_they_stand() {
        for (text, credentials, host, path) in [
            ("s3://h/b/p", None, "h", "/b/p"),
            ("s3://h", None, "h", ""),
            ("s3://", None, "", ""),
            ("s3://h:443#f?q", None, "h:443", "#f"),
            ("s3://k:s@h/b?a@b", Some("k:s"), "h", "/b"),
            ("s3://k:s/@t@h/b", Some("k:s/@t"), "h", "/b"),
        ] {
            let uri = DocrootUri::new(text);
            let parts = uri.parts().unwrap();
            let part = |range: &Range<usize>| &text[range.clone()];
            assert_eq!(parts.credentials.as_ref().map(part), credentials, "{text}");
            assert_eq!(part(&parts.host), host, "{text}");
            assert_eq!(part(&parts.path), path, "{text}");
            assert_eq!(part(&parts.scheme), "s3", "{text}");
        }
        assert!(DocrootUri::new("/data?a=b").parts().is_none());
    }

    #[test]
    fn the_options_are_decoded_and_keep_their_places() {
        let text = "s3://h/b?a=1&%61b=%2F=&&c";
        let uri = DocrootUri::new(text);
        let options: Vec<_> = uri.options().collect();
        assert_eq!(options, [("a", "1"), ("ab", "/="), ("", ""), ("c", "")]);
        let options = uri.query_options().iter();
        let places: Vec<_> = options.map(|option| &text[option.range.clone()]).collect();
        assert_eq!(places, ["a=1", "%61b=%2F=", "", "c"]);
        let options = uri.query_options().iter();
        let values = options.map(|option| Some(&text[option.value.as_ref()?.range.clone()]));
        assert_eq!(
            values.collect::<Vec<_>>(),
            [Some("1"), Some("%2F="), None, None]
        );
    }
}
