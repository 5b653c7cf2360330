//! The reader of `aspera.conf`. It reads token by token and keeps no more of the file than the model needs.

use std::borrow::Cow;
use std::ops::Range;

use super::conf::{AsperaConf, Block, BlockParents, ConfError, DocrootElement};
use super::element::{Element, Parent, Span};
use super::element_kind::{ElementKind, PEER_IP};
use super::open_block::OpenBlock;
use super::other_files::{Sections, check_place, look_alike, refuse_other_files};
use super::uncovered::{Finder, local_name};
use crate::text::xml::{Attribute, Content, Tag, Token, Tokenizer};

impl<'a> AsperaConf<'a> {
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
            uncovered: Finder::new(bytes),
            sections: Sections::default(),
        };
        let mut tokens = Tokenizer::new(bytes)?;
        // Half of all tokens would be the blanks between two tags, in which there is nothing to find.
        tokens.skip_blanks();
        while let Some(token) = tokens.next_token()? {
            reader.take(token, tokens.attributes())?;
            tokens.skip_blanks();
        }
        reader.finish()
    }
}

/// An element that is being read.
struct Open {
    kind: ElementKind,
    start_tag: Range<usize>,
    last_child: Option<Span>,
}

/// The docroot that is being read.
struct OpenDocroot {
    has_peer_ip: bool,
    has_misc: bool,
}

struct Reader<'a> {
    bytes: &'a [u8],
    open: Vec<Open>,
    block: Option<OpenBlock>,
    docroot: Option<OpenDocroot>,
    blocks: Vec<Block>,
    docroots: Vec<DocrootElement>,
    root: Option<Parent>,
    /// The first `aaa`, `realms` and `realm`.
    realm: [Option<Parent>; 3],
    users: Option<Parent>,
    groups: Option<Parent>,
    has_pvcl: bool,
    uncovered: Finder<'a>,
    sections: Sections,
}

