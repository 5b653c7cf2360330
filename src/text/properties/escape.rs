//! Escapes of keys and values.

use std::fmt;

/// A string of Java: UTF-16 code units, surrogates not always paired.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct JavaString(Vec<u16>);

impl JavaString {
    /// Returns the code units.
    pub fn code_units(&self) -> &[u16] {
        &self.0
    }

    /// Returns the same text, or `None` if it contains a surrogate without a partner.
    pub fn to_text(&self) -> Option<String> {
        String::from_utf16(&self.0).ok()
    }
}

impl PartialEq<str> for JavaString {
    fn eq(&self, other: &str) -> bool {
        self.0.iter().copied().eq(other.encode_utf16())
    }
}

/// Writes nothing of the text: a settings file may contain secrets.
impl fmt::Debug for JavaString {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "JavaString({} code units)", self.0.len())
    }
}

/// A `\u` without four hexadecimal digits after it, by its place in the escaped text.
pub(super) struct MalformedUnicode(pub usize);

/// Returns the string that the escaped ISO-8859-1 text of one logical line stands for.
pub(super) fn unescape(escaped: &[u8]) -> Result<JavaString, MalformedUnicode> {
    let mut units = Vec::with_capacity(escaped.len());
    let mut position = 0;
    while let Some(&byte) = escaped.get(position) {
        position += 1;
        if byte != b'\\' {
            units.push(u16::from(byte));
            continue;
        }
        let Some(&escape) = escaped.get(position) else {
            break;
        };
        position += 1;
        units.push(match escape {
            b'u' => {
                let unit = escaped
                    .get(position..position + 4)
                    .and_then(hexadecimal)
                    .ok_or(MalformedUnicode(position - 2))?;
                position += 4;
                unit
            }
            b't' => u16::from(b'\t'),
            b'n' => u16::from(b'\n'),
            b'r' => u16::from(b'\r'),
            b'f' => 0x0c,
            other => u16::from(other),
        });
    }
    Ok(JavaString(units))
}

/// Returns a key in the form that reads back as the same text.
pub(super) fn escape_key(key: &str) -> Vec<u8> {
    escape(key, |_, unit| {
        matches!(unit, b' ' | b'=' | b':' | b'#' | b'!')
    })
}

/// Returns a value in the form that reads back as the same text, after any separator.
pub(super) fn escape_value(value: &str) -> Vec<u8> {
    escape(value, |index, unit| {
        index == 0 && matches!(unit, b' ' | b'=' | b':')
    })
}

/// Returns a value in the form that reads back as the same text, with a backslash before the characters that have one in another value wherever they stand.
/// `java.util.Properties` itself writes one before each `:` and `=`.
pub(super) fn escape_value_like(other: &[u8], value: &str) -> Vec<u8> {
    let escaped = escaped_bytes(other);
    escape(value, |index, unit| {
        index == 0 && matches!(unit, b' ' | b'=' | b':') || escaped.contains(&unit)
    })
}

/// Returns the characters that always have a backslash before them, other than those that mean something else with one.
fn escaped_bytes(text: &[u8]) -> Vec<u8> {
    let (mut escaped, mut bare) = (Vec::new(), Vec::new());
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        if byte != b'\\' {
            bare.push(byte);
        } else if let Some(&after) = bytes.next()
            && after.is_ascii_punctuation()
        {
            escaped.push(after);
        }
    }
    escaped.retain(|byte| *byte != b'\\' && !bare.contains(byte));
    escaped
}

fn escape(text: &str, needs_backslash: impl Fn(usize, u8) -> bool) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(text.len());
    for (index, unit) in text.encode_utf16().enumerate() {
        match u8::try_from(unit) {
            Ok(b'\\') => escaped.extend_from_slice(b"\\\\"),
            Ok(b'\t') => escaped.extend_from_slice(b"\\t"),
            Ok(b'\n') => escaped.extend_from_slice(b"\\n"),
            Ok(b'\r') => escaped.extend_from_slice(b"\\r"),
            Ok(0x0c) => escaped.extend_from_slice(b"\\f"),
            Ok(byte) if needs_backslash(index, byte) => escaped.extend_from_slice(&[b'\\', byte]),
            Ok(byte @ b' '..=b'~') => escaped.push(byte),
            _ => escaped.extend_from_slice(format!("\\u{unit:04X}").as_bytes()),
        }
    }
    escaped
}

fn hexadecimal(digits: &[u8]) -> Option<u16> {
    digits.iter().try_fold(0_u16, |unit, &digit| {
        let digit = char::from(digit).to_digit(16)?;
        Some(unit << 4 | u16::try_from(digit).ok()?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_special_character_has_its_escape() {
        let text = "a\\\t\n\r\u{c}\u{7f}\u{e9}\u{1f600}";
        let escaped = r"a\\\t\n\r\f\u007F\u00E9\uD83D\uDE00";
        assert_eq!(escape_value(text), escaped.as_bytes());
        assert_eq!(unescape(escaped.as_bytes()).ok().unwrap(), *text);
    }

    #[test]
    fn a_key_escapes_separators_everywhere_and_a_value_only_at_its_start() {
        assert_eq!(escape_key(" a=b:c#d!e f"), br"\ a\=b\:c\#d\!e\ f");
        for (value, escaped) in [
            (" a b", r"\ a b"),
            ("=a=", r"\=a="),
            (":a:", r"\:a:"),
            ("#a!", "#a!"),
        ] {
            assert_eq!(escape_value(value), escaped.as_bytes());
        }
    }

    #[test]
    fn debug_output_does_not_show_the_text() {
        let string = unescape(b"DUMMY").ok().unwrap();
        assert_eq!(format!("{string:?}"), "JavaString(5 code units)");
    }
}
