//! The stream of tokens of a document.

use std::ops::Range;

use super::content::Content;
use super::error::{Malformed, Problem};
use super::prolog::prolog_length;
use super::reference::reference;
use super::syntax::{check_text, find, is_space, name_length};

/// The limit on the depth of nested elements.
const DEPTH_LIMIT: usize = 256;
/// The limit on the attributes of an element.
const ATTRIBUTE_LIMIT: usize = 1_000;
/// The limit on the namespace prefixes that are declared at one place: each name with a prefix is looked up among them.
const PREFIX_LIMIT: usize = 100;

/// A piece of a document. All ranges are offsets into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// A start tag, or an empty element with both its tags in one.
    Start(Tag),
    /// The end tag of an element.
    End {
        /// The name, with its prefix.
        name: Range<usize>,
        /// The range from `<` to `>`.
        range: Range<usize>,
    },
    /// Text between markup, with references not replaced.
    Text(Range<usize>),
    /// The text of a CDATA section.
    Cdata(Range<usize>),
    /// A comment or processing instruction.
    Misc(Range<usize>),
}

/// A start tag. [`Tokenizer::attributes`] returns its attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// The name, with its prefix.
    pub name: Range<usize>,
    /// The range from `<` to `>`.
    pub range: Range<usize>,
    /// Whether it is an empty element, `<name/>`.
    pub is_empty: bool,
}

/// The name of an attribute and its value, without its quotes and with references not replaced.
pub type Attribute = (Range<usize>, Range<usize>);

/// Reads a document token by token, and checks that it is well-formed on the way.
#[derive(Debug)]
pub struct Tokenizer<'a> {
    bytes: &'a [u8],
    position: usize,
    /// The names of the open elements.
    open: Vec<Range<usize>>,
    /// The namespace prefixes that are declared, with the depth of the element that declares them.
    prefixes: Vec<(usize, Range<usize>)>,
    /// The attributes of the last start tag.
    attributes: Vec<Attribute>,
    has_root: bool,
}

/// Returns the value of an attribute of a start tag that was read before, with references replaced.
pub fn attribute_value(tag: &[u8], wanted: &[u8]) -> Option<String> {
    let mut tokens = Tokenizer::at_start(tag, 0);
    let name = tokens.name(1)?;
    tokens.read_attributes(0, name.end).ok()?;
    let mut attributes = tokens.attributes.iter();
    let (_, value) = attributes.find(|(name, _)| tag[name.clone()] == *wanted)?;
    Some(Content::text_of(tag, value).into_owned())
}

impl<'a> Tokenizer<'a> {
    /// Checks the characters of the whole document and its declaration.
    pub fn new(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let position =
            prolog_length(bytes).and_then(|position| check_text(bytes).map(|()| position));
        let position =
            position.map_err(|(offset, problem)| Malformed::at(bytes, offset, problem))?;
        Ok(Self::at_start(bytes, position))
    }

    fn at_start(bytes: &'a [u8], position: usize) -> Self {
        Self {
            bytes,
            position,
            open: Vec::new(),
            prefixes: Vec::new(),
            attributes: Vec::new(),
            has_root: false,
        }
    }

    /// Returns the next token, or `None` at the end of the document.
    pub fn next_token(&mut self) -> Result<Option<Token>, Malformed> {
        let start = self.position;
        self.read()
            .map_err(|(offset, problem)| Malformed::at(self.bytes, start.max(offset), problem))
    }

    /// Leaves out the text before the next markup if it is nothing but blanks. Between two tags, it nearly always is.
    pub fn skip_blanks(&mut self) {
        let markup = self.skip_space(self.position);
        if self.bytes.get(markup) == Some(&b'<') {
            self.position = markup;
        }
    }

    /// Returns the attributes of the last start tag.
    pub fn attributes(&self) -> &[Attribute] {
        &self.attributes
    }

    fn read(&mut self) -> Result<Option<Token>, (usize, Problem)> {
        let start = self.position;
        let rest = &self.bytes[start..];
        match rest {
            [] if !self.open.is_empty() => Err((start, Problem::UnexpectedEnd)),
            [] if !self.has_root => Err((start, Problem::NoRoot)),
            [] => Ok(None),
            [b'<', b'/', ..] => self.end_tag().map(Some),
            [b'<', b'!', b'-', b'-', ..] => self.comment().map(Some),
            [b'<', b'!', b'[', ..] => self.cdata_section().map(Some),
            [b'<', b'!', ..] if rest.starts_with(b"<!DOCTYPE") => Err((start, Problem::Doctype)),
            [b'<', b'!', ..] => Err((start, Problem::Markup)),
            [b'<', b'?', ..] => self.instruction().map(Some),
            [b'<', ..] => self.start_tag().map(Some),
            _ => self.text().map(Some),
        }
    }

