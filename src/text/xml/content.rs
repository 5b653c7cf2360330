//! The text of an element, decoded, with the place of each of its characters in the file.

use std::ops::Range;

use super::reference::reference;

/// The text between a start and an end tag. Bytes of the text can be traced to the bytes of the file that spell them.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Content {
    /// The text, references replaced.
    pub text: String,
    /// For each byte of the text, where its spelling starts in the file.
    sources: Vec<usize>,
    /// The ranges of the file that are CDATA sections, without their brackets.
    sections: Vec<Range<usize>>,
    /// Where the spelling of the whole ends.
    end: usize,
}

impl Content {
    /// Empty content at a place of the file.
    pub fn at(offset: usize) -> Self {
        Self {
            end: offset,
            ..Self::default()
        }
    }

    /// Appends a [`Text`](super::Token::Text) token.
    pub fn push_text(&mut self, bytes: &[u8], range: Range<usize>) {
        let mut position = range.start;
        while position < range.end {
            let rest = &bytes[position..range.end];
            let (character, length) = match reference(rest) {
                Some(found) if rest[0] == b'&' => found,
                _ => first_character(rest),
            };
            self.push(character, position);
            position += length;
        }
        self.end = range.end;
    }

    /// Appends a [`CharacterData`](super::Token::CharacterData) token.
    pub fn push_character_data(&mut self, bytes: &[u8], range: Range<usize>) {
        let mut position = range.start;
        while position < range.end {
            let (character, length) = first_character(&bytes[position..range.end]);
            self.push(character, position);
            position += length;
        }
        self.end = range.end;
        self.sections.push(range);
    }

    /// Where a range of the text is spelled. An empty range lies behind the character before it.
    pub fn source(&self, bytes: &[u8], range: Range<usize>) -> Range<usize> {
        let behind = |index: usize| match index.checked_sub(1) {
            None => self.sources.first().copied().unwrap_or(self.end),
            Some(last) => self.spelling_end(bytes, last),
        };
        if range.is_empty() {
            return behind(range.start)..behind(range.start);
        }
        self.sources[range.start]..behind(range.end)
    }

    /// New text as it must be spelled at a place of the file, with `&` as the element spells it already.
    pub fn spell(&self, bytes: &[u8], text: &str, offset: usize) -> String {
        if self
            .sections
            .iter()
            .any(|section| section.start <= offset && offset <= section.end)
        {
            // A URI never holds the end of a section; if one did, it would be split in two.
            return text.replace("]]>", "]]]]><![CDATA[>");
        }
        let existing = self
            .text
            .bytes()
            .zip(&self.sources)
            .find_map(|(byte, &source)| {
                let spelled = bytes.get(source..)?;
                let (_, length) =
                    reference(spelled).filter(|_| byte == b'&' && spelled[0] == b'&')?;
                std::str::from_utf8(&spelled[..length]).ok()
            });
        escape(text, existing.unwrap_or("&amp;"))
    }

    fn push(&mut self, character: char, source: usize) {
        self.text.push(character);
        self.sources
            .extend(std::iter::repeat_n(source, character.len_utf8()));
    }

    fn spelling_end(&self, bytes: &[u8], index: usize) -> usize {
        let source = self.sources[index];
        let rest = &bytes[source..];
        let is_literal = self
            .sections
            .iter()
            .any(|section| section.contains(&source));
        match reference(rest) {
            Some((_, length)) if rest[0] == b'&' && !is_literal => source + length,
            _ => source + first_character(rest).1,
        }
    }
}

/// Text as it is written between tags.
pub fn escape_text(text: &str) -> String {
    escape(text, "&amp;")
}

/// Text as it is written between double quotes.
pub fn escape_attribute(text: &str) -> String {
    escape_text(text).replace('"', "&quot;")
}

fn escape(text: &str, ampersand: &str) -> String {
    text.replace('&', ampersand)
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// The first character of a text, line endings made one LF (section 2.11), and its length.
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
