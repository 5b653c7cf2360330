//! JSON in ASCII. Ansible cuts the output at every line separator of Unicode, U+2028 and U+0085 among them.

use std::io;

use serde::Serialize;
use serde_json::ser::Formatter;

/// One line of ASCII-only JSON.
pub fn to_line(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut line = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut line, AsciiFormatter);
    value.serialize(&mut serializer)?;
    Ok(line)
}

struct AsciiFormatter;

impl Formatter for AsciiFormatter {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let is_plain = |character| matches!(character, ' '..='~');
        let mut rest = fragment;
        while let Some(start) = rest.find(|character| !is_plain(character)) {
            let (plain, special) = rest.split_at(start);
            writer.write_all(plain.as_bytes())?;
            let mut characters = special.chars();
            if let Some(character) = characters.next() {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
            rest = characters.as_str();
        }
        writer.write_all(rest.as_bytes())?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_else_is_escaped() {
        let text = "a\"\\\n\u{7f}\u{85}\u{2028}\u{1f600}\u{e4}";
        let line = to_line(&text).unwrap();
        assert!(line.iter().all(|byte| (b' '..=b'~').contains(byte)));
        assert_eq!(serde_json::from_slice::<String>(&line).unwrap(), text);
    }
}