    fn text(&mut self) -> Result<Token, (usize, Problem)> {
        let start = self.position;
        let mut position = start;
        // Stops at any byte that may end the text or be wrong in it, in one pass.
        loop {
            let rest = &self.bytes[position..];
            let Some(length) = memchr::memchr3(b'<', b'&', b']', rest) else {
                position = self.bytes.len();
                break;
            };
            position += length;
            match &rest[length..] {
                [b'<', ..] => break,
                special @ [b'&', ..] if reference(special).is_none() => {
                    return Err((position, Problem::Reference));
                }
                [b']', b']', b'>', ..] => return Err((position, Problem::Text)),
                _ => position += 1,
            }
        }
        let is_outside = self.open.is_empty();
        if is_outside
            && !self.bytes[start..position]
                .iter()
                .all(|&byte| is_space(byte))
        {
            return Err((start, Problem::OutsideRoot));
        }
        self.position = position;
        Ok(Token::Text(start..position))
    }

    fn start_tag(&mut self) -> Result<Token, (usize, Problem)> {
        let start = self.position;
        if self.open.is_empty() && self.has_root {
            return Err((start, Problem::OutsideRoot));
        }
        let name = self.name(start + 1).ok_or((start, Problem::Tag))?;
        let (position, is_empty) = self.read_attributes(start, name.end)?;
        self.check_attributes(&name)?;
        self.has_root = true;
        if is_empty {
            self.close_prefixes();
        } else {
            self.open.push(name.clone());
        }
        if self.open.len() > DEPTH_LIMIT {
            return Err((start, Problem::TooDeep));
        }
        self.position = position;
        Ok(Token::Start(Tag {
            name,
            range: start..position,
            is_empty,
        }))
    }

    /// Reads the attributes of a start tag. Returns the offset after the tag, and whether it is an empty element.
    fn read_attributes(
        &mut self,
        start: usize,
        mut position: usize,
    ) -> Result<(usize, bool), (usize, Problem)> {
        self.attributes.clear();
        loop {
            let after_space = self.skip_space(position);
            match &self.bytes[after_space..] {
                [b'>', ..] => return Ok((after_space + 1, false)),
                [b'/', b'>', ..] => return Ok((after_space + 2, true)),
                [] => return Err((start, Problem::UnexpectedEnd)),
                _ if after_space == position => return Err((position, Problem::Tag)),
                _ => {
                    let attribute = self.attribute(after_space)?;
                    position = attribute.1.end + 1;
                    self.attributes.push(attribute);
                }
            }
            if self.attributes.len() > ATTRIBUTE_LIMIT {
                return Err((start, Problem::TooManyAttributes));
            }
        }
    }

    /// Reads `name = "value"`, with the value between its quotes.
    fn attribute(&self, start: usize) -> Result<Attribute, (usize, Problem)> {
        let malformed = (start, Problem::Attribute);
        let name = self.name(start).ok_or(malformed)?;
        let sign = self.skip_space(name.end);
        if self.bytes.get(sign) != Some(&b'=') {
            return Err(malformed);
        }
        let open = self.skip_space(sign + 1);
        let quote = match self.bytes.get(open) {
            Some(quote @ (b'"' | b'\'')) => *quote,
            _ => return Err(malformed),
        };
        let value_start = open + 1;
        let length = memchr::memchr(quote, &self.bytes[value_start..]).ok_or(malformed)?;
        let value = &self.bytes[value_start..value_start + length];
        if memchr::memchr(b'<', value).is_some() {
            return Err(malformed);
        }
        for ampersand in memchr::memchr_iter(b'&', value) {
            if reference(&value[ampersand..]).is_none() {
                return Err((value_start + ampersand, Problem::Reference));
            }
        }
        Ok((name, value_start..value_start + length))
    }

    fn check_attributes(&mut self, element: &Range<usize>) -> Result<(), (usize, Problem)> {
        let bytes = self.bytes;
        for (index, (name, _)) in self.attributes.iter().enumerate() {
            let text = &bytes[name.clone()];
            let is_twice = self.attributes[..index]
                .iter()
                .any(|(other, _)| bytes[other.clone()] == *text);
            if is_twice {
                return Err((name.start, Problem::DuplicateAttribute));
            }
            if text.starts_with(b"xmlns:") {
                self.prefixes
                    .push((self.open.len(), name.start + b"xmlns:".len()..name.end));
                if self.prefixes.len() > PREFIX_LIMIT {
                    return Err((name.start, Problem::TooManyPrefixes));
                }
            }
        }
        let attribute_names = self.attributes.iter().map(|(name, _)| name);
        for name in std::iter::once(element).chain(attribute_names) {
            self.check_prefix(name)?;
        }
        Ok(())
    }

