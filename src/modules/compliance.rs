//! The judgement of the audit, in the form of the result.

use std::rc::Rc;

use serde::{Serialize, Serializer};

use crate::aspera::audit::{
    Difference, Doubt, Judgement, Place, Row, RowVerdict, Unknown, Verdict, Violation, Wanted,
};
use crate::aspera::setting::Encryption;

/// The compliance of a server.
#[derive(Debug, Serialize)]
pub(super) struct Compliance {
    compliant: Option<bool>,
    summary: String,
    judged: usize,
    violations: ViolationReports,
    overriding: ViolationReports,
    unknown: UnknownReports,
    not_judged: Vec<String>,
}

/// There may be very many, so each report is made when it is written.
#[derive(Debug)]
struct ViolationReports {
    violations: Vec<Violation>,
    places: Places,
    /// The path of an `aspera.conf` that `asuserdata -v` refuses.
    refused: Option<String>,
}

impl Serialize for ViolationReports {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let violations = self.violations.iter();
        let refused = self.refused.iter();
        serializer.collect_seq(
            violations
                .map(|violation| ViolationReport::new(violation, &self.places))
                .chain(refused.map(|conf| ViolationReport::of_refused_configuration(conf))),
        )
    }
}

/// As with violations.
#[derive(Debug)]
struct UnknownReports {
    unknown: Vec<Unknown>,
    places: Places,
}

/// What is needed to name a place.
#[derive(Debug, Clone)]
struct Places {
    /// The path of `s3.properties`.
    properties: String,
    rows: Rc<Vec<Row>>,
}

impl Places {
    fn name(&self, place: Place) -> String {
        match place {
            Place::System => self.properties.clone(),
            Place::Row(index) => self.rows[index].place(),
        }
    }
}

impl Serialize for UnknownReports {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let unknown = self.unknown.iter();
        serializer.collect_seq(unknown.map(|unknown| UnknownReport::new(unknown, &self.places)))
    }
}

/// A certain difference.
#[derive(Debug, Serialize)]
pub(super) struct ViolationReport {
    #[serde(rename = "where")]
    place: String,
    found: String,
    expected: String,
    why: &'static str,
    fix: String,
    /// The whole report as sentences.
    message: String,
}

/// Something that is not known.
#[derive(Debug, Serialize)]
pub(super) struct UnknownReport {
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
    pub(super) rows: &'a Rc<Vec<Row>>,
    pub(super) judgement: Judgement,
    /// Whether trapd does not run.
    pub(super) trapd_is_stopped: bool,
    /// Whether something that should have been read was not.
    pub(super) has_gaps: bool,
    /// The number of entries in the list `incomplete`.
    pub(super) incomplete: usize,
}

impl Compliance {
    /// Returns the compliance, and the verdicts on the rows.
    pub(super) fn new(judged: Judged) -> (Self, Vec<RowVerdict>) {
        let judgement = &judged.judgement;
        let compliant = judgement.compliant(judged.has_gaps, judged.configuration_is_refused);
        let verdicts = judged.rows.iter().zip(&judgement.rows);
        let not_judged = verdicts
            .clone()
            .filter(|(_, verdict)| verdict.entry.is_none());
        let judged_in_s3 = verdicts.filter(|(_, judged)| {
            let verdict = judged.verdict;
            verdict.is_some_and(|verdict| verdict != Verdict::NotS3)
        });
        let counts = Counts {
            judged: judged_in_s3.count(),
            not_judged: not_judged
                .clone()
                .filter(|(row, _)| !row.is_not_s3())
                .count(),
            overriding: judgement.overriding.len(),
            violations: judgement.violations.len() + usize::from(judged.configuration_is_refused),
            unknown: judgement.unknown.len(),
            incomplete: judged.incomplete,
        };
        let refused = judged.configuration_is_refused;
        let places = Places {
            properties: judged.properties.to_owned(),
            rows: Rc::clone(judged.rows),
        };
        let compliance = Self {
            compliant,
            summary: summary(&judged, compliant, &counts),
            judged: counts.judged,
            not_judged: not_judged.map(|(row, _)| row.place()).collect(),
            violations: ViolationReports {
                violations: judged.judgement.violations,
                places: places.clone(),
                refused: refused.then(|| judged.conf.to_owned()),
            },
            overriding: ViolationReports {
                violations: judged.judgement.overriding,
                places: places.clone(),
                refused: None,
            },
            unknown: UnknownReports {
                unknown: judged.judgement.unknown,
                places,
            },
        };
        (compliance, judged.judgement.rows)
    }
}

