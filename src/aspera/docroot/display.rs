//! The part of an `aspera.conf` diff that may be shown: masked docroots, and around them only structure and names.

use std::ops::Range;

use super::change::Plan;
use super::conf::DocrootElement;
use super::planned::PlannedDocroot;
use super::scope::Scope;
use super::uri::DocrootUri;
use crate::aspera::setting::{DisplayLine, KmsKey};
use crate::subject::with_subject;
use crate::text::lines::{line_at, line_number, line_start};
use crate::text::xml::{escape_attribute, escape_text};

/// The number of lines that are read on each side of a change.
const CONTEXT: usize = 3;

/// A changed place, before and after.
#[derive(Debug, PartialEq, Eq)]
pub struct DisplayPlace {
    /// The scope that owns the docroot, and the line.
    pub title: String,
    /// The lines before the change.
    pub before: Vec<DisplayLine>,
    /// The lines after the change.
    pub after: Vec<DisplayLine>,
}

/// Returns the changed places of a plan, in the order of the file, up to the limit. The caller counts the others.
pub fn changed_places(bytes: &[u8], plan: &Plan, limit: usize) -> Vec<DisplayPlace> {
    let mut counted = (0, 1);
    let changes = plan.changes.iter().take(limit);
    changes
        .map(|change| {
            let (offset, line) = counted;
            let line = line + line_number(&bytes[offset..], change.offset - offset) - 1;
            // Counting goes on from the start of a line, so that no CRLF is cut in two.
            counted = (line_start(bytes, change.offset), line);
            let docroot = &plan.docroots[change.docroot];
            let scope = docroot.scope(bytes);
            with_subject(&scope, || place(bytes, &scope, docroot, line))
        })
        .collect()
}

fn place(bytes: &[u8], scope: &Scope, planned: &PlannedDocroot, line: usize) -> DisplayPlace {
    let title = format!("{scope}, line {line}");
    let known_key = planned.known_key();
    let before = planned.uri_before(bytes);
    let after = planned.uri(bytes);
    let Some(docroot) = planned.element() else {
        return DisplayPlace {
            title,
            before: Vec::new(),
            after: new_lines(scope, &after, known_key),
        };
    };
    let range = docroot.element.range(bytes);
    let old = docroot_line(bytes, docroot, &before, known_key);
    let mut new = docroot_line(bytes, docroot, &after, known_key);
    if old == new {
        new += " (credentials differ)";
    }
    let around = |line: String| {
        let mut lines = lines_before(bytes, &range);
        lines.push(DisplayLine::Shown(line));
        lines.extend(lines_after(bytes, &range));
        lines
    };
    DisplayPlace {
        title,
        before: around(old),
        after: around(new),
    }
}

/// Returns the lines of a new docroot, in short: the diff shows that it is new, and the file shows its layout.
fn new_lines(scope: &Scope, uri: &DocrootUri, known_key: Option<&KmsKey>) -> Vec<DisplayLine> {
    let name = scope
        .name()
        .map(|name| format!("<name>{}</name>", escape_text(name)));
    let docroot = format!(
        "<absolute>{}</absolute>",
        escape_text(&uri.masked(known_key))
    );
    name.into_iter()
        .chain([docroot])
        .map(DisplayLine::Shown)
        .collect()
}

fn docroot_line(
    bytes: &[u8],
    docroot: &DocrootElement,
    uri: &DocrootUri,
    known_key: Option<&KmsKey>,
) -> String {
    let range = docroot.element.range(bytes);
    let before = &bytes[line_start(bytes, range.start)..range.start];
    let lead = if before.iter().all(|byte| matches!(byte, b' ' | b'\t')) {
        String::from_utf8_lossy(before).into_owned()
    } else {
        "...".to_owned()
    };
    let attribute = match docroot.peer_ip(bytes) {
        Some(address) => format!(" peer_ip=\"{}\"", escape_attribute(&address)),
        None => String::new(),
    };
    let after = &bytes[range.end..line_at(bytes, range.end).content.end];
    let trail = if after.trim_ascii().is_empty() {
        ""
    } else {
        "..."
    };
    let text = escape_text(&uri.masked(known_key));
    format!("{lead}<absolute{attribute}>{text}</absolute>{trail}")
}

fn lines_before(bytes: &[u8], range: &Range<usize>) -> Vec<DisplayLine> {
    let mut lines = Vec::new();
    let mut start = line_start(bytes, range.start);
    while start > 0 && lines.len() < CONTEXT {
        let is_crlf = bytes[..start].ends_with(b"\r\n");
        let end = start - if is_crlf { 2 } else { 1 };
        start = line_start(bytes, end);
        lines.push(context_line(&bytes[start..end]));
    }
    lines.reverse();
    lines
}

fn lines_after(bytes: &[u8], range: &Range<usize>) -> Vec<DisplayLine> {
    let mut lines = Vec::new();
    let mut next = line_at(bytes, range.end).next;
    while next < bytes.len() && lines.len() < CONTEXT {
        let line = line_at(bytes, next);
        lines.push(context_line(&bytes[line.content]));
        next = line.next;
    }
    lines
}

/// Returns a line of context. Blank lines, structural tags alone on their line and names are shown. Any other line may contain a secret.
fn context_line(line: &[u8]) -> DisplayLine {
    let text = String::from_utf8_lossy(line);
    let trimmed = text.trim_ascii();
    if trimmed.is_empty() {
        return DisplayLine::Shown(String::new());
    }
    let tag = trimmed
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'));
    let is_structure = tag.is_some_and(|tag| STRUCTURE.contains(&tag.trim_start_matches('/')));
    let is_name = tag
        .and_then(|tag| tag.strip_prefix("name>")?.strip_suffix("</name"))
        .is_some_and(|name| !name.contains(['<', '>']));
    if is_structure || is_name {
        DisplayLine::Shown(text.trim_ascii_end().to_owned())
    } else {
        DisplayLine::Hidden
    }
}

/// The elements on the way to a docroot.
const STRUCTURE: [&str; 15] = [
    "CONF",
    "conf",
    "aaa",
    "realms",
    "realm",
    "users",
    "user",
    "groups",
    "group",
    "default",
    "file_system",
    "access",
    "paths",
    "path",
    "restrictions",
];
