//! Places in the file. There may be very many, so each is kept small.

use std::ops::Range;

/// A range of offsets. Files are limited to far less than 4 GiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// Returns the range.
    pub fn range(self) -> Range<usize> {
        let offset = |place| usize::try_from(place).unwrap_or(usize::MAX);
        offset(self.start)..offset(self.end)
    }
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        let place = |offset| u32::try_from(offset).unwrap_or(u32::MAX);
        Self {
            start: place(range.start),
            end: place(range.end),
        }
    }
}
