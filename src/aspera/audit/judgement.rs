//! The judgement: compares the rows and `s3.properties` with the expectations.

use std::collections::HashMap;
use std::num::NonZero;
use std::rc::Rc;

use super::doubt::Doubt;
use super::entries::Entries;
use super::expectation::Expectation;
use super::facts::Facts;
use super::overriding::Overriding;
use super::possible::{Outcome, Possible, Source};
use super::row::Rows;
use super::s3_docroot;
use super::unfounded::{Unfounded, unfounded};
use super::verdict::{Judged, Place, Verdict, Violation};

/// The result of comparing a server with the expectations. There may be very many rows, so what is said of each is made when it is asked for.
#[derive(Debug, Default)]
pub struct Judgement {
    /// The verdict on `s3.properties`, or `None` if no entry names it or it could not be read.
    pub system: Option<Judged>,
    /// The parts of the expectations that judge nothing.
    pub unfounded: Vec<Unfounded>,
    /// The different verdicts on rows.
    judged: Vec<Judged>,
    /// The number of the verdict on each row, from 1, or `None` if no entry names it.
    of_rows: Vec<Option<NonZero<u32>>>,
    overriding: Option<Overriding>,
    /// The indexes of the rows that no entry judges, and that say something else than `s3.properties` is expected to say.
    overriding_rows: Vec<usize>,
}

/// Judges a server by the expectations.
pub fn judge(facts: &Facts, rows: &Rows, expectations: &[Expectation]) -> Judgement {
    let entries = Entries::index(expectations);
    let mut judgement = Judgement {
        system: judge_system(facts, &entries, expectations),
        overriding: Overriding::new(expectations),
        ..Judgement::default()
    };
    let mut known = HashMap::new();
    for (index, row) in rows.iter().enumerate() {
        let entry = entries.of_row(row);
        let number = entry.map(|entry| {
            *known
                .entry((row.results_index(), entry))
                .or_insert_with(|| {
                    let wanted = &expectations[entry].wanted;
                    let version = facts.version.as_ref();
                    judgement.add(Judged::new(entry, wanted, row.possible(), version))
                })
        });
        judgement.of_rows.push(number);
        let overriding = judgement.overriding.as_ref().filter(|_| entry.is_none());
        if overriding.is_some_and(|overriding| overriding.of_row(row, Place::Row(index)).is_some())
        {
            judgement.overriding_rows.push(index);
        }
    }
    let judges_s3 = judgement.judges_s3();
    judgement.unfounded = unfounded(facts, rows, &entries, expectations, judges_s3);
    judgement
}

impl Judgement {
    /// Returns whether the server is as expected, or `None` if that is not known.
    ///
    /// `has_gaps` says whether something that is necessary was not read, and `is_refused` whether Aspera refuses its configuration.
    pub fn compliant(&self, has_gaps: bool, is_refused: bool) -> Option<bool> {
        let has = |wanted: fn(Verdict) -> bool| self.all().any(|judged| wanted(judged.verdict));
        let is_overridden = self.forbids_overriding() && !self.overriding_rows.is_empty();
        if is_refused || is_overridden || has(|verdict| matches!(verdict, Verdict::Violated(_))) {
            return Some(false);
        }
        let is_known =
            !has_gaps && self.unfounded.is_empty() && !has(|verdict| verdict == Verdict::Unknown);
        is_known.then_some(true)
    }

    /// Returns whether an upload is judged that may go to S3.
    pub fn judges_s3(&self) -> bool {
        let mut judged = self.judged.iter();
        judged.any(|judged| judged.verdict != Verdict::NotS3)
    }

    /// Returns the verdict on a row, or `None` if no entry names it.
    pub fn of_row(&self, index: usize) -> Option<&Judged> {
        let number = self.of_rows.get(index).copied().flatten()?;
        self.judged.get(number.get() as usize - 1)
    }

