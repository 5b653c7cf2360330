//! The name and password of a request (RFC 7617).

use std::fmt;

/// A name and its password, as the header `Authorization`.
#[derive(Clone, PartialEq, Eq)]
pub struct Login(String);

impl Login {
    /// Combines the two. Returns `None` if the name is empty or has a colon, or one of them has a character that a header could not hold as
    /// the server reads it: a control character, or one outside ASCII.
    pub fn new(name: &str, password: &str) -> Option<Self> {
        let is_plain = |text: &str| text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        let is_name = !name.is_empty() && !name.contains(':') && is_plain(name);
        (is_name && is_plain(password))
            .then(|| Self(format!("Basic {}", base64(&format!("{name}:{password}")))))
    }

    /// Returns the value of the header.
    pub fn header(&self) -> &str {
        &self.0
    }
}

/// Writes nothing of it.
impl fmt::Debug for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Login(****)")
    }
}

/// Encodes a text as in RFC 4648, section 4.
fn base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for group in text.as_bytes().chunks(3) {
        let byte = |index: usize| u32::from(group.get(index).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            // A group of n bytes has n + 1 digits.
            encoded.push(if digit <= group.len() {
                char::from(DIGITS[(bits >> (18 - 6 * digit) & 63) as usize])
            } else {
                '='
            });
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_the_rfcs() {
        for (text, encoded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
            ("~~~???>>>", "fn5+Pz8/Pj4+"),
        ] {
            assert_eq!(base64(text), encoded);
        }
        let login = Login::new("Aladdin", "open sesame").unwrap();
        assert_eq!(login.header(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    }

    #[test]
    fn what_a_server_could_read_in_two_ways_is_refused() {
        for (name, password) in [("", "p"), ("a:b", "p"), ("a", "p\n"), ("a", "\u{e9}")] {
            assert!(Login::new(name, password).is_none());
        }
        assert!(Login::new("a", "").is_some());
        assert!(Login::new("a", "b:c").is_some());
    }
}
