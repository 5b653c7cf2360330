//! References to characters and the five predefined entities (sections 4.1 and 4.6).

/// The character that the reference at the start of a text stands for, and the length of the reference; nothing if no reference stands there.
pub(super) fn reference(text: &[u8]) -> Option<(char, usize)> {
    let inner = text.strip_prefix(b"&")?;
    // Leading zeros make references longer; ten digits are enough for anybody.
    let length = inner.iter().take(15).position(|&byte| byte == b';')?;
    let name = std::str::from_utf8(&inner[..length]).ok()?;
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => character(name.strip_prefix('#')?)?,
    };
    Some((character, b"&".len() + length + b";".len()))
}

fn character(number: &str) -> Option<char> {
    let (digits, radix) = match number.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    if !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let character = char::from_u32(u32::from_str_radix(digits, radix).ok()?)?;
    is_allowed(character).then_some(character)
}

/// Whether XML has a character, in any spelling (section 2.2).
pub fn is_allowed(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => true,
        '\0'..' ' | '\u{fffe}' | '\u{ffff}' => false,
        _ => true,
    }
}
