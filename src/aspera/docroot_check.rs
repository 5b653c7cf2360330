//! Reads what a plan makes of a file, before anyone else does.

use std::ops::Range;

use super::aspera_conf::{AsperaConf, Scope};
use super::docroot_plan::{Change, Plan, PlanError, in_order_of_scopes};
use crate::subject::with_subject;
use crate::text::xml::{Content, Token, Tokenizer};

/// Whether the changed docroots, and no others, read as they should.
pub(super) fn check(bytes: &[u8], plan: &Plan) -> Result<(), PlanError> {
    let as_intended = if plan.edits.is_empty() {
        plan.changes.is_empty()
    } else {
        elements_are_as_intended(bytes, plan) || file_is_as_intended(plan)
    };
    as_intended.then_some(()).ok_or(PlanError::NotAsIntended)
}

/// Whether a file that someone else wrote holds a changed docroot, and no other of the same scope.
pub fn holds(bytes: &[u8], change: &Change) -> bool {
    let Ok(conf) = AsperaConf::parse(bytes) else {
        return false;
    };
    let of_scope = conf
        .blocks
        .iter()
        .filter(|block| conf.scope_key(block) == change.scope.key());
    let docroots: Vec<_> = of_scope.flat_map(|block| conf.docroots(block)).collect();
    matches!(docroots.as_slice(), [docroot] if conf.text(docroot) == change.after.text())
}

/// Whether every edit lies in an element that existed, and each such element, read by itself, holds its new URI.
///
/// That is enough: the file around them is the old one, byte for byte, and what is one whole element by itself is one in its place too. For a
/// large file this takes a fraction of the time of reading all of it.
fn elements_are_as_intended(bytes: &[u8], plan: &Plan) -> bool {
    let mut edits = plan.edits.iter().peekable();
    let mut shift = 0;
    for change in &plan.changes {
        let Some(docroot) = &change.element else {
            return false;
        };
        let old = docroot.element.range(bytes);
        let start = old.start.strict_add_signed(shift);
        while let Some(edit) = edits.next_if(|edit| edit.range.end <= old.end) {
            if edit.range.start < old.start {
                return false;
            }
            shift += edit.replacement.len().cast_signed() - edit.range.len().cast_signed();
        }
        let new = start..old.end.strict_add_signed(shift);
        if !with_subject(&change.scope, || is_whole_docroot(&plan.after[new], change)) {
            return false;
        }
    }
    edits.next().is_none()
}

/// Whether a text is one `absolute` element, with the new URI in it.
fn is_whole_docroot(text: &[u8], change: &Change) -> bool {
    let Some((start_tag, end_tag)) = only_element(text) else {
        return false;
    };
    let content = Content::text_of(text, &(start_tag.end..end_tag.start));
    start_tag.start == 0 && end_tag.end == text.len() && content.trim_ascii() == change.after.text()
}

/// The tags of the element that a text consists of, if no other is in it.
fn only_element(text: &[u8]) -> Option<(Range<usize>, Range<usize>)> {
    let mut tokens = Tokenizer::new(text).ok()?;
    let (mut start_tag, mut end_tag) = (None, None);
    while let Some(token) = tokens.next_token().ok()? {
        match token {
            Token::Start(tag) if start_tag.is_none() && !tag.is_empty => {
                start_tag = Some(tag.range);
            }
            Token::Start(_) => return None,
            Token::End { range, .. } => end_tag = Some(range),
            Token::Text(_) | Token::CharacterData(_) | Token::Aside(_) => {}
        }
    }
    start_tag.zip(end_tag)
}

/// Whether exactly the changed docroots of the whole file read as they should, and the new ones are there.
fn file_is_as_intended(plan: &Plan) -> bool {
    let Ok(conf) = AsperaConf::parse(&plan.after) else {
        return false;
    };
    let found = edited_docroots(&conf, plan);
    let expected = in_order_of_scopes(plan.changes.iter().map(|change| &change.scope));
    let edited = in_order_of_scopes(found.iter().map(|(scope, _)| scope));
    let is_expected =
        |((scope, index), (expected_scope, change)): (&(&Scope, usize), &(&Scope, usize))| {
            scope == expected_scope && found[*index].1 == plan.changes[*change].after.text()
        };
    edited.len() == expected.len() && edited.iter().zip(&expected).all(is_expected)
}

/// The docroots of the new file that an edit touches.
fn edited_docroots(conf: &AsperaConf, plan: &Plan) -> Vec<(Scope, String)> {
    let mut shift = 0;
    let mut edited = plan.edits.iter().map(|edit| {
        let start = edit.range.start.strict_add_signed(shift);
        shift += edit.replacement.len().cast_signed() - edit.range.len().cast_signed();
        start..start + edit.replacement.len()
    });
    let mut edit = edited.next();
    let mut found = Vec::new();
    for block in &conf.blocks {
        for docroot in conf.docroots(block) {
            let range = docroot.element.range(conf.bytes);
            while edit.as_ref().is_some_and(|edit| edit.end < range.start) {
                edit = edited.next();
            }
            if edit.as_ref().is_some_and(|edit| edit.start < range.end) {
                found.push((conf.scope(block), conf.text(docroot)));
            }
        }
    }
    found
}
