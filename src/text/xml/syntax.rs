//! Characters and names (sections 2.2 and 2.3).

use super::error::Problem;

/// Returns the offset of a short text in another.
pub(super) fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    // The searcher of memchr for this takes 5 KB of each binary and is no faster on markup.
    memchr::memchr_iter(wanted[0], text).find(|&start| text[start..].starts_with(wanted))
}

/// Returns whether a byte is white space of markup.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Checks that a whole document is text that XML allows. An error contains the offset of the first character that is not.
pub(super) fn check_text(bytes: &[u8]) -> Result<(), (usize, Problem)> {
    if let Err(error) = std::str::from_utf8(bytes) {
        return Err((error.valid_up_to(), Problem::NotUtf8));
    }
    let mut rest = bytes;
    loop {
        // Eight bytes at a time if none of them needs a look, which is nearly always so.
        while let Some((word, after)) = rest.split_first_chunk::<8>() {
            if needs_a_look(u64::from_ne_bytes(*word)) {
                break;
            }
            rest = after;
        }
        let Some((&byte, after)) = rest.split_first() else {
            return Ok(());
        };
        let is_allowed = match byte {
            0..0x20 => is_space(byte),
            0xef => !(rest.starts_with(b"\xef\xbf\xbe") || rest.starts_with(b"\xef\xbf\xbf")),
            _ => true,
        };
        if !is_allowed {
            return Err((bytes.len() - rest.len(), Problem::Character));
        }
        rest = after;
    }
}

/// Returns whether a byte of eight may be below 0x20 or above 0x7f.
fn needs_a_look(word: u64) -> bool {
    const ONES: u64 = u64::MAX / 255;
    let below_space = word.wrapping_sub(ONES * 0x20) & !word;
    (below_space | word) & (ONES * 0x80) != 0
}

/// Returns the length of the name that a text starts with.
pub(super) fn name_length(text: &[u8]) -> Option<usize> {
    let ascii = text
        .iter()
        .position(|&byte| !NAME_BYTES[usize::from(byte)])
        .unwrap_or(text.len());
    // Nearly all names are ASCII.
    match text.get(ascii) {
        Some(byte) if !byte.is_ascii() => any_name_length(text),
        _ => {
            let starts = !matches!(text.first()?, b'-' | b'.' | b'0'..=b'9');
            (ascii > 0 && starts).then_some(ascii)
        }
    }
}

/// The bytes that may be in a name, among those that are characters by themselves.
const NAME_BYTES: [bool; 256] = {
    let mut table = [false; 256];
    let others = b"_:-.";
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric();
        byte += 1;
    }
    let mut index = 0;
    while index < others.len() {
        table[others[index] as usize] = true;
        index += 1;
    }
    table
};

fn any_name_length(text: &[u8]) -> Option<usize> {
    // The document is valid UTF-8. The bound keeps the check of one name from reading the rest of the document.
    let end = text
        .iter()
        .position(|byte| b" \t\r\n=/><\"'".contains(byte));
    let candidate = std::str::from_utf8(&text[..end.unwrap_or(text.len())]).ok()?;
    let length = candidate
        .find(|c| !is_name_character(c))
        .unwrap_or(candidate.len());
    is_name_start(candidate.chars().next()?).then_some(length)
}

fn is_name_start(c: char) -> bool {
    matches!(c,
        ':' | '_' | 'A'..='Z' | 'a'..='z'
        | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
        | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}'
        | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}'
        | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}')
}

fn is_name_character(c: char) -> bool {
    is_name_start(c)
        || matches!(c,
            '-' | '.' | '0'..='9' | '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Eight bytes are checked together. Neither the bits nor the positions of its neighbours may hide a byte.
    #[test]
    fn a_character_that_is_not_allowed_is_found_at_every_place_and_beside_every_byte() {
        for neighbour in b' '..0x7f {
            for place in 0..17 {
                for forbidden in (0..b' ').filter(|byte| !is_space(*byte)) {
                    let mut text = [neighbour; 17];
                    text[place] = forbidden;
                    assert_eq!(check_text(&text), Err((place, Problem::Character)));
                }
            }
        }
    }
}
