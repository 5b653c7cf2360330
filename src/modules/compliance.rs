//! The judgement of the audit, in the form of the result.

use std::rc::Rc;

use serde::{Serialize, Serializer};

use crate::aspera::audit::{
    Difference, Doubt, Judgement, Place, Row, Rows, Verdict, Violation, Wanted,
};
use crate::aspera::setting::Encryption;

/// The compliance of a server.
#[derive(Debug, Serialize)]
pub(super) struct Compliance<'f> {
    compliant: Option<bool>,
    summary: String,
    judged: usize,
    violations: Violations<'f>,
    overriding: Overriding<'f>,
    unknown: Unknown<'f>,
    not_judged: NotJudged<'f>,
}

/// What was judged, with all that is needed to name a place. There may be very many places, so each report is made when it is written.
#[derive(Debug, Clone)]
struct Subject<'f> {
    /// The path of `s3.properties`.
    properties: Rc<str>,
    rows: Rc<Rows<'f>>,
    judgement: Rc<Judgement>,
}

#[derive(Debug)]
struct Violations<'f> {
    subject: Subject<'f>,
    /// The path of an `aspera.conf` that `asuserdata -v` refuses.
    refused: Option<String>,
}

#[derive(Debug)]
struct Overriding<'f>(Subject<'f>);

#[derive(Debug)]
struct Unknown<'f>(Subject<'f>);

#[derive(Debug)]
struct NotJudged<'f>(Subject<'f>);

impl Subject<'_> {
    fn name(&self, place: Place) -> String {
        match place {
            Place::System => self.properties.to_string(),
            Place::Row(index) => self.rows.get(index).place(),
        }
    }

    fn violations(&self) -> impl Iterator<Item = Violation> {
        self.judgement.violations(&self.rows)
    }

    fn overriding(&self) -> impl Iterator<Item = Violation> {
        self.judgement.overriding(&self.rows)
    }

    fn not_judged(&self) -> impl Iterator<Item = Row<'_>> {
        let rows = self.rows.iter().enumerate();
        let not_judged = rows.filter(|(index, _)| self.judgement.of_row(*index).is_none());
        not_judged.map(|(_, row)| row)
    }
}

impl Serialize for Violations<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let violations = self.subject.violations();
        let refused = self.refused.iter();
        serializer.collect_seq(
            violations
                .map(|violation| ViolationReport::new(&violation, &self.subject))
                .chain(refused.map(|conf| ViolationReport::of_refused_configuration(conf))),
        )
    }
}

impl Serialize for Overriding<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let overriding = self.0.overriding();
        serializer
            .collect_seq(overriding.map(|violation| ViolationReport::new(&violation, &self.0)))
    }
}

impl Serialize for Unknown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let unknown = self.0.judgement.unknown();
        serializer.collect_seq(
            unknown.map(|(place, doubts)| {
                UnknownReport::of(self.0.name(place), doubts, str::to_owned)
            }),
        )
    }
}

impl Serialize for NotJudged<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.not_judged().map(|row| row.place()))
    }
}

/// A certain difference from what `expect` says.
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
pub(super) struct Judged<'a, 'f> {
    /// The path of `s3.properties`.
    pub(super) properties: &'a str,
    /// The path of `aspera.conf`.
    pub(super) conf: &'a str,
    /// Whether `asuserdata -v` refuses the configuration.
    pub(super) configuration_is_refused: bool,
    pub(super) rows: &'a Rc<Rows<'f>>,
    pub(super) judgement: &'a Rc<Judgement>,
    /// Whether trapd does not run.
    pub(super) trapd_is_stopped: bool,
    /// Whether something that should have been read was not.
    pub(super) has_gaps: bool,
    /// The number of entries in the list `incomplete`.
    pub(super) incomplete: usize,
}

impl<'f> Compliance<'f> {
    pub(super) fn new(judged: &Judged<'_, 'f>) -> Self {
        let (judgement, refused) = (judged.judgement, judged.configuration_is_refused);
        let compliant = judgement.compliant(judged.has_gaps, refused);
        let subject = Subject {
            properties: judged.properties.into(),
            rows: Rc::clone(judged.rows),
            judgement: Rc::clone(judgement),
        };
        let verdicts = (0..judged.rows.len()).filter_map(|index| judgement.of_row(index));
        let judged_in_s3 = verdicts.filter(|judged| judged.verdict != Verdict::NotS3);
        let counts = Counts {
            judged: judged_in_s3.count(),
            not_judged: subject.not_judged().filter(|row| !row.is_not_s3()).count(),
            overriding: subject.overriding().count(),
            violations: subject.violations().count() + usize::from(refused),
            unknown: judgement.unknown().count(),
            incomplete: judged.incomplete,
        };
        Self {
            compliant,
            summary: summary(judged, compliant, &counts),
            judged: counts.judged,
            violations: Violations {
                subject: subject.clone(),
                refused: refused.then(|| judged.conf.to_owned()),
            },
            overriding: Overriding(subject.clone()),
            unknown: Unknown(subject.clone()),
            not_judged: NotJudged(subject),
        }
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
        Some(true) if judged.rows.iter().all(|row| row.is_not_s3()) => {
            let system = match &judged.judgement.system {
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
    fn new(violation: &Violation, subject: &Subject) -> Self {
        let setting = &violation.found;
        let mut found = setting.words();
        match violation.difference {
            Difference::VersionTooOld => found += " in its configuration",
            Difference::OwnSetting if setting.encryption.is_none() => {
                found = format!("the key {}", setting.shown_kms_key().unwrap_or_default());
            }
            _ => {}
        }
        Self::of(
            subject.name(violation.place),
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
        Place::Row(_) if violation.is_of_docroot => "aspera_docroot_sse",
        // One docroot after the other would get a setting of its own, which the next rotation of the server's key leaves behind.
        Place::Row(_) => {
            "aspera_trapd_sse for the whole server, or with aspera_docroot_sse for this docroot"
        }
    };
    match (violation.difference, &*violation.expected, violation.place) {
        (Difference::OwnSetting, ..) => {
            "Remove it with aspera_docroot_sse (state: absent), or state what this docroot should have, in aspera_sse_docroots of the role or in an entry of \
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
