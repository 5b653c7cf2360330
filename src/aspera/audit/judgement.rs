//! The judgement: compares the rows and `s3.properties` with the expectations.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::doubt::Doubt;
use super::expectation::{Comparison, Difference, Expectation, ScopePattern, Wanted};
use super::facts::Facts;
use super::overriding::overriding;
use super::possible::{Outcome, Possible, Source};
use super::rows::Row;
use super::s3_docroot;
use super::verdict::{Place, RowVerdict, Verdict, Violation};
use crate::aspera::docroot::Scope;
use crate::aspera::setting::Encryption;
use crate::aspera::version::Version;

/// The result of comparing a server with the expectations.
#[derive(Debug, Default)]
pub struct Judgement {
    /// The certain differences.
    pub violations: Vec<Violation>,
    /// The docroots that no entry judges, and that say something else than `s3.properties` is expected to say.
    pub overriding: Vec<Violation>,
    /// The places whose verdict is not known.
    pub unknown: Vec<Unknown>,
    /// The parts of the expectations that judge nothing.
    pub unfounded: Vec<Unfounded>,
    /// The verdict on `s3.properties`, or `None` if no entry names it or it could not be read.
    pub system: Option<Verdict>,
    /// The verdicts on the rows, in the order of the rows.
    pub rows: Vec<RowVerdict>,
}

/// A place whose verdict is not known.
#[derive(Debug)]
pub struct Unknown {
    /// The place.
    pub place: Place,
    /// The reasons.
    pub doubts: Vec<Doubt>,
}

/// A part of the expectations that judges nothing, although it is meant to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfounded {
    /// A user or group that `aspera.conf` does not contain.
    NoSuchScope(Scope),
    /// A scope without an upload to S3.
    NotS3(Scope),
    /// A scope, or `None` for `s3.properties`, that an earlier entry judges.
    JudgedByEarlierEntry(Option<Scope>),
    /// The entry with this index, or its `user` or `group`, because an earlier entry judges the same.
    Entry(usize),
    /// All expectations: they judge no upload to S3, although there are some.
    Everything,
    /// All expectations: they are of access keys, which another module judges.
    OnlyAccessKeys,
}

/// Judges a server by the expectations.
pub fn judge(facts: &Facts, rows: &[Row], expectations: &[Expectation]) -> Judgement {
    let entries = Entries::index(expectations);
    let mut judgement = Judgement::default();
    judgement.judge_system(facts, &entries, expectations);
    for (index, row) in rows.iter().enumerate() {
        let entry = entries.of(&row.scope);
        let verdict = entry.map(|entry| {
            let wanted = &expectations[entry].wanted;
            judgement.judge_one(Place::Row(index), &row.possible, wanted, facts)
        });
        judgement.rows.push(RowVerdict { entry, verdict });
    }
    judgement.find_unfounded(facts, rows, &entries, expectations);
    match overriding(rows, &judgement.rows, expectations) {
        (forbidden, true) => judgement.violations.extend(forbidden),
        (reported, false) => judgement.overriding = reported,
    }
    judgement
}

/// The verdict on the possible results of an upload.
#[derive(Debug)]
pub struct Judged {
    /// The verdict.
    pub verdict: Verdict,
    /// Why it is not known, if it is not.
    pub doubts: Vec<Doubt>,
}

/// Judges the possible results of an upload by an expectation.
pub fn judge_possible(possible: &Possible, wanted: &Wanted, facts: &Facts) -> Judged {
    let comparisons = comparisons(possible, wanted, facts);
    let verdict = verdict(possible, &comparisons);
    Judged {
        verdict,
        doubts: if verdict == Verdict::Unknown {
            doubts(possible, &comparisons)
        } else {
            Vec::new()
        },
    }
}

impl Judgement {
    /// Returns whether the server is as expected, or `None` if that is not known.
    ///
    /// `has_gaps` says whether something that is necessary was not read, and `is_refused` whether Aspera refuses its configuration.
    pub fn compliant(&self, has_gaps: bool, is_refused: bool) -> Option<bool> {
        if is_refused || !self.violations.is_empty() {
            return Some(false);
        }
        let is_known = !has_gaps && self.unknown.is_empty() && self.unfounded.is_empty();
        is_known.then_some(true)
    }

    /// Returns whether an upload is judged that may go to S3.
    pub fn judges_s3(&self) -> bool {
        let mut verdicts = self.rows.iter().filter_map(|row| row.verdict);
        verdicts.any(|verdict| verdict != Verdict::NotS3)
    }

