//! The owner of a docroot, by the place of its name in the file.

use std::borrow::Cow;

use super::element::Span;
use super::scope::{BlockKind, Scope};
use crate::text::xml::Content;

/// The owner of a docroot. There may be very many, so the name is not copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The kind of the block.
    pub kind: BlockKind,
    /// The range of its name, between the tags. The default has none.
    pub(super) name: Option<Span>,
}

impl Owner {
    /// Returns the owner with its name.
    pub fn scope(self, bytes: &[u8]) -> Scope {
        let name = || self.name(bytes).into_owned();
        match self.kind {
            BlockKind::User => Scope::User(name()),
            BlockKind::Group => Scope::Group(name()),
            BlockKind::Global => Scope::Global,
        }
    }

    /// Returns the kind and name, to compare them with those of other owners and with a [`Scope::key`].
    pub fn key(self, bytes: &[u8]) -> (BlockKind, Cow<'_, str>) {
        (self.kind, self.name(bytes))
    }

    fn name(self, bytes: &[u8]) -> Cow<'_, str> {
        match self.name {
            None => "".into(),
            Some(name) => match Content::text_of(bytes, &name.range()) {
                Cow::Borrowed(text) => text.trim_ascii().into(),
                Cow::Owned(text) => text.trim_ascii().to_owned().into(),
            },
        }
    }
}
