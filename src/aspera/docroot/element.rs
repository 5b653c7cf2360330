//! Elements, by their places in the file. There may be very many, so each is kept small.

use std::num::NonZero;
use std::ops::Range;

/// A range of offsets. Files are limited to far less than 4 GiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    start: u32,
    /// One more than its end: since that is never 0, an `Option<Span>` takes no more room.
    after_end: NonZero<u32>,
}

impl Span {
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.after_end.get() as usize - 1
    }
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        Self {
            start: offset(range.start),
            after_end: NonZero::<u32>::MIN.saturating_add(offset(range.end)),
        }
    }
}

fn offset(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

/// The place of an element in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element {
    start: u32,
    content: Span,
}

impl Element {
    /// Creates a place from the ranges of the two tags. For `<name/>` the range of the end tag is empty and at the end of the start tag.
    pub(super) fn new(start_tag: &Range<usize>, end_tag: &Range<usize>) -> Self {
        Self {
            start: offset(start_tag.start),
            content: (start_tag.end..end_tag.start).into(),
        }
    }

    /// Returns the range of the start tag, or of the whole element if it is empty.
    pub fn start_tag(&self) -> Range<usize> {
        self.start as usize..self.content().start
    }

    /// Returns the range between its tags. For `<name/>` it is empty and at the end of the tag.
    pub fn content(&self) -> Range<usize> {
        self.content.range()
    }

    /// Returns whether it is written `<name/>`.
    pub fn is_empty_tag(&self, bytes: &[u8]) -> bool {
        bytes[self.start_tag()].ends_with(b"/>")
    }

    /// Returns the range from its first to its last byte.
    pub fn range(&self, bytes: &[u8]) -> Range<usize> {
        let start_tag = self.start_tag();
        if self.is_empty_tag(bytes) {
            return start_tag;
        }
        let content = self.content();
        let length = memchr::memchr(b'>', &bytes[content.end..]);
        start_tag.start..content.end + length.map_or(0, |length| length + 1)
    }
}

/// An element into which others can go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    pub element: Element,
    pub(super) last_child: Option<Span>,
}

impl Parent {
    /// Returns the range of its last child element.
    pub fn last_child(&self) -> Option<Range<usize>> {
        self.last_child.map(Span::range)
    }
}
