//! The reader of `aspera.conf`. It reads token by token and keeps no more of the file than the model needs.

use std::borrow::Cow;
use std::ops::Range;

use super::conf::{
    AsperaConf, Block, ConfError, DocrootElement, Element, Precedence, Skeleton, Uncovered,
    UncoveredKind,
};
use super::scope::BlockKind;
use super::span::Span;
use crate::text::lines::line_number;
use crate::text::xml::{Attribute, Content, Tag, Token, Tokenizer};

impl<'a> AsperaConf<'a> {
    /// Parses a file.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ConfError> {
        refuse_other_files(bytes)?;
        let mut reader = Reader {
            bytes,
            open: Vec::new(),
            block: None,
            docroot: None,
            blocks: Vec::new(),
            docroots: Vec::new(),
            root: None,
            realm: [const { None }; 3],
            users: None,
            groups: None,
            has_pvcl: false,
            uncovered: Vec::new(),
            sections: 0,
            known_sections: 0,
        };
        let mut tokens = Tokenizer::new(bytes)?;
        while let Some(token) = tokens.next_token()? {
            reader.take(token, tokens.attributes())?;
        }
        reader.finish()
    }
}

/// Refuses files that are certainly something else, before their first byte is reported as bad XML. An empty file is left to the tokenizer.
fn refuse_other_files(bytes: &[u8]) -> Result<(), ConfError> {
    // Every UTF-16 text that starts with an ASCII letter has a zero among its first two bytes.
    let what = if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        "it starts with the byte order mark of UTF-16"
    } else if bytes.iter().take(2).any(|&byte| byte == 0) {
        "it starts with a byte of 0, as UTF-16 and binary files do"
    } else {
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        match text.trim_ascii_start().first() {
            None | Some(b'<') => return Ok(()),
            Some(_) => "it does not start with <, as XML does",
        }
    };
    Err(ConfError::OtherFile(what))
}

/// The most places that are kept of those that the model does not cover. One is enough to know that the model is not the whole file.
const MAX_UNCOVERED: usize = 20;

/// The sections below the root that occur in the files of real servers.
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

/// The kind of an open element, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ElementKind {
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
    fn of(parent: Option<Self>, name: &[u8]) -> Self {
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
    fn depth_below_block(self) -> Option<u8> {
        Some(match self {
            Self::FileSystem => 1,
            Self::Access => 2,
            Self::Paths => 3,
            Self::Path => 4,
            _ => return None,
        })
    }
}

struct Open {
    kind: ElementKind,
    tag: Tag,
    last_child: Option<Range<usize>>,
}

/// The block that is being read.
struct OpenBlock {
    kind: BlockKind,
    /// The range of its name, after it was read.
    name: Option<Span>,
    has_unclear_name: bool,
    /// The number of docroots before it.
    docroots_before: usize,
    has_restriction: bool,
    /// Its precedence, after it was read.
    precedence: Option<Precedence>,
    has_misc_in_precedence: bool,
    /// The innermost element on the way to the docroot, with its depth. If several have the same depth, the first counts.
    innermost: Option<(u8, Element)>,
}

/// The docroot that is being read.
struct OpenDocroot {
    peer_ip: Option<String>,
    has_misc: bool,
}

