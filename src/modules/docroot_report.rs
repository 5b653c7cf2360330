//! The rows of the audit, in the form of the result.

use std::rc::Rc;

use serde::{Serialize, Serializer};

use crate::aspera::audit::{Doubt, Outcome, Possible, Request, Row, RowVerdict, Source, Verdict};
use crate::aspera::docroot::{DocrootUri, Storage};
use crate::aspera::setting::FoundValue;

/// All rows. There may be very many, so each report is made when it is written.
#[derive(Debug)]
pub(super) struct DocrootReports {
    pub(super) rows: Rc<Vec<Row>>,
    /// The verdict on each row, or `None` if nothing is expected.
    pub(super) verdicts: Option<Vec<RowVerdict>>,
}

impl Serialize for DocrootReports {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let verdicts = self.verdicts.as_deref();
        let reports = self.rows.iter().enumerate().map(|(index, row)| {
            let judged = verdicts.map(|verdicts| &verdicts[index]);
            DocrootReport::new(row, judged)
        });
        serializer.collect_seq(reports)
    }
}

/// A docroot, or a user or group without one.
#[derive(Debug, Serialize)]
struct DocrootReport<'r> {
    scope: &'static str,
    name: Option<&'r str>,
    peer_ip: Option<&'r str>,
    scheme: Option<&'static str>,
    uri: Option<String>,
    server_side_encryption: Option<String>,
    kms_key_id: Option<String>,
    inherited_from: Option<String>,
    effective: EffectiveReport,
    /// The entry of `expect` that judged it, from 0.
    judged_by: Option<usize>,
    verdict: Option<&'static str>,
}

/// The encryption that an upload gets, as far as it is known.
#[derive(Debug, Serialize)]
pub(super) struct EffectiveReport {
    server_side_encryption: Option<String>,
    kms_key_id: Option<String>,
    source: &'static str,
    certain: bool,
    why: Option<String>,
    reasons: Vec<&'static str>,
}

impl<'r> DocrootReport<'r> {
    fn new(row: &'r Row, judged: Option<&RowVerdict>) -> Self {
        let uri = row.uri.as_ref();
        let own = uri.map(|uri| uri.found_setting(None)).unwrap_or_default();
        let shown = |value: &FoundValue| value.shown().to_owned();
        Self {
            scope: row.scope.kind(),
            name: row.scope.name(),
            peer_ip: row.peer_ip.as_deref(),
            scheme: uri.and_then(scheme),
            uri: uri.map(|uri| uri.masked(None)),
            server_side_encryption: own.encryption.as_ref().map(shown),
            kms_key_id: own.kms_key.as_ref().map(shown),
            inherited_from: row.inherited_from.as_ref().map(ToString::to_string),
            effective: EffectiveReport::new(&row.possible, "docroot", str::to_owned),
            judged_by: judged.and_then(|judged| judged.entry),
            verdict: judged.and_then(|judged| judged.verdict).map(verdict),
        }
    }
}

impl EffectiveReport {
    /// Creates the report of an upload. `own` is the word for what sets an encryption of its own, and `words` makes texts that fit it of those about
    /// docroots.
    pub(super) fn new(possible: &Possible, own: &'static str, words: fn(&str) -> String) -> Self {
        let natural = possible.outcomes.first();
        let request = natural.and_then(Outcome::request);
        Self {
            server_side_encryption: request.and_then(Request::shown_encryption),
            kms_key_id: request.and_then(Request::shown_kms_key),
            source: match natural {
                // The outcome is shown for the sake of the other possible results.
                Some(Outcome::NotS3) if possible.unbounded => "unknown",
                Some(Outcome::NotS3) => "not_s3",
                Some(Outcome::S3(_, Source::Docroot)) => own,
                Some(Outcome::S3(_, Source::Trapd)) => "trapd",
                Some(Outcome::S3(_, Source::Nowhere)) => "none",
                None => "unknown",
            },
            certain: possible.is_certain(),
            why: (!possible.doubts.is_empty()).then(|| words(&sentences(&possible.doubts))),
            reasons: possible.doubts.iter().map(|doubt| doubt.name()).collect(),
        }
    }
}

/// Returns all reasons as one text.
fn sentences(doubts: &[Doubt]) -> String {
    let sentences: Vec<&str> = doubts.iter().map(|doubt| doubt.why()).collect();
    sentences.join("; ")
}

fn scheme(uri: &DocrootUri) -> Option<&'static str> {
    match uri.storage() {
        Storage::S3 => Some("s3"),
        Storage::MisspelledS3 => Some("S3"),
        Storage::Other(scheme) => Some(scheme),
        Storage::Empty | Storage::Unset | Storage::Local | Storage::Unknown => None,
    }
}

/// Returns the word for a verdict.
pub(super) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Met => "met",
        Verdict::Violated(_) => "violated",
        Verdict::Unknown => "unknown",
        Verdict::NotS3 => "not_s3",
    }
}
