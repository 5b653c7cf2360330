//! The text of an element, decoded, with the place of each of its characters in the file.

use std::borrow::Cow;
use std::ops::Range;

use super::reference::reference;
use super::syntax::find;
use crate::text::splice::Edit;

/// The text between a start and an end tag. Each byte of the text can be traced to the bytes of the file that spell it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Content {
    /// The text, with references replaced.
    pub text: String,
    /// The offset in the file at which the spelling of each byte of the text starts.
    sources: Vec<usize>,
    /// The pieces of the file that spell it: text between markup, and CDATA sections without their brackets.
    pieces: Vec<Piece>,
    /// The end of the whole spelling.
    end: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    /// The start of its text in the whole text.
    text_start: usize,
    source: Range<usize>,
    is_section: bool,
}

impl Content {
    /// Returns empty content at an offset of the file.
    pub fn at(offset: usize) -> Self {
        Self {
            end: offset,
            ..Self::default()
        }
    }

    /// Reads a range of a well-formed document in which no element starts.
    pub fn read(bytes: &[u8], range: &Range<usize>) -> Self {
        let mut content = Self::at(range.start);
        for (source, is_section) in pieces(bytes, range) {
            content.end = source.end;
            content.pieces.push(Piece {
                text_start: content.text.len(),
                source: source.clone(),
                is_section,
            });
            for (spelled, offset) in characters(bytes, source, is_section) {
                match spelled {
                    Spelled::AsItself(text) => {
                        content.text.push_str(text);
                        content.sources.extend(offset..offset + text.len());
                    }
                    Spelled::Otherwise(character) => {
                        content.text.push(character);
                        let sources = std::iter::repeat_n(offset, character.len_utf8());
                        content.sources.extend(sources);
                    }
                }
            }
        }
        content
    }

    /// Returns the text of a CDATA section, whose range is given without its brackets.
    pub fn text_of_cdata(bytes: &[u8], range: Range<usize>) -> String {
        let mut text = String::with_capacity(range.len());
        add_text(&mut text, bytes, range, true);
        text
    }

    /// Returns only the text of such a range.
    pub fn text_of<'b>(bytes: &'b [u8], range: &Range<usize>) -> Cow<'b, str> {
        let spelled = &bytes[range.clone()];
        let is_plain = !spelled
            .iter()
            .any(|byte| matches!(byte, b'&' | b'<' | b'\r'));
        if is_plain && let Ok(text) = std::str::from_utf8(spelled) {
            return text.into();
        }
        let mut text = String::with_capacity(spelled.len());
        for (source, is_section) in pieces(bytes, range) {
            add_text(&mut text, bytes, source, is_section);
        }
        text.into()
    }

    /// Returns the edits of the file that replace a range of the text. They leave the marks of CDATA sections alone.
    ///
    /// The replacement goes after the character before it.
    pub fn splice(&self, bytes: &[u8], range: Range<usize>, replacement: &str) -> Vec<Edit> {
        if range.is_empty() {
            let offset = match range.start.checked_sub(1) {
                None => self.sources.first().copied().unwrap_or(self.end),
                Some(last) => self.spelling_end(bytes, last),
            };
            let replacement = self.spell(bytes, replacement, offset).into();
            return vec![Edit {
                range: offset..offset,
                replacement,
            }];
        }
        let mut edits: Vec<Edit> = Vec::new();
        for (index, piece) in self.pieces.iter().enumerate() {
            let next = self.pieces.get(index + 1);
            let text_end = next.map_or(self.text.len(), |next| next.text_start);
            let start = range.start.max(piece.text_start);
            let end = range.end.min(text_end);
            if start < end {
                let first = edits.is_empty();
                let source = self.sources[start]..self.spelling_end(bytes, end - 1);
                let replacement = if first {
                    self.spell(bytes, replacement, source.start)
                } else {
                    String::new()
                };
                edits.push(Edit {
                    range: source,
                    replacement: replacement.into(),
                });
            }
        }
        edits
    }

    /// Returns new text as it must be spelled at an offset of the file, with `&` as the element spells it already.
    fn spell(&self, bytes: &[u8], text: &str, offset: usize) -> String {
        let is_around = |piece: &&Piece| piece.source.start <= offset && offset <= piece.source.end;
        if self
            .pieces
            .iter()
            .find(is_around)
            .is_some_and(|piece| piece.is_section)
        {
            // A URI never holds the end of a section; if one did, it would be split in two.
            return text.replace("]]>", "]]]]><![CDATA[>");
        }
        let existing = self
            .text
            .bytes()
            .zip(&self.sources)
            .filter(|(byte, _)| *byte == b'&')
            .find_map(|(_, &source)| {
                let spelled = bytes.get(source..)?;
                // In a CDATA section, &lt; is text and not a reference.
                let (_, length) = reference(spelled).filter(|(character, _)| *character == '&')?;
                std::str::from_utf8(&spelled[..length]).ok()
            });
        escape(text, existing.unwrap_or("&amp;"))
    }

    fn spelling_end(&self, bytes: &[u8], index: usize) -> usize {
        let source = self.sources[index];
        let rest = &bytes[source..];
        let piece = self
            .pieces
            .iter()
            .find(|piece| piece.source.contains(&source));
        let (_, length) = match piece {
            Some(piece) if piece.is_section => first_character(rest),
            _ => spelled_character(rest),
        };
        source + length
    }
}

