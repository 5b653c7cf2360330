//! The users, groups and docroots of `aspera.conf`, with their places in the file.
//!
//! The structure is that of the vendor's parameter reference: a docroot is `file_system/access/paths/path/absolute` below a
//! `aaa/realms/realm/users/user`, a `groups/group` there, or `default`.

use std::borrow::Cow;
use std::ops::Range;

use crate::text::xml::{Attribute, Content, Malformed, Tag, Token, Tokenizer};

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
}

impl Scope {
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

/// A configuration file, read once.
#[derive(Debug)]
pub struct AsperaConf<'a> {
    /// The whole file.
    pub bytes: &'a [u8],
    /// The users, groups and the default, in the order of the file.
    pub blocks: Vec<Block>,
    /// The docroots of all blocks, in the order of the file.
    docroots: Vec<DocrootElement>,
    /// The elements into which new blocks go.
    pub skeleton: Skeleton,
    /// Whether it has settings of `pvcl_cloud`, which connects Aspera 4.4 to object storage beside trapd.
    pub has_pvcl: bool,
}

/// A `user`, `group` or `default` element.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    kind: BlockKind,
    /// Where its name is, between the tags. A file may have very many blocks: what is not asked for is not copied.
    name: Range<usize>,
    /// Which docroots of the file are in it.
    docroots: Range<usize>,
    /// Whether it restricts paths, as access keys need it.
    pub has_restriction: bool,
    /// Which group counts first for a user who is in several.
    pub precedence: Precedence,
    /// How many of `file_system`, `access`, `paths` and `path` exist in it, each in the one before.
    pub depth: usize,
    /// The innermost of them, or the block itself.
    pub innermost: Element,
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
    const DEFAULT: Self = Self::Number(1000.0);

    fn parse(text: &str) -> Self {
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
    pub has_aside: bool,
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
    /// Reads a file.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ConfError> {
        let mut reader = Reader {
            conf: Self {
                bytes,
                blocks: Vec::new(),
                docroots: Vec::new(),
                skeleton: Skeleton::default(),
                has_pvcl: false,
            },
            open: Vec::new(),
            sections: 0,
            known_sections: 0,
            name: None,
        };
        let mut tokens = Tokenizer::new(bytes)?;
        while let Some(token) = tokens.next_token()? {
            reader.take(token, tokens.attributes())?;
        }
        let realm = &mut reader.conf.skeleton.realm;
        let exist = realm.iter().position(|element| *element == EMPTY);
        realm.truncate(exist.unwrap_or(realm.len()));
        if reader.sections > 0 && reader.known_sections == 0 {
            return Err(ConfError::OtherFile(
                "none of its sections is one of aspera.conf",
            ));
        }
        Ok(reader.conf)
    }

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
        match Content::text_of(self.bytes, &block.name) {
            Cow::Borrowed(text) => text.trim_ascii().into(),
            Cow::Owned(text) => text.trim_ascii().to_owned().into(),
        }
    }

    /// The text of a docroot, without the blanks around it.
    pub fn text(&self, docroot: &DocrootElement) -> String {
        let text = Content::text_of(self.bytes, &docroot.element.content);
        text.trim_ascii().to_owned()
    }

    /// Whether there are blanks around the text of a docroot.
    pub fn has_blanks_around(&self, docroot: &DocrootElement) -> bool {
        let text = Content::text_of(self.bytes, &docroot.element.content);
        text.trim_ascii().len() < text.len()
    }

    /// The text of a docroot, with the places of its characters.
    pub fn content(&self, docroot: &DocrootElement) -> Content {
        Content::read(self.bytes, &docroot.element.content)
    }
}

/// The sections below the root that were seen in files of servers.
const SECTIONS: [&[u8]; 10] = [
    b"server",
    b"central_server",
    b"http_server",
    b"default",
    b"trunks",
    b"aaa",
    b"client",
    b"database",
    b"logging",
    b"WEB",
];

/// What an open element is, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Root,
    Aaa,
    Realms,
    Realm,
    Users,
    Groups,
    Block,
    Name,
    Precedence,
    Pvcl,
    FileSystem,
    Access,
    Paths,
    Path,
    Absolute,
    Restrictions,
    Other,
}