    /// Returns the certain differences.
    pub fn violations<'j>(&'j self, rows: &'j Rows) -> impl Iterator<Item = Violation> + 'j {
        let certain = self
            .places()
            .filter_map(|(place, judged)| judged.violation(place));
        let forbidden = self
            .overriding_rows(rows)
            .filter(|_| self.forbids_overriding());
        certain.chain(forbidden)
    }

    /// Returns the docroots that no entry judges, and that say something else than `s3.properties` is expected to say, if that is not forbidden.
    pub fn overriding<'j>(&'j self, rows: &'j Rows) -> impl Iterator<Item = Violation> + 'j {
        self.overriding_rows(rows)
            .filter(|_| !self.forbids_overriding())
    }

    /// Returns the places whose verdict is not known, with the reasons.
    pub fn unknown(&self) -> impl Iterator<Item = (Place, &[Doubt])> {
        let unknown = self
            .places()
            .filter(|(_, judged)| judged.verdict == Verdict::Unknown);
        unknown.map(|(place, judged)| (place, judged.doubts.as_slice()))
    }

    fn overriding_rows<'j>(&'j self, rows: &'j Rows) -> impl Iterator<Item = Violation> + 'j {
        self.overriding_rows.iter().filter_map(|&index| {
            let overriding = self.overriding.as_ref()?;
            overriding.of_row(rows.get(index), Place::Row(index))
        })
    }

    fn forbids_overriding(&self) -> bool {
        self.overriding
            .as_ref()
            .is_some_and(|overriding| overriding.is_forbidden)
    }

    /// Returns the verdicts on all places: first on `s3.properties`, then on the rows in their order.
    fn places(&self) -> impl Iterator<Item = (Place, &Judged)> {
        let system = self.system.iter().map(|judged| (Place::System, judged));
        let rows = 0..self.of_rows.len();
        system.chain(rows.filter_map(|index| Some((Place::Row(index), self.of_row(index)?))))
    }

    /// Returns the different verdicts.
    fn all(&self) -> impl Iterator<Item = &Judged> {
        self.system.iter().chain(&self.judged)
    }

    /// Adds a verdict on rows. Returns its number.
    fn add(&mut self, judged: Judged) -> NonZero<u32> {
        self.judged.push(judged);
        let count = u32::try_from(self.judged.len()).unwrap_or(u32::MAX);
        NonZero::new(count).unwrap_or(NonZero::<u32>::MAX)
    }
}

fn judge_system(facts: &Facts, entries: &Entries, expectations: &[Expectation]) -> Option<Judged> {
    // An unreadable file is reported as incomplete.
    let (Some(entry), Some(file)) = (entries.system, &facts.system) else {
        return None;
    };
    let request = file.request.clone();
    let is_set = !request.is_empty();
    let mut possible = Possible::certainly(Outcome::S3(request, Source::Trapd));
    for nearly in file.nearly.iter().cloned() {
        possible.add_for(Outcome::S3(nearly, Source::Trapd), Doubt::NearlyASetting);
    }
    if file.has_more_nearly {
        possible.unbound(Doubt::NearlyASetting);
    }
    s3_docroot::add_doubts_of_values(&mut possible);
    s3_docroot::add_doubts_of_transport(&mut possible, facts);
    match facts.trapd_enabled {
        Some(false) if is_set => possible.leave_unproven(Doubt::TrapdOff),
        None if is_set => possible.leave_unproven(Doubt::TrapdUnknown),
        _ => {}
    }
    if is_set && let Some(doubt) = facts.doubt_of_system_wide_encryption() {
        possible.leave_unproven(doubt);
    }
    if file.has_other_endpoint {
        s3_docroot::add_doubts_of_other_endpoint(&mut possible);
    }
    if facts.service_options {
        possible.unbound(Doubt::ServiceOptions);
    }
    if facts.trapd_runs_older_file {
        possible.leave_unproven(Doubt::OlderFile);
    }
    let wanted = &expectations[entry].wanted;
    Some(Judged::new(
        entry,
        wanted,
        &Rc::new(possible),
        facts.version.as_ref(),
    ))
}

