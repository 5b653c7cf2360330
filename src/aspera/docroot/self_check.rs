//! The check that a planned file reads as intended, before it is written.

use std::ops::Range;

use super::change::{Plan, PlanError};
use super::conf::AsperaConf;
use super::planned::PlannedDocroot;
use super::request::in_order;
use super::scope::Scope;
use super::uri::DocrootUri;
use crate::subject::with_subject;
use crate::text::xml::{Content, Token, Tokenizer};

/// Returns an error unless the changed docroots, and no others, read as intended.
pub(super) fn check(bytes: &[u8], plan: &Plan) -> Result<(), PlanError> {
    let as_intended = match (&plan.after, plan.edits.is_empty()) {
        (None, true) => plan.changes.is_empty(),
        (Some(after), false) => {
            elements_are_as_intended(bytes, after, plan) || file_is_as_intended(bytes, after, plan)
        }
        _ => false,
    };
    as_intended.then_some(()).ok_or(PlanError::NotAsIntended)
}

/// Returns whether a file that another program wrote contains a docroot, and no other docroot of the same scope.
pub fn holds(bytes: &[u8], scope: &Scope, uri: &DocrootUri) -> bool {
    let Ok(conf) = AsperaConf::parse(bytes) else {
        return false;
    };
    let of_scope = conf
        .blocks
        .iter()
        .filter(|block| block.owner.key(bytes) == scope.key());
    let docroots: Vec<_> = of_scope.flat_map(|block| conf.docroots(block)).collect();
    matches!(docroots.as_slice(), [docroot] if conf.text(docroot) == uri.text())
}

/// Returns whether every edit is in an element that existed, and each such element, read by itself, contains its new URI.
///
/// That is enough: the file around these elements is the old one, byte for byte, and a text that is one whole element by itself is also one in
/// its place. For a large file this takes a fraction of the time of reading all of it.
fn elements_are_as_intended(bytes: &[u8], after: &[u8], plan: &Plan) -> bool {
    let mut edits = plan.edits.iter().peekable();
    let mut shift = 0;
    for change in &plan.changes {
        let planned = &plan.docroots[change.docroot];
        let Some(docroot) = planned.element() else {
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
        let is_whole = || is_whole_docroot(&after[new], &planned.uri(bytes));
        if !with_subject(planned.scope(bytes), is_whole) {
            return false;
        }
    }
    edits.next().is_none()
}

/// Returns whether a text is one `absolute` element that contains the new URI.
fn is_whole_docroot(text: &[u8], uri: &DocrootUri) -> bool {
    let Some((start_tag, end_tag)) = only_element(text) else {
        return false;
    };
    let content = Content::text_of(text, &(start_tag.end..end_tag.start));
    start_tag.start == 0 && end_tag.end == text.len() && content.trim_ascii() == uri.text()
}

/// Returns the tags of the element that a text consists of, or `None` if it contains another element.
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
            Token::Text(_) | Token::Cdata(_) | Token::Misc(_) => {}
        }
    }
    start_tag.zip(end_tag)
}

/// Returns whether exactly the changed docroots of the whole file read as intended, and the new ones exist.
fn file_is_as_intended(bytes: &[u8], after: &[u8], plan: &Plan) -> bool {
    let Ok(conf) = AsperaConf::parse(after) else {
        return false;
    };
    let found = edited_docroots(&conf, plan);
    let changed = plan
        .changes
        .iter()
        .map(|change| &plan.docroots[change.docroot]);
    let changed: Vec<&PlannedDocroot> = changed.collect();
    let scopes: Vec<Scope> = changed.iter().map(|docroot| docroot.scope(bytes)).collect();
    let expected = in_order(scopes.iter().zip(0..));
    let edited = in_order(found.iter().map(|(scope, _)| scope).zip(0..));
    let is_expected =
        |((scope, index), (expected_scope, change)): (&(&Scope, usize), &(&Scope, usize))| {
            scope == expected_scope && found[*index].1 == changed[*change].uri(bytes).text()
        };
    edited.len() == expected.len() && edited.iter().zip(&expected).all(is_expected)
}

/// Returns the docroots of the new file that an edit touches.
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

#[cfg(test)]
mod tests {
    use super::super::plan::plan;
    use super::super::request::{Request, Selection};
    use super::*;
    use crate::aspera::setting::{Encryption, EncryptionSetting};
    use crate::text::splice::{Edit, Edits};

    fn user(name: &str) -> String {
        format!(
            "<user><name>{name}</name><file_system><access><paths><path><absolute>s3://h/{name}</absolute></path></paths></access></file_system></user>"
        )
    }

