//! Laws of `s3.properties`, for any file, with `java.util.Properties` as the oracle.

#[path = "oracle/java.rs"]
mod java;

use std::collections::HashMap;
use std::ops::Range;

use aspera_sse::aspera::encryption::{Encryption, EncryptionSetting};
use aspera_sse::aspera::kms_key::KmsKey;
use aspera_sse::aspera::s3_properties::{PlanError, plan};
use aspera_sse::text::lines;
use aspera_sse::text::properties::Document;
use java::Loaded;
use proptest::prelude::*;
use proptest::sample::select;

const ENCRYPTION: &str = "server-side-encryption";
const KMS_KEY: &str = "server-side-encryption-aws-kms-key-id";
const ARTICLE: [&str; 2] = [
    "# server-side-encryption=NONE",
    "# server-side-encryption-aws-kms-key-id",
];

proptest! {
    #![proptest_config(config(12_000))]

    #[test]
    fn every_law_holds_for_any_file(file in file(any_line()), desired in desired()) {
        check(&file, desired.as_ref());
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
        let present = plan(&file, desired.as_ref()).unwrap().after;
        let absent = plan(&present, None).unwrap().after;
        prop_assert_eq!(absent, file);
    }
}

#[test]
fn every_law_holds_for_nasty_files() {
    let files: &[&[u8]] = &[
        b"",
        b"\n",
        b"\\",
        b"\\\n",
        b"\\\r\n",
        b"a=b\\\r\n",
        b"\\\n\\\n",
        b"\\\n# server-side-encryption=NONE",
        b"\\\n\n# server-side-encryption-aws-kms-key-id\n",
        b"server-side-encryption",
        b"server-side-encryption\\\n  ",
        b"server-side-encryption=NONE\\",
        b"server-side-encryption-aws-kms-key-id=",
        b"server-side-encryption=NONE\\\n",
        b"server-side-encryption = \\\n  \\\n  AWS_\\\r\n  KMS\n",
        b"  server-side-encryption:  NONE  \n",
        b"\x0cserver-side-encryption\tAES256\r",
        b"server-side-encryption=AWS_KMS\nserver-side-encryption=NONE",
        b"server-side-encryption NONE\nserver\\-side-encryption=AES256\n",
        b"s\\u0065rver-side-encryption=AWS_\\u004bMS\n",
        b"a=b\\\n# server-side-encryption=NONE\n",
        b"a=b\\\n\n# server-side-encryption=NONE\n",
        b"a=b\\\\\n# server-side-encryption=NONE\n",
        b"# c\\\nserver-side-encryption=NONE\n",
        b"! server-side-encryption = NONE",
        b"# server-side-encryption = AWS_KMS turns on KMS\n",
        b"# Set server-side-encryption to AWS_KMS to encrypt\n",
        b"# server-side-encryption\n#server-side-encryption=AES256\n",
        b"#server-side-encryption-aws-kms-key-id =\n",
        b"server-side-encryption-aws-kms-key-id=a\nserver-side-encryption-aws-kms-key-id=b\\\n   c\nx=y\n",
        b"=empty key\n:\n = \n",
        b"a=\xe4\xff\x00\x80\n",
        b"a=\\ud83d\\ude00\\udfff\n",
        b"a=\\u12\n",
        b"a=\\uuuuu\n",
        b"a\\u00=b\n",
        b"a=\\",
        b"a\r\nb\rc\n\r\n\rd",
    ];
    for file in files {
        for desired in all_desired() {
            check(file, desired.as_ref());
        }
    }
}

/// Failing files are kept as new cases of `every_law_holds_for_nasty_files`, not as seeds.
fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    }
}

/// All the laws, for one file and one desired setting.
fn check(file: &[u8], desired: Option<&EncryptionSetting>) {
    let loaded = java::load(file);
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
        Err(error) => panic!("{error}: {}", file.escape_ascii()),
    };
    let shown = format!(
        "{} to {}",
        file.escape_ascii(),
        planned.after.escape_ascii()
    );
    assert_eq!(
        java::load(&planned.after),
        expected(loaded, desired),
        "{shown}"
    );
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

/// What our reader makes of a file, as Java keeps it: the last value of each key.
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

/// Whether the file ends in a `\` that joins its last line with the next.
fn ends_in_continuation(file: &[u8]) -> bool {
    let last = file.strip_suffix(b"\n").unwrap_or(file);
    let last = last.strip_suffix(b"\r").unwrap_or(last);
    let backslashes = last.iter().rev().take_while(|&&byte| byte == b'\\');
    backslashes.count() % 2 == 1
}

/// Where an edit may be: our settings with their lines, their commented templates, the end of the file.
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

