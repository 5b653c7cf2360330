//! The judgement of the audit, in the form of the result.

use serde::Serialize;

use crate::aspera::audit::{Difference, Judgement, Place, Row, Unknown, Verdict, Violation};
use crate::aspera::host::Incomplete;

/// The compliance of a server.
#[derive(Debug, Serialize)]
pub(super) struct Compliance {
    compliant: Option<bool>,
    summary: String,
    judged: usize,
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
    fix: String,
    /// The whole report as sentences.
    message: String,
}

#[derive(Debug, Serialize)]
struct UnknownReport {
    #[serde(rename = "where")]
    place: String,
    why: String,
    fix: String,
    reasons: Vec<&'static str>,
    /// The whole report as sentences.
    message: String,
}

/// A judgement with the context that its messages need.
pub(super) struct Judged<'a> {
    /// The path of `s3.properties`.
    pub(super) properties: &'a str,
    /// The path of `aspera.conf`.
    pub(super) conf: &'a str,
    /// Whether `asuserdata -v` refuses the configuration.
    pub(super) configuration_is_refused: bool,
    pub(super) rows: &'a [Row],
    pub(super) judgement: &'a Judgement,
    /// The list of everything that should have been read and was not.
    pub(super) incomplete: &'a [Incomplete],
}

impl Compliance {
    pub(super) fn new(judged: &Judged) -> Self {
        let judgement = judged.judgement;
        let mut violations: Vec<ViolationReport> = judgement
            .violations
            .iter()
            .map(|violation| ViolationReport::new(violation, judged.properties))
            .collect();
        if judged.configuration_is_refused {
            violations.push(ViolationReport::of_refused_configuration(judged.conf));
        }
        let unknown = judgement.unknown.iter();
        let unknown: Vec<UnknownReport> = unknown
            .map(|unknown| UnknownReport::new(unknown, judged.properties))
            .collect();
        let compliant = match (violations.is_empty(), unknown.is_empty()) {
            (false, _) => Some(false),
            (true, true) if judged.incomplete.is_empty() => Some(true),
            _ => None,
        };
        let verdicts = judged.rows.iter().zip(&judgement.rows);
        let not_judged = verdicts
            .clone()
            .filter(|(_, verdict)| verdict.entry.is_none())
            .map(|(row, _)| row.place());
        let in_s3 = verdicts.filter(|(_, judged)| {
            let verdict = judged.verdict;
            verdict.is_some_and(|verdict| verdict != Verdict::NotS3)
        });
        let in_s3 = in_s3.count();
        let counts = [violations.len(), unknown.len(), judged.incomplete.len()];
        Self {
            compliant,
            summary: summary(judged, compliant, in_s3, counts),
            judged: in_s3,
            violations,
            unknown,
            not_judged: not_judged.collect(),
        }
    }
}

/// Returns the answer as one line.
fn summary(
    judged: &Judged,
    compliant: Option<bool>,
    in_s3: usize,
    [violations, unknown, incomplete]: [usize; 3],
) -> String {
    let counts = format!(
        "Judged S3 docroots and users: {in_s3}. Violations: {violations}, unknown: {unknown}, incomplete: {incomplete}."
    );
    let answer = match compliant {
        Some(true) if judged.rows.iter().all(Row::is_not_s3) => {
            return "Compliant: no S3 storage is configured. Judged S3 docroots and users: 0."
                .to_owned();
        }
        Some(true) => "Compliant.",
        Some(false) => "Not compliant.",
        None => "Not known to be compliant.",
    };
    format!("{answer} {counts}")
}

impl ViolationReport {
    fn new(violation: &Violation, properties: &str) -> Self {
        Self::of(
            place(&violation.place, properties),
            violation.found.words(),
            violation.expected.clone(),
            violation.difference.why(),
            fix(violation),
        )
    }

    fn of_refused_configuration(conf: &str) -> Self {
        Self::of(
            conf.to_owned(),
            "a configuration that asuserdata -v refuses".to_owned(),
            "a valid configuration".to_owned(),
            "Aspera rejects the configuration",
            "Run bin/asuserdata -v on the host and correct what it reports.".to_owned(),
        )
    }

    fn of(place: String, found: String, expected: String, why: &'static str, fix: String) -> Self {
        Self {
            message: format!("{place} has {found}, not {expected}: {why}. {fix}"),
            place,
            found,
            expected,
            why,
            fix,
        }
    }
}

fn fix(violation: &Violation) -> String {
    let module = match &violation.place {
        Place::System => "aspera_trapd_sse",
        Place::Docroot(..) => "aspera_docroot_sse",
    };
    match (violation.difference, &violation.place) {
        (Difference::NotAbsent, _) => {
            "Remove the setting with aspera_trapd_sse (state: absent).".to_owned()
        }
        _ => format!("Set {} with {module}.", violation.expected),
    }
}

impl UnknownReport {
    fn new(unknown: &Unknown, properties: &str) -> Self {
        let doubts = unknown.doubts.iter();
        let why: Vec<&str> = doubts.clone().map(|doubt| doubt.why()).collect();
        let fix: Vec<&str> = doubts.map(|doubt| doubt.fix()).collect();
        let (why, fix) = (why.join("; "), fix.join(" "));
        let place = place(&unknown.place, properties);
        Self {
            message: format!("{place} is not known to be as expected: {why}. {fix}"),
            place,
            why,
            fix,
            reasons: unknown.doubts.iter().map(|doubt| doubt.name()).collect(),
        }
    }
}

fn place(place: &Place, properties: &str) -> String {
    match place {
        Place::System => properties.to_owned(),
        Place::Docroot(scope, peer_ip) => scope.place(peer_ip.as_deref()),
    }
}
