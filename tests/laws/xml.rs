//! What is in an XML document, by roxmltree: the oracle that is always there.

use std::ops::Range;

/// An element: its path, its attributes in the order of their names, and the text directly in it.
pub type Element = (String, Vec<(String, String)>, String);

/// The elements of a document as roxmltree reads them; nothing if it refuses the document.
pub fn elements(document: &[u8]) -> Option<Vec<Element>> {
    let text = with_line_feeds(std::str::from_utf8(document).ok()?);
    let tree = roxmltree::Document::parse(&text).ok()?;
    let elements = tree.descendants().filter(roxmltree::Node::is_element);
    Some(elements.map(element).collect())
}

/// Gives each line the ending that XML has a program read (XML 1.0, 2.11). roxmltree 0.21 does this, too, but not before a reference.
pub fn with_line_feeds(document: &str) -> String {
    document.replace("\r\n", "\n").replace('\r', "\n")
}

fn element(node: roxmltree::Node) -> Element {
    let mut path: Vec<&str> = node
        .ancestors()
        .map(|node| node.tag_name().name())
        .collect();
    path.reverse();
    let mut attributes: Vec<(String, String)> = node
        .attributes()
        .map(|attribute| (attribute.name().to_owned(), attribute.value().to_owned()))
        .collect();
    attributes.sort();
    let text = node
        .children()
        .filter(roxmltree::Node::is_text)
        .filter_map(|node| node.text());
    (path.join("/"), attributes, text.collect())
}

/// The places of the elements whose path is of some kind, from the start of the start tag to the end of the end tag.
pub fn places(document: &[u8], is_wanted: impl Fn(&str) -> bool) -> Vec<Range<usize>> {
    let text = std::str::from_utf8(document).expect("a document that was read before");
    let tree = roxmltree::Document::parse(text).expect("a document that was read before");
    let elements = tree.descendants().filter(roxmltree::Node::is_element);
    elements
        .filter(|node| is_wanted(&element(*node).0))
        .map(|node| node.range())
        .collect()
}
