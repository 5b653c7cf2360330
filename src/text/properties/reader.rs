//! Reading: natural lines to logical lines to entries, each with its place in the file.

use std::ops::Range;

use super::escape::{JavaString, MalformedUnicode, unescape};
use crate::text::lines;

/// A properties file and where its settings stand in it.
#[derive(Debug)]
pub struct Document<'a> {
    /// The bytes of the whole file.
    pub bytes: &'a [u8],
    /// The settings in force or overridden, in the order of the file.
    pub entries: Vec<Entry>,
    /// The comments, in the order of the file.
    pub comments: Vec<Comment>,
    /// Whether the file ends in a `\` that would join the last line with whatever is appended.
    pub ends_in_continuation: bool,
    /// The end of the last setting.
    pub(super) end: Option<usize>,
    /// The last separator that is `=` or `:`, with the blanks around it.
    pub(super) plain_separator: Option<Range<usize>>,
}

/// A key and its value: one logical line.
#[derive(Debug)]
pub struct Entry {
    /// The key as Java reads it.
    pub key: JavaString,
    /// The value as Java reads it.
    pub value: JavaString,
    /// The logical line, from the first byte that is not a blank up to its line ending.
    pub range: Range<usize>,
    /// What stands between key and value; empty if nothing does.
    pub separator: Range<usize>,
    /// The value as it is spelled, continuations included; ends where `range` ends.
    pub value_range: Range<usize>,
}

/// A comment: one natural line.
#[derive(Debug)]
pub struct Comment {
    /// From the `#` or `!` up to the line ending.
    pub range: Range<usize>,
}

/// A `\u` without four hexadecimal digits: Java refuses the whole file.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} has a \\u escape without four hexadecimal digits")]
pub struct MalformedEscape {
    /// The natural line, from 1.
    pub line: usize,
}

impl<'a> Document<'a> {
    /// Reads the settings and comments of a file.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, MalformedEscape> {
        Self::parse_some(bytes, |_| true, |_| true)
    }

    /// Reads a file, and keeps only some of its settings and comments.
    pub fn parse_some(
        bytes: &'a [u8],
        keeps_entry: impl Fn(&Entry) -> bool,
        keeps_comment: impl Fn(&Comment) -> bool,
    ) -> Result<Self, MalformedEscape> {
        let mut document = Self {
            bytes,
            entries: Vec::new(),
            comments: Vec::new(),
            ends_in_continuation: false,
            end: None,
            plain_separator: None,
        };
        let mut items = Items::new(bytes);
        for item in &mut items {
            match item? {
                Item::Entry(entry) => {
                    document.end = Some(entry.range.end);
                    if matches!(bytes[entry.separator.clone()].trim_ascii(), b"=" | b":") {
                        document.plain_separator = Some(entry.separator.clone());
                    }
                    if keeps_entry(&entry) {
                        document.entries.push(entry);
                    }
                }
                Item::Comment(comment) if keeps_comment(&comment) => {
                    document.comments.push(comment);
                }
                Item::Comment(_) => {}
            }
        }
        document.ends_in_continuation = items.ends_in_continuation;
        Ok(document)
    }

    /// The entries with a key, in the order of the file; the last one is in force.
    pub fn entries_of(&self, key: &str) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.key == *key)
    }

    /// The value in force of a key.
    pub fn value(&self, key: &str) -> Option<&JavaString> {
        self.entries_of(key).next_back().map(|entry| &entry.value)
    }
}

/// A setting or a comment.
#[derive(Debug)]
pub enum Item {
    /// A logical line with a setting.
    Entry(Entry),
    /// A line with a comment.
    Comment(Comment),
}

impl Item {
    /// Returns the setting, if it is one.
    pub fn entry(self) -> Option<Entry> {
        match self {
            Self::Entry(entry) => Some(entry),
            Self::Comment(_) => None,
        }
    }
}

/// Reads the settings and comments of a file, one after the other.
pub struct Items<'a> {
    bytes: &'a [u8],
    position: usize,
    logical: LogicalLine,
    ends_in_continuation: bool,
}

impl<'a> Items<'a> {
    /// Starts at the beginning of a file.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            position: 0,
            logical: LogicalLine::default(),
            ends_in_continuation: false,
        }
    }
}

