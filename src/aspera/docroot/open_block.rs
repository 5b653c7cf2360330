//! A user, group or default while it is read.

use super::conf::{Block, Precedence};
use super::element::{Element, Parent, Span};
use super::element_kind::ElementKind;
use super::owner::Owner;
use super::scope::BlockKind;
use crate::text::xml::Content;

/// A block whose end was not read yet.
pub(super) struct OpenBlock {
    kind: BlockKind,
    /// The range of its name, after it was read.
    name: Option<Span>,
    has_unclear_name: bool,
    /// The number of docroots before it.
    docroots_before: usize,
    has_restriction: bool,
    /// Its precedence, after it was read.
    precedence: Option<Precedence>,
    has_misc_in_precedence: bool,
    /// The innermost element on the way to the docroot, with its depth. If several have the same depth, the first counts.
    innermost: Option<(u8, Parent)>,
}

impl OpenBlock {
    pub(super) fn new(kind: BlockKind, docroots_before: usize) -> Self {
        Self {
            kind,
            name: None,
            has_unclear_name: false,
            docroots_before,
            has_restriction: false,
            precedence: None,
            has_misc_in_precedence: false,
            innermost: None,
        }
    }

    /// Notes that it restricts paths.
    pub(super) fn restrict(&mut self) {
        self.has_restriction = true;
    }

    /// Takes a comment or processing instruction, by the element that it is in.
    pub(super) fn take_misc(&mut self, parent: ElementKind) {
        match parent {
            ElementKind::Name => self.has_unclear_name = true,
            ElementKind::Precedence => self.has_misc_in_precedence = true,
            _ => {}
        }
    }

    pub(super) fn take_name(&mut self, bytes: &[u8], element: Element) {
        let name = Content::text_of(bytes, &element.content());
        let is_plain = !name.is_empty() && name.trim() == name;
        self.has_unclear_name |= self.name.is_some() || !is_plain;
        self.name = Some(element.content().into());
    }

    /// Takes its precedence. A second one, or one with anything but text in it, can be read in several ways.
    pub(super) fn take_precedence(&mut self, bytes: &[u8], parent: Parent) {
        let is_plain = parent.last_child.is_none()
            && !self.has_misc_in_precedence
            && self.precedence.is_none();
        self.precedence = Some(if is_plain {
            let text = Content::text_of(bytes, &parent.element.content());
            Precedence::parse(text.trim_ascii())
        } else {
            Precedence::Incomparable
        });
    }

    /// Takes an element on the way to the docroot. They end from the inside out.
    pub(super) fn take_on_the_way(&mut self, depth: u8, parent: Parent) {
        let innermost = self.innermost.as_ref();
        if innermost.is_none_or(|(innermost, _)| depth > *innermost) {
            self.innermost = Some((depth, parent));
        }
    }

    /// Returns the block at its end, or `None` if it has no name and needs one.
    pub(super) fn end(self, parent: Parent, docroots: usize) -> Option<Block> {
        if self.name.is_none() && self.kind != BlockKind::Global {
            return None;
        }
        let (depth, innermost) = self.innermost.unwrap_or((0, parent));
        Some(Block {
            owner: Owner {
                kind: self.kind,
                name: self.name,
            },
            has_unclear_name: self.has_unclear_name,
            docroots: (self.docroots_before..docroots).into(),
            has_restriction: self.has_restriction,
            precedence: self.precedence.unwrap_or(Precedence::DEFAULT),
            depth,
            innermost,
        })
    }
}
