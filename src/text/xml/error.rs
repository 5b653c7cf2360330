//! What is wrong with a document, and where.

use crate::text::lines;

/// A document that no XML processor takes, or that we do not. Holds nothing of its text: that may be a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct Malformed {
    /// The line, from 1.
    pub line: usize,
    /// The column in bytes, from 1.
    pub column: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// The way in which a document is malformed, or of a kind that this parser refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Bytes that are no text in UTF-8.
    #[error("the text is not valid UTF-8")]
    NotUtf8,
    /// Another encoding is declared, or marked by the first bytes.
    #[error("the encoding is not UTF-8 or ASCII")]
    Encoding,
    /// A character that XML does not have.
    #[error("a character that XML does not allow")]
    Character,
    /// A document type declaration: it may define entities, and no configuration needs one.
    #[error("a document type declaration (DTD), which is refused")]
    Doctype,
    /// The declaration `<?xml ...?>` is not as it must be.
    #[error("a malformed XML declaration")]
    Declaration,
    /// A construct that does not end before the file does.
    #[error("the file ends in the middle of an element")]
    UnexpectedEnd,
    /// Something that starts with `<` and is nothing of XML.
    #[error("malformed markup")]
    Markup,
    /// A tag that is not as it must be.
    #[error("a malformed tag")]
    Tag,
    /// An attribute that is not as it must be.
    #[error("a malformed attribute")]
    Attribute,
    /// The same attribute twice.
    #[error("an attribute is given twice")]
    DuplicateAttribute,
    /// A prefix without namespace.
    #[error("a name with a prefix that is not declared")]
    Prefix,
    /// More attributes than any element has.
    #[error("an element with more than 1,000 attributes")]
    TooManyAttributes,
    /// More namespaces than any configuration has.
    #[error("more than 100 namespace prefixes declared at one place")]
    TooManyPrefixes,
    /// Deeper than any configuration goes.
    #[error("elements nested more than 256 deep")]
    TooDeep,
    /// An end tag that ends another element.
    #[error("an end tag that does not match its start tag")]
    Mismatch,
    /// `--` in a comment.
    #[error("a malformed comment")]
    Comment,
    /// A processing instruction that is none.
    #[error("a malformed processing instruction")]
    Instruction,
    /// `]]>` or an `&` that starts no reference.
    #[error("a character in the text that must be written as a reference")]
    Text,
    /// A reference to an entity or character that is not there.
    #[error("a reference to an unknown entity or character")]
    Reference,
    /// Text or a second element beside the root.
    #[error("content outside the root element")]
    OutsideRoot,
    /// No element at all.
    #[error("there is no root element")]
    NoRoot,
}

impl Malformed {
    pub(super) fn at(bytes: &[u8], offset: usize, problem: Problem) -> Self {
        let offset = offset.min(bytes.len());
        let line_start = bytes[..offset]
            .iter()
            .rposition(|byte| matches!(byte, b'\n' | b'\r'))
            .map_or(0, |ending| ending + 1);
        Self {
            line: lines::line_number(bytes, offset),
            column: offset - line_start + 1,
            problem,
        }
    }
}