    fn file() -> Vec<u8> {
        let users = ["ann", "bob", "eve"].map(user).concat();
        format!("<CONF><aaa><realms><realm><users>{users}</users></realm></realms></aaa></CONF>\n")
            .into_bytes()
    }

    /// Plans for some users. Users that are not in the file are created.
    fn planned(names: &[&str]) -> (Vec<u8>, Plan) {
        let file = file();
        let requests: Vec<Request> = names
            .iter()
            .map(|name| Request {
                selection: Selection::Of(Scope::User((*name).to_owned())),
                desired: Some(EncryptionSetting::new(Encryption::Aes256, None).unwrap()),
                aws_managed_key: true,
                encoding: None,
                docroot: (*name == "new").then(|| DocrootUri::new("s3://h/new")),
            })
            .collect();
        let plan = plan(&file, &requests).unwrap();
        (file, plan)
    }

    fn position(bytes: &[u8], text: &str) -> usize {
        let found = bytes
            .windows(text.len())
            .position(|window| window == text.as_bytes());
        found.unwrap()
    }

    /// Makes the edits of a plan write something else.
    fn replace(file: &[u8], plan: &mut Plan, old: &str, new: &str) {
        let mut edits: Vec<Edit> = plan.edits.iter().cloned().collect();
        for edit in &mut edits {
            let text = String::from_utf8(edit.replacement.clone()).unwrap();
            edit.replacement = text.replace(old, new).into();
        }
        plan.edits = Edits::new(edits);
        plan.after = Some(plan.edits.apply(file));
    }

    const PLANS: [&[&str]; 4] = [&["ann"], &["ann", "eve"], &["new"], &["bob", "new"]];

    #[test]
    fn a_plan_that_does_what_it_says_passes() {
        for names in PLANS {
            let (file, plan) = planned(names);
            assert_eq!(check(&file, &plan), Ok(()), "{names:?}");
        }
    }

    #[test]
    fn a_plan_that_does_something_else_is_refused() {
        for names in PLANS {
            for (old, new) in [
                ("=AES256", "=AES255"),
                ("=AES256", "=AES256&amp;x"),
                ("=AES256", "=AES256</absolute><absolute>"),
                ("=AES256", "=AES256<x/>"),
                ("=AES256", "=AES256<"),
            ] {
                let (file, mut plan) = planned(names);
                replace(&file, &mut plan, old, new);
                let refused = check(&file, &plan);
                assert_eq!(refused, Err(PlanError::NotAsIntended), "{names:?} {new}");
            }
        }
        let (file, mut plan) = planned(&["new"]);
        replace(&file, &mut plan, "<name>new</name>", "<name>old</name>");
        assert_eq!(check(&file, &plan), Err(PlanError::NotAsIntended));
    }

    #[test]
    fn edits_and_changes_belong_together() {
        for names in PLANS {
            let (file, mut plan) = planned(names);
            plan.edits = Edits::default();
            assert_eq!(check(&file, &plan), Err(PlanError::NotAsIntended));
            plan.after = None;
            assert_eq!(check(&file, &plan), Err(PlanError::NotAsIntended));
            let (file, mut plan) = planned(names);
            plan.changes.pop();
            assert_eq!(check(&file, &plan), Err(PlanError::NotAsIntended));
        }
    }

    #[test]
    fn an_edit_of_a_docroot_that_nobody_asked_for_is_refused() {
        let text = "s3://h/bob";
        for (names, offset) in [
            (&["ann"][..], text.len()),
            (&["eve"], text.len()),
            (&["new"], 0),
        ] {
            let (file, mut plan) = planned(names);
            let place = position(&file, text) + offset;
            let mut edits: Vec<Edit> = plan.edits.iter().cloned().collect();
            edits.push(Edit {
                range: place..place,
                replacement: b"x".to_vec(),
            });
            plan.edits = Edits::new(edits);
            plan.after = Some(plan.edits.apply(&file));
            assert_eq!(check(&file, &plan), Err(PlanError::NotAsIntended));
        }
    }

    #[test]
    fn a_file_of_another_writer_holds_a_docroot_once() {
        let (_, plan) = planned(&["ann"]);
        let docroot = &plan.docroots[0];
        let (scope, uri) = (&docroot.scope(&file()), &docroot.uri(&file()));
        let after = plan.after.unwrap();
        assert!(holds(&after, scope, uri));
        assert!(!holds(&file(), scope, uri));
        assert!(!holds(b"<CONF>", scope, uri));
        let twice = String::from_utf8(after).unwrap();
        let twice = twice.replacen("<users>", &format!("<users>{}", user("ann")), 1);
        assert!(!holds(twice.as_bytes(), scope, uri));
    }
}