fn all_desired() -> Vec<Option<EncryptionSetting>> {
    let key = |key| KmsKey::parse(key).unwrap();
    let setting = |encryption, key| Some(EncryptionSetting::new(encryption, key).unwrap());
    let arn = "arn:aws:kms:us-east-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    vec![
        None,
        setting(Encryption::None, None),
        setting(Encryption::Aes256, None),
        setting(Encryption::AwsKms, None),
        setting(Encryption::AwsKms, Some(key("alias/tenant"))),
        setting(Encryption::AwsKms, Some(key(arn))),
    ]
}

fn desired() -> impl Strategy<Value = Option<EncryptionSetting>> {
    select(all_desired())
}

/// Lines with mixed endings, the last one with or without.
fn file(line: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let ended = (line, ending()).prop_map(|(line, ending)| [&line, ending.as_bytes()].concat());
    (prop::collection::vec(ended, 0..8), any::<bool>()).prop_map(|(lines, ends)| {
        let mut file = lines.concat();
        if !ends {
            while file.pop_if(|byte| matches!(byte, b'\n' | b'\r')).is_some() {}
        }
        file
    })
}

fn ending() -> impl Strategy<Value = String> {
    prop_oneof![6 => Just("\n"), 3 => Just("\r\n"), 1 => Just("\r")].prop_map(str::to_owned)
}

fn any_line() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => our_entry(),
        3 => our_comment(),
        4 => inert_line(),
    ]
}

/// A setting of ours, oddly spelled.
fn our_entry() -> impl Strategy<Value = Vec<u8>> {
    let key = (
        select(vec![ENCRYPTION, KMS_KEY]),
        prop::collection::vec((0..37_usize, 0..4_u8), 0..3),
    )
        .prop_map(|(key, changes)| respell(key, &changes));
    let value = prop_oneof![
        4 => select(vec!["NONE", "AES256", "AWS_KMS", "aws:kms", "alias/tenant", ""])
            .prop_flat_map(|value| {
                prop::collection::vec((0..12_usize, 0..4_u8), 0..3).prop_map(move |changes| respell(value, &changes))
            }),
        1 => junk(),
    ];
    (blanks(), key, separator(), value, blanks()).prop_map(
        |(indent, key, separator, value, trail)| [indent, key, separator, value, trail].concat(),
    )
}

/// The same text with some letters escaped or lines continued within it.
fn respell(text: &str, changes: &[(usize, u8)]) -> Vec<u8> {
    let mut spelled = Vec::new();
    for (index, byte) in text.bytes().enumerate() {
        match changes
            .iter()
            .find(|(at, _)| *at == index)
            .map(|(_, how)| how)
        {
            Some(0) => spelled.extend(format!("\\u{byte:04x}").bytes()),
            Some(1) if !b"unrtf".contains(&byte) => spelled.extend([b'\\', byte]),
            Some(2) => spelled.extend([b'\\', b'\n', b' ', byte]),
            Some(3) => spelled.extend([b'\\', b'\r', b'\n', b'\t', byte]),
            _ => spelled.push(byte),
        }
    }
    spelled
}

fn our_comment() -> impl Strategy<Value = Vec<u8>> {
    let rest = prop_oneof![
        Just(Vec::new()),
        Just(b"=NONE".to_vec()),
        Just(b" = AES256 ".to_vec()),
        Just(b"=".to_vec()),
        Just(b" turns encryption on".to_vec()),
        Just(b"=AWS_KMS turns encryption on".to_vec()),
        junk(),
    ];
    (
        blanks(),
        select(vec!["#", "# ", "!", "#\t", "##"]),
        select(vec![ENCRYPTION, KMS_KEY]),
        rest,
    )
        .prop_map(|(indent, sign, key, rest)| {
            [&indent, sign.as_bytes(), key.as_bytes(), &rest].concat()
        })
}

/// A line that has nothing to do with us.
fn inert_line() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        2 => (blanks(), junk(), separator(), junk(), blanks())
            .prop_map(|(indent, key, separator, value, trail)| [indent, key, separator, value, trail].concat()),
        1 => junk().prop_map(|text| [b"# ".to_vec(), text].concat()),
        1 => blanks(),
    ]
}

fn separator() -> impl Strategy<Value = Vec<u8>> {
    let separators = ["=", " = ", ":", ": ", " ", "\t=", "\x0c", "\\\n =", ""];
    select(separators.to_vec()).prop_map(|text| text.as_bytes().to_vec())
}

fn blanks() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => Just(Vec::new()),
        1 => prop::collection::vec(select(b" \t\x0c".to_vec()), 1..3),
    ]
}

fn junk() -> impl Strategy<Value = Vec<u8>> {
    let letters = b"aaabcu0019fntr\\\\\\=: \t\x0c#!\xe4\x00\x85\xff\r\n".to_vec();
    let pieces = prop_oneof![
        12 => select(letters).prop_map(|byte| vec![byte]),
        1 => Just(b"\\u00e4".to_vec()),
        1 => Just(b"\\ud83d\\ude00".to_vec()),
        1 => Just(b"\\ud83d".to_vec()),
    ];
    prop::collection::vec(pieces, 0..6).prop_map(|pieces| pieces.concat())
}