impl<'a> Reader<'a> {
    fn take(&mut self, token: Token, attributes: &[Attribute]) -> Result<(), ConfError> {
        match token {
            Token::Start(tag) => self.start(tag, attributes),
            Token::End { range, .. } => self.end(&range),
            Token::Misc(_) => {
                match (self.parent(), &mut self.docroot, &mut self.block) {
                    (Some(ElementKind::Absolute), Some(docroot), _) => docroot.has_misc = true,
                    (Some(parent), _, Some(block)) => block.take_misc(parent),
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
        self.sections.check()?;
        Ok(AsperaConf {
            bytes: self.bytes,
            blocks: self.blocks,
            docroots: self.docroots,
            block_parents: BlockParents {
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
            uncovered: self.uncovered.places(),
        })
    }

    fn start(&mut self, tag: Tag, attributes: &[Attribute]) -> Result<(), ConfError> {
        let parent = self.parent();
        let name = &self.bytes[tag.name.clone()];
        if parent == Some(ElementKind::Root) {
            self.sections.take(name);
        }
        check_place(parent, name, |what| {
            look_alike(self.bytes, tag.range.start, what)
        })?;
        let kind = ElementKind::of(parent, name);
        self.uncovered.look_at_tag(parent, kind, &tag, attributes);
        match kind {
            ElementKind::Block(kind) => {
                self.block = Some(OpenBlock::new(kind, self.docroots.len()));
            }
            ElementKind::Absolute => {
                let mut attributes = attributes.iter();
                self.docroot = Some(OpenDocroot {
                    has_peer_ip: attributes.any(|(name, _)| self.bytes[name.clone()] == *PEER_IP),
                    has_misc: false,
                });
            }
            ElementKind::Restriction => self.restrict(),
            // Access keys need restrictions, and asconfigurator names them file_restriction.
            ElementKind::Other if is_restriction(name) => self.restrict(),
            _ => {}
        }
        let end = tag.range.end;
        self.open.push(Open {
            kind,
            start_tag: tag.range,
            last_child: None,
        });
        if tag.is_empty {
            self.end(&(end..end))
        } else {
            Ok(())
        }
    }

    /// Takes a text as it is written at an offset.
    fn take_text(
        &mut self,
        offset: usize,
        written: &[u8],
        decode: impl FnOnce(&'a [u8]) -> Cow<'a, str>,
    ) {
        match self.parent() {
            Some(ElementKind::Absolute | ElementKind::Restriction) => {}
            Some(ElementKind::Restrictions) => {
                if !decode(self.bytes).trim_ascii().is_empty() {
                    self.restrict();
                }
            }
            _ => self.uncovered.look_at_text(offset, written, decode),
        }
    }

    fn restrict(&mut self) {
        if let Some(block) = &mut self.block {
            block.restrict();
        }
    }

    fn end(&mut self, end_tag: &Range<usize>) -> Result<(), ConfError> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        if let Some(parent) = self.open.last_mut() {
            parent.last_child = Some((open.start_tag.start..end_tag.end).into());
        }
        let element = Element::new(&open.start_tag, end_tag);
        let parent = Parent {
            element,
            last_child: open.last_child,
        };
        if let Some(depth) = open.kind.depth_below_block()
            && let Some(block) = &mut self.block
        {
            block.take_on_the_way(depth, parent);
        }
        match open.kind {
            ElementKind::Absolute => self.end_docroot(&open, element)?,
            ElementKind::Precedence => {
                if let Some(block) = &mut self.block {
                    block.take_precedence(self.bytes, parent);
                }
            }
            ElementKind::Pvcl => self.has_pvcl = true,
            ElementKind::Name => self.end_name(&open, element)?,
            ElementKind::Block(_) => self.end_block(&open, parent)?,
            ElementKind::Aaa => keep_first(&mut self.realm[0], parent),
            ElementKind::Realms => keep_first(&mut self.realm[1], parent),
            ElementKind::Realm => keep_first(&mut self.realm[2], parent),
            ElementKind::Users => keep_first(&mut self.users, parent),
            ElementKind::Groups => keep_first(&mut self.groups, parent),
            ElementKind::Root => self.root = Some(parent),
            _ => {}
        }
        Ok(())
    }

    fn end_docroot(&mut self, open: &Open, element: Element) -> Result<(), ConfError> {
        if open.last_child.is_some() {
            return Err(self.look_alike(open, "an <absolute> that holds an element"));
        }
        let docroot = self.docroot.take();
        self.docroots.extend(docroot.map(|docroot| DocrootElement {
            element,
            has_peer_ip: docroot.has_peer_ip,
            has_misc: docroot.has_misc,
        }));
        Ok(())
    }

    fn end_name(&mut self, open: &Open, element: Element) -> Result<(), ConfError> {
        if open.last_child.is_some() {
            return Err(self.look_alike(open, "a <name> that holds an element"));
        }
        if let Some(block) = &mut self.block {
            block.take_name(self.bytes, element);
        }
        Ok(())
    }

    fn end_block(&mut self, open: &Open, parent: Parent) -> Result<(), ConfError> {
        let Some(block) = self.block.take() else {
            return Ok(());
        };
        let Some(block) = block.end(parent, self.docroots.len()) else {
            return Err(self.look_alike(open, "a user or group without a <name> element in it"));
        };
        self.blocks.push(block);
        Ok(())
    }

    fn look_alike(&self, open: &Open, what: &'static str) -> ConfError {
        look_alike(self.bytes, open.start_tag.start, what)
    }

    fn parent(&self) -> Option<ElementKind> {
        self.open.last().map(|open| open.kind)
    }
}

fn is_restriction(name: &[u8]) -> bool {
    const WORD: &[u8] = b"restriction";
    let mut parts = local_name(name).windows(WORD.len());
    parts.any(|part| part.eq_ignore_ascii_case(WORD))
}

fn keep_first(place: &mut Option<Parent>, parent: Parent) {
    place.get_or_insert(parent);
}

#[cfg(test)]
mod tests {
    use super::super::conf::Precedence;
    use super::*;

    const ABSOLUTE: &str = "<absolute>s3://h/b/</absolute>";

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
