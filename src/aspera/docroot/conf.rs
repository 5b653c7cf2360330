//! The users, groups and docroots of `aspera.conf`, with their places in the file.
//!
//! The structure is that of the vendor's parameter reference: a docroot is `file_system/access/paths/path/absolute` below a
//! `aaa/realms/realm/users/user`, a `groups/group` there, or `default`.

use std::borrow::Cow;
use std::ops::Range;

use super::scope::{BlockKind, Scope};
use crate::text::xml::{Content, Malformed};

/// A configuration file, read once.
#[derive(Debug)]
pub struct AsperaConf<'a> {
    /// The whole file.
    pub bytes: &'a [u8],
    /// The users, groups and the default, in the order of the file.
    pub blocks: Vec<Block>,
    /// The docroots of all blocks, in the order of the file.
    pub(super) docroots: Vec<DocrootElement>,
    /// The elements into which new blocks go.
    pub skeleton: Skeleton,
    /// Whether it has settings of `pvcl_cloud`, which connects Aspera 4.4 to object storage beside trapd.
    pub has_pvcl: bool,
}

/// A `user`, `group` or `default` element.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    pub(super) kind: BlockKind,
    /// Where its name is, between the tags; the default needs none. A file may have very many blocks: what is not asked for is not copied.
    pub(super) name: Option<Range<usize>>,
    /// Which docroots of the file are in it.
    pub(super) docroots: Range<usize>,
    /// Whether it restricts paths, as access keys need it.
    pub has_restriction: bool,
    /// Which group counts first for a user who is in several.
    pub precedence: Precedence,
    /// How many of `file_system`, `access`, `paths` and `path` exist in it, each in the one before.
    pub depth: usize,
    /// The innermost of them, or the block itself.
    pub innermost: Element,
}

/// The precedence of a group: the lowest counts first. The schema that `asuserdata -+` prints has it as a number with a fraction, 1000 where nothing is
/// said; the manual says that it is not negative.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Precedence {
    /// A number from 0.
    Number(f64),
    /// Anything else.
    Incomparable,
}

impl Precedence {
    pub(super) const DEFAULT: Self = Self::Number(1000.0);

    pub(super) fn parse(text: &str) -> Self {
        // The schema's numbers are plain: Rust takes inf, nan and a leading + as well.
        let is_plain = text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'-'));
        match text.parse::<f64>() {
            _ if text.is_empty() => Self::DEFAULT,
            Ok(number) if is_plain && number >= 0.0 && number.is_finite() => Self::Number(number),
            _ => Self::Incomparable,
        }
    }

    /// Whether a group with this precedence counts before one with the other, for certain.
    pub fn is_before(self, other: Self) -> bool {
        matches!((self, other), (Self::Number(own), Self::Number(other)) if own < other)
    }
}

/// An `absolute` element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocrootElement {
    /// The client address for which it is, if it is for one.
    pub peer_ip: Option<String>,
    /// The element.
    pub element: Element,
    /// Whether it holds a comment or a processing instruction beside its text.
    pub has_misc: bool,
}

/// Where an element stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// The start tag, or the whole of an empty element.
    pub start_tag: Range<usize>,
    /// What lies between its tags; empty, and at the end of the tag, for `<name/>`.
    pub content: Range<usize>,
    /// Whether it is written `<name/>`.
    pub is_empty_tag: bool,
    /// The last element in it.
    pub last_child: Option<Range<usize>>,
}

impl Element {
    /// From its first to its last byte.
    pub fn range(&self, bytes: &[u8]) -> Range<usize> {
        let end = if self.is_empty_tag {
            self.start_tag.end
        } else {
            let rest = &bytes[self.content.end..];
            self.content.end
                + rest
                    .iter()
                    .position(|&byte| byte == b'>')
                    .map_or(0, |length| length + 1)
        };
        self.start_tag.start..end
    }
}

/// The elements that hold the blocks; those that exist.
#[derive(Debug, Default)]
pub struct Skeleton {
    /// The root.
    pub root: Option<Element>,
    /// `aaa`, and in it the first `realms` with the first `realm`.
    pub realm: Vec<Element>,
    /// `users` of a realm.
    pub users: Option<Element>,
    /// `groups` of a realm.
    pub groups: Option<Element>,
}

/// Why a file cannot be read as a configuration.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfError {
    /// Not XML, or XML that we do not take.
    #[error(
        "is not the XML of an aspera.conf: {0}. Correct that place first (asuserdata -v checks the file)."
    )]
    Malformed(#[from] Malformed),
    /// Something else in XML.
    #[error("is not an aspera.conf: {0}. Check the path.")]
    OtherFile(&'static str),
    /// Users where the server does not look for them.
    #[error(
        "is not an aspera.conf as the server reads it: line {line}: {what}. Correct that first."
    )]
    LookAlike {
        /// The line, from 1.
        line: usize,
        /// What stands there.
        what: &'static str,
    },
}

impl ConfError {
    /// What is wrong, as a sentence without its remedy.
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
    /// Whose a block is.
    pub fn scope(&self, block: &Block) -> Scope {
        match block.kind {
            BlockKind::User => Scope::User(self.name(block).into_owned()),
            BlockKind::Group => Scope::Group(self.name(block).into_owned()),
            BlockKind::Global => Scope::Global,
        }
    }

    /// Whether it has groups, so that the groups of users matter.
    pub fn has_groups(&self) -> bool {
        self.blocks
            .iter()
            .any(|block| block.kind == BlockKind::Group)
    }

    /// Whether a block is that of a user.
    pub fn is_user(&self, block: &Block) -> bool {
        block.kind == BlockKind::User
    }

    /// Whose a block is, to be compared: with others of its kind, and with a [`Scope::key`].
    pub fn scope_key(&self, block: &Block) -> (BlockKind, Cow<'a, str>) {
        (block.kind, self.name(block))
    }

    /// The docroots of a block, in the order of the file.
    pub fn docroots(&self, block: &Block) -> &[DocrootElement] {
        &self.docroots[block.docroots.clone()]
    }

    fn name(&self, block: &Block) -> Cow<'a, str> {
        match &block.name {
            None => "".into(),
            Some(name) => match Content::text_of(self.bytes, name) {
                Cow::Borrowed(text) => text.trim_ascii().into(),
                Cow::Owned(text) => text.trim_ascii().to_owned().into(),
            },
        }
    }

    /// The text of a docroot, without the blanks around it.
    pub fn text(&self, docroot: &DocrootElement) -> String {
        self.text_with_blanks(docroot).trim_ascii().to_owned()
    }

    /// The text of a docroot, with the blanks around it.
    pub fn text_with_blanks(&self, docroot: &DocrootElement) -> Cow<'a, str> {
        Content::text_of(self.bytes, &docroot.element.content)
    }

    /// The text of a docroot, with the places of its characters.
    pub fn content(&self, docroot: &DocrootElement) -> Content {
        Content::read(self.bytes, &docroot.element.content)
    }
}
