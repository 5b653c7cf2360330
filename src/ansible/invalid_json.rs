//! The reason why an argument file is not JSON. Ansible itself writes such files for some values.

use super::option::is_plain_name;

/// The reason why the arguments cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub enum Reason {
    /// `NaN`, `Infinity` or `-Infinity`, which Python writes and JSON does not have.
    NotFinite,
    /// A `\ud800` to `\udfff` without a partner: bytes that were not UTF-8 on Ansible's side.
    LoneSurrogate,
    /// Any other error of the syntax.
    Syntax,
}

/// Returns the reason, and the top-level option in whose value it occurs, if that has a plain name.
pub fn explain(text: &[u8]) -> (Reason, Option<String>) {
    let mut depth = 0_usize;
    let mut option = None;
    let mut position = 0;
    while let Some(&byte) = text.get(position) {
        let rest = &text[position..];
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'N' if rest.starts_with(b"NaN") => return (Reason::NotFinite, option),
            b'I' if rest.starts_with(b"Infinity") => return (Reason::NotFinite, option),
            b'"' => {
                let (length, has_lone_surrogate) = string(rest);
                let is_key = depth == 1 && followed_by_colon(&rest[length..]);
                if is_key {
                    option = plain_name(&rest[1..length.saturating_sub(1).max(1)]);
                }
                if has_lone_surrogate {
                    return (Reason::LoneSurrogate, option);
                }
                position += length;
                continue;
            }
            _ => {}
        }
        position += 1;
    }
    (Reason::Syntax, None)
}

/// Returns the length of a string with its quotes, and whether it contains a surrogate without a partner.
fn string(text: &[u8]) -> (usize, bool) {
    let mut position = 1;
    let mut high_before = false;
    let mut lone = false;
    loop {
        let (length, surrogate) = match text.get(position..) {
            None | Some([]) => return (text.len(), lone || high_before),
            Some([b'"', ..]) => return (position + 1, lone || high_before),
            Some([b'\\', b'u', digits @ ..]) => (6, surrogate(digits)),
            Some([b'\\', ..]) => (2, None),
            Some(_) => (1, None),
        };
        let is_low = surrogate == Some(Surrogate::Low);
        lone |= high_before != is_low;
        high_before = surrogate == Some(Surrogate::High);
        position += length;
    }
}

#[derive(PartialEq)]
enum Surrogate {
    High,
    Low,
}

fn surrogate(digits: &[u8]) -> Option<Surrogate> {
    let digits = std::str::from_utf8(digits.get(..4)?).ok()?;
    match u16::from_str_radix(digits, 16).ok()? {
        0xd800..=0xdbff => Some(Surrogate::High),
        0xdc00..=0xdfff => Some(Surrogate::Low),
        _ => None,
    }
}

fn followed_by_colon(rest: &[u8]) -> bool {
    rest.trim_ascii_start().first() == Some(&b':')
}

fn plain_name(name: &[u8]) -> Option<String> {
    let name = std::str::from_utf8(name).ok()?;
    is_plain_name(name).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_and_its_option_are_named() {
        let named = |name: &str| Some(name.to_owned());
        for (text, expected) in [
            (
                r#"{"a": 1, "path": NaN}"#,
                (Reason::NotFinite, named("path")),
            ),
            (
                r#"{"path": [-Infinity]}"#,
                (Reason::NotFinite, named("path")),
            ),
            (
                r#"{"path": {"x": Infinity}}"#,
                (Reason::NotFinite, named("path")),
            ),
            (
                r#"{"path": "x\udcffy"}"#,
                (Reason::LoneSurrogate, named("path")),
            ),
            (
                r#"{"path": "\ud83d"}"#,
                (Reason::LoneSurrogate, named("path")),
            ),
            (
                r#"{"path": "\ud83d\ud83d\ude00"}"#,
                (Reason::LoneSurrogate, named("path")),
            ),
            (
                r#"{"a": {"b": [1]}, "path": NaN}"#,
                (Reason::NotFinite, named("path")),
            ),
            (
                r#"{"path": ["b", "c"], "d": "e" , "f" : Infinity}"#,
                (Reason::NotFinite, named("f")),
            ),
            (
                r#"{"path": "\\\"NaN", "b": NaN}"#,
                (Reason::NotFinite, named("b")),
            ),
            (
                r#"{"path": "\ud83d"#,
                (Reason::LoneSurrogate, named("path")),
            ),
            (
                r#"{"path": "\udc00 "#,
                (Reason::LoneSurrogate, named("path")),
            ),
            (
                r#"{"path": "\udbff\ue000"}"#,
                (Reason::LoneSurrogate, named("path")),
            ),
            (
                r#"{"path": "\ud800\udfff\ud7ff", x}"#,
                (Reason::Syntax, None),
            ),
            (r#"{"path": "\u00"#, (Reason::Syntax, None)),
            (r#"{"path": NaX, In}"#, (Reason::Syntax, None)),
            (r#"}{"path": NaN}"#, (Reason::NotFinite, named("path"))),
            (r#"{"S3CR3T!": NaN}"#, (Reason::NotFinite, None)),
            (r#"{"path": "\ud83d\ude00 NaN", x}"#, (Reason::Syntax, None)),
            (r#"{"path": "x"#, (Reason::Syntax, None)),
            (r#"{"path": "\"#, (Reason::Syntax, None)),
            ("", (Reason::Syntax, None)),
        ] {
            assert_eq!(explain(text.as_bytes()), expected, "{text}");
        }
    }
}
