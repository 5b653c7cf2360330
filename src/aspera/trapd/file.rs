//! Functions that reading and planning share: the files that are accepted, and the warnings about a file.

use crate::aspera::setting::{ENCRYPTION_KEY, FoundValue, KMS_KEY_KEY, KmsKey};
use crate::text::lines;
use crate::text::properties::{DanglingContinuation, Document, Entry, JavaString, MalformedEscape};

/// The largest file that is read, in bytes. The file that comes with trapd has some 10 KB.
const MAX_LENGTH: usize = 1 << 20;

const HTTPS_KEY: &str = "s3service.https-only";

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
    Ok(Document::parse(bytes)?)
}

/// Refuses files in which `java.util.Properties` finds no setting, or that are far from any file of trapd. Every UTF-16 text with an ASCII letter
/// contains a zero byte, and no text in ISO-8859-1 does.
fn refuse_other_files(bytes: &[u8]) -> Result<(), PlanError> {
    let what = if bytes.len() > MAX_LENGTH {
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

pub(super) fn is_https_only(document: &Document) -> bool {
    let https_only = document.value(HTTPS_KEY);
    let https_only = https_only.and_then(JavaString::to_text).unwrap_or_default();
    https_only.trim_ascii().eq_ignore_ascii_case("true")
}

pub(super) fn https_warning(document: &Document) -> Option<String> {
    (!is_https_only(document)).then(|| {
        format!(
            "{HTTPS_KEY} is not true in this file, and AWS refuses SSE-KMS requests without TLS. Set {HTTPS_KEY}=true unless trapd is known \
             to use HTTPS here."
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
