//! The owners of docroots: users, groups and the default.

use std::borrow::Cow;

/// The owner of a docroot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// The transfer user with this name.
    User(String),
    /// The group with this name.
    Group(String),
    /// The default for everyone without a setting of their own.
    Global,
}

impl Scope {
    /// Returns the kind of its blocks.
    pub fn block_kind(&self) -> BlockKind {
        match self {
            Self::User(_) => BlockKind::User,
            Self::Group(_) => BlockKind::Group,
            Self::Global => BlockKind::Global,
        }
    }

    /// Returns the word for its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Group(_) => "group",
            Self::Global => "global",
        }
    }

    /// Returns the place of one of its docroots, such as `user xfer for 192.0.2.1`, with the client address if there is one.
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

    /// Returns its name, or `None` for the default.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::User(name) | Self::Group(name) => Some(name),
            Self::Global => None,
        }
    }

    /// Returns its name, or `None` for the default.
    pub fn into_name(self) -> Option<String> {
        match self {
            Self::User(name) | Self::Group(name) => Some(name),
            Self::Global => None,
        }
    }

    /// Returns its kind and name, to compare scopes without copying a name.
    pub fn key(&self) -> (BlockKind, Cow<'_, str>) {
        (self.block_kind(), self.name().unwrap_or_default().into())
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

/// Returns the names of some scopes, and how many more there are.
pub fn some_of(scopes: &[Scope]) -> String {
    const NAMED: usize = 5;
    let names: Vec<String> = scopes.iter().take(NAMED).map(ToString::to_string).collect();
    let names = names.join(", ");
    match scopes.len().saturating_sub(NAMED) {
        0 => names,
        more => format!("{names} and {more} more"),
    }
}

/// The kind of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BlockKind {
    User,
    Group,
    Global,
}
