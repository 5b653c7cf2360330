//! Natural lines: ended by LF, CR or CRLF, as `java.util.Properties` and XML count them.

use std::ops::Range;

use super::splice::Edits;

/// One natural line of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NaturalLine {
    /// The bytes without the line ending.
    pub content: Range<usize>,
    /// Where the next line starts; equal to the end of the content if no line ending follows.
    pub next: usize,
}

/// Returns the natural line that starts at an offset.
pub fn line_at(bytes: &[u8], start: usize) -> NaturalLine {
    let rest = &bytes[start..];
    let length = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
    let ending = match &rest[length..] {
        [b'\r', b'\n', ..] => 2,
        [_, ..] => 1,
        [] => 0,
    };
    NaturalLine {
        content: start..start + length,
        next: start + length + ending,
    }
}

/// Returns the natural lines of a range that starts and ends at line boundaries.
pub fn lines(bytes: &[u8], range: Range<usize>) -> impl Iterator<Item = NaturalLine> {
    let mut start = range.start;
    std::iter::from_fn(move || {
        (start < range.end).then(|| {
            let line = line_at(bytes, start);
            start = line.next;
            line
        })
    })
}

/// Returns the number, from 1, of the natural line that contains an offset.
pub fn line_number(bytes: &[u8], offset: usize) -> usize {
    1 + line_endings(&bytes[..offset], bytes.get(offset).copied())
}

/// Returns the last line ending of a text, if it has one.
pub fn last_line_ending(bytes: &[u8]) -> Option<&[u8]> {
    let last = bytes
        .iter()
        .rposition(|byte| matches!(byte, b'\n' | b'\r'))?;
    let is_crlf = bytes[last] == b'\n' && last > 0 && bytes[last - 1] == b'\r';
    Some(&bytes[last - usize::from(is_crlf)..=last])
}

/// Whole lines around edits that stand close together, before and after them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedRegion {
    /// The numbers, from 1, of the original lines on which its edits start.
    pub line_numbers: Vec<usize>,
    /// The bytes of the region in the original text.
    pub before: Range<usize>,
    /// The bytes of the region in the text after the edits.
    pub after: Range<usize>,
}

/// Groups edits into regions with some lines of context on each side; regions do not touch.
///
/// Takes time for the distance between the edits, once, and memory for the edits only.
pub fn changed_regions(original: &[u8], edits: &Edits, context: usize) -> Vec<ChangedRegion> {
    let mut regions: Vec<ChangedRegion> = Vec::new();
    let mut line_number = 1;
    let mut counted = 0;
    let mut shift = 0_isize;
    for edit in edits {
        line_number += line_endings(
            &original[counted..edit.range.start],
            original.get(edit.range.start).copied(),
        );
        counted = edit.range.start;
        let start = lines_back(original, edit.range.start, context);
        let end = lines_forward(original, edit.range.end, context);
        let shift_before = shift;
        shift += edit.replacement.len().cast_signed() - edit.range.len().cast_signed();
        let after_end = end.strict_add_signed(shift);
        match regions.last_mut() {
            Some(region) if start <= region.before.end => {
                region.before.end = region.before.end.max(end);
                region.after.end = region.before.end.strict_add_signed(shift);
                if region.line_numbers.last() != Some(&line_number) {
                    region.line_numbers.push(line_number);
                }
            }
            _ => regions.push(ChangedRegion {
                line_numbers: vec![line_number],
                before: start..end,
                after: start.strict_add_signed(shift_before)..after_end,
            }),
        }
    }
    regions
}

/// Counts the line endings in a text, given the byte that follows it: a CR before an LF is half an ending.
fn line_endings(bytes: &[u8], following: Option<u8>) -> usize {
    let next = |index: usize| bytes.get(index + 1).copied().or(following);
    bytes
        .iter()
        .enumerate()
        .filter(|&(index, &byte)| byte == b'\n' || byte == b'\r' && next(index) != Some(b'\n'))
        .count()
}

