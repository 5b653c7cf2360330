//! The two encryption settings in trapd's `s3.properties`: the vendor's article on SSE-KMS.

use std::ops::Range;

use super::display::DisplayLine;
use super::encryption::{ENCRYPTION_KEY, Encryption, EncryptionSetting, KMS_KEY_KEY};
use super::found_value::{FoundSetting, FoundValue};
use super::kms_key::KmsKey;
use crate::text::lines::{self, ChangedRegion};
use crate::text::properties::{
    DanglingContinuation, Document, Editor, Entry, JavaString, MalformedEscape, Template,
};
use crate::text::splice::Edits;

/// The largest file that is read, in bytes. The one that comes with trapd has some 10 KB.
const MAX_LENGTH: usize = 1 << 20;

const HTTPS_KEY: &str = "s3service.https-only";

/// The comment lines as they are shipped, which stand where nothing is set.
const ENCRYPTION_COMMENT: &str = "# server-side-encryption=NONE";
const KMS_KEY_COMMENT: &str = "# server-side-encryption-aws-kms-key-id";

/// Why no edit can be planned.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Java refuses the file.
    #[error("{0}: Java, and so trapd, refuses the whole file. Correct that line first.")]
    MalformedEscape(#[from] MalformedEscape),
    /// Nothing can be appended.
    #[error("{0}. Remove that \\ first.")]
    DanglingContinuation(#[from] DanglingContinuation),
    /// Another kind of file.
    #[error(
        "is not a properties file in ISO-8859-1: {0}. Check the path, or restore the file that came with trapd."
    )]
    OtherFile(&'static str),
    /// The edited file would not read as intended.
    #[error(
        "the planned edit would not read back as intended. This is a bug of ours, please report it."
    )]
    NotAsIntended,
}

impl PlanError {
    /// What is wrong, as a sentence without its remedy.
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

/// The edits that bring a file to a desired state, and what is to be said about it.
#[derive(Debug)]
pub struct Plan {
    /// What was in force.
    pub previous: FoundSetting,
    /// The edits; none if the file is as desired.
    pub edits: Edits,
    /// The file after the edits.
    pub after: Vec<u8>,
    /// The key to be in force.
    kms_key: Option<KmsKey>,
    /// Sentences for the user.
    pub warnings: Vec<String>,
}

/// What a file says.
#[derive(Debug)]
pub struct Contents {
    /// The encryption in force, as it is written.
    pub encryption: Option<String>,
    /// The key in force, as it is written.
    pub kms_key: Option<String>,
    /// Whether trapd is told to use HTTPS only.
    pub https_only: bool,
    /// What is wrong or doubtful in it, as sentences.
    pub problems: Vec<String>,
}

/// Reads a file without a wish to change it.
pub fn read(bytes: &[u8]) -> Result<Contents, PlanError> {
    refuse_other_files(bytes)?;
    let document = Document::parse(bytes)?;
    let value = |key| {
        let value = document.value(key)?;
        // A surrogate without its other half is in no value that counts.
        Some(value.to_text().unwrap_or_default().clone())
    };
    let (encryption, kms_key) = (value(ENCRYPTION_KEY), value(KMS_KEY_KEY));
    let is_kms = encryption.as_deref() == Some(Encryption::AwsKms.as_str());
    let mut problems: Vec<String> = duplicates_warnings(&document);
    if let Some(text) = &encryption
        && Encryption::parse(text).is_err()
    {
        problems.push(format!(
            "{ENCRYPTION_KEY} is none of NONE, AES256 and AWS_KMS, the values that the vendor documents."
        ));
    }
    if let Some(text) = &kms_key {
        match KmsKey::parse(text) {
            Err(_) => problems.push(format!("{KMS_KEY_KEY} is no name of a KMS key.")),
            Ok(_) if !is_kms => problems.push(format!(
                "{KMS_KEY_KEY} is set, and {ENCRYPTION_KEY} is not AWS_KMS."
            )),
            Ok(_) => {}
        }
    }
    if is_kms {
        problems.extend(https_warning(&document));
    }
    Ok(Contents {
        encryption,
        kms_key,
        https_only: is_https_only(&document),
        problems,
    })
}

/// Refuses what `java.util.Properties` reads no setting of, or what is far from any file of trapd. A byte of 0 stands in every UTF-16 text with a letter
/// of ASCII in it, and in no text in ISO-8859-1.
fn refuse_other_files(bytes: &[u8]) -> Result<(), PlanError> {
    let what = if bytes.len() > MAX_LENGTH {
        "it is larger than 1 MiB"
    } else if bytes.trim_ascii_start().starts_with(b"<") {
        "it starts with <, as XML does"
    } else if bytes.contains(&0) {
        "it holds a byte of 0, as UTF-16 does"
    } else if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        "it starts with the byte order mark of UTF-16"
    } else {
        return Ok(());
    };
    Err(PlanError::OtherFile(what))
}

