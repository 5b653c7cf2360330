//! The access keys of a node and their judgement, in the form of the result.

use serde::Serialize;

use super::compliance::{UnknownReport, ViolationReport};
use super::docroot_report::{EffectiveReport, verdict};
use super::incomplete::IncompleteReport;
use super::keys_judgement::JudgedKey;
use super::keys_storage::Shown;
use super::table::{Upload, lines};
use crate::aspera::audit::{Difference, Expectation, Outcome, ScopePattern, Source, Verdict};
use crate::node::AccessKey;

#[derive(Debug, Serialize)]
pub(super) struct KeyReport {
    #[serde(flatten)]
    shown: Shown,
    effective: EffectiveReport,
    judged_by: Option<usize>,
    verdict: Option<&'static str>,
}

/// The judgement of all access keys.
#[derive(Debug, Serialize)]
pub(super) struct KeyCompliance {
    compliant: Option<bool>,
    summary: String,
    judged: usize,
    violations: Vec<ViolationReport>,
    unknown: Vec<UnknownReport>,
    not_judged: Vec<String>,
}

/// The words for what sets an encryption.
fn own(key: &JudgedKey) -> &'static str {
    if key.is_of_user {
        "docroot"
    } else {
        "access_key"
    }
}

/// Returns what makes a text about a docroot one about what sets the encryption of an access key.
fn words(key: &JudgedKey) -> fn(&str) -> String {
    if key.is_of_user {
        |text| text.to_owned()
    } else {
        |text| {
            text.replace("the docroot", "the storage of the access key")
                .replace("a docroot", "the storage of an access key")
        }
    }
}

/// Returns the place of an access key.
fn place(shown: &Shown) -> String {
    format!("access_key {}", shown.id)
}

impl KeyReport {
    /// Reports all access keys, in the order in which the node lists them.
    pub(super) fn all(keys: &[AccessKey], judged: &[JudgedKey]) -> Vec<Self> {
        let reports = keys.iter().zip(judged).map(|(key, judged)| {
            let found = judged.judged.as_ref().map(|judged| judged.verdict);
            Self {
                shown: Shown::of(key),
                effective: EffectiveReport::new(&judged.possible, own(judged), words(judged)),
                judged_by: judged.entry(),
                verdict: found.map(verdict),
            }
        });
        reports.collect()
    }

    /// Returns a line for each access key.
    pub(super) fn table(reports: &[Self], judged: &[JudgedKey], is_judged: bool) -> Vec<String> {
        let upload = |index: usize| {
            let key = &judged[index];
            Upload {
                verdict: key.judged.as_ref().map(|judged| judged.verdict),
                possible: &key.possible,
                own: if key.is_of_user {
                    "the docroot of its user"
                } else {
                    "its storage"
                },
                inherited_from: None,
            }
        };
        let place = |index: usize| place(&reports[index].shown);
        lines(reports.len(), is_judged, upload, place)
    }
}

impl KeyCompliance {
    /// Joins the judgements. `gaps` is the number of entries in the list `incomplete`.
    pub(super) fn new(
        reports: &[KeyReport],
        judged: &[JudgedKey],
        expectations: &[Expectation],
        gaps: usize,
    ) -> Self {
        let mut compliance = Self {
            compliant: None,
            summary: String::new(),
            judged: 0,
            violations: Vec::new(),
            unknown: Vec::new(),
            not_judged: Vec::new(),
        };
        for (report, key) in reports.iter().zip(judged) {
            let place = place(&report.shown);
            let Some(found) = &key.judged else {
                if key.possible.may_be_s3() {
                    compliance.not_judged.push(place);
                }
                continue;
            };
            compliance.judged += usize::from(found.verdict != Verdict::NotS3);
            match found.verdict {
                Verdict::Violated(difference) => {
                    let expected = expectations[found.entry].wanted.words();
                    compliance
                        .violations
                        .push(violation(place, key, &expected, difference));
                }
                Verdict::Unknown => {
                    let report = UnknownReport::of(place, &found.doubts, words(key));
                    compliance.unknown.push(report);
                }
                Verdict::Met | Verdict::NotS3 => {}
            }
        }
        compliance.compliant = if compliance.violations.is_empty() {
            (gaps == 0 && compliance.unknown.is_empty()).then_some(true)
        } else {
            Some(false)
        };
        compliance.summary = compliance.summary(reports.len(), gaps);
        compliance
    }

