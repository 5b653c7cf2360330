//! XML 1.0 without DTDs, as a stream of tokens with their places, for edits that keep every other byte.
//!
//! A tokenizer of our own, and strict: what an XML processor must refuse, it refuses. Streaming libraries take much that is malformed, and a
//! tree costs six times the file in memory. Sections named in comments are those of "Extensible Markup Language (XML) 1.0 (Fifth Edition)".

mod content;
mod error;
mod prolog;
mod reference;
mod syntax;
#[cfg(test)]
mod tests;
mod tokenizer;

pub use content::{Content, escape_attribute, escape_text};
pub use error::{Malformed, Problem};
pub use reference::is_allowed;
pub use tokenizer::{Attribute, Tag, Token, Tokenizer, attribute_value};
