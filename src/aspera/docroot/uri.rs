//! The URI of a docroot: `s3://user:password@host/bucket/path?option=value&...`.
//!
//! The form is that of the vendor's pages on docroots in object storage. A URI may contain credentials, so it cannot be printed:
//! [`DocrootUri::masked`] returns the text that may be shown. A URI is parsed once, when it is created.

use std::borrow::Cow;
use std::ops::Range;

use percent_encoding::percent_decode_str;

use super::host_name::host_name;
use crate::aspera::setting::{ENCRYPTION_KEY, FoundSetting, FoundValue, KMS_KEY_KEY, KmsKey};

/// The text of a docroot, with the places of its parts.
#[derive(Clone, PartialEq, Eq)]
pub struct DocrootUri {
    text: Box<str>,
    storage: Storage,
    /// The parts, or `None` if there is no `://`.
    parts: Option<Parts>,
}

/// The storage that a docroot leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// No text: the whole file system.
    Empty,
    /// `AS_NULL`, the vendor's word for unset.
    Unset,
    /// S3, or storage with the S3 protocol.
    S3,
    /// `S3://` instead of `s3://`: the scheme is case-sensitive.
    MisspelledS3,
    /// Another storage, by its scheme.
    Other(&'static str),
    /// A path of the local file system.
    Local,
    /// Text in a form that the vendor's pages do not describe.
    Unknown,
}

/// The places of the parts of a URI in its text. A file may contain very many URIs, so each is kept small.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Parts {
    scheme_end: Place,
    /// The place of the `@` after the credentials. Credentials may contain a bare `/` or `@`, so the last `@` before the query counts.
    at: Option<Place>,
    host_end: Place,
    path_end: Place,
    /// The options of the query after the `?` (RFC 3986, 3.4), or `None` if there is no `?`.
    options: Option<Box<[UriOption]>>,
}

/// An offset in the text. Files are limited to far less than 4 GiB.
type Place = u32;

/// An option of the query.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct UriOption {
    start: Place,
    name_end: Place,
    end: Place,
    /// The decoded name and value, or `None` if decoding changes nothing.
    decoded: Option<Box<Decoded>>,
}

#[derive(Clone, PartialEq, Eq)]
struct Decoded {
    name: String,
    value: String,
}