/// Plans the edits. `None` as the desired setting means that neither setting is active.
pub fn plan(bytes: &[u8], desired: Option<&EncryptionSetting>) -> Result<Plan, PlanError> {
    refuse_other_files(bytes)?;
    let document = Document::parse(bytes)?;
    let kms_key = desired.and_then(EncryptionSetting::kms_key);
    let previous = found_setting(&document, kms_key);
    let mut editor = Editor::new(&document);
    match desired {
        Some(setting) => {
            editor.set(ENCRYPTION_KEY, setting.encryption().as_str())?;
            match setting.kms_key() {
                Some(key) => editor.set(KMS_KEY_KEY, key.as_str())?,
                None => editor.comment_out(KMS_KEY_KEY, KMS_KEY_COMMENT),
            }
        }
        None => {
            editor.comment_out(ENCRYPTION_KEY, ENCRYPTION_COMMENT);
            editor.comment_out(KMS_KEY_KEY, KMS_KEY_COMMENT);
        }
    }
    let edits = editor.finish();
    let after = edits.apply(bytes);
    check(&document, &after, desired)?;
    Ok(Plan {
        warnings: warnings(&document, desired),
        previous,
        edits,
        after,
        kms_key: kms_key.cloned(),
    })
}

/// The lines around each changed place, before and after.
pub struct ChangedPlace {
    /// The numbers of the changed lines in the file before.
    pub line_numbers: Vec<usize>,
    /// The lines before.
    pub before: Vec<DisplayLine>,
    /// The lines after.
    pub after: Vec<DisplayLine>,
}

/// The changed places of a plan, with some lines of context.
pub fn changed_places(bytes: &[u8], plan: &Plan, context: usize) -> Vec<ChangedPlace> {
    let after = plan.edits.apply(bytes);
    let (Ok(before), Ok(after)) = (Document::parse(bytes), Document::parse(&after)) else {
        return Vec::new();
    };
    let regions = lines::changed_regions(bytes, &plan.edits, context);
    let place = |region: ChangedRegion| ChangedPlace {
        before: display_lines(&before, region.before, plan.kms_key.as_ref()),
        after: display_lines(&after, region.after, plan.kms_key.as_ref()),
        line_numbers: region.line_numbers,
    };
    regions.into_iter().map(place).collect()
}

fn found_setting(document: &Document, desired: Option<&KmsKey>) -> FoundSetting {
    let found = |key| {
        let entry = document.entries_of(key).next_back();
        entry.map(|entry| found_value(entry, desired))
    };
    FoundSetting {
        encryption: found(ENCRYPTION_KEY),
        kms_key: found(KMS_KEY_KEY),
    }
}

fn found_value(entry: &Entry, desired: Option<&KmsKey>) -> FoundValue {
    match entry.value.to_text() {
        Some(text) => recognise(our_key(entry), &text, desired),
        None => FoundValue::Unrecognised,
    }
}

fn recognise(key: &str, text: &str, desired: Option<&KmsKey>) -> FoundValue {
    if key == ENCRYPTION_KEY {
        FoundValue::encryption(text)
    } else {
        FoundValue::kms_key(text, desired)
    }
}

fn duplicates_warnings(document: &Document) -> Vec<String> {
    let keys = [ENCRYPTION_KEY, KMS_KEY_KEY].into_iter();
    keys.filter_map(|key| duplicates_warning(document, key))
        .collect()
}

fn duplicates_warning(document: &Document, key: &str) -> Option<String> {
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

/// Reads the edited file again: our settings are the desired ones, and every other key has its value still.
fn check(
    before: &Document,
    after: &[u8],
    desired: Option<&EncryptionSetting>,
) -> Result<(), PlanError> {
    let after = Document::parse(after).map_err(|_| PlanError::NotAsIntended)?;
    let in_force = |key, expected: Option<&str>| match (after.value(key), expected) {
        (None, None) => true,
        (Some(value), Some(expected)) => value == expected,
        _ => false,
    };
    let kms_key = desired.and_then(EncryptionSetting::kms_key);
    let as_desired = in_force(ENCRYPTION_KEY, desired.map(|d| d.encryption().as_str()))
        && in_force(KMS_KEY_KEY, kms_key.map(KmsKey::as_str));
    let others_kept = others(before).eq(others(&after));
    if as_desired && others_kept {
        Ok(())
    } else {
        Err(PlanError::NotAsIntended)
    }
}

fn others<'d>(document: &'d Document) -> impl Iterator<Item = (&'d JavaString, &'d JavaString)> {
    let entries = document.entries.iter().filter(|entry| !is_ours(entry));
    entries.map(|entry| (&entry.key, &entry.value))
}

