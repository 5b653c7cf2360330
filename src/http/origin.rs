//! The server of a request: scheme, host and port.

use std::net::{IpAddr, Ipv6Addr};

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    scheme: Scheme,
    /// A name, an IPv4 address, or an IPv6 address without its brackets.
    host: String,
    port: u16,
}

/// The protocol of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// HTTP without TLS, in plain text.
    Http,
    /// HTTP over TLS, with certificates.
    Https,
}

/// Why a text is not an origin, as what comes after its name. Does not hold the text: it may have credentials in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOrigin {
    /// No scheme, or another one.
    #[error("does not start with https:// or http://. Write it as https://HOST:PORT.")]
    Scheme,
    /// A user or a password.
    #[error("has an @ in it. Give credentials by access_key_id and secret_access_key.")]
    Credentials,
    /// A path, query or fragment.
    #[error(
        "has a path, query or fragment. Write only https://HOST:PORT; bucket and folder are those of the docroot."
    )]
    Path,
    /// A port that is no port.
    #[error("has a port that is not a number from 1 to 65535. Correct it.")]
    Port,
    /// A name with characters outside ASCII.
    #[error(
        "has a host with characters that are not ASCII. Write the name in the form that starts with xn--."
    )]
    Idn,
    /// Anything else that is no host.
    #[error("has no valid host. Write a name, an IPv4 address, or an IPv6 address in brackets.")]
    Host,
}

impl Origin {
    /// Creates an origin of an HTTPS server at its usual port.
    pub fn https(host: impl Into<String>) -> Self {
        Self {
            scheme: Scheme::Https,
            host: host.into(),
            port: Scheme::Https.port(),
        }
    }

    /// Parses `https://HOST:PORT` or `http://HOST:PORT`.
    pub fn parse(text: &str) -> Result<Self, InvalidOrigin> {
        let (scheme, rest) = match text.split_once("://") {
            Some(("https", rest)) => (Scheme::Https, rest),
            Some(("http", rest)) => (Scheme::Http, rest),
            _ => return Err(InvalidOrigin::Scheme),
        };
        if rest.contains('@') {
            return Err(InvalidOrigin::Credentials);
        }
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains(['/', '?', '#', '\\']) {
            return Err(InvalidOrigin::Path);
        }
        Self::of_authority(scheme, authority)
    }

    /// Parses `HOST` or `HOST:PORT`.
    pub fn of_authority(scheme: Scheme, authority: &str) -> Result<Self, InvalidOrigin> {
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (address, rest) = rest.split_once(']').ok_or(InvalidOrigin::Host)?;
                address
                    .parse::<Ipv6Addr>()
                    .map_err(|_| InvalidOrigin::Host)?;
                let port = match rest {
                    "" => None,
                    rest => Some(rest.strip_prefix(':').ok_or(InvalidOrigin::Host)?),
                };
                (address, port)
            }
            None => {
                let (host, port) = match authority.split_once(':') {
                    Some((host, port)) => (host, Some(port)),
                    None => (authority, None),
                };
                check_name(host)?;
                (host, port)
            }
        };
        let is_digits = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
        let port = match port {
            None => scheme.port(),
            Some(port) if is_digits(port) => match port.parse() {
                Ok(0) | Err(_) => return Err(InvalidOrigin::Port),
                Ok(port) => port,
            },
            Some(_) => return Err(InvalidOrigin::Port),
        };
        Ok(Self {
            scheme,
            host: host.to_ascii_lowercase(),
            port,
        })
    }

    /// Returns the same server with another name.
    #[must_use]
    pub fn with_host(&self, host: String) -> Self {
        Self {
            host,
            ..self.clone()
        }
    }

    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Returns the host, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the address, if the host is one.
    pub fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// Returns whether it is this host, by a name or an address that never leaves it.
    pub fn is_loopback(&self) -> bool {
        let address = self.address();
        address.map_or(is_localhost(&self.host), |address| address.is_loopback())
    }

    /// Returns what the header `Host` says: the port is left out where it is the usual one.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        if self.port == self.scheme.port() {
            host
        } else {
            format!("{host}:{}", self.port)
        }
    }

    /// Returns the start of its URLs.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme.name(), self.authority())
    }
}

impl Scheme {
    fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Returns whether a name is the one of this host.
pub(super) fn is_localhost(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost")
}

/// Names are those of RFC 1123, 2.1, with the underscores of old buckets.
fn check_name(host: &str) -> Result<(), InvalidOrigin> {
    if !host.is_ascii() {
        return Err(InvalidOrigin::Idn);
    }
    let is_label = |label: &str| {
        let is_character = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        !label.is_empty() && label.len() <= 63 && label.bytes().all(is_character)
    };
    let is_name = host.len() <= 253 && host.split('.').all(is_label);
    is_name.then_some(()).ok_or(InvalidOrigin::Host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_scheme_a_host_and_perhaps_a_port() {
        for (text, url) in [
            ("https://S3.example", "https://s3.example"),
            ("https://s3.example:443/", "https://s3.example"),
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
            ("http://[::1]:80", "http://[::1]"),
            ("https://[fd00::1]:9443", "https://[fd00::1]:9443"),
            ("https://a_b.example:80", "https://a_b.example:80"),
        ] {
            assert_eq!(Origin::parse(text).unwrap().url(), url);
        }
    }

    #[test]
    fn loopback_is_known_by_name_and_address() {
        for (url, is_loopback) in [
            ("https://localhost:9092", true),
            ("https://LOCALHOST", true),
            ("https://127.0.0.53", true),
            ("https://[::1]", true),
            ("https://localhost.example", false),
            ("https://notlocalhost", false),
            ("https://10.0.0.1", false),
        ] {
            assert_eq!(
                Origin::parse(url).unwrap().is_loopback(),
                is_loopback,
                "{url}"
            );
        }
    }

    #[test]
    fn everything_else_is_refused_with_its_reason() {
        use InvalidOrigin as E;
        for (text, error) in [
            ("", E::Scheme),
            ("s3.example", E::Scheme),
            ("s3://h", E::Scheme),
            ("HTTPS://h", E::Scheme),
            ("https://k:s@h", E::Credentials),
            ("https://h/bucket", E::Path),
            ("https://h?x", E::Path),
            ("https://h#x", E::Path),
            ("https://h:", E::Port),
            ("https://h:0", E::Port),
            ("https://h:65536", E::Port),
            ("https://h:+1", E::Port),
            ("https://b\u{fc}cher.example", E::Idn),
            ("https://", E::Host),
            ("https://a..b", E::Host),
            ("https://h\r\nx", E::Host),
            ("https://::1", E::Host),
            ("https://[::1", E::Host),
            ("https://[::g]", E::Host),
            ("https://[::1]x", E::Host),
        ] {
            assert_eq!(Origin::parse(text), Err(error), "{text:?}");
        }
    }
}
