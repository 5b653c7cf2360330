//! Reads an `aspera.conf`, token by token, and keeps no more of it than the model holds.

use std::ops::Range;

use super::conf::{AsperaConf, Block, ConfError, DocrootElement, Element, Precedence, Skeleton};
use super::scope::BlockKind;
use crate::text::lines::line_number;
use crate::text::xml::{Attribute, Content, Tag, Token, Tokenizer};

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
            Token::Misc(_) => {
                let inside_docroot = self.parent() == Some(Kind::Absolute);
                if inside_docroot && let Some(docroot) = self.docroot() {
                    docroot.has_misc = true;
                }
                Ok(())
            }
            Token::Text(_) | Token::Cdata(_) => Ok(()),
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
                    has_misc: false,
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
                if is_account_element(name) {
                    return Err(
                        self.look_alike(tag, "users or groups directly below the root element")
                    );
                }
                Ok(())
            }
            Some(Kind::Aaa | Kind::Realms) if is_account_element(name) => {
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
            line: line_number(self.conf.bytes, tag.range.start),
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

fn is_account_element(name: &[u8]) -> bool {
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
