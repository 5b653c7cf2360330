//! Inheritance: a user without a docroot takes that of a group, by precedence, then the default, then the whole file system.
//!
//! The order is that of the vendor's page on configuration precedence. The groups are those of the operating system.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use super::accounts::Accounts;
use super::doubt::Doubt;
use super::possible::{Outcome, Possible};
use super::row::Results;
use crate::aspera::docroot::{Precedence, Scope};

/// The docroots of one user, group or default block, as a level of inheritance.
#[derive(Debug, Clone)]
pub struct Level {
    pub scope: Scope,
    pub state: DocrootState,
    /// The possible results of its elements, including those for one client address. An empty docroot gives `not S3`.
    pub possible: Rc<Possible>,
    pub has_restriction: bool,
    /// Whether it has a docroot for any client, even if for one client address only.
    pub has_docroot: bool,
    pub precedence: Precedence,
}

/// The state of the docroot that a block has for all clients. Of several, the greatest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DocrootState {
    /// No docroot: the next level counts.
    Unset,
    /// An empty docroot. The vendor does not document whether the next level counts then.
    Empty,
    /// A docroot that is not empty.
    Set,
}

/// The levels that users inherit from.
pub struct Inheritance<'a> {
    accounts: &'a Accounts,
    groups: Vec<Level>,
    defaults: Vec<Level>,
    /// The indexes of the groups that the local files list, by the names of their members.
    by_member: HashMap<&'a str, Vec<usize>>,
    /// The indexes of the groups that may have a local user as a member although the local files do not list that.
    unlisted: Vec<usize>,
    /// The results that were computed before. There are many users, but few different memberships.
    known: RefCell<HashMap<Membership, Results>>,
}

/// The groups of a user.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Membership {
    certain: BTreeSet<usize>,
    is_local: bool,
}

impl Level {
    /// Returns whether it has anything that a user could inherit.
    fn matters(&self) -> bool {
        self.state != DocrootState::Unset
            || self.has_restriction
            || *self.possible != Possible::default()
    }

    /// Returns the result that a user inherits from it.
    fn taken(&self) -> Possible {
        let mut taken = (*self.possible).clone();
        if self.has_restriction && self.has_docroot {
            taken.unbound(Doubt::RestrictionsAndDocroot);
        }
        taken
    }
}

impl<'a> Inheritance<'a> {
    /// Builds the levels above the users.
    pub fn new(groups: Vec<Level>, defaults: Vec<Level>, accounts: &'a Accounts) -> Self {
        let groups: Vec<Level> = groups.into_iter().filter(Level::matters).collect();
        let mut by_member: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut unlisted = Vec::new();
        for (index, level) in groups.iter().enumerate() {
            match accounts.members(level.scope.name().unwrap_or_default()) {
                Some(members) => {
                    for member in members {
                        by_member.entry(member).or_default().push(index);
                    }
                }
                None => unlisted.push(index),
            }
        }
        Self {
            accounts,
            groups,
            defaults,
            by_member,
            unlisted,
            known: RefCell::default(),
        }
    }

    /// Returns what a user inherits whose own block has no docroot for all clients, or only an empty one.
    pub fn of_user(&self, user: &str) -> Results {
        let is_local = self.accounts.is_local(user);
        let listed = self.by_member.get(user).filter(|_| is_local);
        let membership = Membership {
            certain: listed.into_iter().flatten().copied().collect(),
            is_local,
        };
        if let Some(inherited) = self.known.borrow().get(&membership) {
            return inherited.clone();
        }
        let inherited = self.of_member(&membership);
        let mut known = self.known.borrow_mut();
        known.insert(membership, inherited.clone());
        inherited
    }

    /// Returns what applies after the groups: the default, and if that sets nothing, the whole file system.
    pub fn of_default(&self) -> Results {
        let mut possible = Possible::default();
        let from = self.add_default(&mut possible, &mut Vec::new(), false);
        Results {
            possible: Rc::new(possible),
            inherited_from: from.map(Rc::new),
        }
    }

