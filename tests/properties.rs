//! Laws of `s3.properties`, with `java.util.Properties` as the oracle: its recorded answers everywhere, and itself where there is a JDK.

#[path = "oracle/files.rs"]
mod files;
#[path = "oracle/java.rs"]
mod java;
#[path = "oracle/recorded.rs"]
mod recorded;

use std::collections::HashMap;
use std::ops::Range;

use aspera_sse::aspera::setting::EncryptionSetting;
use aspera_sse::aspera::trapd::{PlanError, plan};
use aspera_sse::text::lines;
use aspera_sse::text::properties::Document;
use files::{ENCRYPTION, KMS_KEY, all_desired, any_line, desired, ending, file, inert_line};
use java::Loaded;
use proptest::prelude::*;

const ARTICLE: [&str; 2] = [
    "# server-side-encryption=NONE",
    "# server-side-encryption-aws-kms-key-id",
];

proptest! {
    #![proptest_config(config(12_000))]

    /// Our own reader stands in for Java here. The other tests check that the two agree.
    #[test]
    fn every_law_holds_for_any_file(file in file(any_line()), desired in desired()) {
        check(&file, desired.as_ref(), &read);
    }

    #[test]
    #[ignore = "needs javac"]
    fn every_law_holds_for_any_file_under_the_eyes_of_java(file in file(any_line()), desired in desired()) {
        check(&file, desired.as_ref(), &java::load);
    }
}

proptest! {
    #![proptest_config(config(3_000))]

    #[test]
    fn present_then_absent_gives_back_the_articles_comments(
        before in file(inert_line()),
        ending in ending(),
        between in file(inert_line()),
        after in file(inert_line()),
        desired in desired(),
    ) {
        let article = [ARTICLE[0], &ending].concat();
        let second = [ARTICLE[1], &ending].concat();
        let file = [&before, ending.as_bytes(), article.as_bytes(), &between, ending.as_bytes(), second.as_bytes(), &after].concat();
        let Ok(document) = Document::parse(&file) else { return Ok(()) };
        let is_comment = |text: &str| document.comments.iter().any(|c| &file[c.range.clone()] == text.as_bytes());
        prop_assume!(ARTICLE.iter().all(|text| is_comment(text)));
        let present = plan(&file, desired.as_ref());
        if matches!(present, Err(PlanError::OtherFile(_))) {
            return Ok(());
        }
        let present = present.unwrap().after;
        let absent = plan(&present, None).unwrap().after;
        prop_assert_eq!(absent, file);
    }
}

#[test]
fn every_law_holds_for_files_with_recorded_answers_of_java() {
    let recorded = recorded::answers();
    let answer = |file: &[u8]| recorded.get(file).cloned().unwrap_or_else(|| read(file));
    for file in recorded.keys() {
        for desired in all_desired() {
            check(file, desired.as_ref(), &answer);
        }
    }
}

#[test]
fn java_was_asked_about_many_files_and_about_the_nasty_ones() {
    let recorded = recorded::answers();
    assert!(recorded.len() >= 2_000, "{} files", recorded.len());
    let refused = recorded.values().filter(|loaded| loaded.is_none()).count();
    assert!(refused >= 50, "{refused} files that Java refuses");
    for file in files::NASTY {
        let name = file.escape_ascii();
        assert!(recorded.contains_key(*file), "run make oracle for {name}");
    }
}

#[test]
#[ignore = "needs javac"]
fn java_answers_as_recorded() {
    for (file, loaded) in recorded::answers() {
        assert_eq!(java::load(&file), loaded, "{}", file.escape_ascii());
    }
}

/// Failing files are kept among the nasty files (`tests/oracle/files.rs`), not as seeds.
fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    }
}

