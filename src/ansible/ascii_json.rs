//! JSON in ASCII. Ansible cuts the output at every line separator of Unicode, U+2028 and U+0085 among them.

use std::io;

use serde::Serialize;
use serde_json::ser::Formatter;

/// Appends ASCII-only JSON without a line break in it.
pub fn write(value: &impl Serialize, text: &mut Vec<u8>) -> serde_json::Result<()> {
    value.serialize(&mut serde_json::Serializer::with_formatter(
        Text(text),
        AsciiFormatter,
    ))
}

/// Text that grows by very many short pieces. For those, `memcpy` of musl takes longer than a loop.
struct Text<'t>(&'t mut Vec<u8>);

impl Text<'_> {
    const SHORT: usize = 16;
}

impl io::Write for Text<'_> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if piece.len() <= Self::SHORT {
            self.0.reserve(Self::SHORT);
            for &byte in piece {
                self.0.push(byte);
            }
        } else {
            self.0.extend_from_slice(piece);
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct AsciiFormatter;

impl Formatter for AsciiFormatter {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        // Nearly all text is plain. Control characters below the blank are not in a fragment, because they are escaped.
        const DELETE: u8 = 0x7f;
        if fragment.is_ascii() && memchr::memchr(DELETE, fragment.as_bytes()).is_none() {
            return writer.write_all(fragment.as_bytes());
        }
        let is_plain = |byte: u8| matches!(byte, b' '..=b'~');
        let mut rest = fragment;
        // Bytes serve as well as characters here: a character that is not plain starts with a byte that is not plain.
        while let Some(start) = rest.bytes().position(|byte| !is_plain(byte)) {
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
        let mut line = Vec::new();
        write(&text, &mut line).unwrap();
        assert!(line.iter().all(|byte| (b' '..=b'~').contains(byte)));
        assert_eq!(serde_json::from_slice::<String>(&line).unwrap(), text);
    }
}
