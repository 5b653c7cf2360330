//! The docroot that an upload goes into, in one world.

use super::accounts;
use super::decisions;
use super::docroot_text::Docroot;
use super::rows::{Level, Row, What};
use super::worlds::World;
use crate::configuration::{self, Block, COMMENT, Configuration};

/// The docroot of a row in one world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source<'c> {
    NotS3,
    Docroot(&'c str),
    Anything,
}

impl Source<'_> {
    pub fn read(&self) -> Docroot {
        match self {
            Self::NotS3 => Docroot::NotS3,
            Self::Docroot(text) => Docroot::read(text),
            Self::Anything => Docroot::Anything,
        }
    }
}

impl<'c> Row<'c> {
    pub fn source(&self, configuration: &'c Configuration, world: &mut World) -> Source<'c> {
        let has_docroot = match self.what {
            // Its docroots, if any, are for other clients.
            What::Inherited => false,
            _ => self.block.docroots.iter().any(is_set),
        };
        if self.block.restrictions && !has_docroot && world.may("access_keys") {
            return Source::Anything;
        }
        if is_contested(self.block) && world.may("restrictions_and_docroot") {
            return Source::Anything;
        }
        let own = &self.block.docroots;
        if match self.what {
            What::Docroot(docroot) => has_comment(docroot),
            // What is unset may be something else without its comment.
            What::Inherited => own.iter().any(|it| is_unset(it) && has_comment(it)),
            What::AccessKeys => false,
        } {
            world.stands_against("comment_in_docroot");
        }
        match self.what {
            What::AccessKeys => {
                world.because("access_keys");
                Source::Anything
            }
            What::Docroot(docroot) if !is_empty(docroot) => Source::Docroot(&docroot.text),
            What::Docroot(_) if !world.may("empty_docroot") => Source::NotS3,
            What::Docroot(_) | What::Inherited => match self.level {
                Level::User => below_user(self.block, configuration, world),
                Level::Group => below_groups(self.block.restrictions, configuration, world),
                Level::Default => beyond(self.block.restrictions, configuration, world),
            },
        }
    }
}

/// Returns the docroot of a user without one of his own, in one world.
fn below_user<'c>(
    user: &'c Block,
    configuration: &'c Configuration,
    world: &mut World,
) -> Source<'c> {
    let mut is_restricted = user.restrictions;
    let mut candidates = Vec::new();
    let mut unset = Vec::new();
    for group in &configuration.groups {
        let says_something = group.restrictions
            || group
                .docroots
                .iter()
                .any(|it| !is_unset(it) || has_comment(it));
        if !says_something || !is_member(&user.name, &group.name, configuration, world) {
            continue;
        }
        is_restricted |= group.restrictions;
        match docroot_of(&[group], world) {
            Some(source) => candidates.push((group, precedence(group), source)),
            None => unset.push(group),
        }
    }
    // The vendor does not document which of two blocks of one group counts.
    let may_be_first = |name: &str, candidate: Option<f32>| {
        let others = candidates
            .iter()
            .filter(|(other, _, _)| other.name != name)
            .filter_map(|(_, other, _)| *other);
        candidate.is_none_or(|candidate| others.into_iter().all(|other| other >= candidate))
    };
    let first: Vec<_> = candidates
        .iter()
        .filter(|(group, own, _)| may_be_first(&group.name, *own))
        .collect();
    for (group, _, _) in &first {
        stand_against_comments(&[*group], world);
    }
    for group in unset {
        if may_be_first(&group.name, precedence(group)) {
            stand_against_comments(&[group], world);
        }
    }
    if first.is_empty() {
        return below_groups(is_restricted, configuration, world);
    }
    let is_comparable = first.iter().all(|(_, precedence, _)| precedence.is_some());
    let names: Vec<&str> = first.iter().map(|(group, _, _)| &*group.name).collect();
    if (1..names.len()).any(|index| names[..index].contains(&names[index])) {
        world.because("several_docroots");
    }
    let reason = if is_comparable {
        "same_precedence"
    } else {
        "precedence"
    };
    first[world.choose(reason, first.len())].2
}