/// The numbers in the summary. Docroots and users count if their uploads may go to S3.
struct Counts {
    judged: usize,
    not_judged: usize,
    overriding: usize,
    violations: usize,
    unknown: usize,
    incomplete: usize,
}

/// Returns the answer as one line.
fn summary(judged: &Judged, compliant: Option<bool>, counts: &Counts) -> String {
    let stopped = if judged.trapd_is_stopped {
        " asperatrapd is stopped."
    } else {
        ""
    };
    let answer = match compliant {
        Some(true) if judged.rows.iter().all(Row::is_not_s3) => {
            let system = match judged.judgement.system {
                Some(_) => ", and s3.properties is as expected",
                None => "",
            };
            return format!(
                "Compliant: no S3 storage is configured{system}. Judged S3 docroots and users: 0.{stopped}"
            );
        }
        Some(true) if counts.judged == 0 => {
            "Compliant: s3.properties is as expected. No upload was judged."
        }
        Some(true) => "Compliant.",
        Some(false) => "Not compliant.",
        None => "Not known to be compliant.",
    };
    let not_judged = match counts.not_judged {
        0 => String::new(),
        number => format!(", not judged: {number}"),
    };
    let overriding = match counts.overriding {
        0 => String::new(),
        number => format!(" (with a setting of their own beside s3.properties: {number})"),
    };
    format!(
        "{answer} Judged S3 docroots and users: {}{not_judged}{overriding}. Violations: {}, unknown: {}, incomplete: {}.{stopped}",
        counts.judged, counts.violations, counts.unknown, counts.incomplete
    )
}

impl ViolationReport {
    fn new(violation: &Violation, places: &Places) -> Self {
        let setting = violation.found();
        let mut found = setting.words();
        match violation.difference {
            Difference::VersionTooOld => found += " in its configuration",
            Difference::OwnSetting if setting.encryption.is_none() => {
                found = format!("the key {}", setting.shown_kms_key().unwrap_or_default());
            }
            _ => {}
        }
        Self::of(
            places.name(violation.place),
            found,
            violation.expected.words(),
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

    /// Creates a report.
    pub(super) fn of(
        place: String,
        found: String,
        expected: String,
        why: &'static str,
        fix: String,
    ) -> Self {
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
    let module = match violation.place {
        Place::System => "aspera_trapd_sse",
        Place::Row(_) if violation.is_of_docroot() => "aspera_docroot_sse",
        // One docroot after the other would get a setting of its own, which the next rotation of the server's key leaves behind.
        Place::Row(_) => {
            "aspera_trapd_sse for the whole server, or with aspera_docroot_sse for this docroot"
        }
    };
    match (violation.difference, &*violation.expected, violation.place) {
        (Difference::OwnSetting, ..) => {
            "Remove it with aspera_docroot_sse (state: absent), or say what this docroot is to have: in aspera_sse_docroots of the role, or in an entry of \
             expect."
                .to_owned()
        }
        (Difference::VersionTooOld, ..) => "Upgrade Aspera to 3.6.1 or later.".to_owned(),
        (_, Wanted::Absent, _) => format!("Remove the setting with {module} (state: absent)."),
        // The vendor does not document what NONE means in a docroot, so such a docroot could not be judged.
        (_, Wanted::Encryption(Encryption::None, _), Place::Row(_)) => {
            "Remove the setting with aspera_docroot_sse (state: absent), or with aspera_trapd_sse if it is in s3.properties."
                .to_owned()
        }
        (_, Wanted::Encryption(encryption, keys), _) if keys.len() > 1 => {
            format!("Set {encryption} with one of the expected keys, with {module}.")
        }
        (_, expected, _) => format!("Set {} with {module}.", expected.words()),
    }
}

impl UnknownReport {
    fn new(unknown: &Unknown, places: &Places) -> Self {
        Self::of(places.name(unknown.place), &unknown.doubts, str::to_owned)
    }

    /// Creates a report. Its texts are about docroots, and `words` makes of them those for the place.
    pub(super) fn of(place: String, doubts: &[Doubt], words: fn(&str) -> String) -> Self {
        let why: Vec<String> = doubts.iter().map(|doubt| words(doubt.why())).collect();
        let fix: Vec<String> = doubts.iter().map(|doubt| words(doubt.fix())).collect();
        let (why, fix) = (why.join("; "), fix.join(" "));
        Self {
            message: format!("{place} is not known to be as expected: {why}. {fix}"),
            place,
            why,
            fix,
            reasons: doubts.iter().map(|doubt| doubt.name()).collect(),
        }
    }
}
