//! The rows of the audit, in the form of the result.

use std::rc::Rc;

use serde::{Serialize, Serializer};

use crate::aspera::audit::{
    Doubt, Judged, Judgement, Outcome, Possible, Request, Row, Rows, Source, Verdict,
};
use crate::aspera::docroot::{DocrootUri, Storage};
use crate::aspera::setting::FoundValue;

/// All rows. There may be very many, so each report is made when it is written.
#[derive(Debug)]
pub(super) struct DocrootReports<'f> {
    pub(super) rows: Rc<Rows<'f>>,
    /// The judgement, or `None` if nothing is expected.
    pub(super) judgement: Option<Rc<Judgement>>,
}

impl Serialize for DocrootReports<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let reports = self.rows.iter().enumerate().map(|(index, row)| {
            let judgement = self.judgement.as_ref();
            DocrootReport::new(row, judgement.and_then(|judgement| judgement.of_row(index)))
        });
        serializer.collect_seq(reports)
    }
}

/// A docroot, or a user or group without one.
#[derive(Debug, Serialize)]
struct DocrootReport {
    scope: &'static str,
    name: Option<String>,
    peer_ip: Option<String>,
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

impl DocrootReport {
    fn new(row: Row, judged: Option<&Judged>) -> Self {
        let scope = row.scope();
        let uri = row.uri();
        let own = uri.as_ref().map(|uri| uri.found_setting(None));
        let own = own.unwrap_or_default();
        let shown = |value: &FoundValue| value.shown().to_owned();
        Self {
            scope: scope.kind(),
            name: scope.into_name(),
            peer_ip: row.peer_ip(),
            scheme: uri.as_ref().and_then(scheme),
            uri: uri.as_ref().map(|uri| uri.masked(None)),
            server_side_encryption: own.encryption.as_ref().map(shown),
            kms_key_id: own.kms_key.as_ref().map(shown),
            inherited_from: row.inherited_from().map(ToString::to_string),
            effective: EffectiveReport::new(row.possible(), "docroot", str::to_owned),
            judged_by: judged.map(|judged| judged.entry),
            verdict: judged.map(|judged| verdict(judged.verdict)),
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
