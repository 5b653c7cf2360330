//! Comments that hold a setting which only waits to be uncommented.

use std::ops::Range;

use super::escape::escape_key;
use super::reader::{Comment, Document};

/// A comment of the form `#key=value`, `# key = value`, `# key =` or `# key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// From the `#` or `!` up to the line ending.
    pub range: Range<usize>,
    /// The `=` with the blanks around it; none where the key stands alone.
    pub separator: Option<Range<usize>>,
    /// The value, without blanks around it; empty where there is none.
    pub value: Range<usize>,
}

impl Template {
    /// Reads a comment of a file as a template of a key.
    ///
    /// Prose that starts with the key is none: more than one word follows it, or no `=`.
    pub fn read(bytes: &[u8], comment: &Comment, key: &str) -> Option<Self> {
        Self::of(bytes, comment, &escape_key(key))
    }

    fn of(bytes: &[u8], comment: &Comment, escaped_key: &[u8]) -> Option<Self> {
        let range = comment.range.clone();
        let key_start = skip_blanks(bytes, range.start + 1..range.end);
        let after_key = bytes[key_start..range.end].strip_prefix(escaped_key)?.len();
        let key_end = range.end - after_key;
        let sign = skip_blanks(bytes, key_end..range.end);
        if sign == range.end {
            return Some(Self {
                separator: None,
                value: range.end..range.end,
                range,
            });
        }
        if bytes[sign] != b'=' {
            return None;
        }
        let value_start = skip_blanks(bytes, sign + 1..range.end);
        let value = bytes[value_start..range.end].trim_ascii_end();
        if value.iter().any(|&byte| is_blank(byte)) {
            return None;
        }
        Some(Self {
            separator: Some(key_end..value_start),
            value: value_start..value_start + value.len(),
            range,
        })
    }
}

impl Document<'_> {
    /// The first template of a key.
    pub fn first_template(&self, key: &str) -> Option<Template> {
        let escaped_key = escape_key(key);
        let mut comments = self.comments.iter();
        comments.find_map(|comment| Template::of(self.bytes, comment, &escaped_key))
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn skip_blanks(bytes: &[u8], range: Range<usize>) -> usize {
    let blanks = bytes[range.clone()]
        .iter()
        .take_while(|&&byte| is_blank(byte));
    range.start + blanks.count()
}