fn below_groups<'c>(
    is_restricted: bool,
    configuration: &'c Configuration,
    world: &mut World,
) -> Source<'c> {
    let defaults: Vec<&Block> = configuration.defaults.iter().collect();
    stand_against_comments(&defaults, world);
    match docroot_of(&defaults, world) {
        Some(source) => source,
        None => beyond(is_restricted, configuration, world),
    }
}

/// Returns the source if there is no docroot anywhere.
fn beyond<'c>(
    is_restricted: bool,
    configuration: &'c Configuration,
    world: &mut World,
) -> Source<'c> {
    if is_restricted
        || configuration
            .defaults
            .iter()
            .any(|block| block.restrictions)
    {
        world.because("access_keys");
        return Source::Anything;
    }
    Source::NotS3
}

/// Makes the result unproven if any docroot of the blocks has a comment in it.
fn stand_against_comments(blocks: &[&Block], world: &mut World) {
    let mut docroots = blocks.iter().flat_map(|block| &block.docroots);
    if docroots.any(has_comment) {
        world.stands_against("comment_in_docroot");
    }
}

/// Returns the docroot that a group, or all defaults together, give in one world to users who inherit it.
fn docroot_of<'c>(blocks: &[&'c Block], world: &mut World) -> Option<Source<'c>> {
    let elements: Vec<(&Block, &configuration::Docroot)> = blocks
        .iter()
        .flat_map(|block| block.docroots.iter().map(move |docroot| (*block, docroot)))
        .filter(|(_, docroot)| !is_unset(docroot))
        .collect();
    let (for_all, for_peers): (Vec<_>, Vec<_>) = elements
        .into_iter()
        .partition(|(_, docroot)| docroot.peer_ip.is_none());
    let reach = |(block, docroot): (&Block, &'c configuration::Docroot), world: &mut World| {
        if decisions::RESTRICTIONS_ARE_INHERITED
            && is_contested(block)
            && world.may("restrictions_and_docroot")
        {
            Source::Anything
        } else if is_empty(docroot) {
            Source::NotS3
        } else {
            Source::Docroot(&docroot.text)
        }
    };
    // The client may have one of the addresses, or none of them.
    let at = world.choose("client_address", for_peers.len() + 1);
    if let Some(&(block, docroot)) = for_peers.get(at)
        && !(is_empty(docroot) && world.may("empty_docroot"))
    {
        return Some(reach((block, docroot), world));
    }
    if for_all.is_empty() {
        return None;
    }
    let is_unset_in_this_world =
        !for_all.iter().any(|(_, docroot)| is_set(docroot)) && world.may("empty_docroot");
    if is_unset_in_this_world {
        return None;
    }
    let one = for_all[world.choose("several_docroots", for_all.len())];
    Some(reach(one, world))
}

fn has_comment(docroot: &configuration::Docroot) -> bool {
    docroot.text.contains(COMMENT)
}

pub fn is_unset(docroot: &configuration::Docroot) -> bool {
    docroot.text.replace(COMMENT, "").trim_ascii() == "AS_NULL"
}

fn is_empty(docroot: &configuration::Docroot) -> bool {
    docroot.text.replace(COMMENT, "").trim_ascii().is_empty()
}

pub fn is_set(docroot: &configuration::Docroot) -> bool {
    !is_unset(docroot) && !is_empty(docroot)
}

/// Returns whether a block has restrictions and a docroot, which the vendor does not support.
fn is_contested(block: &Block) -> bool {
    block.restrictions && block.docroots.iter().any(is_set)
}

/// Returns the precedence, or `None` if it cannot be compared.
fn precedence(group: &Block) -> Option<f32> {
    let Some(text) = &group.precedence else {
        return Some(1000.0);
    };
    if text.contains(COMMENT) || group.second_precedence {
        return None;
    }
    let text = text.trim_ascii();
    let is_plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    let number: f32 = text.parse().ok()?;
    (is_plain && number.is_finite() && !text.starts_with('-')).then_some(number)
}

/// Returns whether a user is a member of a group in one world.
fn is_member(user: &str, group: &str, configuration: &Configuration, world: &mut World) -> bool {
    match (
        accounts::primary_group(user, configuration),
        accounts::certain_group(group, configuration),
    ) {
        (Some(primary), Some(line)) => {
            primary == line.gid || line.members.iter().any(|member| member == user)
        }
        _ => world.may("groups_unknown"),
    }
}
