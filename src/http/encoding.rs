//! Percent-encoding as AWS signs it: all but letters, digits and `-._~` ("Create a signed AWS API request", `UriEncode`).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

const IN_QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
const IN_PATH: &AsciiSet = &IN_QUERY.remove(b'/');

/// Encodes a name or a value of a query.
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, IN_QUERY).to_string()
}

/// Encodes a path. Its slashes stay, and so do its segments `.` and `..`: in S3 they are parts of a key.
pub fn encode_path(path: &str) -> String {
    utf8_percent_encode(path, IN_PATH).to_string()
}

/// Returns a query in the order in which it is signed.
pub fn query(parameters: &[(&str, &str)]) -> String {
    let encoded = parameters
        .iter()
        .map(|(name, value)| (encode(name), encode(value)));
    let mut encoded: Vec<(String, String)> = encoded.collect();
    encoded.sort();
    let pairs = encoded
        .iter()
        .map(|(name, value)| format!("{name}={value}"));
    pairs.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_but_the_unreserved_characters_is_encoded() {
        assert_eq!(
            encode("a-._~Z 9+/=&\u{e9}*"),
            "a-._~Z%209%2B%2F%3D%26%C3%A9%2A"
        );
        assert_eq!(encode_path("/b/../a b//c+"), "/b/../a%20b//c%2B");
        assert_eq!(query(&[("b", "1"), ("a", ""), ("a", "%")]), "a=&a=%25&b=1");
    }
}
