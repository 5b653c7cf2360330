//! The judgement: compares the rows and `s3.properties` with the expectations.

use std::collections::HashMap;

use super::doubt::Doubt;
use super::expectation::{Comparison, Difference, Expectation, ScopePattern, Wanted};
use super::facts::Facts;
use super::possible::{Outcome, Possible, Request, Source};
use super::rows::Row;
use super::s3_docroot;
use crate::aspera::docroot::Scope;

/// The result of comparing a server with the expectations.
#[derive(Debug, Default)]
pub struct Judgement {
    /// The certain differences.
    pub violations: Vec<Violation>,
    /// The places whose verdict is not known.
    pub unknown: Vec<Unknown>,
    /// The users and groups that an expectation names and `aspera.conf` does not contain.
    pub missing: Vec<Scope>,
    /// The verdict on `s3.properties`, or `None` if no entry names it or it could not be read.
    pub system: Option<Verdict>,
    /// The verdicts on the rows, in the order of the rows.
    pub rows: Vec<RowVerdict>,
}

/// The verdict on a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowVerdict {
    /// The index of the entry that judged it, from 0, or `None` if no entry names it.
    pub entry: Option<usize>,
    /// The verdict, or `None` if no entry names it.
    pub verdict: Option<Verdict>,
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

/// A certain difference.
#[derive(Debug)]
pub struct Violation {
    /// The place of the difference.
    pub place: Place,
    /// The setting at this place.
    pub found: Request,
    /// The expectation as text for messages.
    pub expected: String,
    /// The kind of difference.
    pub difference: Difference,
}

/// A place whose verdict is not known.
#[derive(Debug)]
pub struct Unknown {
    /// The place.
    pub place: Place,
    /// The reasons.
    pub doubts: Vec<Doubt>,
}

/// A part of a server that is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// `s3.properties`
    System,
    /// A docroot, by its scope and client address.
    Docroot(Scope, Option<String>),
}

/// Judges a server by the expectations.
pub fn judge(facts: &Facts, rows: &[Row], expectations: &[Expectation]) -> Judgement {
    let entries = Entries::index(expectations);
    let mut judgement = Judgement::default();
    judgement.judge_system(facts, &entries, expectations);
    for row in rows {
        let entry = entries.of(&row.scope);
        let verdict = entry.map(|entry| {
            let place = || Place::Docroot(row.scope.clone(), row.peer_ip.clone());
            judgement.judge_one(place, &row.possible, &expectations[entry].wanted)
        });
        judgement.rows.push(RowVerdict { entry, verdict });
    }
    judgement.find_missing(facts, expectations);
    judgement
}

impl Judgement {
    /// Returns whether the server is as expected, or `None` if that is not known. `is_complete` says whether everything necessary was read.
    pub fn compliant(&self, is_complete: bool) -> Option<bool> {
        if !self.violations.is_empty() {
            return Some(false);
        }
        let is_known = is_complete && self.unknown.is_empty() && self.missing.is_empty();
        is_known.then_some(true)
    }

    fn judge_system(&mut self, facts: &Facts, entries: &Entries, expectations: &[Expectation]) {
        // An unreadable file is reported as incomplete.
        let (Some(entry), Some(file)) = (entries.system, &facts.system) else {
            return;
        };
        let request = file.request.clone();
        let is_set = !request.is_empty();
        let mut possible = Possible::certainly(Outcome::S3(request, Source::Trapd));
        s3_docroot::add_doubts_of_values(&mut possible);
        s3_docroot::add_doubts_of_transport(&mut possible, facts);
        match facts.trapd_enabled {
            Some(false) if is_set => possible.leave_unproven(Doubt::TrapdOff),
            None if is_set => possible.leave_unproven(Doubt::TrapdUnknown),
            _ => {}
        }
        if facts.service_options {
            possible.unbound(Doubt::ServiceOptions);
        }
        if facts.trapd_runs_older_file {
            possible.leave_unproven(Doubt::OlderFile);
        }
        let wanted = &expectations[entry].wanted;
        self.system = Some(self.judge_one(|| Place::System, &possible, wanted));
    }

    fn judge_one(
        &mut self,
        place: impl Fn() -> Place,
        possible: &Possible,
        wanted: &Wanted,
    ) -> Verdict {
        let verdict = verdict(possible, wanted);
        match verdict {
            Verdict::Violated(difference) => self.violations.push(Violation {
                place: place(),
                found: possible.requests().next().cloned().unwrap_or_default(),
                expected: wanted.words(),
                difference,
            }),
            Verdict::Unknown => self.unknown.push(Unknown {
                place: place(),
                doubts: doubts(possible, wanted),
            }),
            Verdict::Met | Verdict::NotS3 => {}
        }
        verdict
    }

    fn find_missing(&mut self, facts: &Facts, expectations: &[Expectation]) {
        let Some(conf) = facts.conf else { return };
        let known: std::collections::HashSet<Scope> =
            conf.blocks.iter().map(|block| conf.scope(block)).collect();
        let scopes = expectations
            .iter()
            .flat_map(|expectation| &expectation.scopes);
        for scope in scopes {
            if let ScopePattern::One(scope @ (Scope::User(_) | Scope::Group(_))) = scope
                && !known.contains(scope)
            {
                self.missing.push(scope.clone());
            }
        }
    }
}

/// Returns the verdict on a set of possible results.
fn verdict(possible: &Possible, wanted: &Wanted) -> Verdict {
    if possible.is_certain() && possible.outcomes == [Outcome::NotS3] {
        return Verdict::NotS3;
    }
    let comparisons: Vec<Comparison> = possible
        .requests()
        .map(|request| wanted.compare(request))
        .collect();
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
        None if all_meet && !possible.unproven => Verdict::Met,
        Some(difference) if all_differ && !may_not_be_s3 => Verdict::Violated(difference),
        _ => Verdict::Unknown,
    }
}

/// Returns the reasons for an unknown verdict: first those of the results, then those of the comparisons.
fn doubts(possible: &Possible, wanted: &Wanted) -> Vec<Doubt> {
    let mut doubts = possible.doubts.clone();
    for request in possible.requests() {
        if let Comparison::Unknown(doubt) = wanted.compare(request)
            && !doubts.contains(&doubt)
        {
            doubts.push(doubt);
        }
    }
    doubts
}

/// An index of the entries. The first entry that names a scope judges it.
struct Entries {
    system: Option<usize>,
    everyone: Option<usize>,
    by_pattern: HashMap<ScopePattern, usize>,
}

impl Entries {
    fn index(expectations: &[Expectation]) -> Self {
        let mut entries = Self {
            system: None,
            everyone: None,
            by_pattern: HashMap::new(),
        };
        for (index, expectation) in expectations.iter().enumerate() {
            if expectation.scopes.is_empty() {
                entries.everyone.get_or_insert(index);
            }
            for scope in &expectation.scopes {
                entries.by_pattern.entry(scope.clone()).or_insert(index);
            }
        }
        entries.system = entries.by_pattern.get(&ScopePattern::System).copied();
        entries
    }

    fn of(&self, scope: &Scope) -> Option<usize> {
        let kind = match scope {
            Scope::User(_) => Some(ScopePattern::Users),
            Scope::Group(_) => Some(ScopePattern::Groups),
            Scope::Global => None,
        };
        let by_kind = kind.and_then(|kind| self.by_pattern.get(&kind));
        let by_name = self.by_pattern.get(&ScopePattern::One(scope.clone()));
        [by_kind, by_name, self.everyone.as_ref()]
            .into_iter()
            .flatten()
            .min()
            .copied()
    }
}