    /// Returns what applies after the default: the whole file system (the vendor's built-in default), or with restrictions the access keys' storages.
    pub fn beyond(&self, is_restricted: bool) -> Possible {
        if is_restricted || self.defaults.iter().any(|level| level.has_restriction) {
            Possible::anything(Doubt::AccessKeys)
        } else {
            Possible::certainly(Outcome::NotS3)
        }
    }

    fn of_member(&self, membership: &Membership) -> Results {
        let possible_groups: BTreeSet<usize> = if membership.is_local {
            self.unlisted
                .iter()
                .chain(&membership.certain)
                .copied()
                .collect()
        } else {
            (0..self.groups.len()).collect()
        };
        let certain_and_set: Vec<&Level> = membership
            .certain
            .iter()
            .map(|&index| &self.groups[index])
            .filter(|level| level.state == DocrootState::Set)
            .collect();
        // If one group has two blocks, the vendor does not document which one counts: neither excludes the other.
        let is_reached = |index: &usize| {
            let group = &self.groups[*index];
            let mut others = certain_and_set
                .iter()
                .filter(|other| other.scope != group.scope);
            !others.any(|other| other.precedence.is_before(group.precedence))
        };
        let mut reached: Vec<usize> = possible_groups.into_iter().filter(is_reached).collect();
        // The most plausible group comes first.
        reached.sort_by(|one, other| {
            let number = |index: usize| match self.groups[index].precedence {
                Precedence::Number(number) => number,
                Precedence::Incomparable => f32::INFINITY,
            };
            number(*one).total_cmp(&number(*other))
        });
        let is_restricted = reached.iter().any(|&index| {
            let group = &self.groups[index];
            group.has_restriction && group.state != DocrootState::Set
        });
        let mut possible = Possible::default();
        let mut sources = Vec::new();
        let mut is_member = true;
        for &index in &reached {
            let level = &self.groups[index];
            possible.merge(level.taken());
            if !membership.certain.contains(&index) {
                possible.note(Doubt::GroupsUnknown);
                is_member = false;
            }
            if level.state != DocrootState::Unset {
                sources.push(level);
            }
        }
        note_order(&mut possible, &sources);
        let from = if certain_and_set.is_empty() {
            self.add_default(&mut possible, &mut sources, is_restricted)
        } else {
            only(&sources)
        };
        Results {
            possible: Rc::new(possible),
            inherited_from: from.filter(|_| is_member).map(Rc::new),
        }
    }

    /// Adds the results of the default. Returns the scope that owns the docroot, or `None` if several are possible.
    fn add_default<'l>(
        &'l self,
        possible: &mut Possible,
        sources: &mut Vec<&'l Level>,
        is_restricted: bool,
    ) -> Option<Scope> {
        for level in &self.defaults {
            possible.merge(level.taken());
            if level.state != DocrootState::Unset {
                sources.push(level);
            }
        }
        let own = self
            .defaults
            .iter()
            .filter(|level| level.state != DocrootState::Unset);
        if own.count() > 1 {
            possible.note(Doubt::SeveralDocroots);
        }
        if self
            .defaults
            .iter()
            .all(|level| level.state != DocrootState::Set)
        {
            possible.merge(self.beyond(is_restricted));
        }
        only(sources)
    }
}

/// Adds the reasons why it is not known which of several groups counts.
fn note_order(possible: &mut Possible, levels: &[&Level]) {
    if levels.len() < 2 {
        return;
    }
    let is_incomparable = |level: &&Level| level.precedence == Precedence::Incomparable;
    let mut neighbours = levels.windows(2);
    if levels.iter().any(is_incomparable) {
        possible.note(Doubt::Precedence);
    } else if neighbours.any(|pair| pair[0].precedence == pair[1].precedence) {
        possible.note(Doubt::SamePrecedence);
    }
    let mut scopes = HashSet::new();
    if levels.iter().any(|level| !scopes.insert(&level.scope)) {
        possible.note(Doubt::SeveralDocroots);
    }
}

fn only(levels: &[&Level]) -> Option<Scope> {
    match levels {
        [level] => Some(level.scope.clone()),
        _ => None,
    }
}
