//! The parts of the expectations that judge nothing, although they are meant to.

use std::collections::HashSet;

use super::entries::Entries;
use super::expectation::{Expectation, ScopePattern};
use super::facts::Facts;
use super::row::Rows;
use crate::aspera::docroot::Scope;

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

/// Returns the parts of the expectations that judge nothing. `judges_s3` says whether any upload to S3 is judged.
pub(super) fn unfounded(
    facts: &Facts,
    rows: &Rows,
    entries: &Entries,
    expectations: &[Expectation],
    judges_s3: bool,
) -> Vec<Unfounded> {
    let mut found = Vec::new();
    let Some(conf) = facts.conf else { return found };
    // There may be very many scopes, so only those are kept that an entry names.
    let patterns = expectations.iter().flat_map(|entry| &entry.scopes);
    let named: HashSet<&Scope> = patterns.filter_map(ScopePattern::scope).collect();
    let blocks = conf.blocks.iter().filter(|_| !named.is_empty());
    let known: HashSet<Scope> = blocks
        .map(|block| conf.scope(block))
        .filter(|scope| named.contains(scope))
        .collect();
    let rows_in_s3 = || rows.iter().filter(|row| !row.is_not_s3());
    let named_rows = rows_in_s3().filter(|_| !named.is_empty());
    let scopes_in_s3 = named_rows.map(|row| row.scope());
    let in_s3: HashSet<Scope> = scopes_in_s3.filter(|scope| named.contains(scope)).collect();
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
            found.push(Unfounded::Entry(index));
        }
        for pattern in &expectation.scopes {
            found.extend(match pattern {
                ScopePattern::Users | ScopePattern::Groups => {
                    is_judged_earlier(pattern).then_some(Unfounded::Entry(index))
                }
                // Only the module that asks the Node API knows whether they are there.
                ScopePattern::AccessKeys | ScopePattern::AccessKey(_) => None,
                ScopePattern::System => {
                    let is_judged = entries.system != Some(index);
                    is_judged.then_some(Unfounded::JudgedByEarlierEntry(None))
                }
                ScopePattern::One(scope) if !known.contains(scope) && *scope != Scope::Global => {
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
        found.push(Unfounded::OnlyAccessKeys);
    }
    let is_of_docroots = |pattern: &ScopePattern| {
        !matches!(pattern, ScopePattern::System) && !pattern.is_of_access_keys()
    };
    let expects_uploads = expectations.iter().any(|expectation| {
        expectation.scopes.is_empty() || expectation.scopes.iter().any(is_of_docroots)
    });
    if !judges_s3 && expects_uploads && rows_in_s3().next().is_some() && found.is_empty() {
        found.push(Unfounded::Everything);
    }
    found
}
