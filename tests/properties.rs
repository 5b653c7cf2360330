//! Laws of `s3.properties`, with `java.util.Properties` as the oracle: its recorded answers everywhere, and itself where there is a JDK.

#[path = "oracle/files.rs"]
mod files;
#[path = "oracle/java.rs"]
mod java;
mod laws;
#[path = "oracle/recorded.rs"]
mod recorded;

use aspera_sse::aspera::setting::EncryptionSetting;
use aspera_sse::aspera::trapd::{PlanError, plan};
use aspera_sse::text::properties::Document;
use files::{any_line, ending, file, inert_line};
use laws::choice::all_desired;
use laws::properties::{check, read};
use proptest::prelude::*;
use proptest::sample::select;

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

/// Generates one of the settings.
fn desired() -> impl Strategy<Value = Option<EncryptionSetting>> {
    select(all_desired())
}
