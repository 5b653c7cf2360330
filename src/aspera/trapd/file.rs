//! Functions that reading and planning share: the files that are accepted, and the warnings about a file.

use crate::aspera::setting::{
    ENCRYPTION_KEY, FoundValue, HTTPS_KEY, KMS_KEY_KEY, KmsKey, is_nearly, sets_endpoint,
};
use crate::text::lines;
use crate::text::properties::{
    DanglingContinuation, Document, Entry, JavaString, MalformedEscape, Template,
};

/// The largest file that is read, in bytes. The file that comes with trapd has some 10 KB.
pub const MAX_LENGTH: u64 = 1 << 20;

/// The reason why no edit can be planned.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Java refuses the file.
    #[error("{0}: Java, and so trapd, refuses the whole file. Correct that line first.")]
    MalformedEscape(#[from] MalformedEscape),
    /// No line can be appended.
    #[error("{0}. Remove that \\ first.")]
    DanglingContinuation(#[from] DanglingContinuation),
    /// The file is of another kind.
    #[error(
        "is not a properties file in ISO-8859-1: {0}. Check the path, or restore the file that came with trapd."
    )]
    OtherFile(&'static str),
    /// The edited file would not read as intended.
    #[error(
        "the planned edit would not read back as intended. This is a bug in this module. Please report it."
    )]
    NotAsIntended,
}

impl PlanError {
    /// Returns the problem as a sentence without its remedy.
    pub fn problem(&self) -> String {
        match self {
            Self::MalformedEscape(error) => {
                format!("In the file, {error}. Java, and so trapd, refuses all of it.")
            }
            Self::OtherFile(what) => {
                format!("The file is not a properties file in ISO-8859-1: {what}.")
            }
            Self::DanglingContinuation(_) | Self::NotAsIntended => self.to_string(),
        }
    }
}

/// Reads a file as `java.util.Properties` does.
pub(super) fn open(bytes: &[u8]) -> Result<Document<'_>, PlanError> {
    refuse_other_files(bytes)?;
    Ok(parse(bytes)?)
}

/// Reads a file of settings, and keeps of it what may be one of ours. A file of the longest length may have half a million other lines.
pub(super) fn parse(bytes: &[u8]) -> Result<Document<'_>, MalformedEscape> {
    Document::parse_some(
        bytes,
        |entry| {
            let key = String::from_utf16_lossy(entry.key.code_units());
            let mut ours = [ENCRYPTION_KEY, KMS_KEY_KEY, HTTPS_KEY].into_iter();
            ours.any(|name| is_nearly(&key, name)) || sets_endpoint(&key)
        },
        |comment| {
            let mut keys = [ENCRYPTION_KEY, KMS_KEY_KEY].into_iter();
            keys.any(|key| Template::read(bytes, comment, key).is_some())
        },
    )
}

/// Refuses files in which `java.util.Properties` finds no setting, or that are far from any file of trapd. Every UTF-16 text with an ASCII letter
/// contains a zero byte, and no text in ISO-8859-1 does.
pub(super) fn refuse_other_files(bytes: &[u8]) -> Result<(), PlanError> {
    let what = if bytes.len() as u64 > MAX_LENGTH {
        "it is larger than 1 MiB"
    } else if bytes.trim_ascii_start().starts_with(b"<") {
        "it starts with <, as XML does"
    } else if bytes.contains(&0) {
        "it contains a byte of 0, as UTF-16 does"
    } else if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        "it starts with the byte order mark of UTF-16"
    } else {
        return Ok(());
    };
    Err(PlanError::OtherFile(what))
}

pub(super) fn duplicates_warnings(document: &Document) -> Vec<String> {
    let keys = [ENCRYPTION_KEY, KMS_KEY_KEY].into_iter();
    keys.filter_map(|key| duplicates_warning(document, key))
        .collect()
}

pub(super) fn duplicates_warning(document: &Document, key: &str) -> Option<String> {
    const NAMED: usize = 5;
    let entries: Vec<&Entry> = document.entries_of(key).collect();
    let (last, earlier) = entries.split_last()?;
    if earlier.is_empty() {
        return None;
    }
    let line = |entry: &Entry| lines::line_number(document.bytes, entry.range.start);
    let named: Vec<String> = earlier
        .iter()
        .take(NAMED)
        .map(|entry| line(entry).to_string())
        .collect();
    let mut others = named.join(", ");
    if let more @ 1.. = earlier.len().saturating_sub(NAMED) {
        others += &format!(" and {more} more");
    }
    let (lines, are) = if earlier.len() == 1 {
        ("line", "is")
    } else {
        ("lines", "are")
    };
    Some(format!(
        "{key} is set more than once: line {} is in force, {lines} {others} {are} without effect and could be removed.",
        line(last)
    ))
}

/// Returns the entries whose keys are a key or nearly so, in the order of the file.
pub(super) fn entries_of_nearly<'d>(
    document: &'d Document,
    key: &'d str,
) -> impl DoubleEndedIterator<Item = &'d Entry> {
    let entries = document.entries.iter();
    entries.filter(move |entry| is_nearly(&String::from_utf16_lossy(entry.key.code_units()), key))
}