    fn summary(&self, keys: usize, gaps: usize) -> String {
        let answer = match self.compliant {
            Some(true) if self.judged == 0 => "Compliant: no access key leads to S3.",
            Some(true) => "Compliant.",
            Some(false) => "Not compliant.",
            None => "Not known to be compliant.",
        };
        let not_judged = match self.not_judged.len() {
            0 => String::new(),
            number => format!(", not judged: {number}"),
        };
        format!(
            "{answer} Access keys: {keys}. Judged, with uploads to S3: {}{not_judged}. Violations: {}, unknown: {}, incomplete: {gaps}.",
            self.judged,
            self.violations.len(),
            self.unknown.len(),
        )
    }
}

fn violation(
    place: String,
    key: &JudgedKey,
    expected: &str,
    difference: Difference,
) -> ViolationReport {
    let found = key.possible.requests().next().cloned().unwrap_or_default();
    let from_file = matches!(
        key.possible.outcomes.first(),
        Some(Outcome::S3(_, Source::Trapd))
    );
    let fix = match difference {
        Difference::VersionTooOld => "Upgrade Aspera to 3.6.1 or later.".to_owned(),
        _ if key.is_of_user => format!(
            "Set {expected} in the docroot of the transfer user with aspera_docroot_sse, or give the access key a storage with it."
        ),
        _ if from_file => format!(
            "Set {expected} in the storage of the access key, with the tool that made it, or in s3.properties with aspera_trapd_sse."
        ),
        _ => {
            format!("Set {expected} in the storage of the access key, with the tool that made it.")
        }
    };
    ViolationReport::of(
        place,
        found.words(),
        expected.to_owned(),
        difference.why(),
        fix,
    )
}

/// Returns the parts of the expectations that judge no access key, although they are meant to.
pub(super) fn unfounded(
    keys: &[AccessKey],
    judged: &[JudgedKey],
    expectations: &[Expectation],
) -> Vec<IncompleteReport> {
    let mut reports = Vec::new();
    let mut add = |place: String, reason, why: &str, fix: &str| {
        reports.push(IncompleteReport::of(
            place,
            reason,
            why.to_owned(),
            fix.to_owned(),
        ));
    };
    for (index, expectation) in expectations.iter().enumerate() {
        for pattern in &expectation.scopes {
            let ScopePattern::AccessKey(id) = pattern else {
                continue;
            };
            let place = format!("access_key {id}");
            let mut found = keys.iter().zip(judged);
            match found.find(|(key, _)| key.id.text() == Some(id)) {
                None => add(
                    place,
                    "no_such_access_key",
                    "The node lists no access key with this id.",
                    "Correct the id in expect.scopes, or leave it out.",
                ),
                Some((_, judged)) if judged.entry() != Some(index) => add(
                    place,
                    "judged_earlier",
                    "An earlier entry of expect judges it, so this entry never does.",
                    "Move the entry up in expect, or leave the id out of it.",
                ),
                Some(_) => {}
            }
        }
    }
    let may_be_s3 = |key: &&JudgedKey| key.possible.may_be_s3();
    let is_judged = |key: &JudgedKey| key.judged.is_some();
    if judged.iter().any(|key| may_be_s3(&key)) && !judged.iter().filter(may_be_s3).any(is_judged) {
        add(
            "expect".to_owned(),
            "judges_nothing",
            "Access keys lead to S3, and no entry of expect judges any of them.",
            "Add an entry with access_key in its scopes, or one without scopes.",
        );
    }
    reports
}