fn is_ours(entry: &Entry) -> bool {
    entry.key == *ENCRYPTION_KEY || entry.key == *KMS_KEY_KEY
}

fn warnings(document: &Document, desired: Option<&EncryptionSetting>) -> Vec<String> {
    let mut warnings = Vec::new();
    let Some(setting) = desired else {
        return warnings;
    };
    for key in [ENCRYPTION_KEY, KMS_KEY_KEY] {
        if key == ENCRYPTION_KEY || setting.kms_key().is_some() {
            warnings.extend(duplicates_warning(document, key));
        }
    }
    if setting.kms_key().is_none() && document.value(KMS_KEY_KEY).is_some() {
        warnings.push(match setting.encryption() {
            Encryption::AwsKms => format!(
                "No kms_key_id is given, so the active {KMS_KEY_KEY} is removed: uploads use the key that AWS manages (aws/s3)."
            ),
            other => format!("The active {KMS_KEY_KEY} is removed: {other} uses no KMS key."),
        });
    }
    if setting.encryption() == Encryption::AwsKms {
        warnings.extend(https_warning(document));
    }
    warnings
}

/// What is to be said of a file if uploads are to use SSE-KMS.
pub fn kms_warning(bytes: &[u8]) -> Option<String> {
    match Document::parse(bytes) {
        Ok(document) => https_warning(&document),
        Err(error) => Some(PlanError::from(error).to_string()),
    }
}

fn is_https_only(document: &Document) -> bool {
    let https_only = document.value(HTTPS_KEY);
    let https_only = https_only.and_then(JavaString::to_text).unwrap_or_default();
    https_only.trim_ascii().eq_ignore_ascii_case("true")
}

fn https_warning(document: &Document) -> Option<String> {
    (!is_https_only(document)).then(|| {
        format!(
            "{HTTPS_KEY} is not true in this file, and AWS refuses SSE-KMS requests without TLS. Set {HTTPS_KEY}=true unless trapd is known \
             to use HTTPS here."
        )
    })
}

/// The natural lines of a range, each shown only if it is one of those that cannot hold a secret.
fn display_lines(
    document: &Document,
    range: Range<usize>,
    desired: Option<&KmsKey>,
) -> Vec<DisplayLine> {
    lines::lines(document.bytes, range)
        .map(|line| display_line(document, &line.content, desired))
        .collect()
}

fn display_line(document: &Document, line: &Range<usize>, desired: Option<&KmsKey>) -> DisplayLine {
    let as_it_stands = || String::from_utf8_lossy(&document.bytes[line.clone()]).into_owned();
    if let Some(entry) = entry_on(document, line) {
        return if !is_ours(entry) {
            DisplayLine::Hidden
        } else if found_value(entry, desired) == FoundValue::Unrecognised {
            DisplayLine::Shown(format!("{}=(unrecognised value)", our_key(entry)))
        } else {
            DisplayLine::Shown(as_it_stands())
        };
    }
    if let Some((key, template)) = template_on(document, line) {
        let value = String::from_utf8_lossy(&document.bytes[template.value]).into_owned();
        return DisplayLine::Shown(match recognise(key, &value, desired) {
            FoundValue::Recognised(_) => as_it_stands(),
            FoundValue::Unrecognised => format!("# {key}=(unrecognised value)"),
        });
    }
    if document.bytes[line.clone()].trim_ascii().is_empty() {
        DisplayLine::Shown(String::new())
    } else {
        DisplayLine::Hidden
    }
}

/// The entry of which a natural line is a part.
fn entry_on<'d>(document: &'d Document, line: &Range<usize>) -> Option<&'d Entry> {
    let index = document
        .entries
        .partition_point(|entry| entry.range.end < line.end);
    let entry = document.entries.get(index)?;
    (entry.range.start <= line.end).then_some(entry)
}

/// The commented setting of ours on a natural line.
fn template_on(document: &Document, line: &Range<usize>) -> Option<(&'static str, Template)> {
    let index = document
        .comments
        .partition_point(|comment| comment.range.end < line.end);
    let comment = document.comments.get(index)?;
    if comment.range.end != line.end {
        return None;
    }
    [ENCRYPTION_KEY, KMS_KEY_KEY]
        .into_iter()
        .find_map(|key| Some((key, document.template(comment, key)?)))
}

