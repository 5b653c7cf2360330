//! The elements of a small XML document, as AWS answers with them.

use crate::text::xml::{Content, Token, Tokenizer};

/// The limit on elements. A page of 1,000 keys has some 10,000.
const MOST_ELEMENTS: usize = 50_000;

/// An element with its text and the elements in it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Its name, without a prefix.
    pub name: String,
    /// The text directly in it.
    pub text: String,
    children: Vec<Element>,
}

/// A text that is not well-formed XML, or larger than any answer. Holds nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotXml;

impl Element {
    /// Parses a document and returns its root.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotXml> {
        let mut tokens = Tokenizer::new(bytes).map_err(|_| NotXml)?;
        // The first one holds the root.
        let mut open = vec![Self::default()];
        let mut count = 0;
        while let Some(token) = tokens.next_token().map_err(|_| NotXml)? {
            let last = open.last_mut().ok_or(NotXml)?;
            match token {
                Token::Start(tag) => {
                    count += 1;
                    let name = String::from_utf8_lossy(&bytes[tag.name]);
                    let name = name.rsplit(':').next().unwrap_or_default();
                    let element = Self {
                        name: name.to_owned(),
                        ..Self::default()
                    };
                    if tag.is_empty {
                        last.children.push(element);
                    } else {
                        open.push(element);
                    }
                }
                Token::End { .. } => {
                    let element = open.pop().ok_or(NotXml)?;
                    open.last_mut().ok_or(NotXml)?.children.push(element);
                }
                Token::Text(range) => last.text += &Content::text_of(bytes, &range),
                Token::Cdata(range) => last.text += &Content::text_of_cdata(bytes, range),
                Token::Misc(_) => {}
            }
            if count > MOST_ELEMENTS {
                return Err(NotXml);
            }
        }
        let root = open.pop().and_then(|mut document| document.children.pop());
        root.ok_or(NotXml)
    }

    /// Returns the elements with a name in this one.
    pub fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// Returns the element at a path of names. Of several with one name, none counts: they may say different things.
    pub fn at<'e>(&'e self, path: &[&str]) -> Option<&'e Self> {
        let inside = |element: &'e Self, name: &&str| {
            let mut children = element.children.iter();
            let is_named = |child: &&Self| child.name == *name;
            let first = children.find(is_named)?;
            children.find(is_named).is_none().then_some(first)
        };
        path.iter().try_fold(self, inside)
    }

    /// Returns the text at a path of names, if it is all that is there.
    pub fn text_at<'e>(&'e self, path: &[&str]) -> Option<&'e str> {
        let element = self.at(path)?;
        let is_text = element.children.is_empty();
        is_text.then_some(element.text.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_by_their_path() {
        let text = b"<?xml version=\"1.0\"?>\n<r xmlns=\"u\"><a><b>1&amp;<![CDATA[<]]></b></a><d/><d/><c/><e>1<f/></e></r>\n";
        let root = Element::parse(text).unwrap();
        assert_eq!(root.name, "r");
        assert_eq!(root.text_at(&["a", "b"]), Some("1&<"));
        assert_eq!(root.all("d").count(), 2);
        assert_eq!(root.at(&["d"]), None);
        assert_eq!(root.text_at(&["e"]), None);
        assert_eq!(root.text_at(&["c"]), Some(""));
        assert_eq!(root.text_at(&["a", "x"]), None);
    }

    #[test]
    fn lines_end_as_xml_has_a_program_read_them() {
        let root = Element::parse(b"<r>a\r\nb\rc<![CDATA[d\r\ne\rf]]></r>").unwrap();
        assert_eq!(root.text, "a\nb\ncd\ne\nf");
    }

    #[test]
    fn what_is_not_a_small_document_is_refused() {
        let large = format!("<r>{}</r>", "<a/>".repeat(MOST_ELEMENTS));
        let doctype = "<!DOCTYPE r [<!ENTITY x \"y\">]><r>&x;</r>";
        for text in ["", "<html>", "<p>1<br></p>", doctype, "{}", &large] {
            assert_eq!(Element::parse(text.as_bytes()), Err(NotXml));
        }
    }
}
