//! Excerpts of a file before and after, from which Ansible makes the coloured diff.

use serde::Serialize;
use similar::{Algorithm, DiffTag, capture_diff_slices, group_diff_ops};

/// How many places are shown; what is beyond is counted.
pub const MAX_PLACES: usize = 200;
/// How many lines are shown before and after a change. With the title they make three, all that Ansible shows.
const CONTEXT: usize = 2;
/// What stands for lines that are not shown.
const HIDDEN: &str = "...";

/// A line of an excerpt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A line that may be shown.
    Shown(String),
    /// A line that may hold a secret.
    Hidden,
}

/// A changed place of the file, with lines around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Where it is, such as `s3.properties line 12`.
    pub title: String,
    /// The lines before the change.
    pub before: Vec<Line>,
    /// The lines after it.
    pub after: Vec<Line>,
}

/// The two excerpts, with the name of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diff {
    before_header: String,
    after_header: String,
    before: String,
    after: String,
}

impl Diff {
    /// Composes the excerpts from the changed places, in the order of the file. Of more than [`MAX_PLACES`] the rest is only counted, and need not be
    /// given.
    pub fn new(header: impl Into<String>, places: &[Place], count: usize) -> Self {
        let header = header.into();
        let mut diff = Self {
            before_header: header.clone(),
            after_header: header,
            before: String::new(),
            after: String::new(),
        };
        for place in places.iter().take(MAX_PLACES) {
            diff.push(place);
        }
        if let Some(more) = count.checked_sub(MAX_PLACES).filter(|more| *more > 0) {
            diff.push_both(&format!("... and {more} more places"));
        }
        diff
    }

    fn push(&mut self, place: &Place) {
        let before = collapse(&place.before);
        let after = collapse(&place.after);
        let operations = capture_diff_slices(Algorithm::Myers, &before, &after);
        self.push_both(&place.title);
        for operation in group_diff_ops(operations, CONTEXT).into_iter().flatten() {
            let (tag, old, new) = operation.as_tag_tuple();
            if tag != DiffTag::Insert {
                push_lines(&mut self.before, &before[old]);
            }
            if tag != DiffTag::Delete {
                push_lines(&mut self.after, &after[new]);
            }
        }
    }

    fn push_both(&mut self, line: &str) {
        push_lines(&mut self.before, &[line]);
        push_lines(&mut self.after, &[line]);
    }
}

/// The texts of the lines, one for each run of hidden ones.
fn collapse(lines: &[Line]) -> Vec<&str> {
    let mut texts: Vec<&str> = lines
        .iter()
        .map(|line| match line {
            Line::Shown(text) => text.as_str(),
            Line::Hidden => HIDDEN,
        })
        .collect();
    texts.dedup_by(|next, last| *next == HIDDEN && *last == HIDDEN);
    texts
}

fn push_lines(excerpt: &mut String, lines: &[&str]) {
    for line in lines {
        excerpt.push_str(line);
        excerpt.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<Line> {
        text.lines()
            .map(|line| match line {
                "?" => Line::Hidden,
                line => Line::Shown(line.to_owned()),
            })
            .collect()
    }

    fn place(before: &str, after: &str) -> Place {
        Place {
            title: "x line 3".to_owned(),
            before: lines(before),
            after: lines(after),
        }
    }

    #[test]
    fn hidden_lines_become_one_mark_and_context_is_short() {
        let places = [place("a\n?\n?\n\nold\n\n\nb\n", "a\n?\n?\n\nnew\n\n\nb\n")];
        let diff = Diff::new("/x", &places, 1);
        assert_eq!(diff.before, "x line 3\n...\n\nold\n\n\n");
        assert_eq!(diff.after, "x line 3\n...\n\nnew\n\n\n");
    }

    #[test]
    fn many_places_are_counted() {
        let diff = Diff::new("/x", &vec![place("a", "b"); MAX_PLACES], MAX_PLACES + 5);
        assert_eq!(diff.before.matches("x line 3").count(), MAX_PLACES);
        assert!(diff.before.ends_with("\n... and 5 more places\n"));
    }
}
