//! The addresses of a server. `localhost` is this host without being looked up (RFC 6761, 6.3): the C library of these programs would ask the DNS for it where
//! /etc/hosts does not have it, and what answers there must get no password.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::origin::{Origin, is_localhost};

/// Returns the addresses of a server.
pub(super) fn addresses(origin: &Origin) -> io::Result<Vec<SocketAddr>> {
    if is_localhost(origin.host()) {
        return Ok(of_localhost(origin.port()).to_vec());
    }
    Ok((origin.host(), origin.port()).to_socket_addrs()?.collect())
}

/// Looks up the addresses of all servers but localhost.
#[derive(Debug, Default)]
pub(super) struct Addresses(DefaultResolver);

impl Resolver for Addresses {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let is_http = uri.scheme_str() == Some("http");
        match uri.host() {
            Some(host) if is_localhost(host) => {
                let port = uri.port_u16().unwrap_or(if is_http { 80 } else { 443 });
                let mut addresses = self.empty();
                for address in of_localhost(port) {
                    addresses.push(address);
                }
                Ok(addresses)
            }
            _ => self.0.resolve(uri, config, timeout),
        }
    }
}

fn of_localhost(port: u16) -> [SocketAddr; 2] {
    [
        (Ipv4Addr::LOCALHOST, port).into(),
        (Ipv6Addr::LOCALHOST, port).into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localhost_is_never_looked_up() {
        for (url, first) in [
            ("https://localhost", "127.0.0.1:443"),
            ("http://LOCALHOST:9091", "127.0.0.1:9091"),
        ] {
            let origin = Origin::parse(url).unwrap();
            let found = addresses(&origin).unwrap();
            assert_eq!(found[0].to_string(), first);
            assert!(found.iter().all(|address| address.ip().is_loopback()));
        }
    }
}
