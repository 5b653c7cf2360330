//! The judgement of all docroots together, in the form of the result.

use serde::Serialize;

use super::objects_cause::Cause;
use super::objects_report::{escaped, words};
use super::objects_verdict::Verdict;
use crate::aspera::audit::Wanted;

/// The compliance of all docroots that were looked at.
#[derive(Debug, Default, Serialize)]
pub(super) struct Compliance {
    compliant: Option<bool>,
    summary: String,
    violations: Vec<ViolationReport>,
    unknown: Vec<UnknownReport>,
    not_judged: Vec<String>,
}

#[derive(Debug, Serialize)]
struct ViolationReport {
    #[serde(rename = "where")]
    place: String,
    found: String,
    expected: String,
    why: &'static str,
    fix: &'static str,
    message: String,
}

#[derive(Debug, Serialize)]
struct UnknownReport {
    #[serde(rename = "where")]
    place: String,
    why: String,
    fix: String,
    reasons: Vec<&'static str>,
    message: String,
}

/// The judgements, as they come.
#[derive(Debug, Default)]
pub(super) struct Judgements {
    compliance: Compliance,
    judged: usize,
    objects: usize,
    is_every_one_compliant: bool,
}

impl Judgements {
    pub(super) fn new() -> Self {
        Self {
            is_every_one_compliant: true,
            ..Self::default()
        }
    }

    /// Adds the judgement of a docroot.
    pub(super) fn add(
        &mut self,
        place: String,
        looked_at: usize,
        verdict: &Verdict,
        wanted: &Wanted,
        show_keys: bool,
    ) {
        self.judged += 1;
        self.objects += looked_at;
        self.is_every_one_compliant &= verdict.compliant == Some(true);
        if let Some((seen, difference)) = verdict.differing.first() {
            let others = match verdict.differing.len() {
                1 => String::new(),
                number => format!(", and {} more objects that differ", number - 1),
            };
            let object = if show_keys {
                format!("the object \"{}\"", escaped(&seen.key))
            } else {
                "an object".to_owned()
            };
            let found = format!("{object} with {}{others}", words(&seen.object.encryption));
            let expected = wanted.words();
            let why = difference.why();
            let fix = "Set the encryption with aspera_docroot_sse or aspera_trapd_sse, restart the service, and encrypt these objects anew by copying them onto themselves.";
            self.compliance.violations.push(ViolationReport {
                message: format!("{place} has {found}, not {expected}: {why}. {fix}"),
                place: place.clone(),
                found,
                expected,
                why,
                fix,
            });
        }
        if !verdict.unknown.is_empty() {
            let causes: Vec<&Cause> = verdict.unknown.iter().map(|(cause, _)| cause).collect();
            self.add_unknown(place, &causes);
        }
    }

    /// Adds a docroot that no entry judges.
    pub(super) fn add_not_judged(&mut self, place: String) {
        self.compliance.not_judged.push(place);
    }

    /// Adds something that is not known.
    pub(super) fn add_problem(
        &mut self,
        place: String,
        reason: &'static str,
        why: String,
        fix: String,
    ) {
        self.is_every_one_compliant = false;
        self.compliance.unknown.push(UnknownReport {
            message: format!("{place} is not known to be as expected: {why}. {fix}"),
            place,
            why,
            fix,
            reasons: vec![reason],
        });
    }

    fn add_unknown(&mut self, place: String, causes: &[&Cause]) {
        let why: Vec<String> = causes.iter().map(|cause| cause.why()).collect();
        let mut fix: Vec<&str> = causes.iter().map(|cause| cause.fix()).collect();
        fix.dedup();
        let (why, fix) = (why.join("; "), fix.join(" "));
        self.compliance.unknown.push(UnknownReport {
            message: format!("{place} is not known to be as expected: {why}. {fix}"),
            place,
            why,
            fix,
            reasons: causes.iter().map(|cause| cause.name()).collect(),
        });
    }

    /// Returns the answer to the whole question.
    pub(super) fn finish(self) -> Compliance {
        let mut compliance = self.compliance;
        compliance.compliant = if !compliance.violations.is_empty() {
            Some(false)
        } else if self.judged > 0 && self.is_every_one_compliant {
            Some(true)
        } else {
            None
        };
        let answer = match compliance.compliant {
            Some(true) => "Compliant.",
            Some(false) => "Not compliant.",
            None => "Not known to be compliant.",
        };
        let not_judged = match compliance.not_judged.len() {
            0 => String::new(),
            number => format!(", not judged: {number}"),
        };
        compliance.summary = format!(
            "{answer} Judged docroots: {}{not_judged}. Objects looked at: {}. Violations: {}, unknown: {}.",
            self.judged,
            self.objects,
            compliance.violations.len(),
            compliance.unknown.len()
        );
        compliance
    }
}