/// The schemes other than S3's in the vendor's pages on docroots.
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
    /// Creates a URI from any text.
    pub fn new(text: impl Into<String>) -> Self {
        let text = text.into().into_boxed_str();
        Self {
            storage: Storage::of(&text),
            parts: Parts::of(&text),
            text,
        }
    }

    /// Returns the text. It may contain credentials.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the storage that the docroot leads to.
    pub fn storage(&self) -> Storage {
        self.storage
    }

    /// Returns the host with its port.
    pub fn host(&self) -> &str {
        let parts = self.parts.as_ref();
        parts.map_or("", |parts| &self.text[parts.host()])
    }

    /// Returns the text between the host and the query, not decoded.
    pub fn path(&self) -> &str {
        let parts = self.parts.as_ref();
        parts.map_or("", |parts| &self.text[parts.path()])
    }

    /// Returns the text before the `@`, not decoded, or `None` if there is no `@`.
    pub fn credentials(&self) -> Option<&str> {
        let credentials = self.parts.as_ref()?.credentials()?;
        Some(&self.text[credentials])
    }

    /// Returns the decoded options of its query with their values, in their order. The value is empty if there is no `=`.
    pub fn options(&self) -> impl Iterator<Item = (&str, &str)> {
        let options = self.query_options().iter();
        options.map(|option| (self.name(option), self.value(option)))
    }

    /// Returns the settings in its query. If one is repeated, this is the first: the vendor does not document which one the server uses.
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

    /// Returns whether its query names a KMS key.
    pub fn names_a_key(&self) -> bool {
        self.options()
            .any(|(name, value)| name == KMS_KEY_KEY && !value.is_empty())
    }

    /// Returns whether one of the two settings occurs in its query more than once.
    pub fn repeats_a_setting(&self) -> bool {
        let count = |wanted| self.options().filter(|(name, _)| *name == wanted).count();
        count(ENCRYPTION_KEY) > 1 || count(KMS_KEY_KEY) > 1
    }

    /// Returns whether its credentials seem to contain a bare `?`, so that the start of the query is ambiguous.
    pub fn has_question_mark_in_credentials(&self) -> bool {
        let Some(parts) = &self.parts else {
            return false;
        };
        let Some(query) = parts.query() else {
            return false;
        };
        let Some((before_at, _)) = self.text[query].split_once('@') else {
            return false;
        };
        parts.at.is_none() && (self.has_unclear_host() || !before_at.contains('='))
    }

    /// Returns whether it seems to contain credentials, in any spelling.
    pub fn may_hold_credentials(&self) -> bool {
        self.text.contains('@') || self.has_unclear_host() || self.has_encoded_at()
    }

    /// Returns whether the place of host and port contains anything else: `key:secret` without an `@`, an encoded `:` or `@`, or another separator.
    pub(super) fn has_unclear_host(&self) -> bool {
        if self.parts.is_none() {
            return false;
        }
        let authority = self.host_and_path().split('/').next().unwrap_or_default();
        let plain = decoded_fully(authority);
        host_name(&plain).is_none() || authority.contains('%') && plain.contains(':')
    }

    /// Returns whether there is an encoded `@` in the host or the path, which may separate credentials from the host.
    pub(super) fn has_encoded_at(&self) -> bool {
        decoded_fully(self.host_and_path()).contains('@')
    }

    /// Returns the text between the credentials and the query. No bare `@` is in it. A text without a scheme is returned whole.
    fn host_and_path(&self) -> &str {
        let parts = self.parts.as_ref();
        parts.map_or(&*self.text, |parts| {
            &self.text[parts.host().start..parts.path().end]
        })
    }

    /// Returns the text after the `://`, or an empty text if the docroot has no `://`.
    pub(super) fn after_scheme(&self) -> &str {
        let parts = self.parts.as_ref();
        parts.map_or("", |parts| &self.text[parts.base().start..])
    }

    pub(super) fn parts(&self) -> Option<&Parts> {
        self.parts.as_ref()
    }

    pub(super) fn query_options(&self) -> &[UriOption] {
        let parts = self.parts.as_ref();
        let options = parts.and_then(|parts| parts.options.as_deref());
        options.unwrap_or_default()
    }

    /// Returns the decoded name of an option.
    pub(super) fn name<'u>(&'u self, option: &'u UriOption) -> &'u str {
        match &option.decoded {
            Some(decoded) => &decoded.name,
            None => &self.text[option.name_range()],
        }
    }

    /// Returns the decoded value of an option. It is empty if there is no `=`.
    pub(super) fn value<'u>(&'u self, option: &'u UriOption) -> &'u str {
        match (&option.decoded, option.value_range()) {
            (Some(decoded), _) => &decoded.value,
            (None, Some(value)) => &self.text[value],
            (None, None) => "",
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
            // Only a known scheme is named: anything else may be part of a secret.
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
        let scheme_end = text.find("://")?;
        let start = scheme_end + SEPARATOR;
        let mark = text[start..].find('?').map(|length| start + length);
        let path_end = mark.unwrap_or(text.len());
        let at = text[start..path_end].rfind('@');
        let at = at.map(|length| start + length);
        let host_start = at.map_or(start, |at| at + 1);
        let host_length = text[host_start..path_end].find(['/', '#']);
        let host_end = host_length.map_or(path_end, |length| host_start + length);
        Some(Self {
            scheme_end: place(scheme_end),
            at: at.map(place),
            host_end: place(host_end),
            path_end: place(path_end),
            options: mark.map(|mark| options(text, mark + 1)),
        })
    }

    pub(super) fn scheme(&self) -> Range<usize> {
        0..self.scheme_end as usize
    }

    pub(super) fn credentials(&self) -> Option<Range<usize>> {
        Some(self.base().start..self.at? as usize)
    }

    /// Returns the range of the host with its port.
    pub(super) fn host(&self) -> Range<usize> {
        let start = self.credentials().map(|credentials| credentials.end + 1);
        start.unwrap_or(self.base().start)..self.host_end as usize
    }

    /// Returns the range from the host to the query or the end.
    pub(super) fn path(&self) -> Range<usize> {
        self.host_end as usize..self.path_end as usize
    }

    /// Returns the range between the `://` and the query or the end.
    pub(super) fn base(&self) -> Range<usize> {
        self.scheme_end as usize + SEPARATOR..self.path_end as usize
    }

    /// Returns the range after the `?`.
    pub(super) fn query(&self) -> Option<Range<usize>> {
        let last = self.options.as_ref()?.last()?;
        Some(self.path_end as usize + 1..last.range().end)
    }
}

/// The length of `://`.
const SEPARATOR: usize = "://".len();

fn options(text: &str, start: usize) -> Box<[UriOption]> {
    let mut next = start;
    let options = text[start..].split('&').map(|option| {
        let (start, end) = (next, next + option.len());
        next = end + 1;
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let is_encoded = option.contains('%');
        UriOption {
            start: place(start),
            name_end: place(start + name.len()),
            end: place(end),
            decoded: is_encoded.then(|| {
                Box::new(Decoded {
                    name: decoded(name).into_owned(),
                    value: decoded(value).into_owned(),
                })
            }),
        }
    });
    options.collect()
}

impl UriOption {
    pub(super) fn range(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    fn name_range(&self) -> Range<usize> {
        self.start as usize..self.name_end as usize
    }

    /// Returns the range of its value, or `None` if there is no `=`.
    pub(super) fn value_range(&self) -> Option<Range<usize>> {
        let has_value = self.name_end < self.end;
        has_value.then(|| self.name_end as usize + 1..self.end as usize)
    }
}

fn place(offset: usize) -> Place {
    Place::try_from(offset).unwrap_or(Place::MAX)
}

pub(super) fn decoded(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

/// Returns a text without percent-encoding, also if it is encoded twice.
pub(super) fn decoded_fully(text: &str) -> Cow<'_, str> {
    match decoded(text) {
        Cow::Borrowed(text) => text.into(),
        Cow::Owned(once) => decoded(&once).into_owned().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_have_their_places() {
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
            let part = |range: Range<usize>| &text[range];
            assert_eq!(parts.credentials().map(part), credentials, "{text}");
            assert_eq!(part(parts.host()), host, "{text}");
            assert_eq!(part(parts.path()), path, "{text}");
            assert_eq!(part(parts.scheme()), "s3", "{text}");
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
        let places: Vec<_> = options.map(|option| &text[option.range()]).collect();
        assert_eq!(places, ["a=1", "%61b=%2F=", "", "c"]);
        let options = uri.query_options().iter();
        let values = options.map(|option| Some(&text[option.value_range()?]));
        assert_eq!(
            values.collect::<Vec<_>>(),
            [Some("1"), Some("%2F="), None, None]
        );
    }
}
