//! Whose docroot one is.

use std::borrow::Cow;

/// Whose docroot it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The transfer user of that name.
    User(String),
    /// The group of that name.
    Group(String),
    /// Everyone for whom nothing else is said.
    Global,
}

impl Scope {
    /// The word for its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Group(_) => "group",
            Self::Global => "global",
        }
    }

    /// A docroot of it, such as `user xfer for 192.0.2.1`: for one client address, if there is one.
    pub fn place(&self, peer_ip: Option<&str>) -> String {
        let mut place = match self.name() {
            Some(name) => format!("{} {name}", self.kind()),
            None => self.kind().to_owned(),
        };
        if let Some(address) = peer_ip {
            place += &format!(" for {address}");
        }
        place
    }

    /// Its name, unless it is global.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::User(name) | Self::Group(name) => Some(name),
            Self::Global => None,
        }
    }

    /// What to compare with [`AsperaConf::scope_key`].
    pub fn key(&self) -> (BlockKind, Cow<'_, str>) {
        match self {
            Self::User(name) => (BlockKind::User, name.into()),
            Self::Group(name) => (BlockKind::Group, name.into()),
            Self::Global => (BlockKind::Global, "".into()),
        }
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.name() {
            Some(name) => write!(formatter, "{} {name}", self.kind()),
            None => formatter.write_str("the global default"),
        }
    }
}

/// What kind of block it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BlockKind {
    /// `user`
    User,
    /// `group`
    Group,
    /// `default`
    Global,
}