/// Returns the pieces of a range that spell text, and whether each is a CDATA section.
fn pieces<'b>(
    bytes: &'b [u8],
    range: &Range<usize>,
) -> impl Iterator<Item = (Range<usize>, bool)> + use<'b> {
    let (mut position, limit) = (range.start, range.end);
    let end_of = move |from: usize, end: &[u8]| {
        let length = find(&bytes[from..limit], end);
        length.map_or(limit, |length| from + length)
    };
    std::iter::from_fn(move || {
        while position < limit {
            let rest = &bytes[position..limit];
            if rest.starts_with(b"<![CDATA[") {
                let start = position + b"<![CDATA[".len();
                let end = end_of(start, b"]]>");
                position = end + b"]]>".len();
                return Some((start..end, true));
            } else if rest.starts_with(b"<!--") {
                position = end_of(position + b"<!--".len(), b"-->") + b"-->".len();
            } else if rest.starts_with(b"<?") {
                position = end_of(position, b"?>") + b"?>".len();
            } else {
                let start = position;
                position = end_of(position, b"<");
                return Some((start..position, false));
            }
        }
        None
    })
}

/// A part of a text, as a piece of the file spells it.
enum Spelled<'b> {
    /// Bytes that stand for themselves.
    AsItself(&'b str),
    /// A character that is spelled in another way, or outside ASCII.
    Otherwise(char),
}

/// Returns the text of a piece, each part with the offset of its spelling. Nearly all text is plain ASCII, which comes in runs.
fn characters(
    bytes: &[u8],
    source: Range<usize>,
    is_section: bool,
) -> impl Iterator<Item = (Spelled<'_>, usize)> {
    let next = if is_section {
        first_character
    } else {
        spelled_character
    };
    let mut position = source.start;
    std::iter::from_fn(move || {
        let offset = position;
        let rest = bytes
            .get(offset..source.end)
            .filter(|rest| !rest.is_empty())?;
        let plain = plain_start(rest);
        if !plain.is_empty() {
            position += plain.len();
            return Some((Spelled::AsItself(plain), offset));
        }
        let (character, length) = next(rest);
        position += length;
        Some((Spelled::Otherwise(character), offset))
    })
}

/// Escapes text for a place between tags.
pub fn escape_text(text: &str) -> String {
    escape(text, "&amp;")
}

/// Escapes text for a place between double quotes.
pub fn escape_attribute(text: &str) -> String {
    escape_text(text).replace('"', "&quot;")
}

fn escape(text: &str, ampersand: &str) -> String {
    text.replace('&', ampersand)
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn add_text(text: &mut String, bytes: &[u8], source: Range<usize>, is_section: bool) {
    for (spelled, _) in characters(bytes, source, is_section) {
        match spelled {
            Spelled::AsItself(part) => text.push_str(part),
            Spelled::Otherwise(character) => text.push(character),
        }
    }
}

/// Returns the start of a text in which each byte is one character and stands for itself.
fn plain_start(text: &[u8]) -> &str {
    let is_plain = |byte: u8| byte.is_ascii() && byte != b'&' && byte != b'\r';
    let length = text.iter().position(|byte| !is_plain(*byte));
    let plain = &text[..length.unwrap_or(text.len())];
    // It is ASCII.
    std::str::from_utf8(plain).unwrap_or_default()
}

/// Returns the character that a text starts with, as itself or as a reference, and the length of its spelling.
fn spelled_character(text: &[u8]) -> (char, usize) {
    match text {
        [b'&', ..] => reference(text).unwrap_or_else(|| first_character(text)),
        _ => first_character(text),
    }
}

/// Returns the first character of a text, with line endings made one LF (section 2.11), and its length.
fn first_character(text: &[u8]) -> (char, usize) {
    match text {
        [b'\r', b'\n', ..] => ('\n', 2),
        [b'\r', ..] => ('\n', 1),
        [byte, ..] if byte.is_ascii() => (char::from(*byte), 1),
        _ => {
            let valid = text.utf8_chunks().next().map_or("", |chunk| chunk.valid());
            let character = valid.chars().next().unwrap_or(char::REPLACEMENT_CHARACTER);
            (character, character.len_utf8())
        }
    }
}
