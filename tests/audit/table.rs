//! The table: rows in `table/*.yml`, see `table/README.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::answer::{Answer, Verdict};
use crate::configuration::{Configuration, Expectation};

/// The minimum number of rows of the table.
const ROWS: usize = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    #[serde(default = "nothing_given")]
    given: Configuration,
    expect: OneOrMore<Expectation>,
    compliant: Option<bool>,
    answers: BTreeMap<String, OneOrMore<Verdict>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore<T> {
    More(Vec<T>),
    One(T),
}

impl<T> OneOrMore<T> {
    fn into_vec(self) -> Vec<T> {
        match self {
            Self::More(more) => more,
            Self::One(one) => vec![one],
        }
    }
}

fn nothing_given() -> Configuration {
    serde_yaml_ng::from_str("{}").expect("the short form of nothing")
}

/// Compares all rows with the given answers.
pub fn check(answers: fn(&Configuration) -> Answer) {
    let mut names = BTreeSet::new();
    let mut differences = String::new();
    for row in rows() {
        assert!(names.insert(row.name.clone()), "two rows: {}", row.name);
        let mut configuration = row.given;
        configuration.expect = row.expect.into_vec();
        let wanted = row.answers.into_iter().flat_map(|(place, verdicts)| {
            verdicts
                .into_vec()
                .into_iter()
                .map(move |verdict| (place.clone(), verdict))
        });
        let mut wanted = Answer::new(row.compliant, wanted);
        // The system-wide setting is not judged unless the row says so.
        let system = wanted.rows.entry("system".to_owned());
        system.or_insert_with(|| vec![Verdict::NotJudged]);
        let given = answers(&configuration);
        if !given.gives(&wanted) {
            differences += &format!("{}\nwanted: {wanted}given: {given}\n", row.name);
        }
    }
    assert!(differences.is_empty(), "\n{differences}");
    assert!(names.len() >= ROWS, "the table has {} rows", names.len());
}

fn rows() -> Vec<Row> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/audit/table");
    let entries = fs::read_dir(&folder).expect("the folder of the table");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yml"));
    paths.sort();
    let mut rows = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).expect("a file of the table");
        let read: Result<Vec<Row>, _> = serde_yaml_ng::from_str(&with_words_filled_in(&text));
        rows.extend(read.unwrap_or_else(|error| panic!("{}: {error}", path.display())));
    }
    rows
}

/// The meanings of the `<words>` in the table.
const WORDS: [(&str, &str); 13] = [
    ("<comment>", "\u{e000}"),
    ("<encryption>", "server-side-encryption"),
    ("<key option>", "server-side-encryption-aws-kms-key-id"),
    (
        "<key>",
        "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ),
    ("<id of key>", "1234abcd-12ab-34cd-56ef-1234567890ab"),
    (
        "<other key>",
        "arn:aws:kms:us-east-1:111122223333:key/aaaaaaaa-12ab-34cd-56ef-1234567890ab",
    ),
    (
        "<mrk in us>",
        "arn:aws:kms:us-east-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab",
    ),
    (
        "<mrk in eu>",
        "arn:aws:kms:eu-west-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab",
    ),
    ("<id of mrk>", "mrk-1234abcd12ab34cd56ef1234567890ab"),
    ("<alias>", "alias/uploads"),
    (
        "<alias arn>",
        "arn:aws:kms:us-east-1:111122223333:alias/uploads",
    ),
    (
        "<key in china>",
        "arn:aws-cn:kms:cn-north-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ),
    (
        "<key in govcloud>",
        "arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ),
];

fn with_words_filled_in(text: &str) -> String {
    let filled = WORDS.iter().fold(text.to_owned(), |text, (word, meaning)| {
        text.replace(word, meaning)
    });
    if let Some((_, rest)) = filled.split_once('<') {
        let word = rest.split('>').next().unwrap_or_default();
        panic!("<{word}> stands for nothing");
    }
    filled
}