/// Returns the start of the line that is some lines before the one that contains an offset.
fn lines_back(bytes: &[u8], offset: usize, lines: usize) -> usize {
    let mut start = line_start(bytes, offset);
    for _ in 0..lines {
        if start == 0 {
            break;
        }
        let is_crlf = bytes[..start].ends_with(b"\r\n");
        start = line_start(bytes, start - if is_crlf { 2 } else { 1 });
    }
    start
}

/// Returns the end of the line that is some lines after the one that contains an offset.
fn lines_forward(bytes: &[u8], offset: usize, lines: usize) -> usize {
    let starts_a_line = offset > 0 && offset == line_start(bytes, offset);
    // An edit of whole lines ends at the start of the first line of its context.
    let lines = if starts_a_line { lines } else { lines + 1 };
    (0..lines).fold(offset, |end, _| line_at(bytes, end).next)
}

/// Returns the start of the natural line that contains an offset.
pub fn line_start(bytes: &[u8], offset: usize) -> usize {
    let inside_crlf = offset > 0 && bytes[offset - 1] == b'\r' && bytes.get(offset) == Some(&b'\n');
    bytes[..offset - usize::from(inside_crlf)]
        .iter()
        .rposition(|byte| matches!(byte, b'\n' | b'\r'))
        .map_or(0, |ending| ending + 1)
}

#[cfg(test)]
mod tests {
    use super::super::splice::Edit;
    use super::*;

    #[test]
    fn all_three_line_endings_end_a_line() {
        let text = b"a\r\nb\rc\n\nd";
        let contents: Vec<_> = lines(text, 0..text.len())
            .map(|line| &text[line.content])
            .collect();
        assert_eq!(contents, [&b"a"[..], b"b", b"c", b"", b"d"]);
        assert_eq!(line_number(text, 0), 1);
        assert_eq!(line_number(text, 1), 1);
        assert_eq!(line_number(text, 2), 1);
        assert_eq!(line_number(text, 3), 2);
        assert_eq!(line_number(text, text.len() - 1), 5);
    }

    #[test]
    fn the_last_line_ending_is_found_before_an_unended_line() {
        assert_eq!(last_line_ending(b"a\nb\r\nc"), Some(&b"\r\n"[..]));
        assert_eq!(last_line_ending(b"a\rb"), Some(&b"\r"[..]));
        assert_eq!(last_line_ending(b"\n"), Some(&b"\n"[..]));
        assert_eq!(last_line_ending(b"a"), None);
    }