/// Checks all laws for one file and one desired setting. `java` returns what Java loads from a file.
fn check(file: &[u8], desired: Option<&EncryptionSetting>, java: &dyn Fn(&[u8]) -> Option<Loaded>) {
    let loaded = java(file);
    assert_eq!(read(file), loaded, "reading {}", file.escape_ascii());
    let planned = match plan(file, desired) {
        Ok(planned) => planned,
        Err(PlanError::MalformedEscape(_)) => {
            assert_eq!(loaded, None, "refused {}", file.escape_ascii());
            return;
        }
        Err(PlanError::DanglingContinuation(_)) => {
            assert!(
                ends_in_continuation(file),
                "dangling {}",
                file.escape_ascii()
            );
            return;
        }
        // A text that is not in ISO-8859-1, or the beginning of another kind of file.
        Err(PlanError::OtherFile(_)) => {
            let is_other = file.contains(&0)
                || file.trim_ascii_start().starts_with(b"<")
                || [&b"\xff\xfe"[..], b"\xfe\xff"].contains(&&file[..file.len().min(2)]);
            assert!(is_other, "refused {}", file.escape_ascii());
            return;
        }
        Err(error) => panic!("{error}: {}", file.escape_ascii()),
    };
    let shown = format!(
        "{} to {}",
        file.escape_ascii(),
        planned.after.escape_ascii()
    );
    assert_eq!(java(&planned.after), expected(loaded, desired), "{shown}");
    let may_change = our_places(file);
    for edit in &planned.edits {
        let is_ours =
            |place: &Range<usize>| place.start <= edit.range.start && edit.range.end <= place.end;
        assert!(
            may_change.iter().any(is_ours),
            "{:?} in {shown}",
            edit.range
        );
    }
    assert_eq!(planned.edits.apply(file), planned.after, "{shown}");
    let again = plan(&planned.after, desired).unwrap();
    assert!(again.edits.is_empty(), "second run: {shown}");
    let ends = |bytes: &[u8]| bytes.ends_with(b"\n") || bytes.ends_with(b"\r");
    if !file.is_empty() {
        assert_eq!(
            ends(file),
            ends(&planned.after),
            "final line ending: {shown}"
        );
    }
}

/// Returns the result of our reader in the form of Java's: the last value of each key.
fn read(file: &[u8]) -> Option<Loaded> {
    let document = Document::parse(file).ok()?;
    let entries = document.entries.iter();
    let units = |text: &aspera_sse::text::properties::JavaString| text.code_units().to_vec();
    Some(
        entries
            .map(|entry| (units(&entry.key), units(&entry.value)))
            .collect::<HashMap<_, _>>(),
    )
}

fn expected(loaded: Option<Loaded>, desired: Option<&EncryptionSetting>) -> Option<Loaded> {
    let units = |text: &str| text.encode_utf16().collect::<Vec<u16>>();
    let mut expected = loaded?;
    expected.remove(&units(ENCRYPTION));
    expected.remove(&units(KMS_KEY));
    if let Some(setting) = desired {
        expected.insert(units(ENCRYPTION), units(setting.encryption().as_str()));
        if let Some(key) = setting.kms_key() {
            expected.insert(units(KMS_KEY), units(key.as_str()));
        }
    }
    Some(expected)
}

/// Returns whether the file ends in a `\` that joins its last line with the next.
fn ends_in_continuation(file: &[u8]) -> bool {
    let last = file.strip_suffix(b"\n").unwrap_or(file);
    let last = last.strip_suffix(b"\r").unwrap_or(last);
    let backslashes = last.iter().rev().take_while(|&&byte| byte == b'\\');
    backslashes.count() % 2 == 1
}

/// Returns the places in which an edit may be: our settings with their lines, their commented templates, the end of the file.
fn our_places(file: &[u8]) -> Vec<Range<usize>> {
    let document = Document::parse(file).unwrap();
    let entries = document
        .entries
        .iter()
        .filter(|entry| entry.key == *ENCRYPTION || entry.key == *KMS_KEY);
    let whole_lines = entries.map(|entry| {
        let start = file[..entry.range.start]
            .iter()
            .rposition(|byte| matches!(byte, b'\n' | b'\r'));
        start.map_or(0, |start| start + 1)..lines::line_at(file, entry.range.end).next
    });
    let comments = document
        .comments
        .iter()
        .map(|comment| comment.range.clone());
    let templates = comments.filter(|range| {
        let text = String::from_utf8_lossy(&file[range.clone()])
            .replace(['\t', ' ', '#', '!', '\u{c}'], "");
        let is_of = |key: &str| text == key || text.starts_with(&format!("{key}="));
        is_of(ENCRYPTION) || is_of(KMS_KEY)
    });
    whole_lines
        .chain(templates)
        .chain(std::iter::once(file.len()..file.len()))
        .collect()
}
