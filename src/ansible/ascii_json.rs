//! JSON in ASCII. Ansible cuts the output at every line separator of Unicode, U+2028 and U+0085 among them.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::Formatter;

/// Writes ASCII-only JSON without a line break in it, between two line breaks. What fits into one piece is written in one.
pub fn write_line(value: &impl Serialize, output: impl io::Write) -> io::Result<()> {
    let mut text = Text {
        piece: Vec::with_capacity(Text::<io::Sink>::LONGEST),
        output,
    };
    text.write_all(b"\n")?;
    let formatter = AsciiFormatter;
    value.serialize(&mut serde_json::Serializer::with_formatter(
        &mut text, formatter,
    ))?;
    text.write_all(b"\n")?;
    text.flush()
}

/// Text that grows by very many short pieces, and may become longer than memory should hold at once.
struct Text<W> {
    piece: Vec<u8>,
    output: W,
}

impl<W: io::Write> Text<W> {
    /// Pieces up to this length are copied by a loop, which takes less time than `memcpy` of musl.
    const SHORT: usize = 16;
    /// The length at which a piece is written.
    const LONGEST: usize = 64 * 1024;

    fn pass_on(&mut self) -> io::Result<()> {
        self.output.write_all(&self.piece)?;
        self.piece.clear();
        Ok(())
    }
}

impl<W: io::Write> io::Write for Text<W> {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        if self.piece.len() + part.len() > Self::LONGEST {
            self.pass_on()?;
        }
        if part.len() <= Self::SHORT {
            for &byte in part {
                self.piece.push(byte);
            }
        } else {
            self.piece.extend_from_slice(part);
        }
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pass_on()?;
        self.output.flush()
    }
}

/// Keeps a text if it is short.
pub struct Short(Option<Vec<u8>>);

impl Short {
    /// The length up to which a text is kept.
    const LIMIT: usize = 1024 * 1024;

    pub fn new() -> Self {
        Self(Some(Vec::new()))
    }

    /// Returns the text, or `None` if it was too long.
    pub fn into_text(self) -> Option<Vec<u8>> {
        self.0
    }
}

impl io::Write for Short {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Some(text) if text.len() + part.len() <= Self::LIMIT => text.extend_from_slice(part),
            _ => self.0 = None,
        }
        Ok(part.len())
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
        write_line(&text, &mut line).unwrap();
        assert_eq!((line.first(), line.last()), (Some(&b'\n'), Some(&b'\n')));
        let line = line.trim_ascii();
        assert!(line.iter().all(|byte| (b' '..=b'~').contains(byte)));
        assert_eq!(serde_json::from_slice::<String>(line).unwrap(), text);
    }

    #[test]
    fn a_short_text_is_kept_whole_and_a_longer_one_not_at_all() {
        for (lengths, is_kept) in [
            (vec![], true),
            (vec![Short::LIMIT], true),
            (vec![Short::LIMIT - 1, 1], true),
            (vec![Short::LIMIT, 1], false),
            (vec![Short::LIMIT + 1, 0], false),
        ] {
            let mut short = Short::new();
            for &length in &lengths {
                short.write_all(&vec![b'a'; length]).unwrap();
            }
            let length = is_kept.then(|| lengths.iter().sum::<usize>());
            assert_eq!(
                short.into_text().map(|text| text.len()),
                length,
                "{lengths:?}"
            );
        }
    }

    #[test]
    fn long_text_is_written_in_pieces_and_short_text_in_one() {
        struct Pieces(Vec<usize>, Vec<u8>);
        impl Write for Pieces {
            fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
                self.0.push(piece.len());
                self.1.extend_from_slice(piece);
                Ok(piece.len())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        for (count, pieces) in [(10, 1), (10_000, 2), (100_000, 11)] {
            let value = vec!["abcd"; count];
            let mut written = Pieces(Vec::new(), Vec::new());
            write_line(&value, &mut written).unwrap();
            assert_eq!(written.0.len(), pieces, "{count}");
            let read: Vec<String> = serde_json::from_slice(&written.1).unwrap();
            assert_eq!(read, value, "{count}");
        }
    }
}
