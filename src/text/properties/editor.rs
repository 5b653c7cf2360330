//! Edits of single settings: in place where the file has a place for them.

use std::ops::Range;

use super::escape::{escape_key, escape_value, escape_value_like};
use super::reader::{Document, Entry};
use crate::text::lines;
use crate::text::splice::{Edit, Edits};

/// The file ends in a `\`: a line appended to it would become part of its last value.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "line {line}, the last one, ends in a \\, so that a new line would become part of its value"
)]
pub struct DanglingContinuation {
    /// The natural line, from 1.
    pub line: usize,
}

/// Collects the edits of one file.
#[derive(Debug)]
pub struct Editor<'d> {
    document: &'d Document<'d>,
    edits: Vec<Edit>,
    /// Lines at the end of the file: after an edit of its last entry, which may be an insertion at the same place.
    appended: Vec<Edit>,
}

impl<'d> Editor<'d> {
    /// Starts with no edit.
    pub fn new(document: &'d Document<'d>) -> Self {
        Self {
            document,
            edits: Vec::new(),
            appended: Vec::new(),
        }
    }

    /// Puts a value in force.
    ///
    /// The last entry of the key gets the value in its place. If there is none, the first comment of the form `#key=value` or `#key` is
    /// uncommented. If there is none either, a line is appended. Nothing is done if the value is in force already.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), DanglingContinuation> {
        if let Some(entry) = self.document.entries_of(key).next_back() {
            if entry.value != *value {
                let edit = self.new_value(entry, value);
                self.edits.push(edit);
            }
            return Ok(());
        }
        match self.document.first_template(key) {
            Some(template) => {
                let separator = match template.separator {
                    Some(separator) => self.document.bytes[separator].to_vec(),
                    None => self.usual_separator(),
                };
                self.edits.push(Edit {
                    range: template.range,
                    replacement: setting(key, &separator, value),
                });
                Ok(())
            }
            None => self.append(&setting(key, &self.usual_separator(), value)),
        }
    }

    /// Leaves no entry of a key: the last one becomes the given comment, and earlier ones are removed.
    pub fn comment_out(&mut self, key: &str, comment: &str) {
        let mut entries = self.document.entries_of(key).rev();
        if let Some(last) = entries.next() {
            self.edits.push(Edit {
                range: last.range.clone(),
                replacement: comment.into(),
            });
        }
        for duplicate in entries {
            self.edits.push(Edit {
                range: self.whole_lines(&duplicate.range),
                replacement: Vec::new(),
            });
        }
    }

    /// Returns the edits in the order of the file.
    pub fn finish(mut self) -> Edits {
        self.edits.append(&mut self.appended);
        Edits::new(self.edits)
    }

    fn new_value(&self, entry: &Entry, value: &str) -> Edit {
        let mut replacement = if entry.separator.is_empty() {
            self.usual_separator()
        } else {
            Vec::new()
        };
        let old = &self.document.bytes[entry.value_range.clone()];
        replacement.extend(escape_value_like(old, value));
        Edit {
            range: entry.value_range.clone(),
            replacement,
        }
    }

    /// Appends a line. A file without a final line ending stays without one.
    fn append(&mut self, line: &[u8]) -> Result<(), DanglingContinuation> {
        let bytes = self.document.bytes;
        if self.document.ends_in_continuation && !self.replaces_the_end() {
            return Err(DanglingContinuation {
                line: lines::line_number(bytes, bytes.len().saturating_sub(1)),
            });
        }
        let ending = lines::last_line_ending(bytes).unwrap_or(b"\n");
        let replacement = if bytes.is_empty() || bytes.ends_with(ending) {
            [line, ending].concat()
        } else {
            [ending, line].concat()
        };
        self.appended.push(Edit {
            range: bytes.len()..bytes.len(),
            replacement,
        });
        Ok(())
    }

    fn replaces_the_end(&self) -> bool {
        let end = self.document.end;
        self.edits
            .iter()
            .any(|edit| !edit.range.is_empty() && Some(edit.range.end) == end)
    }

    /// Returns the separator of the last entry that has a plain one, as the file's own style.
    fn usual_separator(&self) -> Vec<u8> {
        match &self.document.plain_separator {
            Some(separator) => self.document.bytes[separator.clone()].to_vec(),
            None => b"=".to_vec(),
        }
    }

    /// Returns a range with the blanks before it and the line ending after it.
    fn whole_lines(&self, range: &Range<usize>) -> Range<usize> {
        let bytes = self.document.bytes;
        let start = bytes[..range.start]
            .iter()
            .rposition(|byte| matches!(byte, b'\n' | b'\r'))
            .map_or(0, |ending| ending + 1);
        start..lines::line_at(bytes, range.end).next
    }
}

fn setting(key: &str, separator: &[u8], value: &str) -> Vec<u8> {
    [&escape_key(key), separator, &escape_value(value)].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(file: &[u8], settings: &[(&str, &str)]) -> Result<Vec<u8>, DanglingContinuation> {
        let document = Document::parse(file).unwrap();
        let mut editor = Editor::new(&document);
        for (key, value) in settings {
            editor.set(key, value)?;
        }
        Ok(editor.finish().apply(file))
    }

    #[test]
    fn another_value_is_escaped_as_the_old_one() {
        for (old, new) in [
            (r"k=arn\:a\:b/1", r"k=arn\:c\:d/2"),
            (r"k=arn:a:b/1", r"k=arn:c:d/2"),
            // Only some of the colons are escaped.
            (r"k=arn\:a:b/1", r"k=arn:c:d/2"),
            (r"k=arn\:a\:b\/1", r"k=arn\:c\:d\/2"),
            // Others than these have a meaning of their own after a backslash.
            ("k=\\tarn:\\u0061:b\\\n  /1", "k=arn:c:d/2"),
        ] {
            assert_eq!(
                set(old.as_bytes(), &[("k", "arn:c:d/2")]).unwrap(),
                new.as_bytes(),
                "{old}"
            );
        }
    }

    #[test]
    fn nothing_is_appended_to_a_last_value_that_continues() {
        assert_eq!(
            set(b"a=1\nb=2\\", &[("c", "3")]),
            Err(DanglingContinuation { line: 2 })
        );
    }

    #[test]
    fn a_line_follows_a_last_value_that_continued_and_is_replaced() {
        assert_eq!(
            set(b"a=1\nb=2\\", &[("b", "4"), ("c", "3")]).unwrap(),
            b"a=1\nb=4\nc=3"
        );
        // A new value of another entry leaves the last one unchanged.
        assert_eq!(
            set(b"a=1\nb=2\\", &[("a", "4"), ("c", "3")]),
            Err(DanglingContinuation { line: 2 })
        );
    }
}
