//! The spelling of a value in a URI: which of its characters are percent-encoded, and with which digits.
//!
//! The vendor does not document which spelling the server takes. Where one is there and works, another value of the same option is spelled likewise.

use percent_encoding::percent_decode;

/// A byte of a value that is there, in how it is spelled.
struct Spelled {
    byte: u8,
    encoded: bool,
}

/// Spells a value as another one is spelled: a character that is encoded there wherever it stands is encoded here, too. Of the characters that RFC 3986
/// reserves, those that the other value does not have are encoded if all that it has are.
pub(super) fn spelled_like(other: &str, value: &str) -> String {
    let spelled = spelled(other.as_bytes());
    let has = |byte: Option<u8>, encoded: bool| {
        spelled.iter().any(|found| {
            found.encoded == encoded
                && byte.map_or(is_reserved(found.byte), |byte| found.byte == byte)
        })
    };
    let encodes_reserved = has(None, true) && !has(None, false);
    let is_lower_case = other.contains('%') && !has_upper_case_digits(other);
    let mut text = String::with_capacity(value.len());
    for character in value.chars() {
        let byte = u8::try_from(character).ok().filter(u8::is_ascii);
        let is_encoded =
            byte.is_some_and(
                |byte| match (has(Some(byte), true), has(Some(byte), false)) {
                    (false, false) => is_reserved(byte) && encodes_reserved,
                    (encoded, bare) => encoded && !bare,
                },
            );
        match byte.filter(|_| is_encoded) {
            Some(byte) if is_lower_case => text += &format!("%{byte:02x}"),
            Some(byte) => text += &format!("%{byte:02X}"),
            None => text.push(character),
        }
    }
    text
}

fn spelled(text: &[u8]) -> Vec<Spelled> {
    let mut spelled = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let decoded = rest
            .get(..3)
            .map(|three| percent_decode(three).collect::<Vec<u8>>());
        match decoded.as_deref() {
            Some(&[byte]) if first == b'%' => {
                spelled.push(Spelled {
                    byte,
                    encoded: true,
                });
                rest = &rest[3..];
            }
            _ => {
                spelled.push(Spelled {
                    byte: first,
                    encoded: false,
                });
                rest = after;
            }
        }
    }
    spelled
}

/// Returns whether a byte is one of the characters that the names of keys have and that RFC 3986 (2.2) reserves.
fn is_reserved(byte: u8) -> bool {
    matches!(byte, b':' | b'/')
}

/// Returns whether a digit from A to F of an encoded character is in upper case, or none of them says which case is meant.
fn has_upper_case_digits(text: &str) -> bool {
    let digits = text
        .split('%')
        .skip(1)
        .filter_map(|encoded| encoded.get(..2));
    let letters: Vec<char> = digits
        .flat_map(str::chars)
        .filter(char::is_ascii_alphabetic)
        .collect();
    letters.is_empty() || letters.iter().any(char::is_ascii_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aspera::docroot::uri::decoded;

    const ARN: &str = "arn:aws:kms:eu-west-1:444455556666:key/0f0f0f0f-12ab-34cd-56ef-1234567890ab";

    #[test]
    fn another_key_is_spelled_as_the_old_one() {
        for (old, new) in [
            (
                "arn:aws:kms:us-east-1:111122223333:key/1234abcd",
                ARN.to_owned(),
            ),
            (
                "arn%3Aaws%3Akms%3Aus-east-1%3A111122223333%3Akey%2F1234abcd",
                ARN.replace(':', "%3A").replace('/', "%2F"),
            ),
            (
                "arn%3aaws%3akms%3aus-east-1%3a111122223333%3akey%2f1234abcd",
                ARN.replace(':', "%3a").replace('/', "%2f"),
            ),
            (
                "arn%3Aaws%3Akms%3Aus-east-1%3A111122223333%3Akey/1234abcd",
                ARN.replace(':', "%3A"),
            ),
            (
                "arn:aws:kms:us-east-1:111122223333:key%2F1234abcd",
                ARN.replace('/', "%2F"),
            ),
            // Only some of the colons are encoded: the plain spelling works in any case.
            (
                "arn%3Aaws:kms:us-east-1:111122223333:key/1234abcd",
                ARN.to_owned(),
            ),
            (
                "arn:aws:kms:us%2Deast%2D1:111122223333:key/1234abcd",
                ARN.replace('-', "%2D"),
            ),
            (
                "alias%2Ftenant",
                ARN.replace(':', "%3A").replace('/', "%2F"),
            ),
            ("alias/tenant", ARN.to_owned()),
            ("1234abcd-12ab-34cd-56ef-1234567890ab", ARN.to_owned()),
            ("", ARN.to_owned()),
            ("100%", ARN.to_owned()),
        ] {
            let spelled = spelled_like(old, ARN);
            assert_eq!(spelled, new, "{old}");
            assert_eq!(decoded(&spelled), ARN, "{old}");
        }
    }
}
