//! Verdicts on the parts of a server.

use std::rc::Rc;

use super::expectation::{Difference, Wanted};
use super::possible::{Outcome, Possible, Request, Source};

/// A part of a server that is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// `s3.properties`
    System,
    /// The row with this index.
    Row(usize),
}

/// A verdict on a row or on `s3.properties`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Every possible result is as expected.
    Met,
    /// No possible result is as expected.
    Violated(Difference),
    /// It is not known whether the results are as expected.
    Unknown,
    /// No upload goes to S3.
    NotS3,
}

/// The verdict on a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowVerdict {
    /// The index of the entry that judged it, from 0, or `None` if no entry names it.
    pub entry: Option<usize>,
    /// The verdict, or `None` if no entry names it.
    pub verdict: Option<Verdict>,
}

/// A certain difference.
#[derive(Debug)]
pub struct Violation {
    /// The place of the difference.
    pub place: Place,
    /// The possible results at this place. The first of them that goes to S3 is what was found.
    pub possible: Rc<Possible>,
    /// The expectation.
    pub expected: Rc<Wanted>,
    /// The kind of difference.
    pub difference: Difference,
}

impl Violation {
    /// Returns the setting that was found.
    pub fn found(&self) -> Request {
        let mut requests = self.possible.requests();
        requests.next().cloned().unwrap_or_default()
    }

    /// Returns whether that setting is one of the docroot itself.
    pub fn is_of_docroot(&self) -> bool {
        let mut outcomes = self.possible.outcomes.iter();
        let found = outcomes.find(|outcome| outcome.request().is_some());
        matches!(found, Some(Outcome::S3(_, Source::Docroot)))
    }
}
