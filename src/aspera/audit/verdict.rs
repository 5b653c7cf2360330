//! Verdicts on the parts of a server.

use std::rc::Rc;

use super::doubt::Doubt;
use super::expectation::{Comparison, Difference, Wanted};
use super::possible::{Outcome, Possible, Request, Source};
use crate::aspera::setting::Encryption;
use crate::aspera::version::Version;

/// A part of a server that is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The system-wide setting in `s3.properties`.
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

/// The verdict on a place, by the entry that judged it. Rows with equal results share it.
#[derive(Debug)]
pub struct Judged {
    /// The index of the entry, from 0.
    pub entry: usize,
    pub verdict: Verdict,
    /// The reasons, if the verdict is not known.
    pub doubts: Vec<Doubt>,
    /// The possible results at the place.
    pub(super) possible: Rc<Possible>,
    pub(super) expected: Rc<Wanted>,
}

/// A certain difference from an expectation.
#[derive(Debug)]
pub struct Violation {
    /// The place of the difference.
    pub place: Place,
    /// The setting that was found.
    pub found: Request,
    /// Whether that is a setting of the docroot itself.
    pub is_of_docroot: bool,
    pub expected: Rc<Wanted>,
    /// The kind of difference.
    pub difference: Difference,
}

impl Judged {
    /// Judges possible results by the expectation of an entry.
    pub fn new(
        entry: usize,
        expected: &Rc<Wanted>,
        possible: &Rc<Possible>,
        version: Option<&Version>,
    ) -> Self {
        let comparisons = comparisons(possible, expected, version);
        let verdict = verdict(possible, &comparisons);
        Self {
            entry,
            verdict,
            doubts: match verdict {
                Verdict::Unknown => doubts(possible, &comparisons),
                _ => Vec::new(),
            },
            possible: Rc::clone(possible),
            expected: Rc::clone(expected),
        }
    }

    /// Returns the difference at a place, if there is certainly one. What was found is the first of the possible results that goes to S3.
    pub(super) fn violation(&self, place: Place) -> Option<Violation> {
        let Verdict::Violated(difference) = self.verdict else {
            return None;
        };
        let mut outcomes = self.possible.outcomes.iter();
        let found = outcomes.find(|outcome| outcome.request().is_some());
        Some(Violation {
            place,
            found: found
                .and_then(Outcome::request)
                .cloned()
                .unwrap_or_default(),
            is_of_docroot: matches!(found, Some(Outcome::S3(_, Source::Docroot))),
            expected: Rc::clone(&self.expected),
            difference,
        })
    }
}

/// Compares each possible upload to S3 with an expectation.
fn comparisons(possible: &Possible, wanted: &Wanted, version: Option<&Version>) -> Vec<Comparison> {
    let compare = |request| match wanted.compare(request) {
        Comparison::Meets => on_version(wanted, version),
        comparison => comparison,
    };
    possible.requests().map(compare).collect()
}

/// Returns whether a result that meets an expectation does so on a version of Aspera.
fn on_version(wanted: &Wanted, version: Option<&Version>) -> Comparison {
    let first = match wanted {
        Wanted::Encryption(Encryption::AwsKms, _) => Version::first_with_kms(),
        Wanted::Encryption(Encryption::Aes256, _) => Version::first_with_aes256(),
        Wanted::Encryption(Encryption::None, _) | Wanted::Absent => return Comparison::Meets,
    };
    match version {
        None => Comparison::Unknown(Doubt::VersionUnknown),
        Some(version) if *version >= first => Comparison::Meets,
        // The vendor says that SSE-KMS came with that version.
        Some(_) if wanted.is_kms() => Comparison::Differs(Difference::VersionTooOld),
        Some(_) => Comparison::Unknown(Doubt::OldVersion),
    }
}

/// Returns the verdict on a set of possible results, by the comparisons of those that go to S3.
fn verdict(possible: &Possible, comparisons: &[Comparison]) -> Verdict {
    if possible.is_certain() && possible.outcomes == [Outcome::NotS3] {
        return Verdict::NotS3;
    }
    let all_meet = comparisons
        .iter()
        .all(|comparison| *comparison == Comparison::Meets);
    let difference = comparisons.iter().find_map(|comparison| match comparison {
        Comparison::Differs(difference) => Some(*difference),
        _ => None,
    });
    let all_differ = comparisons
        .iter()
        .all(|comparison| matches!(comparison, Comparison::Differs(_)));
    // An upload that may not go to S3 at all is no violation. Otherwise, hiding a fact could turn a compliant server into one that is not compliant.
    let may_not_be_s3 = possible.outcomes.contains(&Outcome::NotS3);
    match difference {
        _ if possible.unbounded || comparisons.is_empty() => Verdict::Unknown,
        None if all_meet && !possible.is_unproven() => Verdict::Met,
        Some(difference) if all_differ && !may_not_be_s3 => Verdict::Violated(difference),
        _ => Verdict::Unknown,
    }
}

/// Returns the reasons for an unknown verdict: first those of the results, then those of the comparisons.
fn doubts(possible: &Possible, comparisons: &[Comparison]) -> Vec<Doubt> {
    let mut doubts = possible.doubts.clone();
    for comparison in comparisons {
        if let Comparison::Unknown(doubt) = comparison
            && !doubts.contains(doubt)
        {
            doubts.push(*doubt);
        }
    }
    doubts
}