struct Reader<'a> {
    bytes: &'a [u8],
    open: Vec<Open>,
    block: Option<OpenBlock>,
    docroot: Option<OpenDocroot>,
    blocks: Vec<Block>,
    docroots: Vec<DocrootElement>,
    root: Option<Element>,
    /// The first `aaa`, `realms` and `realm`.
    realm: [Option<Element>; 3],
    users: Option<Element>,
    groups: Option<Element>,
    has_pvcl: bool,
    /// Offsets in the order of the file.
    uncovered: Vec<(usize, UncoveredKind)>,
    sections: usize,
    known_sections: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, token: Token, attributes: &[Attribute]) -> Result<(), ConfError> {
        match token {
            Token::Start(tag) => self.start(tag, attributes),
            Token::End { range, .. } => self.end(&range),
            Token::Misc(_) => {
                match (self.parent(), &mut self.docroot, &mut self.block) {
                    (Some(ElementKind::Absolute), Some(docroot), _) => docroot.has_misc = true,
                    (Some(ElementKind::Name), _, Some(block)) => block.has_unclear_name = true,
                    (Some(ElementKind::Precedence), _, Some(block)) => {
                        block.has_misc_in_precedence = true;
                    }
                    _ => {}
                }
                Ok(())
            }
            Token::Text(range) => {
                self.take_text(range.start, &self.bytes[range.clone()], |bytes| {
                    Content::text_of(bytes, &range)
                });
                Ok(())
            }
            Token::Cdata(range) => {
                self.take_text(range.start, &self.bytes[range.clone()], |bytes| {
                    String::from_utf8_lossy(&bytes[range.clone()])
                });
                Ok(())
            }
        }
    }

    fn finish(self) -> Result<AsperaConf<'a>, ConfError> {
        if self.sections > 0 && self.known_sections == 0 {
            return Err(ConfError::OtherFile(
                "none of its sections is one of aspera.conf",
            ));
        }
        Ok(AsperaConf {
            bytes: self.bytes,
            blocks: self.blocks,
            docroots: self.docroots,
            skeleton: Skeleton {
                root: self.root,
                realm: self
                    .realm
                    .into_iter()
                    .map_while(|element| element)
                    .collect(),
                users: self.users,
                groups: self.groups,
            },
            has_pvcl: self.has_pvcl,
            uncovered: with_lines(self.bytes, &self.uncovered),
        })
    }

    fn start(&mut self, tag: Tag, attributes: &[Attribute]) -> Result<(), ConfError> {
        let parent = self.parent();
        self.check_place(parent, &tag)?;
        let kind = ElementKind::of(parent, &self.bytes[tag.name.clone()]);
        self.find_uncovered(parent, kind, &tag, attributes);
        match kind {
            ElementKind::Block(kind) => {
                self.block = Some(OpenBlock {
                    kind,
                    name: None,
                    has_unclear_name: false,
                    docroots_before: self.docroots.len(),
                    has_restriction: false,
                    precedence: None,
                    has_misc_in_precedence: false,
                    innermost: None,
                });
            }
            ElementKind::Absolute => {
                self.docroot = Some(OpenDocroot {
                    peer_ip: self.attribute(attributes, b"peer_ip"),
                    has_misc: false,
                });
            }
            ElementKind::Restriction => self.restrict(),
            // Access keys need restrictions, and asconfigurator names them file_restriction.
            ElementKind::Other if is_restriction(&self.bytes[tag.name.clone()]) => self.restrict(),
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

    /// Notes what may matter for uploads in a place where the model does not look for it.
    fn find_uncovered(
        &mut self,
        parent: Option<ElementKind>,
        kind: ElementKind,
        tag: &Tag,
        attributes: &[Attribute],
    ) {
        let start = tag.range.start;
        if kind == ElementKind::Other {
            let name = &self.bytes[tag.name.clone()];
            let local = local_name(name);
            // Nearly all names are in lower case and without a prefix.
            let has_variant = local.len() < name.len() || local.iter().any(u8::is_ascii_uppercase);
            let is_nearly = has_variant
                && ElementKind::of(parent, &local.to_ascii_lowercase()) != ElementKind::Other;
            if is_nearly {
                self.uncover(start, UncoveredKind::NearlyAnElement);
            } else if local.eq_ignore_ascii_case(b"include") {
                self.uncover(start, UncoveredKind::Include);
            }
        }
        for (name, value) in attributes {
            let name = &self.bytes[name.clone()];
            if name == b"xmlns" && !value.is_empty() {
                self.uncover(start, UncoveredKind::Namespace);
            }
            let is_nearly_peer_ip =
                name != b"peer_ip" && local_name(name).eq_ignore_ascii_case(b"peer_ip");
            if kind == ElementKind::Absolute && is_nearly_peer_ip {
                self.uncover(start, UncoveredKind::NearlyPeerIp);
            }
            if may_name_s3(&self.bytes[value.clone()])
                && names_s3(&Content::text_of(self.bytes, value))
            {
                self.uncover(start, UncoveredKind::S3Address);
            }
        }
    }

    /// Takes a text as it is written. Most texts are blanks between elements, and few have to be decoded.
    fn take_text(
        &mut self,
        offset: usize,
        written: &[u8],
        decode: impl FnOnce(&'a [u8]) -> Cow<'a, str>,
    ) {
        match self.parent() {
            Some(ElementKind::Absolute | ElementKind::Restriction) => {}
            Some(ElementKind::Restrictions) => {
                let text = decode(self.bytes);
                if !text.trim_ascii().is_empty() {
                    self.restrict();
                }
            }
            _ if may_name_s3(written) && names_s3(&decode(self.bytes)) => {
                self.uncover(offset, UncoveredKind::S3Address);
            }
            _ => {}
        }
    }

    fn uncover(&mut self, offset: usize, what: UncoveredKind) {
        if self.uncovered.len() < MAX_UNCOVERED {
            self.uncovered.push((offset, what));
        }
    }

    fn restrict(&mut self) {
        if let Some(block) = &mut self.block {
            block.has_restriction = true;
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
        if let Some(depth) = open.kind.depth_below_block()
            && let Some(block) = &mut self.block
        {
            // The elements end from the inside out.
            let innermost = block.innermost.as_ref();
            if innermost.is_none_or(|(innermost, _)| depth > *innermost) {
                block.innermost = Some((depth, element.clone()));
            }
        }
        match open.kind {
            ElementKind::Absolute => self.end_docroot(&open, element)?,
            ElementKind::Precedence => {
                if let Some(block) = &mut self.block {
                    // A second one, or one with anything but text in it, can be read in several ways.
                    let is_plain = open.last_child.is_none()
                        && !block.has_misc_in_precedence
                        && block.precedence.is_none();
                    block.precedence = Some(if is_plain {
                        let text = Content::text_of(self.bytes, &element.content());
                        Precedence::parse(text.trim_ascii())
                    } else {
                        Precedence::Incomparable
                    });
                }
            }
            ElementKind::Pvcl => self.has_pvcl = true,
            ElementKind::Name => {
                if open.last_child.is_some() {
                    return Err(self.look_alike(&open.tag, "a <name> that holds an element"));
                }
                if let Some(block) = &mut self.block {
                    let name = Content::text_of(self.bytes, &element.content());
                    let is_plain = !name.is_empty() && name.trim() == name;
                    block.has_unclear_name |= block.name.is_some() || !is_plain;
                    block.name = Some(element.content);
                }
            }
            ElementKind::Block(_) => self.end_block(&open.tag, element)?,
            ElementKind::Aaa => keep_first(&mut self.realm[0], element),
            ElementKind::Realms => keep_first(&mut self.realm[1], element),
            ElementKind::Realm => keep_first(&mut self.realm[2], element),
            ElementKind::Users => keep_first(&mut self.users, element),
            ElementKind::Groups => keep_first(&mut self.groups, element),
            ElementKind::Root => self.root = Some(element),
            _ => {}
        }
        Ok(())
    }

    fn end_docroot(&mut self, open: &Open, element: Element) -> Result<(), ConfError> {
        if open.last_child.is_some() {
            return Err(self.look_alike(&open.tag, "an <absolute> that holds an element"));
        }
        let docroot = self.docroot.take();
        self.docroots.extend(docroot.map(|docroot| DocrootElement {
            peer_ip: docroot.peer_ip.map(String::into_boxed_str),
            element,
            has_misc: docroot.has_misc,
        }));
        Ok(())
    }

    fn end_block(&mut self, tag: &Tag, element: Element) -> Result<(), ConfError> {
        let Some(block) = self.block.take() else {
            return Ok(());
        };
        if block.name.is_none() && block.kind != BlockKind::Global {
            return Err(self.look_alike(tag, "a user or group without a <name> element in it"));
        }
        let (depth, innermost) = block.innermost.unwrap_or((0, element));
        self.blocks.push(Block {
            kind: block.kind,
            name: block.name,
            has_unclear_name: block.has_unclear_name,
            docroots: (block.docroots_before..self.docroots.len()).into(),
            has_restriction: block.has_restriction,
            precedence: block.precedence.unwrap_or(Precedence::DEFAULT),
            depth,
            innermost,
        });
        Ok(())
    }

    /// Refuses files that only look like a configuration: the server would not find users in another place.
    fn check_place(&mut self, parent: Option<ElementKind>, tag: &Tag) -> Result<(), ConfError> {
        let name = &self.bytes[tag.name.clone()];
        match parent {
            None if !matches!(name, b"CONF" | b"conf") => {
                Err(ConfError::OtherFile("its root element is not CONF"))
            }
            Some(ElementKind::Root) => {
                self.sections += 1;
                self.known_sections += usize::from(SECTIONS.contains(&name));
                if is_account_element(name) {
                    return Err(
                        self.look_alike(tag, "users or groups directly below the root element")
                    );
                }
                Ok(())
            }
            Some(ElementKind::Aaa | ElementKind::Realms) if is_account_element(name) => {
                Err(self.look_alike(tag, "users or groups outside aaa/realms/realm"))
            }
            Some(ElementKind::Realm) if matches!(name, b"user" | b"group") => {
                Err(self.look_alike(tag, "a user or group outside users or groups"))
            }
            _ => Ok(()),
        }
    }

    fn look_alike(&self, tag: &Tag, what: &'static str) -> ConfError {
        ConfError::LookAlike {
            line: line_number(self.bytes, tag.range.start),
            what,
        }
    }

    fn parent(&self) -> Option<ElementKind> {
        self.open.last().map(|open| open.kind)
    }

    fn attribute(&self, attributes: &[Attribute], wanted: &[u8]) -> Option<String> {
        let bytes = self.bytes;
        let mut attributes = attributes.iter();
        let (_, value) = attributes.find(|(name, _)| bytes[name.clone()] == *wanted)?;
        let mut content = Content::at(value.start);
        content.push_text(bytes, value.clone());
        Some(content.text)
    }
}

/// Finds the lines of all places in one pass: a file may have very many.
fn with_lines(bytes: &[u8], places: &[(usize, UncoveredKind)]) -> Vec<Uncovered> {
    let mut line = 1;
    let mut counted = 0;
    let places = places.iter().map(|&(offset, what)| {
        line += line_number(&bytes[counted..], offset - counted) - 1;
        counted = offset;
        Uncovered { line, what }
    });
    places.collect()
}

/// Returns the name of an element without its prefix.
fn local_name(name: &[u8]) -> &[u8] {
    name.rsplit(|byte| *byte == b':').next().unwrap_or(name)
}

fn is_restriction(name: &[u8]) -> bool {
    let name = local_name(name).to_ascii_lowercase();
    name.windows(b"restriction".len())
        .any(|part| part == b"restriction")
}

/// Returns whether a text as it is written may have an S3 address in it: it has a colon, or a reference that may stand for one.
fn may_name_s3(written: &[u8]) -> bool {
    memchr::memchr2(b':', b'&', written).is_some()
}

/// Returns whether a text has an S3 address in it, in any letter case.
fn names_s3(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b':', bytes).any(|colon| {
        let is_scheme = bytes[colon.saturating_sub(2)..colon].eq_ignore_ascii_case(b"s3");
        is_scheme && bytes[colon..].starts_with(b"://")
    })
}

fn keep_first(place: &mut Option<Element>, element: Element) {
    place.get_or_insert(element);
}

fn is_account_element(name: &[u8]) -> bool {
    matches!(name, b"user" | b"users" | b"group" | b"groups")
}

fn element(tag: &Tag, content_end: usize, last_child: Option<Range<usize>>) -> Element {
    Element {
        start_tag: tag.range.clone().into(),
        content: (tag.range.end..content_end.max(tag.range.end)).into(),
        is_empty_tag: tag.is_empty,
        last_child: last_child.map(Span::from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uncovered(content: &str) -> Vec<(usize, UncoveredKind)> {
        let file = format!("<CONF>\n<default/>\n{content}\n</CONF>");
        let conf = AsperaConf::parse(file.as_bytes()).unwrap();
        let places = conf.uncovered.iter();
        places.map(|place| (place.line, place.what)).collect()
    }

    const ABSOLUTE: &str = "<absolute>s3://h/b/</absolute>";

    #[test]
    fn an_element_in_another_letter_case_or_with_a_prefix_is_uncovered() {
        let path = "<default><file_system><access><paths><path>\n<absolute>s3://h/b/</absolute></path></paths></access></file_system></default>";
        assert_eq!(uncovered(path), []);
        for (known, other) in [
            ("<default>", "<DEFAULT>"),
            ("<file_system>", "<File_System>"),
            ("<paths>", "<x:paths xmlns:x='u'>"),
        ] {
            let name = known.trim_matches(['<', '>']);
            let end = other.trim_matches(['<', '>']).split(' ').next().unwrap();
            let text = path
                .replace(known, other)
                .replace(&format!("</{name}>"), &format!("</{end}>"));
            let expected = [
                (3, UncoveredKind::NearlyAnElement),
                (4, UncoveredKind::S3Address),
            ];
            assert_eq!(uncovered(&text), expected, "{other}");
        }
        for name in ["Absolute", "x:absolute"] {
            let text = path
                .replace("<absolute>", &format!("<{name} xmlns:x='u'>"))
                .replace("</absolute>", &format!("</{name}>"));
            let expected = [
                (4, UncoveredKind::NearlyAnElement),
                (4, UncoveredKind::S3Address),
            ];
            assert_eq!(uncovered(&text), expected, "{name}");
        }
        for text in [
            "<default><PVCL/></default>",
            "<AAA/>",
            "<aaa><realms><realm><Users/></realm></realms></aaa>",
        ] {
            assert_eq!(
                uncovered(text),
                [(3, UncoveredKind::NearlyAnElement)],
                "{text}"
            );
        }
    }

    #[test]
    fn a_namespace_or_another_spelling_of_peer_ip_is_uncovered() {
        let docroot = |attribute: &str| {
            format!(
                "<default><file_system><access><paths><path><absolute {attribute}>s3://h/b</absolute></path></paths></access></file_system></default>"
            )
        };
        for (attribute, what) in [
            ("peer_ip='192.0.2.1'", None),
            ("xmlns=''", None),
            ("xmlns:x='urn:x'", None),
            ("xmlns='urn:x'", Some(UncoveredKind::Namespace)),
            ("Peer_IP='192.0.2.1'", Some(UncoveredKind::NearlyPeerIp)),
            (
                "xmlns:x='urn:x' x:peer_ip='192.0.2.1'",
                Some(UncoveredKind::NearlyPeerIp),
            ),
        ] {
            let expected: Vec<_> = what.into_iter().map(|what| (3, what)).collect();
            assert_eq!(uncovered(&docroot(attribute)), expected, "{attribute}");
        }
        let elsewhere = "<server xmlns='urn:x' PEER_IP='192.0.2.1'/>";
        assert_eq!(uncovered(elsewhere), [(3, UncoveredKind::Namespace)]);
    }

    #[test]
    fn an_s3_address_in_any_other_place_is_uncovered() {
        let address = [(3, UncoveredKind::S3Address)];
        for text in [
            &format!("<default>{ABSOLUTE}</default>"),
            &format!("<default><file_system>{ABSOLUTE}</file_system></default>"),
            &format!("<server>{ABSOLUTE}</server>"),
            "<default><storage uri='S3://h/b/'/></default>",
            "<server><x>&#115;3:&#47;/h/b</x></server>",
            "<server><![CDATA[s3://h/b]]></server>",
        ] {
            assert_eq!(uncovered(text), address, "{text}");
        }
        for text in [
            "<!-- s3://h/b/ -->",
            "<server><x>as3:/h</x><y>3://</y></server>",
            "<default><file_system><access><paths><path><restrictions><restriction>s3://*</restriction></restrictions></path></paths></access></file_system></default>",
        ] {
            assert_eq!(uncovered(text), [], "{text}");
        }
        let include = "<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='other.xml'/>";
        assert_eq!(uncovered(include), [(3, UncoveredKind::Include)]);
    }

    #[test]
    fn whatever_is_named_like_a_restriction_restricts() {
        let has_restriction = |content: &str| {
            let file = format!("<CONF><default>{content}</default></CONF>");
            let conf = AsperaConf::parse(file.as_bytes()).unwrap();
            conf.blocks[0].has_restriction
        };
        let in_path = |content: &str| {
            format!(
                "<file_system><access><paths><path>{content}</path></paths></access></file_system>"
            )
        };
        for content in [
            in_path("<restrictions><restriction>s3://*</restriction></restrictions>"),
            in_path("<restrictions>s3://*</restrictions>"),
            in_path("<restrictions><![CDATA[s3://*]]></restrictions>"),
            in_path("<restriction>s3://*</restriction>"),
            in_path("<Restrictions/>"),
            "<file_restriction>|s3://*</file_restriction>".to_owned(),
            "<file_system><access><restrictions/></access></file_system>".to_owned(),
        ] {
            assert!(has_restriction(&content), "{content}");
        }
        for content in [
            in_path("<restrictions/>"),
            in_path("<restrictions>\n</restrictions>"),
            in_path(ABSOLUTE),
        ] {
            assert!(!has_restriction(&content), "{content}");
        }
    }

    fn group(inner: &str) -> Block {
        let text = format!(
            "<CONF><aaa><realms><realm><groups><group>{inner}</group></groups></realm></realms></aaa></CONF>"
        );
        let conf = AsperaConf::parse(text.as_bytes()).unwrap();
        conf.blocks[0].clone()
    }

    #[test]
    fn a_precedence_that_is_not_one_number_cannot_be_compared() {
        let precedence = |inner: &str| group(&format!("<name>g</name>{inner}")).precedence;
        for inner in [
            "<precedence>1<x/></precedence>",
            "<precedence><x>1</x></precedence>",
            "<precedence>1<!-- x --></precedence>",
            "<precedence><?x?>1</precedence>",
            "<precedence>1</precedence><precedence>1</precedence>",
            "<precedence>1</precedence><precedence/>",
            "<precedence>-1</precedence>",
            "<precedence>high</precedence>",
        ] {
            assert_eq!(precedence(inner), Precedence::Incomparable, "{inner}");
        }
        assert_eq!(
            precedence("<precedence> 1 </precedence>"),
            Precedence::Number(1.0)
        );
        assert_eq!(precedence("<precedence/>"), Precedence::DEFAULT);
        assert_eq!(precedence(""), Precedence::DEFAULT);
    }

    #[test]
    fn the_innermost_element_on_the_way_to_a_docroot_may_follow_a_shallower_one() {
        for (inner, depth) in [
            ("", 0),
            ("<file_system/>", 1),
            ("<file_system/><file_system><access/></file_system>", 2),
            ("<file_system><access/></file_system><file_system/>", 2),
        ] {
            let block = group(&format!("<name>g</name>{inner}"));
            assert_eq!(block.depth, depth, "{inner}");
        }
    }

    #[test]
    fn a_file_has_groups_only_if_there_is_a_group() {
        let has_groups = |text: &str| AsperaConf::parse(text.as_bytes()).unwrap().has_groups();
        let realm = |inner: &str| {
            format!("<CONF><aaa><realms><realm>{inner}</realm></realms></aaa></CONF>")
        };
        assert!(has_groups(&realm(
            "<groups><group><name>g</name></group></groups>"
        )));
        assert!(!has_groups(&realm(
            "<groups/><users><user><name>u</name></user></users>"
        )));
    }

    #[test]
    fn a_name_that_programs_may_read_in_different_ways_is_unclear() {
        for (inner, is_unclear) in [
            ("<name>g</name>", false),
            ("<!-- x --><name>g</name><!-- x -->", false),
            ("<name>g<!-- x --></name>", true),
            ("<name><?x?>g</name>", true),
            ("<name>g</name><name>g</name>", true),
            ("<name> g</name>", true),
            ("<name>g\n</name>", true),
            ("<name>&#160;g</name>", true),
            ("<name></name>", true),
            ("<name/>", true),
        ] {
            assert_eq!(group(inner).has_unclear_name, is_unclear, "{inner}");
        }
    }
}