impl Iterator for Items<'_> {
    type Item = Result<Item, MalformedEscape>;

    fn next(&mut self) -> Option<Self::Item> {
        let (bytes, logical) = (self.bytes, &mut self.logical);
        while self.position < bytes.len() {
            let line = lines::line_at(bytes, self.position);
            self.position = line.next;
            let start = skip_blanks(bytes, &line.content);
            let content = start..line.content.end;
            // As in Java, what follows a `\` that stood alone on its line is still the start of a logical line.
            if logical.text.is_empty() {
                if content.is_empty() {
                    logical.clear();
                    continue;
                }
                if matches!(bytes[start], b'#' | b'!') {
                    logical.clear();
                    return Some(Ok(Item::Comment(Comment { range: content })));
                }
            }
            let continues = ends_in_continuation(&bytes[content.clone()]);
            logical.push(bytes, &content, continues);
            let is_last = self.position == bytes.len();
            if continues && is_last && logical.text.is_empty() && ends_in_crlf(bytes) {
                // A lone `\` before a final CRLF is nothing to Java; before a final LF it is an empty key.
                break;
            }
            if !continues || is_last {
                self.ends_in_continuation = continues;
                let entry = logical.entry(bytes);
                logical.clear();
                return Some(entry.map(Item::Entry));
            }
        }
        None
    }
}

/// A logical line while its natural lines are gathered.
#[derive(Default)]
struct LogicalLine {
    /// Where it starts in the file, lines that hold nothing but the `\` of a continuation left out.
    start: usize,
    end: usize,
    /// Its text without line endings, leading blanks and the `\` of continuations.
    text: Vec<u8>,
    /// Where each natural line's share starts: in `text` and in the file.
    pieces: Vec<(usize, usize)>,
}

impl LogicalLine {
    fn clear(&mut self) {
        self.text.clear();
        self.pieces.clear();
    }

    fn push(&mut self, bytes: &[u8], content: &Range<usize>, continues: bool) {
        if self.text.is_empty() {
            self.pieces.clear();
            self.start = content.start;
        }
        self.end = content.end;
        self.pieces.push((self.text.len(), content.start));
        let share = content.start..content.end - usize::from(continues);
        self.text.extend_from_slice(&bytes[share]);
    }

    fn entry(&self, bytes: &[u8]) -> Result<Entry, MalformedEscape> {
        let key_end = key_length(&self.text);
        let value_start = key_end + separator_length(&self.text[key_end..]);
        let decode = |range: Range<usize>| {
            unescape(&self.text[range.clone()]).map_err(|MalformedUnicode(at)| MalformedEscape {
                line: lines::line_number(bytes, self.source(range.start + at)),
            })
        };
        let value_source = if value_start < self.text.len() {
            self.source(value_start)
        } else {
            self.source_end(value_start)
        };
        Ok(Entry {
            key: decode(0..key_end)?,
            value: decode(value_start..self.text.len())?,
            range: self.start..self.end,
            separator: self.source_end(key_end)..self.source_end(value_start),
            value_range: value_source..self.end,
        })
    }

    /// Where a byte of the text stands in the file.
    fn source(&self, index: usize) -> usize {
        let piece = self.pieces.partition_point(|&(start, _)| start <= index) - 1;
        let (start, offset) = self.pieces[piece];
        offset + (index - start)
    }

    /// Where the part of the text before `index` ends in the file.
    fn source_end(&self, index: usize) -> usize {
        match index.checked_sub(1) {
            Some(last) => self.source(last) + 1,
            None => self.start,
        }
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | 0x0c)
}

fn skip_blanks(bytes: &[u8], range: &Range<usize>) -> usize {
    let blanks = bytes[range.clone()]
        .iter()
        .take_while(|&&byte| is_blank(byte));
    range.start + blanks.count()
}

/// Whether a natural line ends in an odd number of backslashes.
fn ends_in_continuation(content: &[u8]) -> bool {
    let backslashes = content.iter().rev().take_while(|&&byte| byte == b'\\');
    backslashes.count() % 2 == 1
}

fn ends_in_crlf(bytes: &[u8]) -> bool {
    bytes.ends_with(b"\r\n")
}

/// A key ends at the first separator that no backslash escapes.
fn key_length(text: &[u8]) -> usize {
    let mut escaped = false;
    text.iter()
        .position(|&byte| {
            let ends = !escaped && (matches!(byte, b'=' | b':') || is_blank(byte));
            escaped = byte == b'\\' && !escaped;
            ends
        })
        .unwrap_or(text.len())
}

/// Blanks with at most one `=` or `:` among them.
fn separator_length(text: &[u8]) -> usize {
    let mut seen = false;
    text.iter()
        .position(|&byte| {
            let is_first_sign = !seen && matches!(byte, b'=' | b':');
            seen |= is_first_sign;
            !(is_first_sign || is_blank(byte))
        })
        .unwrap_or(text.len())
}
