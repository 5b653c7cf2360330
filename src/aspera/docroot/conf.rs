//! The users, groups and docroots of `aspera.conf`, with their places in the file.
//!
//! The structure is that of the vendor's parameter reference: a docroot is `file_system/access/paths/path/absolute` below a
//! `aaa/realms/realm/users/user`, a `groups/group` there, or `default`.

use std::borrow::Cow;
use std::ops::Range;

use super::scope::{BlockKind, Scope};
use super::span::Span;
use crate::text::xml::{Content, Malformed};

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
    pub skeleton: Skeleton,
    /// Whether it has settings of `pvcl_cloud`, which connects Aspera 4.4 to object storage beside trapd.
    pub has_pvcl: bool,
    /// The places that may matter for uploads and that the model does not cover, in the order of the file, 20 at most.
    pub uncovered: Vec<Uncovered>,
}

/// A place of the file that may matter for uploads, although the model does not cover it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uncovered {
    /// The line, from 1.
    pub line: usize,
    /// What is on the line.
    pub what: UncoveredKind,
}

/// What a place is that the model does not cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UncoveredKind {
    /// An element whose name differs from one that the model knows in letter case or by a prefix. Whether the server minds the case is not
    /// documented.
    NearlyAnElement,
    /// A docroot with an attribute whose name differs from `peer_ip` in letter case or by a prefix.
    NearlyPeerIp,
    /// An element in a namespace (`xmlns`), which has another name for programs that know namespaces (Namespaces in XML 1.0, 6.2).
    Namespace,
    /// An S3 address outside a docroot and outside a restriction.
    S3Address,
    /// An element that includes another file (`XInclude`).
    Include,
}

/// A `user`, `group` or `default` element.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    pub(super) kind: BlockKind,
    /// The range of its name, between the tags. The default has none. A file may have very many blocks, so the name is not copied.
    pub(super) name: Option<Span>,
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
    pub innermost: Element,
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

/// An `absolute` element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocrootElement {
    /// The client address that the docroot applies to, or `None` if it applies to all clients.
    pub peer_ip: Option<Box<str>>,
    /// The element.
    pub element: Element,
    /// Whether it contains a comment or a processing instruction beside its text.
    pub has_misc: bool,
}

/// The place of an element in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    pub(super) start_tag: Span,
    pub(super) content: Span,
    pub(super) last_child: Option<Span>,
    /// Whether it is written `<name/>`.
    pub is_empty_tag: bool,
}

impl Element {
    /// Returns the range of the start tag, or of the whole element if it is empty.
    pub fn start_tag(&self) -> Range<usize> {
        self.start_tag.range()
    }

    /// Returns the range between its tags. For `<name/>` it is empty and at the end of the tag.
    pub fn content(&self) -> Range<usize> {
        self.content.range()
    }

    /// Returns the range of its last child element.
    pub fn last_child(&self) -> Option<Range<usize>> {
        self.last_child.map(Span::range)
    }

    /// Returns the range from its first to its last byte.
    pub fn range(&self, bytes: &[u8]) -> Range<usize> {
        let end = if self.is_empty_tag {
            self.start_tag().end
        } else {
            let content = self.content();
            let rest = &bytes[content.end..];
            content.end
                + rest
                    .iter()
                    .position(|&byte| byte == b'>')
                    .map_or(0, |length| length + 1)
        };
        self.start_tag().start..end
    }
}

/// The existing elements that hold the blocks.
#[derive(Debug, Default)]
pub struct Skeleton {
    /// The root.
    pub root: Option<Element>,
    /// The first `aaa`, the first `realms` in it, and the first `realm` in that.
    pub realm: Vec<Element>,
    /// The `users` elements of a realm.
    pub users: Option<Element>,
    /// The `groups` elements of a realm.
    pub groups: Option<Element>,
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
        match block.kind {
            BlockKind::User => Scope::User(self.name(block).into_owned()),
            BlockKind::Group => Scope::Group(self.name(block).into_owned()),
            BlockKind::Global => Scope::Global,
        }
    }

    /// Returns whether the file has groups, so that the groups of users matter.
    pub fn has_groups(&self) -> bool {
        self.blocks
            .iter()
            .any(|block| block.kind == BlockKind::Group)
    }

    /// Returns whether a block belongs to a user.
    pub fn is_user(&self, block: &Block) -> bool {
        block.kind == BlockKind::User
    }

    /// Returns the kind and name of a block, to compare them with those of other blocks and with a [`Scope::key`].
    pub fn scope_key(&self, block: &Block) -> (BlockKind, Cow<'a, str>) {
        (block.kind, self.name(block))
    }

    /// Returns the docroots of a block, in the order of the file.
    pub fn docroots(&self, block: &Block) -> &[DocrootElement] {
        &self.docroots[block.docroots.range()]
    }

    fn name(&self, block: &Block) -> Cow<'a, str> {
        match block.name {
            None => "".into(),
            Some(name) => match Content::text_of(self.bytes, &name.range()) {
                Cow::Borrowed(text) => text.trim_ascii().into(),
                Cow::Owned(text) => text.trim_ascii().to_owned().into(),
            },
        }
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