#[cfg(test)]
mod tests {
    use super::super::{ScopePattern, Unfounded, Wanted, rows};
    use super::*;
    use crate::aspera::docroot::{AsperaConf, Scope};
    use crate::aspera::setting::Encryption;

    #[test]
    fn what_judges_nothing_is_named_with_its_reason() {
        let docroot = |uri: &str| {
            format!(
                "<file_system><access><paths><path><absolute>{uri}</absolute></path></paths></access></file_system>"
            )
        };
        let users = format!(
            "<user><name>a</name>{}</user><user><name>local</name>{}</user>",
            docroot("s3://s3.amazonaws.com/b/"),
            docroot("/data")
        );
        let file = format!(
            "<CONF><aaa><realms><realm><users>{users}</users></realm></realms></aaa></CONF>"
        );
        let conf = AsperaConf::parse(file.as_bytes()).unwrap();
        let facts = Facts::of(Some(&conf));
        let user = |name: &str| Scope::User(name.to_owned());
        let one = |scope: Scope| vec![ScopePattern::One(scope)];
        for (scopes, unfounded) in [
            (vec![one(user("a"))], None),
            (vec![Vec::new()], None),
            (
                vec![one(user("none"))],
                Some(Unfounded::NoSuchScope(user("none"))),
            ),
            (
                vec![one(user("local"))],
                Some(Unfounded::NotS3(user("local"))),
            ),
            (
                vec![one(Scope::Global)],
                Some(Unfounded::NotS3(Scope::Global)),
            ),
            (
                vec![Vec::new(), one(user("a"))],
                Some(Unfounded::JudgedByEarlierEntry(Some(user("a")))),
            ),
            (
                vec![vec![ScopePattern::System]; 2],
                Some(Unfounded::JudgedByEarlierEntry(None)),
            ),
            (vec![vec![ScopePattern::System]], None),
            (
                vec![vec![ScopePattern::Users, ScopePattern::AccessKeys]],
                None,
            ),
            (
                vec![vec![ScopePattern::System], vec![ScopePattern::AccessKeys]],
                None,
            ),
            (
                vec![
                    vec![ScopePattern::AccessKeys],
                    vec![ScopePattern::AccessKey("ak1".to_owned())],
                ],
                Some(Unfounded::OnlyAccessKeys),
            ),
            (vec![vec![ScopePattern::Users], Vec::new()], None),
            (vec![Vec::new(), Vec::new()], Some(Unfounded::Entry(1))),
            (
                vec![
                    vec![ScopePattern::Users],
                    vec![ScopePattern::Groups],
                    Vec::new(),
                ],
                None,
            ),
            (
                vec![Vec::new(), vec![ScopePattern::Users]],
                Some(Unfounded::Entry(1)),
            ),
            (
                vec![vec![ScopePattern::Users]; 2],
                Some(Unfounded::Entry(1)),
            ),
            (
                vec![vec![ScopePattern::Groups], vec![ScopePattern::System]],
                Some(Unfounded::Everything),
            ),
            (
                vec![vec![ScopePattern::Groups]],
                Some(Unfounded::Everything),
            ),
        ] {
            let expectations: Vec<Expectation> = scopes
                .iter()
                .map(|scopes| Expectation {
                    wanted: Rc::new(Wanted::Encryption(Encryption::AwsKms, Vec::new())),
                    scopes: scopes.clone(),
                    docroots_follow: false,
                })
                .collect();
            let judgement = judge(&facts, &rows(&facts), &expectations);
            let unfounded: Vec<Unfounded> = unfounded.into_iter().collect();
            assert_eq!(judgement.unfounded, unfounded, "{scopes:?}");
        }
    }
}