impl Kind {
    fn of(parent: Option<Self>, name: &[u8]) -> Self {
        match (parent, name) {
            (None, _) => Self::Root,
            (Some(Self::Root), b"aaa") => Self::Aaa,
            (Some(Self::Root), b"default")
            | (Some(Self::Users), b"user")
            | (Some(Self::Groups), b"group") => Self::Block,
            (Some(Self::Aaa), b"realms") => Self::Realms,
            (Some(Self::Realms), b"realm") => Self::Realm,
            (Some(Self::Realm), b"users") => Self::Users,
            (Some(Self::Realm), b"groups") => Self::Groups,
            (Some(Self::Block), b"name") => Self::Name,
            (Some(Self::Block), b"precedence") => Self::Precedence,
            (Some(Self::Block), b"pvcl") => Self::Pvcl,
            (Some(Self::Block), b"file_system") => Self::FileSystem,
            (Some(Self::FileSystem), b"access") => Self::Access,
            (Some(Self::Access), b"paths") => Self::Paths,
            (Some(Self::Paths), b"path") => Self::Path,
            (Some(Self::Path), b"absolute") => Self::Absolute,
            (Some(Self::Path), b"restrictions") => Self::Restrictions,
            _ => Self::Other,
        }
    }

    /// How deep below its block an element on the way to the docroot is.
    fn chain_place(self) -> Option<usize> {
        let chain = [
            Self::Block,
            Self::FileSystem,
            Self::Access,
            Self::Paths,
            Self::Path,
        ];
        chain.iter().position(|kind| *kind == self)
    }
}

struct Open {
    kind: Kind,
    tag: Tag,
    last_child: Option<Range<usize>>,
}

struct Reader<'a> {
    conf: AsperaConf<'a>,
    open: Vec<Open>,
    sections: usize,
    known_sections: usize,
    /// Where the name of the open block is, once it was read.
    name: Option<Range<usize>>,
}

