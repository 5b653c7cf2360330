//! New elements for a docroot that does not exist yet, in the indentation and line ending of the file.

use super::conf::{AsperaConf, Block};
use super::element::Parent;
use super::scope::{BlockKind, Scope};
use crate::text::splice::Edit;
use crate::text::xml::escape_text;

/// The elements from a block to its docroot.
const PATH_TO_DOCROOT: [&str; 4] = ["file_system", "access", "paths", "path"];
/// The indentation to use if the file has none to follow.
const USUAL_UNIT: &str = "    ";

/// Returns the edit that adds the missing elements to an existing block, down to a docroot with the given text.
pub fn complete(conf: &AsperaConf, block: &Block, uri: &str) -> Edit {
    let inner = nested(&PATH_TO_DOCROOT[usize::from(block.depth)..], docroot(uri));
    let name = match (block.depth.checked_sub(1), conf.scope(block)) {
        (Some(depth), _) => PATH_TO_DOCROOT[usize::from(depth)],
        (None, Scope::User(_)) => "user",
        (None, Scope::Group(_)) => "group",
        (None, Scope::Global) => "default",
    };
    insert(conf, &block.innermost, name, &inner)
}

/// An edit that creates blocks.
pub struct NewBlocks {
    pub edit: Edit,
    /// The kinds of the blocks that it makes.
    pub kinds: Vec<BlockKind>,
}

/// Creates blocks that do not exist, with their docroots.
///
/// Several new blocks in one element become one edit.
pub fn create(conf: &AsperaConf, blocks: &[(&Scope, &str)]) -> Vec<NewBlocks> {
    let mut edits = Vec::new();
    let of = |wanted: BlockKind| {
        let lines: Vec<Node> = blocks
            .iter()
            .filter(|(scope, _)| scope.block_kind() == wanted)
            .map(|(scope, uri)| block(scope, uri))
            .collect();
        (!lines.is_empty()).then_some(lines)
    };
    let block_parents = &conf.block_parents;
    let Some(root) = &block_parents.root else {
        return edits;
    };
    let root_name = if conf.bytes[root.element.start_tag()].starts_with(b"<conf") {
        "conf"
    } else {
        "CONF"
    };
    // The new content of the root is one edit: an empty root can be opened only once.
    let mut in_root = of(BlockKind::Global).unwrap_or_default();
    let mut kinds_in_root = vec![BlockKind::Global];
    let mut missing = Vec::new();
    let mut missing_kinds = Vec::new();
    for (kind, name, existing) in [
        (BlockKind::User, "users", &block_parents.users),
        (BlockKind::Group, "groups", &block_parents.groups),
    ] {
        match (of(kind), existing) {
            (None, _) => {}
            (Some(nodes), Some(element)) => edits.push(NewBlocks {
                edit: insert(conf, element, name, &nodes),
                kinds: vec![kind],
            }),
            (Some(nodes), None) => {
                missing.push(Node::Element(name, nodes));
                missing_kinds.push(kind);
            }
        }
    }
    if !missing.is_empty() {
        let names = ["aaa", "realms", "realm"];
        let existing = block_parents.realm.len();
        let inner = nested(&names[existing..], missing);
        match block_parents.realm.last() {
            Some(element) => edits.push(NewBlocks {
                edit: insert(conf, element, names[existing - 1], &inner),
                kinds: missing_kinds,
            }),
            None => {
                in_root.extend(inner);
                kinds_in_root.extend(missing_kinds);
            }
        }
    }
    if !in_root.is_empty() {
        edits.push(NewBlocks {
            edit: insert(conf, root, root_name, &in_root),
            kinds: kinds_in_root,
        });
    }
    edits
}

