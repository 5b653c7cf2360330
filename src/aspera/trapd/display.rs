//! The part of an `s3.properties` diff that may be shown: our settings, and blank lines.

use std::ops::Range;

use super::file::{found_value, is_ours, our_key, recognise};
use crate::aspera::setting::{DisplayLine, ENCRYPTION_KEY, FoundValue, KMS_KEY_KEY, KmsKey};
use crate::text::lines::{self, ChangedRegion};
use crate::text::properties::{Document, Entry, Template};
use crate::text::splice::Edits;

/// The number of lines that are read on each side of a change, hidden ones included. The diff shows fewer.
const CONTEXT: usize = 3;

/// The lines around a changed place, before and after the change.
#[derive(Debug)]
pub struct ChangedPlace {
    /// The numbers of the changed lines, in the file before the change.
    pub line_numbers: Vec<usize>,
    /// The lines before the change.
    pub before: Vec<DisplayLine>,
    /// The lines after the change.
    pub after: Vec<DisplayLine>,
}

/// Returns the places that some edits change, with some lines of context. `known_key` is a key that the task itself names.
pub(super) fn changed_places(
    before: &Document,
    edits: &Edits,
    after: &Document,
    known_key: Option<&KmsKey>,
) -> Vec<ChangedPlace> {
    let regions = lines::changed_regions(before.bytes, edits, CONTEXT);
    let place = |region: ChangedRegion| ChangedPlace {
        before: display_lines(before, region.before, known_key),
        after: display_lines(after, region.after, known_key),
        line_numbers: region.line_numbers,
    };
    regions.into_iter().map(place).collect()
}

/// Returns the natural lines of a range. A line is shown only if it cannot contain a secret.
fn display_lines(
    document: &Document,
    range: Range<usize>,
    known_key: Option<&KmsKey>,
) -> Vec<DisplayLine> {
    lines::lines(document.bytes, range)
        .map(|line| display_line(document, &line.content, known_key))
        .collect()
}

fn display_line(
    document: &Document,
    line: &Range<usize>,
    known_key: Option<&KmsKey>,
) -> DisplayLine {
    let as_it_stands = || String::from_utf8_lossy(&document.bytes[line.clone()]).into_owned();
    if let Some(entry) = entry_on(document, line) {
        return if !is_ours(entry) {
            DisplayLine::Hidden
        } else if found_value(entry, known_key) == FoundValue::Unrecognised {
            DisplayLine::Shown(format!("{}=(unrecognised value)", our_key(entry)))
        } else {
            DisplayLine::Shown(as_it_stands())
        };
    }
    if let Some((key, template)) = template_on(document, line) {
        let value = String::from_utf8_lossy(&document.bytes[template.value]).into_owned();
        return DisplayLine::Shown(match recognise(key, &value, known_key) {
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

/// Returns whether a natural line is one of our settings, commented or not.
pub(super) fn is_line_of_ours(document: &Document, line: &Range<usize>) -> bool {
    match entry_on(document, line) {
        Some(entry) => is_ours(entry),
        None => template_on(document, line).is_some(),
    }
}

/// Returns the entry that a natural line is part of.
fn entry_on<'d>(document: &'d Document, line: &Range<usize>) -> Option<&'d Entry> {
    let index = document
        .entries
        .partition_point(|entry| entry.range.end < line.end);
    let entry = document.entries.get(index)?;
    (entry.range.start <= line.end).then_some(entry)
}

/// Returns the commented setting of ours on a natural line.
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
        .find_map(|key| Some((key, Template::read(document.bytes, comment, key)?)))
}