impl Reader<'_> {
    fn take(&mut self, token: Token, attributes: &[Attribute]) -> Result<(), ConfError> {
        match token {
            Token::Start(tag) => self.start(tag, attributes),
            Token::End { range, .. } => self.end(&range),
            Token::Aside(_) => {
                let inside_docroot = self.parent() == Some(Kind::Absolute);
                if inside_docroot && let Some(docroot) = self.docroot() {
                    docroot.has_aside = true;
                }
                Ok(())
            }
            Token::Text(_) | Token::CharacterData(_) => Ok(()),
        }
    }

    fn start(&mut self, tag: Tag, attributes: &[Attribute]) -> Result<(), ConfError> {
        let name = &self.conf.bytes[tag.name.clone()];
        let parent = self.parent();
        self.check_place(parent, &tag)?;
        let kind = Kind::of(parent, name);
        match kind {
            Kind::Block => {
                self.name = None;
                let docroots = self.conf.docroots.len();
                self.conf.blocks.push(Block {
                    kind: match parent {
                        Some(Kind::Users) => BlockKind::User,
                        Some(Kind::Groups) => BlockKind::Group,
                        _ => BlockKind::Global,
                    },
                    // A user or group gets its name when its element ends.
                    name: 0..0,
                    docroots: docroots..docroots,
                    has_restriction: false,
                    precedence: Precedence::DEFAULT,
                    depth: 0,
                    innermost: EMPTY,
                });
            }
            Kind::Absolute => {
                let element = element(&tag, tag.range.end, None);
                let peer_ip = self.attribute(attributes, b"peer_ip");
                self.conf.docroots.push(DocrootElement {
                    peer_ip,
                    element,
                    has_aside: false,
                });
            }
            Kind::Other if parent == Some(Kind::Restrictions) => {
                if let Some(block) = self.conf.blocks.last_mut() {
                    block.has_restriction = true;
                }
            }
            _ => {}
        }
        let range = tag.range.clone();
        let is_empty = tag.is_empty;
        self.open.push(Open {
            kind,
            tag,
            last_child: None,
        });
        if is_empty {
            self.end(&(range.end..range.end))
        } else {
            Ok(())
        }
    }

    fn end(&mut self, end_tag: &Range<usize>) -> Result<(), ConfError> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        if let Some(parent) = self.open.last_mut() {
            parent.last_child = Some(open.tag.range.start..end_tag.end);
        }
        let element = element(&open.tag, end_tag.start, open.last_child.clone());
        if let Some(place) = open.kind.chain_place()
            && let Some(block) = self.conf.blocks.last_mut()
        {
            // They end from the inside, and of several the first counts.
            if place > block.depth || block.innermost == EMPTY {
                block.depth = place;
                block.innermost = element.clone();
            }
        }
        match open.kind {
            Kind::Absolute => {
                if open.last_child.is_some() {
                    return Err(self.look_alike(&open.tag, "an <absolute> that holds an element"));
                }
                if let Some(docroot) = self.docroot() {
                    docroot.element = element;
                }
            }
            Kind::Precedence => {
                let text = Content::text_of(self.conf.bytes, &element.content);
                if let Some(block) = self.conf.blocks.last_mut() {
                    block.precedence = Precedence::parse(text.trim_ascii());
                }
            }
            Kind::Pvcl => self.conf.has_pvcl = true,
            Kind::Name => {
                if open.last_child.is_some() {
                    return Err(self.look_alike(&open.tag, "a <name> that holds an element"));
                }
                self.name = Some(element.content);
            }
            Kind::Block => self.end_block(&open.tag)?,
            Kind::Aaa | Kind::Realms | Kind::Realm => {
                let depth = self.open.len();
                let realm = &mut self.conf.skeleton.realm;
                if realm.len() < depth {
                    realm.resize_with(3.max(depth), || EMPTY);
                }
                if realm[depth - 1] == EMPTY {
                    realm[depth - 1] = element;
                }
            }
            Kind::Users => drop(self.conf.skeleton.users.get_or_insert(element)),
            Kind::Groups => drop(self.conf.skeleton.groups.get_or_insert(element)),
            Kind::Root => self.conf.skeleton.root = Some(element),
            _ => {}
        }
        Ok(())
    }

    fn end_block(&mut self, tag: &Tag) -> Result<(), ConfError> {
        let name = self.name.take();
        let docroots_end = self.conf.docroots.len();
        let Some(block) = self.conf.blocks.last_mut() else {
            return Ok(());
        };
        block.docroots.end = docroots_end;
        match name {
            Some(name) => block.name = name,
            None if block.kind == BlockKind::Global => {}
            None => {
                return Err(self.look_alike(tag, "a user or group without a <name> element in it"));
            }
        }
        Ok(())
    }

    /// Refuses what only looks like a configuration: the server would not find users elsewhere.
    fn check_place(&mut self, parent: Option<Kind>, tag: &Tag) -> Result<(), ConfError> {
        let name = &self.conf.bytes[tag.name.clone()];
        match parent {
            None if !matches!(name, b"CONF" | b"conf") => {
                Err(ConfError::OtherFile("its root element is not CONF"))
            }
            Some(Kind::Root) => {
                self.sections += 1;
                self.known_sections += usize::from(SECTIONS.contains(&name));
                if is_people(name) {
                    return Err(
                        self.look_alike(tag, "users or groups directly below the root element")
                    );
                }
                Ok(())
            }
            Some(Kind::Aaa | Kind::Realms) if is_people(name) => {
                Err(self.look_alike(tag, "users or groups outside aaa/realms/realm"))
            }
            Some(Kind::Realm) if matches!(name, b"user" | b"group") => {
                Err(self.look_alike(tag, "a user or group outside users or groups"))
            }
            _ => Ok(()),
        }
    }

    fn look_alike(&self, tag: &Tag, what: &'static str) -> ConfError {
        ConfError::LookAlike {
            line: crate::text::lines::line_number(self.conf.bytes, tag.range.start),
            what,
        }
    }

    fn parent(&self) -> Option<Kind> {
        self.open.last().map(|open| open.kind)
    }

    fn docroot(&mut self) -> Option<&mut DocrootElement> {
        self.conf.docroots.last_mut()
    }

    fn attribute(&self, attributes: &[Attribute], wanted: &[u8]) -> Option<String> {
        let bytes = self.conf.bytes;
        let mut attributes = attributes.iter();
        let (_, value) = attributes.find(|(name, _)| bytes[name.clone()] == *wanted)?;
        let mut content = Content::at(value.start);
        content.push_text(bytes, value.clone());
        Some(content.text)
    }
}

/// Stands for an element that was not seen yet.
const EMPTY: Element = Element {
    start_tag: 0..0,
    content: 0..0,
    is_empty_tag: false,
    last_child: None,
};

fn is_people(name: &[u8]) -> bool {
    matches!(name, b"user" | b"users" | b"group" | b"groups")
}

fn element(tag: &Tag, content_end: usize, last_child: Option<Range<usize>>) -> Element {
    Element {
        start_tag: tag.range.clone(),
        content: tag.range.end..content_end.max(tag.range.end),
        is_empty_tag: tag.is_empty,
        last_child,
    }
}
