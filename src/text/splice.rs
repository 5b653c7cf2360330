//! Edits as replacements of byte ranges: what no edit names stays as it is, byte for byte.

use std::ops::Range;

/// One replacement of a range of bytes. An empty range inserts, an empty replacement deletes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The bytes of the original that go.
    pub range: Range<usize>,
    /// The bytes that come in their place.
    pub replacement: Vec<u8>,
}

impl Edit {
    fn place(&self) -> (usize, usize) {
        (self.range.start, self.range.end)
    }
}

/// A set of edits to one text, in the order of their places.
///
/// Insertions at one place keep the order in which they were given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edits(Vec<Edit>);

impl Edits {
    /// Orders the edits.
    ///
    /// # Panics
    /// If two of them overlap: each byte of a text has at most one fate.
    pub fn new(edits: Vec<Edit>) -> Self {
        let edits = by_place(edits, Edit::place);
        assert!(
            edits
                .windows(2)
                .all(|pair| pair[0].range.end <= pair[1].range.start),
            "overlapping edits"
        );
        Self(edits)
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The edits in the order of their places.
    pub fn iter(&self) -> std::slice::Iter<'_, Edit> {
        self.0.iter()
    }

    /// The text after the edits.
    pub fn apply(&self, original: &[u8]) -> Vec<u8> {
        let added: usize = self.iter().map(|edit| edit.replacement.len()).sum();
        let mut result = Vec::with_capacity(original.len() + added);
        let mut copied = 0;
        for edit in self {
            result.extend_from_slice(&original[copied..edit.range.start]);
            result.extend_from_slice(&edit.replacement);
            copied = edit.range.end;
        }
        result.extend_from_slice(&original[copied..]);
        result
    }
}

impl<'a> IntoIterator for &'a Edits {
    type Item = &'a Edit;
    type IntoIter = std::slice::Iter<'a, Edit>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Brings things into the order of their places; what is at one place stays in the order that it has.
pub fn by_place<T>(things: Vec<T>, place: impl Fn(&T) -> (usize, usize)) -> Vec<T> {
    if things.is_sorted_by_key(&place) {
        return things;
    }
    // Their places are sorted, not they: each type that is sorted brings 4 KB into each binary.
    let mut places: Vec<((usize, usize), usize)> = things.iter().map(place).zip(0..).collect();
    places.sort_unstable();
    let mut things: Vec<Option<T>> = things.into_iter().map(Some).collect();
    let in_order = places
        .into_iter()
        .filter_map(|(_, index)| things[index].take());
    in_order.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(range: Range<usize>, replacement: &str) -> Edit {
        Edit {
            range,
            replacement: replacement.into(),
        }
    }

    #[test]
    fn replaces_inserts_and_deletes_in_one_pass() {
        let edits = Edits::new(vec![
            edit(6..6, "!"),
            edit(0..1, "J"),
            edit(6..6, "?"),
            edit(2..4, ""),
        ]);
        assert_eq!(edits.apply(b"hello."), b"Jeo.!?");
    }

    #[test]
    fn no_edit_gives_the_same_bytes() {
        assert_eq!(Edits::default().apply(b"\xff\r\n"), b"\xff\r\n");
    }

    #[test]
    #[should_panic(expected = "overlapping edits")]
    fn refuses_overlapping_edits() {
        Edits::new(vec![edit(0..3, ""), edit(2..4, "")]);
    }
}