/// Returns a warning for each setting that lines with nearly its name may change.
pub(super) fn nearly_warnings(document: &Document) -> Vec<String> {
    const NAMED: usize = 5;
    let keys = [ENCRYPTION_KEY, KMS_KEY_KEY, HTTPS_KEY].into_iter();
    let warnings = keys.filter_map(|key| {
        let entries = entries_of_nearly(document, key).filter(|entry| entry.key != *key);
        let entries: Vec<&Entry> = entries.collect();
        let lines = entries.iter().take(NAMED);
        let lines = lines.map(|entry| lines::line_number(document.bytes, entry.range.start).to_string());
        let lines: Vec<String> = lines.collect();
        let more = match entries.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let word = if entries.len() == 1 { "line" } else { "lines" };
        (!entries.is_empty()).then(|| {
            format!(
                "The name in {word} {}{more} is close to {key}, and the vendor does not document whether trapd accepts it. Correct the name, or remove the \
                 {word}.",
                lines.join(", ")
            )
        })
    });
    warnings.collect()
}

/// Returns whether a file sets the endpoint or the signature of requests.
pub(super) fn has_other_endpoint(document: &Document) -> bool {
    let mut entries = document.entries.iter();
    entries.any(|entry| sets_endpoint(&String::from_utf16_lossy(entry.key.code_units())))
}

/// Returns whether a file of trapd may set one of the settings, or the endpoint. A file that trapd cannot read this way may set anything.
pub fn may_set(bytes: &[u8]) -> bool {
    let Ok(document) = open(bytes) else {
        return true;
    };
    let mut keys = [ENCRYPTION_KEY, KMS_KEY_KEY, HTTPS_KEY].into_iter();
    keys.any(|key| entries_of_nearly(&document, key).next().is_some())
        || has_other_endpoint(&document)
}

/// Returns whether trapd certainly uses HTTPS only: the value is `true` in any letter case, and no key with nearly the same name says something else. Java
/// keeps blanks around a value, and the vendor does not document that trapd removes them.
pub(super) fn is_https_only(document: &Document) -> bool {
    let is_true = |value: &JavaString| {
        let text = value.to_text();
        text.is_some_and(|text| text.eq_ignore_ascii_case("true"))
    };
    document.value(HTTPS_KEY).is_some_and(is_true)
        && entries_of_nearly(document, HTTPS_KEY)
            .filter(|entry| entry.key != *HTTPS_KEY)
            .all(|entry| is_true(&entry.value))
}

pub(super) fn https_warning(document: &Document) -> Option<String> {
    if is_https_only(document) {
        return None;
    }
    let value = document.value(HTTPS_KEY).and_then(JavaString::to_text);
    let has_blanks = value.is_some_and(|text| {
        let trimmed = text.trim();
        trimmed.len() < text.len() && trimmed.eq_ignore_ascii_case("true")
    });
    Some(if has_blanks {
        format!(
            "{HTTPS_KEY} has blanks around true in this file, and the vendor does not document whether trapd removes them. AWS refuses SSE-KMS requests \
             without TLS. Remove the blanks."
        )
    } else {
        format!(
            "{HTTPS_KEY} is not true in this file, and AWS refuses SSE-KMS requests without TLS. Set {HTTPS_KEY}=true unless trapd is known to use HTTPS \
             here."
        )
    })
}

pub(super) fn is_ours(entry: &Entry) -> bool {
    entry.key == *ENCRYPTION_KEY || entry.key == *KMS_KEY_KEY
}

pub(super) fn our_key(entry: &Entry) -> &'static str {
    if entry.key == *ENCRYPTION_KEY {
        ENCRYPTION_KEY
    } else {
        KMS_KEY_KEY
    }
}

pub(super) fn found_value(entry: &Entry, known_key: Option<&KmsKey>) -> FoundValue {
    match entry.value.to_text() {
        Some(text) => recognise(our_key(entry), &text, known_key),
        None => FoundValue::Unrecognised,
    }
}

pub(super) fn recognise(key: &str, text: &str, known_key: Option<&KmsKey>) -> FoundValue {
    if key == ENCRYPTION_KEY {
        FoundValue::encryption(text)
    } else {
        FoundValue::kms_key(text, known_key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_none_of_the_settings_are_not_kept() {
        let text = "a=1\n# b\nserver-side-encryption=NONE\n#server-side-encryption-aws-kms-key-id\nS3Service.Https_Only=x\n\
                    s3service.s3-endpoint=h\nserver-side=1\n! other=2\nc: 3";
        let document = parse(text.as_bytes()).unwrap();
        assert_eq!(document.entries.len(), 3);
        assert_eq!(document.comments.len(), 1);
        let all = Document::parse(text.as_bytes()).unwrap();
        assert_eq!((all.entries.len(), all.comments.len()), (6, 3));
        assert_eq!(document.ends_in_continuation, all.ends_in_continuation);
    }
}
