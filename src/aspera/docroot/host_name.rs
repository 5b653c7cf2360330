//! The host of a URI.

/// Returns the name of a host that is given with or without a port, or `None` if the text is not a host in the plain form.
///
/// The name consists of letters, digits, hyphens and dots (RFC 1123, 2.1). The names of old buckets may have underscores.
pub fn host_name(host: &str) -> Option<&str> {
    let (name, port) = match host.split_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (host, None),
    };
    let is_port = |port: &str| {
        port.bytes().all(|byte| byte.is_ascii_digit())
            && port.parse::<u16>().is_ok_and(|port| port > 0)
    };
    let is_label = |label: &str| {
        let is_character = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        !label.is_empty() && label.bytes().all(is_character)
    };
    // The dot at the end makes a name absolute.
    let labels = name.strip_suffix('.').unwrap_or(name);
    let is_name = name.is_empty() || labels.split('.').all(is_label);
    (is_name && port.is_none_or(is_port)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_host_has_a_name_and_perhaps_a_port() {
        for (host, name) in [
            ("", ""),
            ("h", "h"),
            ("a.h.:65535", "a.h."),
            ("a_b.h:0443", "a_b.h"),
        ] {
            assert_eq!(host_name(host), Some(name), "{host}");
        }
        for host in [
            "h:",
            "h:0",
            "h:65536",
            "h:443x",
            "h:+1",
            "h:443:1",
            "a..h",
            ".",
            "h..",
            "a@h",
            "a%2eh",
            "a;h",
            "a h",
            "[::1]",
            "h\u{3002}i",
        ] {
            assert_eq!(host_name(host), None, "{host}");
        }
    }
}
