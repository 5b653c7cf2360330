//! What may matter for uploads, in places where the model does not look for it.

use std::borrow::Cow;

use super::element_kind::{ElementKind, PEER_IP};
use crate::text::lines::line_number;
use crate::text::xml::{Attribute, Content, Tag};

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

/// The most places that are kept of those that the model does not cover. One is enough to know that the model is not the whole file.
const MAX_UNCOVERED: usize = 20;

/// The places of a file that were found so far.
pub(super) struct Finder<'a> {
    bytes: &'a [u8],
    /// Offsets in the order of the file.
    found: Vec<(usize, UncoveredKind)>,
}

impl<'a> Finder<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            found: Vec::new(),
        }
    }

    /// Notes what is in a start tag or makes it nearly one that the model knows.
    pub(super) fn look_at_tag(
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
                self.note(start, UncoveredKind::NearlyAnElement);
            } else if local.eq_ignore_ascii_case(b"include") {
                self.note(start, UncoveredKind::Include);
            }
        }
        for (name, value) in attributes {
            let name = &self.bytes[name.clone()];
            if name == b"xmlns" && !value.is_empty() {
                self.note(start, UncoveredKind::Namespace);
            }
            let is_nearly_peer_ip =
                name != PEER_IP && local_name(name).eq_ignore_ascii_case(PEER_IP);
            if kind == ElementKind::Absolute && is_nearly_peer_ip {
                self.note(start, UncoveredKind::NearlyPeerIp);
            }
            self.look_at_text(start, &self.bytes[value.clone()], |bytes| {
                Content::text_of(bytes, value)
            });
        }
    }

    /// Notes an S3 address in a text, as it is written at an offset. Few texts have to be decoded.
    pub(super) fn look_at_text(
        &mut self,
        offset: usize,
        written: &[u8],
        decode: impl FnOnce(&'a [u8]) -> Cow<'a, str>,
    ) {
        // An address has a colon, or a reference that may stand for one.
        let may_name_s3 = memchr::memchr2(b':', b'&', written).is_some();
        if may_name_s3 && names_s3(&decode(self.bytes)) {
            self.note(offset, UncoveredKind::S3Address);
        }
    }

    /// Finds the lines of all places in one pass.
    pub(super) fn places(self) -> Vec<Uncovered> {
        let mut line = 1;
        let mut counted = 0;
        let places = self.found.into_iter().map(|(offset, what)| {
            line += line_number(&self.bytes[counted..], offset - counted) - 1;
            counted = offset;
            Uncovered { line, what }
        });
        places.collect()
    }

    fn note(&mut self, offset: usize, what: UncoveredKind) {
        if self.found.len() < MAX_UNCOVERED {
            self.found.push((offset, what));
        }
    }
}

/// Returns the name of an element without its prefix.
pub(super) fn local_name(name: &[u8]) -> &[u8] {
    name.rsplit(|byte| *byte == b':').next().unwrap_or(name)
}

/// Returns whether a text has an S3 address in it, in any letter case.
fn names_s3(text: &str) -> bool {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b':', bytes).any(|colon| {
        let is_scheme = bytes[colon.saturating_sub(2)..colon].eq_ignore_ascii_case(b"s3");
        is_scheme && bytes[colon..].starts_with(b"://")
    })
}

#[cfg(test)]
mod tests {
    use super::super::conf::AsperaConf;
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
}