    fn check_prefix(&self, name: &Range<usize>) -> Result<(), (usize, Problem)> {
        let text = &self.bytes[name.clone()];
        let Some(colon) = text.iter().position(|&byte| byte == b':') else {
            return Ok(());
        };
        let (prefix, local) = (&text[..colon], &text[colon + 1..]);
        let is_declared = matches!(prefix, b"xml" | b"xmlns")
            || self
                .prefixes
                .iter()
                .any(|(_, declared)| self.bytes[declared.clone()] == *prefix);
        let is_qualified = !prefix.is_empty() && !local.is_empty() && !local.contains(&b':');
        if is_declared && is_qualified {
            Ok(())
        } else {
            Err((name.start, Problem::Prefix))
        }
    }

    fn close_prefixes(&mut self) {
        let depth = self.open.len();
        while self
            .prefixes
            .pop_if(|(declared, _)| *declared >= depth)
            .is_some()
        {}
    }

    fn end_tag(&mut self) -> Result<Token, (usize, Problem)> {
        let start = self.position;
        let (name, end) = match self.plain_end(start + 2) {
            Some(name) => (name.clone(), name.end),
            None => self.other_end(start)?,
        };
        self.open.pop();
        self.close_prefixes();
        self.position = end + 1;
        Ok(Token::End {
            name,
            range: start..end + 1,
        })
    }

    /// Reads the name of the last open element with a `>` right after it, which is nearly always there.
    fn plain_end(&self, start: usize) -> Option<Range<usize>> {
        let open = self.open.last()?;
        let end = start + open.len();
        let is_open = self.bytes.get(start..end)? == &self.bytes[open.clone()];
        (is_open && self.bytes.get(end) == Some(&b'>')).then_some(start..end)
    }

    /// Reads any other end tag. Returns its name and the offset of its `>`.
    fn other_end(&self, start: usize) -> Result<(Range<usize>, usize), (usize, Problem)> {
        let name = self.name(start + 2).ok_or((start, Problem::Tag))?;
        let end = self.skip_space(name.end);
        if self.bytes.get(end) != Some(&b'>') {
            return Err((start, Problem::Tag));
        }
        match self.open.last() {
            Some(open) if self.bytes[open.clone()] == self.bytes[name.clone()] => Ok((name, end)),
            _ => Err((start, Problem::Mismatch)),
        }
    }

    fn comment(&mut self) -> Result<Token, (usize, Problem)> {
        let start = self.position;
        let inner = start + b"<!--".len();
        let dashes = find(&self.bytes[inner..], b"--").ok_or((start, Problem::Comment))?;
        let end = inner + dashes + 2;
        if self.bytes.get(end) != Some(&b'>') {
            return Err((start, Problem::Comment));
        }
        self.position = end + 1;
        Ok(Token::Misc(start..end + 1))
    }

    fn cdata_section(&mut self) -> Result<Token, (usize, Problem)> {
        let start = self.position;
        let inner = start + b"<![CDATA[".len();
        if !self.bytes[start..].starts_with(b"<![CDATA[") {
            return Err((start, Problem::Markup));
        }
        if self.open.is_empty() {
            return Err((start, Problem::OutsideRoot));
        }
        let length = find(&self.bytes[inner..], b"]]>").ok_or((start, Problem::UnexpectedEnd))?;
        self.position = inner + length + 3;
        Ok(Token::Cdata(inner..inner + length))
    }

    fn instruction(&mut self) -> Result<Token, (usize, Problem)> {
        let start = self.position;
        let malformed = (start, Problem::Instruction);
        let name = self.name(start + 2).ok_or(malformed)?;
        let text = &self.bytes[name.clone()];
        if text.eq_ignore_ascii_case(b"xml") || text.contains(&b':') {
            return Err(malformed);
        }
        let length = find(&self.bytes[name.end..], b"?>").ok_or(malformed)?;
        if length > 0 && !is_space(self.bytes[name.end]) {
            return Err(malformed);
        }
        self.position = name.end + length + 2;
        Ok(Token::Misc(start..self.position))
    }

    fn name(&self, start: usize) -> Option<Range<usize>> {
        Some(start..start + name_length(self.bytes.get(start..)?)?)
    }

    fn skip_space(&self, start: usize) -> usize {
        let mut rest = &self.bytes[start..];
        // Half of a file is indentation, which goes by eight bytes at a time.
        while let Some((blanks, after)) = rest.split_first_chunk()
            && *blanks == [b' '; 8]
        {
            rest = after;
        }
        while let [byte, after @ ..] = rest
            && is_space(*byte)
        {
            rest = after;
        }
        self.bytes.len() - rest.len()
    }
}