    #[test]
    fn close_edits_share_a_region_and_distant_ones_do_not() {
        let original = b"1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        let edits = Edits::new(vec![
            Edit {
                range: 2..3,
                replacement: b"two".into(),
            },
            Edit {
                range: 4..6,
                replacement: b"".into(),
            },
            Edit {
                range: 18..18,
                replacement: b"10\n".into(),
            },
        ]);
        let after = edits.apply(original);
        let regions = changed_regions(original, &edits, 1);
        let shown: Vec<_> = regions
            .iter()
            .map(|region| {
                (
                    std::str::from_utf8(&original[region.before.clone()]).unwrap(),
                    std::str::from_utf8(&after[region.after.clone()]).unwrap(),
                    region.line_numbers.clone(),
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("1\n2\n3\n4\n", "1\ntwo\n4\n", vec![2, 3]),
                ("9\n", "9\n10\n", vec![10]),
            ]
        );
    }

    #[test]
    fn a_region_takes_whole_lines_of_any_ending() {
        let original = b"a\r\nb\rc";
        let edits = Edits::new(vec![Edit {
            range: 6..6,
            replacement: b"\rd".into(),
        }]);
        let regions = changed_regions(original, &edits, 1);
        assert_eq!(regions[0].before, 3..6);
        assert_eq!(regions[0].after, 3..8);
        assert_eq!(regions[0].line_numbers, [3]);
    }

    /// Returns all texts of a letter and the two characters that end lines, up to a length.
    fn texts(length: usize) -> Vec<Vec<u8>> {
        let mut texts = vec![Vec::new()];
        for index in 0.. {
            match texts.get(index) {
                Some(text) if text.len() < length => {
                    let text: Vec<u8> = text.clone();
                    texts.extend(b"a\n\r".map(|byte| [text.as_slice(), &[byte]].concat()));
                }
                _ => return texts,
            }
        }
        unreachable!("the loop returns")
    }

    /// Returns the start of each line: the start of the text, and the offset after each line ending.
    fn starts(text: &[u8]) -> Vec<usize> {
        let is_behind = |&place: &usize| {
            let next = text.get(place).copied();
            place == 0
                || text[place - 1] == b'\n'
                || text[place - 1] == b'\r' && next != Some(b'\n')
        };
        (0..=text.len()).filter(is_behind).collect()
    }

    #[test]
    fn every_place_has_its_line() {
        for text in texts(5) {
            let starts = starts(&text);
            let found: Vec<_> = lines(&text, 0..text.len()).collect();
            let ends: Vec<usize> = found.iter().map(|line| line.next).collect();
            let expected: Vec<usize> = (1..starts.len()).map(|index| starts[index]).collect();
            assert!(ends.starts_with(&expected), "{}", text.escape_ascii());
            for place in 0..=text.len() {
                let index = starts.iter().rposition(|start| *start <= place).unwrap();
                assert_eq!(line_number(&text, place), index + 1);
                assert_eq!(line_start(&text, place), starts[index]);
            }
            let last = found.iter().rev().find(|line| line.next > line.content.end);
            let ending = last.map(|line| &text[line.content.end..line.next]);
            assert_eq!(last_line_ending(&text), ending);
        }
    }

    #[test]
    fn a_region_is_the_lines_of_its_edits_with_context() {
        for text in texts(4) {
            for start in 0..=text.len() {
                for end in start..=text.len() {
                    for context in 0..3 {
                        check_region(&text, &(start..end), context);
                    }
                }
            }
        }
    }

    fn check_region(text: &[u8], range: &Range<usize>, context: usize) {
        let starts = starts(text);
        let line_of = |place: usize| starts.iter().rposition(|start| *start <= place).unwrap();
        let first = line_of(range.start);
        // An edit that ends at the start of a line changes nothing of that line.
        let ends_before = range.end > 0 && starts.contains(&range.end);
        let last = line_of(range.end) + usize::from(!ends_before);
        let behind = starts.get(last + context).copied();
        let before = starts[first.saturating_sub(context)]..behind.unwrap_or(text.len());
        let edits = Edits::new(vec![Edit {
            range: range.clone(),
            replacement: b"xyz".into(),
        }]);
        let expected = ChangedRegion {
            line_numbers: vec![first + 1],
            after: before.start..before.end + 3 - range.len(),
            before,
        };
        let shown = text.escape_ascii();
        let found = changed_regions(text, &edits, context);
        assert_eq!(found, [expected], "{shown} {range:?} {context}");
    }

    #[test]
    fn regions_that_touch_become_one_with_all_their_lines() {
        let text = b"1\n2\n3\n4\n5\n6\n7\n8\n";
        let edit = |range: Range<usize>, replacement: &str| Edit {
            range,
            replacement: replacement.into(),
        };
        let regions = |edits: Vec<Edit>| {
            let edits = Edits::new(edits);
            let after = edits.apply(text);
            let regions = changed_regions(text, &edits, 1);
            let shown = regions.into_iter().map(|region| {
                let text = String::from_utf8(after[region.after].to_vec()).unwrap();
                (region.line_numbers, region.before, text)
            });
            shown.collect::<Vec<_>>()
        };
        // Two on one line, and one whose context touches theirs.
        let together = regions(vec![edit(2..2, "a"), edit(3..3, "bc"), edit(8..9, "")]);
        let text_after = "1\na2bc\n3\n4\n\n6\n".to_owned();
        assert_eq!(together, [(vec![2, 5], 0..12, text_after)]);
        // A line further down they are apart, the second shifted by the first.
        let apart = regions(vec![edit(3..3, "abc"), edit(10..11, ""), edit(14..16, "")]);
        let expected = [
            (vec![2], 0..6, "1\n2abc\n3\n".to_owned()),
            (vec![6, 8], 8..16, "5\n\n7\n".to_owned()),
        ];
        assert_eq!(apart, expected);
    }
}
