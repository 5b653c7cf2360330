//! The proxy of a request, chosen as curl chooses it (curl's manual, "Environment"): by the scheme of the URL. `HTTP_PROXY` in upper case never counts.

use std::env;
use std::net::IpAddr;

use super::origin::{Origin, Scheme};

/// The proxies of the environment.
#[derive(Clone, Default)]
pub struct Proxies {
    http: Option<String>,
    https: Option<String>,
    /// The hosts that are reached without a proxy.
    excepted: Vec<String>,
}

/// What is wrong with a proxy. Does not hold its address, which may have a password in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProxyFailure {
    /// The variable has something else in it.
    #[error("the proxy in the environment is not http://HOST:PORT")]
    Invalid,
    /// It answers with anything but a tunnel.
    #[error("the proxy in the environment does not let the request through")]
    Refused,
}

impl Proxies {
    /// Reads the environment of this process.
    pub fn of_environment() -> Self {
        Self::new(|name| env::var(name).ok())
    }

    fn new(variable: impl Fn(&str) -> Option<String>) -> Self {
        let first = |names: &[&str]| {
            let mut values = names.iter().filter_map(|name| variable(name));
            values.find(|value| !value.is_empty())
        };
        let for_all = first(&["all_proxy", "ALL_PROXY"]);
        let excepted = first(&["no_proxy", "NO_PROXY"]).unwrap_or_default();
        let excepted = excepted.split([',', ' ']).filter(|host| !host.is_empty());
        Self {
            http: first(&["http_proxy"]).or_else(|| for_all.clone()),
            https: first(&["https_proxy", "HTTPS_PROXY"]).or(for_all),
            excepted: excepted.map(str::to_ascii_lowercase).collect(),
        }
    }

    /// Returns the proxy for an origin.
    pub(super) fn of(&self, origin: &Origin) -> Option<&str> {
        let proxy = match origin.scheme() {
            Scheme::Http => self.http.as_deref(),
            Scheme::Https => self.https.as_deref(),
        };
        proxy.filter(|_| !self.excepted.iter().any(|entry| matches(entry, origin)))
    }
}

/// Returns the proxy of a variable. A text without a scheme is one for HTTP.
pub(super) fn parse(text: &str) -> Result<ureq::Proxy, ProxyFailure> {
    let text = if text.contains("://") {
        text.to_owned()
    } else {
        format!("http://{text}")
    };
    let (scheme, rest) = text.split_once("://").ok_or(ProxyFailure::Invalid)?;
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        _ => return Err(ProxyFailure::Invalid),
    };
    let authority = rest
        .rsplit_once('@')
        .map_or(rest, |(_, authority)| authority);
    let authority = authority.strip_suffix('/').unwrap_or(authority);
    Origin::of_authority(scheme, authority).map_err(|_| ProxyFailure::Invalid)?;
    ureq::Proxy::new(&text).map_err(|_| ProxyFailure::Invalid)
}

/// Returns whether an entry of `no_proxy` names a host: a name with all below it, an address, or a network.
fn matches(entry: &str, origin: &Origin) -> bool {
    if entry == "*" {
        return true;
    }
    if let Some(address) = origin.address() {
        let bare = entry.trim_start_matches('[').trim_end_matches(']');
        return match bare.split_once('/') {
            Some((network, length)) => is_within(address, network, length),
            None => bare.parse() == Ok(address),
        };
    }
    let (entry, port) = match entry.split_once(':') {
        Some((entry, port)) => (entry, Some(port)),
        None => (entry, None),
    };
    if port.is_some_and(|port| port.parse() != Ok(origin.port())) {
        return false;
    }
    let name = entry.trim_start_matches('.').trim_end_matches('.');
    let host = origin.host().trim_end_matches('.');
    let rest = host.strip_suffix(name);
    !name.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn is_within(address: IpAddr, network: &str, length: &str) -> bool {
    let (Ok(network), Ok(length)) = (network.parse::<IpAddr>(), length.parse::<u32>()) else {
        return false;
    };
    let shifted =
        |address: u128, width: u32| address.checked_shr(width - length.min(width)).unwrap_or(0);
    match (address, network) {
        (IpAddr::V4(one), IpAddr::V4(other)) => {
            shifted(one.to_bits().into(), 32) == shifted(other.to_bits().into(), 32)
        }
        (IpAddr::V6(one), IpAddr::V6(other)) => {
            shifted(one.to_bits(), 128) == shifted(other.to_bits(), 128)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(variables: &[(&str, &str)], url: &str) -> Option<String> {
        let variable = |name: &str| {
            let mut found = variables.iter().filter(|(known, _)| *known == name);
            found.next().map(|(_, value)| (*value).to_owned())
        };
        let proxies = Proxies::new(variable);
        proxies.of(&Origin::parse(url).unwrap()).map(str::to_owned)
    }

    #[test]
    fn the_scheme_of_the_url_chooses_the_proxy() {
        let all = [
            ("http_proxy", "h"),
            ("HTTP_PROXY", "H"),
            ("https_proxy", "s"),
            ("ALL_PROXY", "a"),
        ];
        assert_eq!(proxy(&all, "http://x").as_deref(), Some("h"));
        assert_eq!(proxy(&all, "https://x").as_deref(), Some("s"));
        assert_eq!(proxy(&all[1..2], "http://x"), None);
        assert_eq!(proxy(&all[1..2], "https://x"), None);
        assert_eq!(proxy(&all[..1], "https://x"), None);
        assert_eq!(
            proxy(&[("HTTPS_PROXY", "S")], "https://x").as_deref(),
            Some("S")
        );
        assert_eq!(proxy(&all[3..], "http://x").as_deref(), Some("a"));
        assert_eq!(proxy(&[("https_proxy", "")], "https://x"), None);
    }

    #[test]
    fn hosts_are_excepted_by_name_address_and_network() {
        let is_excepted =
            |entries, url| proxy(&[("https_proxy", "s"), ("no_proxy", entries)], url).is_none();
        for (entries, url) in [
            ("*", "https://x"),
            ("example", "https://example"),
            (".example", "https://example"),
            ("a, Example.org", "https://s3.example.ORG"),
            ("127.0.0.1", "https://127.0.0.1:9000"),
            ("10.0.0.0/8", "https://10.1.2.3"),
            ("0.0.0.0/0", "https://10.1.2.3"),
            ("[::1]", "https://[::1]:9000"),
            ("fd00::/8", "https://[fd12::1]"),
            ("s3.example:9000", "https://s3.example:9000"),
        ] {
            assert!(is_excepted(entries, url), "{entries} {url}");
        }
        for (entries, url) in [
            ("", "https://x"),
            (".", "https://x"),
            ("ample", "https://example"),
            ("example.org", "https://example.org.evil"),
            ("10.0.0.0/8", "https://11.0.0.1"),
            ("10.0.0.0/x", "https://10.0.0.1"),
            ("fd00::/8", "https://10.0.0.1"),
            ("0.0.1", "https://127.0.0.1"),
            ("s3.example:443", "https://s3.example:9000"),
        ] {
            assert!(!is_excepted(entries, url), "{entries} {url}");
        }
    }

    #[test]
    fn only_proxies_for_http_are_known() {
        for text in ["p:3128", "http://p:3128", "http://u:w@p:3128", "https://p"] {
            assert!(parse(text).is_ok(), "{text}");
        }
        for text in ["socks5://p", "ftp://p", "http://", "http://p:x"] {
            assert_eq!(parse(text).err(), Some(ProxyFailure::Invalid), "{text}");
        }
    }
}
