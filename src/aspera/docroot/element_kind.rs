//! The elements that matter here, by their names and parents.

use super::scope::BlockKind;

/// The attribute of a docroot that names the client address.
pub(super) const PEER_IP: &[u8] = b"peer_ip";

/// The kind of an open element, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ElementKind {
    Root,
    Aaa,
    Realms,
    Realm,
    Users,
    Groups,
    Block(BlockKind),
    Name,
    Precedence,
    Pvcl,
    FileSystem,
    Access,
    Paths,
    Path,
    Absolute,
    Restrictions,
    /// An element in [`Self::Restrictions`].
    Restriction,
    Other,
}

impl ElementKind {
    pub(super) fn of(parent: Option<Self>, name: &[u8]) -> Self {
        match (parent, name) {
            (None, _) => Self::Root,
            (Some(Self::Root), b"aaa") => Self::Aaa,
            (Some(Self::Root), b"default") => Self::Block(BlockKind::Global),
            (Some(Self::Users), b"user") => Self::Block(BlockKind::User),
            (Some(Self::Groups), b"group") => Self::Block(BlockKind::Group),
            (Some(Self::Aaa), b"realms") => Self::Realms,
            (Some(Self::Realms), b"realm") => Self::Realm,
            (Some(Self::Realm), b"users") => Self::Users,
            (Some(Self::Realm), b"groups") => Self::Groups,
            (Some(Self::Block(_)), b"name") => Self::Name,
            (Some(Self::Block(_)), b"precedence") => Self::Precedence,
            (Some(Self::Block(_)), b"pvcl") => Self::Pvcl,
            (Some(Self::Block(_)), b"file_system") => Self::FileSystem,
            (Some(Self::FileSystem), b"access") => Self::Access,
            (Some(Self::Access), b"paths") => Self::Paths,
            (Some(Self::Paths), b"path") => Self::Path,
            (Some(Self::Path), b"absolute") => Self::Absolute,
            (Some(Self::Path), b"restrictions") => Self::Restrictions,
            (Some(Self::Restrictions | Self::Restriction), _) => Self::Restriction,
            _ => Self::Other,
        }
    }

    /// Returns the depth of an element on the way to the docroot, below its block.
    pub(super) fn depth_below_block(self) -> Option<u8> {
        Some(match self {
            Self::FileSystem => 1,
            Self::Access => 2,
            Self::Paths => 3,
            Self::Path => 4,
            _ => return None,
        })
    }
}
