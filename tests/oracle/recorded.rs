//! What `java.util.Properties` answered, as `make oracle` has recorded it.
//!
//! A line of `java_answers.txt` is a file: its bytes, then the keys and values that Java loads from it, each after a tab; or, where Java
//! refuses the file, one word. What is not printable in ASCII stands as `\xNN` or `\uNNNN`.

#![allow(dead_code, reason = "each program uses its part of it")]

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::fs;

use crate::java::Loaded;

/// Files, and what Java loads from each; nothing from those that it refuses.
pub type Answers = BTreeMap<Vec<u8>, Option<Loaded>>;

const PLACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle/java_answers.txt");
const REFUSED: &str = "refused";

/// Reads what was recorded.
pub fn answers() -> Answers {
    let text = fs::read_to_string(PLACE).unwrap();
    text.lines().map(answer).collect()
}

/// Records answers in the place of those that were there.
pub fn record(answers: &Answers) {
    let mut text = String::new();
    for (file, loaded) in answers {
        text += &escape(file.iter().map(|&byte| u16::from(byte)));
        match loaded {
            Some(loaded) => {
                let mut entries: Vec<_> = loaded.iter().collect();
                entries.sort();
                for part in entries.into_iter().flat_map(|(key, value)| [key, value]) {
                    text.push('\t');
                    text += &escape(part.iter().copied());
                }
            }
            None => text += &format!("\t{REFUSED}"),
        }
        text.push('\n');
    }
    fs::write(PLACE, text).unwrap();
}

fn answer(line: &str) -> (Vec<u8>, Option<Loaded>) {
    let parts: Vec<Vec<u16>> = line.split('\t').map(unescape).collect();
    let (file, entries) = parts.split_first().unwrap();
    let file = file.iter().map(|&unit| u8::try_from(unit).unwrap());
    let loaded = match entries {
        [_] => None,
        entries => Some(
            entries
                .chunks_exact(2)
                .map(|entry| (entry[0].clone(), entry[1].clone()))
                .collect::<HashMap<_, _>>(),
        ),
    };
    (file.collect(), loaded)
}

fn escape(units: impl Iterator<Item = u16>) -> String {
    let mut text = String::new();
    for unit in units {
        match u8::try_from(unit) {
            Ok(b'\\') => text += r"\\",
            Ok(b'\n') => text += r"\n",
            Ok(b'\r') => text += r"\r",
            Ok(byte @ b' '..=b'~') => text.push(byte.into()),
            Ok(byte) => write!(text, r"\x{byte:02x}").unwrap(),
            Err(_) => write!(text, r"\u{unit:04x}").unwrap(),
        }
    }
    text
}

fn unescape(text: &str) -> Vec<u16> {
    let mut units = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (unit, length) = match (first, rest.as_bytes().get(1)) {
            ('\\', Some(b'\\')) => (u16::from(b'\\'), 2),
            ('\\', Some(b'n')) => (u16::from(b'\n'), 2),
            ('\\', Some(b'r')) => (u16::from(b'\r'), 2),
            ('\\', Some(b'x')) => (u16::from_str_radix(&rest[2..4], 16).unwrap(), 4),
            ('\\', Some(b'u')) => (u16::from_str_radix(&rest[2..6], 16).unwrap(), 6),
            (first, _) => (u16::try_from(u32::from(first)).unwrap(), 1),
        };
        units.push(unit);
        rest = &rest[length..];
    }
    units
}
