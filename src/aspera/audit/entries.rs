//! An index of the expectations: the first entry that names a scope judges it.

use std::collections::HashMap;

use super::expectation::{Expectation, ScopePattern};
use super::row::Row;
use crate::aspera::docroot::{BlockKind, Scope};

/// The entries, by what they name.
pub(super) struct Entries<'e> {
    pub(super) system: Option<usize>,
    everyone: Option<usize>,
    users: Option<usize>,
    groups: Option<usize>,
    by_scope: HashMap<&'e Scope, usize>,
}

impl<'e> Entries<'e> {
    pub(super) fn index(expectations: &'e [Expectation]) -> Self {
        let mut entries = Self {
            system: None,
            everyone: None,
            users: None,
            groups: None,
            by_scope: HashMap::new(),
        };
        for (index, expectation) in expectations.iter().enumerate() {
            if expectation.scopes.is_empty() {
                entries.everyone.get_or_insert(index);
            }
            for pattern in &expectation.scopes {
                match pattern {
                    ScopePattern::System => entries.system.get_or_insert(index),
                    ScopePattern::Users => entries.users.get_or_insert(index),
                    ScopePattern::Groups => entries.groups.get_or_insert(index),
                    ScopePattern::One(scope) => entries.by_scope.entry(scope).or_insert(index),
                    // They are in no file of the server.
                    ScopePattern::AccessKeys | ScopePattern::AccessKey(_) => continue,
                };
            }
        }
        entries
    }

    /// Returns the entry that judges a scope.
    pub(super) fn of(&self, scope: &Scope) -> Option<usize> {
        self.first(scope.block_kind(), self.by_scope.get(scope).copied())
    }

    /// Returns the entry that judges a row.
    pub(super) fn of_row(&self, row: Row) -> Option<usize> {
        // Names are read out of the file only if an entry names one.
        let by_scope = (!self.by_scope.is_empty()).then(|| self.by_scope.get(&row.scope()));
        self.first(row.kind(), by_scope.flatten().copied())
    }

    fn first(&self, kind: BlockKind, by_scope: Option<usize>) -> Option<usize> {
        let by_kind = match kind {
            BlockKind::User => self.users,
            BlockKind::Group => self.groups,
            BlockKind::Global => None,
        };
        [by_kind, by_scope, self.everyone]
            .into_iter()
            .flatten()
            .min()
    }
}
