//! The users, groups and docroots of `aspera.conf`, with their places in the file.
//!
//! The structure is that of the vendor's parameter reference: a docroot is `file_system/access/paths/path/absolute` below a
//! `aaa/realms/realm/users/user`, a `groups/group` there, or `default`.

use std::borrow::Cow;

use super::element::{Element, Parent, Span};
use super::element_kind::PEER_IP;
use super::owner::Owner;
use super::scope::{BlockKind, Scope};
use super::uncovered::Uncovered;
use crate::text::xml::{Content, Malformed, attribute_value};

/// The parsed `aspera.conf`, read once.
#[derive(Debug)]
pub struct AsperaConf<'a> {
    /// The bytes of the file.
    pub bytes: &'a [u8],
    /// The blocks of users, groups and the default, in the order of the file.
    pub blocks: Vec<Block>,
    /// The docroots of all blocks, in the order of the file.
    pub(super) docroots: Vec<DocrootElement>,
    /// The elements that hold the blocks. New blocks go into them.
    pub block_parents: BlockParents,
    /// Whether it has settings of `pvcl_cloud`, which connects Aspera 4.4 to object storage beside trapd.
    pub has_pvcl: bool,
    /// The places that may matter for uploads and that the model does not cover, in the order of the file, 20 at most.
    pub uncovered: Vec<Uncovered>,
}

/// A `user`, `group` or `default` element.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// The owner of its docroots.
    pub owner: Owner,
    /// Whether programs may read another name: it contains a comment or a processing instruction, has blanks around it, is empty, or is not the only one.
    pub has_unclear_name: bool,
    /// The indexes of its docroots among those of the file.
    pub(super) docroots: Span,
    /// Whether it restricts paths, which access keys need.
    pub has_restriction: bool,
    /// The precedence of the group among the groups of a user.
    pub precedence: Precedence,
    /// The number of elements of `file_system/access/paths/path` that exist in it, each in the one before.
    pub depth: u8,
    /// The innermost of these elements, or the block itself.
    pub innermost: Parent,
}

/// The precedence of a group: the lowest counts first. In the schema that `asuserdata -+` prints, it is a number with a fraction, 1000 by
/// default. The manual says that it is not negative.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Precedence {
    /// A number from 0. The schema's type has 32 bits: numbers that differ only beyond that are equal there.
    Number(f32),
    /// What cannot be compared: a negative number, a text that is not a number or not plain, or more than one.
    Incomparable,
}

impl Precedence {
    pub(super) const DEFAULT: Self = Self::Number(1000.0);

    pub(super) fn parse(text: &str) -> Self {
        // The schema's numbers are plain: Rust takes inf, nan and a leading + as well.
        let is_plain = text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'-'));
        match text.parse::<f32>() {
            _ if text.is_empty() => Self::DEFAULT,
            Ok(number) if is_plain && number >= 0.0 && number.is_finite() => Self::Number(number),
            _ => Self::Incomparable,
        }
    }

    /// Returns whether a group with this precedence certainly counts before a group with the other one.
    pub fn is_before(self, other: Self) -> bool {
        matches!((self, other), (Self::Number(own), Self::Number(other)) if own < other)
    }
}

/// An `absolute` element. There may be very many, so only its place is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocrootElement {
    pub(super) element: Element,
    /// Whether it applies to one client address only.
    pub has_peer_ip: bool,
    /// Whether it contains a comment or a processing instruction beside its text.
    pub has_misc: bool,
}

impl DocrootElement {
    /// Returns the client address that the docroot applies to, or `None` if it applies to all clients.
    pub fn peer_ip(&self, bytes: &[u8]) -> Option<String> {
        if !self.has_peer_ip {
            return None;
        }
        attribute_value(&bytes[self.element.start_tag()], PEER_IP)
    }
}

/// The existing elements that hold the blocks.
#[derive(Debug, Default)]
pub struct BlockParents {
    pub root: Option<Parent>,
    /// The first `aaa`, the first `realms` in it, and the first `realm` in that.
    pub realm: Vec<Parent>,
    /// The `users` elements of a realm.
    pub users: Option<Parent>,
    /// The `groups` elements of a realm.
    pub groups: Option<Parent>,
}

/// The reason why a file cannot be read as a configuration.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfError {
    /// A text that is not XML, or XML that this program does not accept.
    #[error(
        "is not the XML of an aspera.conf: {0}. Correct that place first (asuserdata -v checks the file)."
    )]
    Malformed(#[from] Malformed),
    /// XML that is not an `aspera.conf`.
    #[error("is not an aspera.conf: {0}. Check the path.")]
    OtherFile(&'static str),
    /// Users in a place where the server does not look for them.
    #[error(
        "is not an aspera.conf as the server reads it: line {line}: {what}. Correct that first."
    )]
    LookAlike {
        /// The line, from 1.
        line: usize,
        /// The problem on this line.
        what: &'static str,
    },
}

impl ConfError {
    /// Returns the problem as a sentence without its remedy.
    pub fn problem(&self) -> String {
        match self {
            Self::Malformed(malformed) => format!("The file is not well-formed XML: {malformed}."),
            Self::OtherFile(what) => format!("The file is not an aspera.conf: {what}."),
            Self::LookAlike { line, what } => {
                format!(
                    "The file is not an aspera.conf as the server reads it: line {line}: {what}."
                )
            }
        }
    }
}

impl<'a> AsperaConf<'a> {
    /// Returns the scope of a block.
    pub fn scope(&self, block: &Block) -> Scope {
        block.owner.scope(self.bytes)
    }

    /// Returns whether the file has groups, so that the groups of users matter.
    pub fn has_groups(&self) -> bool {
        let mut owners = self.blocks.iter().map(|block| block.owner);
        owners.any(|owner| owner.kind == BlockKind::Group)
    }

    /// Returns the docroots of a block, in the order of the file.
    pub fn docroots(&self, block: &Block) -> &[DocrootElement] {
        &self.docroots[block.docroots.range()]
    }

    /// Returns the text of a docroot, without the blanks around it.
    pub fn text(&self, docroot: &DocrootElement) -> String {
        self.text_with_blanks(docroot).trim_ascii().to_owned()
    }

    /// Returns the text of a docroot, with the blanks around it.
    pub fn text_with_blanks(&self, docroot: &DocrootElement) -> Cow<'a, str> {
        Content::text_of(self.bytes, &docroot.element.content())
    }

    /// Returns the text of a docroot, with the places of its characters.
    pub fn content(&self, docroot: &DocrootElement) -> Content {
        Content::read(self.bytes, &docroot.element.content())
    }
}