    fn judge_system(&mut self, facts: &Facts, entries: &Entries, expectations: &[Expectation]) {
        // An unreadable file is reported as incomplete.
        let (Some(entry), Some(file)) = (entries.system, &facts.system) else {
            return;
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
        let possible = Rc::new(possible);
        self.system = Some(self.judge_one(Place::System, &possible, wanted, facts));
    }

    fn judge_one(
        &mut self,
        place: Place,
        possible: &Rc<Possible>,
        wanted: &Rc<Wanted>,
        facts: &Facts,
    ) -> Verdict {
        let Judged { verdict, doubts } = judge_possible(possible, wanted, facts);
        match verdict {
            Verdict::Violated(difference) => self.violations.push(Violation {
                place,
                possible: Rc::clone(possible),
                expected: Rc::clone(wanted),
                difference,
            }),
            Verdict::Unknown => self.unknown.push(Unknown { place, doubts }),
            Verdict::Met | Verdict::NotS3 => {}
        }
        verdict
    }

    fn find_unfounded(
        &mut self,
        facts: &Facts,
        rows: &[Row],
        entries: &Entries,
        expectations: &[Expectation],
    ) {
        let Some(conf) = facts.conf else { return };
        // There may be very many scopes, so only those are kept that an entry names.
        let patterns = expectations.iter().flat_map(|entry| &entry.scopes);
        let named: HashSet<&Scope> = patterns.filter_map(ScopePattern::scope).collect();
        let blocks = conf.blocks.iter().filter(|_| !named.is_empty());
        let known: HashSet<Scope> = blocks
            .map(|block| conf.scope(block))
            .filter(|scope| named.contains(scope))
            .collect();
        let rows_in_s3 = || rows.iter().filter(|row| !row.is_not_s3());
        let scopes_in_s3 = rows_in_s3().map(|row| &row.scope);
        let in_s3: HashSet<&Scope> = scopes_in_s3.filter(|scope| named.contains(scope)).collect();
        for (index, expectation) in expectations.iter().enumerate() {
            let earlier = &expectations[..index];
            let is_judged_earlier = |pattern: &ScopePattern| {
                earlier
                    .iter()
                    .any(|earlier| earlier.scopes.is_empty() || earlier.scopes.contains(pattern))
            };
            let everyone = [
                ScopePattern::Users,
                ScopePattern::Groups,
                ScopePattern::One(Scope::Global),
            ];
            if expectation.scopes.is_empty() && everyone.iter().all(is_judged_earlier) {
                self.unfounded.push(Unfounded::Entry(index));
            }
            for pattern in &expectation.scopes {
                self.unfounded.extend(match pattern {
                    ScopePattern::Users | ScopePattern::Groups => {
                        is_judged_earlier(pattern).then_some(Unfounded::Entry(index))
                    }
                    // Only the module that asks the Node API knows whether they are there.
                    ScopePattern::AccessKeys | ScopePattern::AccessKey(_) => None,
                    ScopePattern::System => {
                        let is_judged = entries.system != Some(index);
                        is_judged.then_some(Unfounded::JudgedByEarlierEntry(None))
                    }
                    ScopePattern::One(scope)
                        if !known.contains(scope) && *scope != Scope::Global =>
                    {
                        Some(Unfounded::NoSuchScope(scope.clone()))
                    }
                    ScopePattern::One(scope) if !in_s3.contains(scope) => {
                        Some(Unfounded::NotS3(scope.clone()))
                    }
                    ScopePattern::One(scope) => {
                        let is_judged = entries.of(scope) != Some(index);
                        is_judged.then(|| Unfounded::JudgedByEarlierEntry(Some(scope.clone())))
                    }
                });
            }
        }
        let is_of_keys = |expectation: &Expectation| {
            let mut scopes = expectation.scopes.iter();
            !expectation.scopes.is_empty() && scopes.all(ScopePattern::is_of_access_keys)
        };
        if !expectations.is_empty() && expectations.iter().all(is_of_keys) {
            self.unfounded.push(Unfounded::OnlyAccessKeys);
        }
        let mut verdicts = self.rows.iter().filter_map(|row| row.verdict);
        let is_judged = verdicts.any(|verdict| verdict != Verdict::NotS3);
        let is_of_docroots = |pattern: &ScopePattern| {
            !matches!(pattern, ScopePattern::System) && !pattern.is_of_access_keys()
        };
        let expects_uploads = expectations.iter().any(|expectation| {
            expectation.scopes.is_empty() || expectation.scopes.iter().any(is_of_docroots)
        });
        if !is_judged
            && expects_uploads
            && rows_in_s3().next().is_some()
            && self.unfounded.is_empty()
        {
            self.unfounded.push(Unfounded::Everything);
        }
    }
}

/// Compares each possible upload to S3 with an expectation.
fn comparisons(possible: &Possible, wanted: &Wanted, facts: &Facts) -> Vec<Comparison> {
    let compare = |request| match wanted.compare(request) {
        Comparison::Meets => on_version(wanted, facts.version.as_ref()),
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

#[cfg(test)]
mod tests {
    use super::super::{Accounts, rows};
    use super::*;
    use crate::aspera::docroot::AsperaConf;
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
        let accounts = Accounts::default();
        let facts = Facts::of(Some(&conf), &accounts);
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
