//! References to characters and the five predefined entities (sections 4.1 and 4.6).

/// The character that a text starting with `&` refers to, and the length of the reference.
pub(super) fn reference(text: &[u8]) -> Option<(char, usize)> {
    // Leading zeros make references longer; ten digits are enough for anybody.
    let end = text.iter().take(16).position(|&byte| byte == b';')?;
    let name = std::str::from_utf8(&text[1..end]).ok()?;
    let character = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => character(name.strip_prefix('#')?)?,
    };
    Some((character, end + 1))
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
    let is_allowed = match character {
        '\t' | '\n' | '\r' => true,
        '\0'..' ' | '\u{fffe}' | '\u{ffff}' => false,
        _ => true,
    };
    is_allowed.then_some(character)
}
