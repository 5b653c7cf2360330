//! The laws of `s3.properties`.

use std::collections::HashMap;
use std::ops::Range;

use aspera_sse::aspera::setting::EncryptionSetting;
use aspera_sse::aspera::trapd::{
    Plan, PlanError, kms_warning, plan, read as read_settings, rollback,
};
use aspera_sse::text::lines;
use aspera_sse::text::properties::{Document, JavaString};

use super::choice::{Choice, ENCRYPTION, KMS_KEY, all_desired};
use super::secret::{SECRET, Shown, is_in};

/// Keys and values as UTF-16 code units.
pub type Loaded = HashMap<Vec<u16>, Vec<u16>>;

/// Every law, for a file that comes after a byte of choice.
pub fn any_input(input: &[u8]) {
    let (mut choice, file) = Choice::of(input);
    let desired = choice.one_of(&all_desired()).clone();
    check(file, desired.as_ref(), &read);
    there_and_back(file, desired.as_ref());
    no_secret(file, desired.as_ref(), &mut choice);
}

/// Checks all laws for one file and one desired setting. `java` returns what Java loads from a file.
pub fn check(
    file: &[u8],
    desired: Option<&EncryptionSetting>,
    java: &dyn Fn(&[u8]) -> Option<Loaded>,
) {
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
pub fn read(file: &[u8]) -> Option<Loaded> {
    let document = Document::parse(file).ok()?;
    let entries = document.entries.iter();
    let units = |text: &JavaString| text.code_units().to_vec();
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

/// Checks that the file comes back, byte for byte, with the file of before as a backup.
fn there_and_back(file: &[u8], desired: Option<&EncryptionSetting>) {
    let Ok(planned) = plan(file, desired) else {
        return;
    };
    let shown = || {
        format!(
            "{} to {}",
            file.escape_ascii(),
            planned.after.escape_ascii()
        )
    };
    // Where a line goes that stands between a bare CR and a bare LF, these two become one ending, and the rollback refuses with a reason.
    if has_bare_carriage_return(file) && rollback(&planned.after, file).is_err() {
        return;
    }
    let back = rollback(&planned.after, file);
    let back = back.unwrap_or_else(|error| panic!("{error}: {}", shown()));
    assert_eq!(back.after, file, "there and back: {}", shown());
}

fn has_bare_carriage_return(file: &[u8]) -> bool {
    let is_bare =
        |(index, byte): (usize, &u8)| *byte == b'\r' && file.get(index + 1) != Some(&b'\n');
    file.iter().enumerate().any(is_bare)
}

/// Puts a setting of somebody else before one of the lines, and looks for its value in all that is said of the file.
fn no_secret(file: &[u8], desired: Option<&EncryptionSetting>, choice: &mut Choice) {
    if is_in(file) {
        return;
    }
    let Ok(document) = Document::parse(file) else {
        return;
    };
    let entries = document.entries.iter().map(|entry| entry.range.start);
    let comments = document.comments.iter().map(|comment| comment.range.start);
    let mut starts: Vec<usize> = entries.chain(comments).collect();
    starts.push(file.len());
    let place = lines::line_start(file, *choice.one_of(&starts));
    let planted = format!("s3service.planted={SECRET}\n");
    let planted = [&file[..place], planted.as_bytes(), &file[place..]].concat();
    let mut shown = Shown::default();
    shown.take(kms_warning(&planted));
    match read_settings(&planted) {
        Ok(contents) => shown.take(contents.problems),
        Err(error) => shown.say(&error),
    }
    match plan(&planted, desired) {
        Ok(plan_of_it) => {
            take(&mut shown, &plan_of_it);
            match rollback(&plan_of_it.after, &planted) {
                Ok(back) => take(&mut shown, &back),
                Err(error) => shown.say(&error),
            }
            match rollback(&plan_of_it.after, file) {
                Ok(back) => take(&mut shown, &back),
                Err(error) => shown.say(&error),
            }
        }
        Err(error) => shown.say(&error),
    }
    shown.is_clean(&planted);
}

fn take(shown: &mut Shown, planned: &Plan) {
    shown.take((&planned.places, &planned.warnings, &planned.previous));
}