fn our_key(entry: &Entry) -> &'static str {
    if entry.key == *ENCRYPTION_KEY {
        ENCRYPTION_KEY
    } else {
        KMS_KEY_KEY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kms(key: Option<&str>) -> EncryptionSetting {
        let key = key.map(|key| KmsKey::parse(key).unwrap());
        EncryptionSetting::new(Encryption::AwsKms, key).unwrap()
    }

    fn planned(text: &str, desired: Option<&EncryptionSetting>) -> String {
        String::from_utf8(plan(text.as_bytes(), desired).unwrap().after).unwrap()
    }

    const SHIPPED: &str =
        "# server-side-encryption=NONE\n\n# server-side-encryption-aws-kms-key-id\n";

    #[test]
    fn the_articles_comments_are_uncommented_and_come_back() {
        let set = planned(SHIPPED, Some(&kms(Some("alias/a"))));
        assert_eq!(
            set,
            "server-side-encryption=AWS_KMS\n\nserver-side-encryption-aws-kms-key-id=alias/a\n"
        );
        assert_eq!(planned(&set, None), SHIPPED);
    }

    #[test]
    fn the_key_goes_when_none_is_declared() {
        let text =
            "server-side-encryption=AWS_KMS\nserver-side-encryption-aws-kms-key-id = alias/a\n";
        let plan = plan(text.as_bytes(), Some(&kms(None))).unwrap();
        assert_eq!(
            plan.after,
            b"server-side-encryption=AWS_KMS\n# server-side-encryption-aws-kms-key-id\n"
        );
        assert!(plan.warnings[0].contains("aws/s3"), "{:?}", plan.warnings);
    }

    #[test]
    fn an_edit_that_does_something_else_is_refused() {
        let before = "a=1\n# server-side-encryption=NONE\nb=2\n";
        let document = Document::parse(before.as_bytes()).unwrap();
        let encryption = "server-side-encryption=AWS_KMS\n";
        let key = "server-side-encryption-aws-kms-key-id=alias/a\n";
        let passes = |after: &str, desired: Option<&EncryptionSetting>| {
            let checked = check(&document, after.as_bytes(), desired);
            assert!(matches!(checked, Ok(()) | Err(PlanError::NotAsIntended)));
            checked.is_ok()
        };
        let with_key = kms(Some("alias/a"));
        assert!(passes(
            &format!("a=1\n{encryption}b=2\n{key}"),
            Some(&with_key)
        ));
        assert!(passes(&format!("a=1\n{encryption}b=2\n"), Some(&kms(None))));
        assert!(passes("a=1\nb=2\n", None));
        for after in [
            format!("a=1\n{encryption}b=2\n"),
            format!("a=1\nb=2\n{key}"),
            format!("a=1\n{encryption}b=2\n{key}x"),
            format!("a=1\n{encryption}{key}"),
            format!("a=1\n{encryption}b=3\n{key}"),
            format!("a=1\n{encryption}B=2\n{key}"),
            format!("a=1\n{encryption}b=2\n{key}c=3\n"),
            format!("b=2\n{encryption}a=1\n{key}"),
            format!("a=1\n{encryption}b=2\n{key}c=\\u12\n"),
            format!("a=1\n{encryption}b=2\n{key}server-side-encryption=AES256\n"),
            format!("a=1\n{encryption}b=2\n{key}server-side-encryption-aws-kms-key-id=alias/b\n"),
            before.to_owned(),
        ] {
            assert!(!passes(&after, Some(&with_key)), "{after}");
        }
        assert!(!passes(&format!("a=1\n{encryption}b=2\n"), None));
        assert!(!passes(&format!("a=1\nb=2\n{key}"), None));
    }

    #[test]
    fn unrecognised_values_are_not_shown() {
        let text = "server-side-encryption=hunter2 \nserver-side-encryption-aws-kms-key-id=s3cr3t!\nother=x\n";
        let plan = plan(text.as_bytes(), Some(&kms(Some("alias/a")))).unwrap();
        assert_eq!(plan.previous.encryption, Some(FoundValue::Unrecognised));
        assert_eq!(plan.previous.kms_key, Some(FoundValue::Unrecognised));
        let places = changed_places(text.as_bytes(), &plan, 3);
        let shown = |text: &str| DisplayLine::Shown(text.to_owned());
        assert_eq!(
            places[0].before,
            [
                shown("server-side-encryption=(unrecognised value)"),
                shown("server-side-encryption-aws-kms-key-id=(unrecognised value)"),
                DisplayLine::Hidden,
            ]
        );
        assert_eq!(
            places[0].after,
            [
                shown("server-side-encryption=AWS_KMS"),
                shown("server-side-encryption-aws-kms-key-id=alias/a"),
                DisplayLine::Hidden,
            ]
        );
    }
}