/// An element to write, with child elements or with text.
enum Node {
    Element(&'static str, Vec<Node>),
    Text(&'static str, String),
}

fn block(scope: &Scope, uri: &str) -> Node {
    let kind = match scope {
        Scope::User(_) => "user",
        Scope::Group(_) => "group",
        Scope::Global => "default",
    };
    let name = scope.name().map(|name| Node::Text("name", name.to_owned()));
    let inner = name
        .into_iter()
        .chain(nested(&PATH_TO_DOCROOT, docroot(uri)));
    Node::Element(kind, inner.collect())
}

fn docroot(uri: &str) -> Vec<Node> {
    vec![Node::Text("absolute", uri.to_owned())]
}

fn nested(names: &[&'static str], inner: Vec<Node>) -> Vec<Node> {
    names
        .iter()
        .rev()
        .fold(inner, |inner, name| vec![Node::Element(name, inner)])
}

/// The layout of the file.
struct Layout<'a> {
    /// The line ending, or `None` if the file is a single line.
    line_ending: Option<&'a str>,
    /// One step of indentation.
    unit: String,
}

impl Layout<'_> {
    fn of(conf: &AsperaConf) -> Layout<'static> {
        let ending = conf
            .bytes
            .iter()
            .position(|byte| matches!(byte, b'\n' | b'\r'));
        let line_ending = ending.map(|ending| match &conf.bytes[ending..] {
            [b'\r', b'\n', ..] => "\r\n",
            [b'\r', ..] => "\r",
            _ => "\n",
        });
        let in_root = conf.block_parents.root.as_ref().and_then(|root| {
            let last = root.last_child()?;
            Some((
                indentation(conf.bytes, last.start)?,
                indentation(conf.bytes, root.element.start_tag().start)?,
            ))
        });
        let unit = match in_root {
            Some((inner, outer)) if inner.len() > outer.len() => inner[outer.len()..].to_owned(),
            _ => USUAL_UNIT.to_owned(),
        };
        Layout { line_ending, unit }
    }

    fn new_line(&self, indentation: &str) -> String {
        match self.line_ending {
            Some(ending) => format!("{ending}{indentation}"),
            None => String::new(),
        }
    }

    fn write(&self, nodes: &[Node], indentation: &str, text: &mut String) {
        for node in nodes {
            *text += &self.new_line(indentation);
            match node {
                Node::Text(name, content) => {
                    *text += &format!("<{name}>{}</{name}>", escape_text(content));
                }
                Node::Element(name, inner) => {
                    *text += &format!("<{name}>");
                    self.write(inner, &format!("{indentation}{}", self.unit), text);
                    *text += &self.new_line(indentation);
                    *text += &format!("</{name}>");
                }
            }
        }
    }
}

/// Inserts elements after the last child of an element.
fn insert(conf: &AsperaConf, parent: &Parent, name: &str, nodes: &[Node]) -> Edit {
    let element = parent.element;
    let mut layout = Layout::of(conf);
    let outer = indentation(conf.bytes, element.start_tag().start).unwrap_or_default();
    let sibling = parent
        .last_child()
        .as_ref()
        .map(|child| indentation(conf.bytes, child.start));
    let inner = match sibling {
        Some(Some(indentation)) => indentation,
        Some(None) => {
            // The child elements are all on one line.
            layout.line_ending = None;
            String::new()
        }
        None => format!("{outer}{}", layout.unit),
    };
    let mut text = String::new();
    layout.write(nodes, &inner, &mut text);
    if element.is_empty_tag(conf.bytes) {
        let end = element.start_tag().end;
        return Edit {
            range: end - 2..end,
            replacement: format!(">{text}{}</{name}>", layout.new_line(&outer)).into(),
        };
    }
    let offset = match parent.last_child() {
        Some(child) => child.end,
        None => element.content().start,
    };
    let content = &conf.bytes[element.content()];
    if parent.last_child().is_none() && !content.contains(&b'\n') && !content.contains(&b'\r') {
        text += &layout.new_line(&outer);
    }
    Edit {
        range: offset..offset,
        replacement: text.into(),
    }
}

/// Returns the blanks before a tag, or `None` if there is anything else before it on its line.
fn indentation(bytes: &[u8], offset: usize) -> Option<String> {
    let line_start = bytes[..offset]
        .iter()
        .rposition(|byte| matches!(byte, b'\n' | b'\r'))
        .map(|ending| ending + 1);
    let blanks = &bytes[line_start.unwrap_or(0)..offset];
    let is_indentation = blanks.iter().all(|byte| matches!(byte, b' ' | b'\t'));
    // Text before the first line ending is the start of the file.
    (is_indentation && (line_start.is_some() || offset == 0))
        .then(|| String::from_utf8_lossy(blanks).into_owned())
}
