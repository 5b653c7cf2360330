//! The rows of the judgement.

use super::inheritance::{is_set, is_unset};
use crate::configuration::{self, Block, Configuration, Expectation};

/// A docroot or user that uploads may use.
pub struct Row<'c> {
    pub level: Level,
    pub block: &'c Block,
    pub what: What<'c>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Level {
    User,
    Group,
    Default,
}

#[derive(Clone, Copy)]
pub enum What<'c> {
    Docroot(&'c configuration::Docroot),
    Inherited,
    AccessKeys,
}

pub fn rows(configuration: &Configuration) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    for (level, blocks) in [
        (Level::User, &configuration.users),
        (Level::Group, &configuration.groups),
        (Level::Default, &configuration.defaults),
    ] {
        for block in blocks {
            let row = |what| Row { level, block, what };
            let elements = block.docroots.iter().filter(|docroot| !is_unset(docroot));
            rows.extend(elements.map(|docroot| row(What::Docroot(docroot))));
            if level == Level::User {
                let is_unconditional = |docroot: &configuration::Docroot| {
                    docroot.peer_ip.is_none() && !is_unset(docroot)
                };
                if !block.docroots.iter().any(is_unconditional) {
                    rows.push(row(What::Inherited));
                }
            } else if block.restrictions && !block.docroots.iter().any(is_set) {
                rows.push(row(What::AccessKeys));
            }
        }
    }
    rows
}

impl Row<'_> {
    pub fn place(&self) -> String {
        let place = self.named();
        match self.what {
            What::Docroot(configuration::Docroot {
                peer_ip: Some(peer),
                ..
            }) => format!("{place} for {peer}"),
            _ => place,
        }
    }

    pub fn named(&self) -> String {
        match self.level {
            Level::User => format!("user {}", self.block.name),
            Level::Group => format!("group {}", self.block.name),
            Level::Default => "global".to_owned(),
        }
    }

    fn kind(&self) -> &'static str {
        match self.level {
            Level::User => "user",
            Level::Group => "group",
            Level::Default => "global",
        }
    }

    pub fn is_named_by(&self, expectation: &Expectation) -> bool {
        let scopes = &expectation.scopes;
        scopes.is_empty()
            || scopes
                .iter()
                .any(|scope| *scope == self.kind() || *scope == self.named())
    }
}
