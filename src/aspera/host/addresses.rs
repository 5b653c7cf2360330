//! Whether a name is that of this host.

use std::net::{IpAddr, ToSocketAddrs};

use nix::ifaddrs::getifaddrs;
use nix::sys::socket::SockaddrStorage;

/// Returns whether all addresses of a name are those of this host. A name without an address is not.
pub fn is_this_host(name: &str, port: u16) -> bool {
    let Ok(addresses) = (name, port).to_socket_addrs() else {
        return false;
    };
    let addresses: Vec<IpAddr> = addresses.map(|address| address.ip()).collect();
    let own = own_addresses();
    let is_own = |address: &IpAddr| address.is_loopback() || own.contains(address);
    !addresses.is_empty() && addresses.iter().all(is_own)
}

fn own_addresses() -> Vec<IpAddr> {
    let Ok(interfaces) = getifaddrs() else {
        return Vec::new();
    };
    let addresses = interfaces.filter_map(|interface| interface.address);
    addresses
        .filter_map(|address| of_socket(&address))
        .collect()
}

fn of_socket(address: &SockaddrStorage) -> Option<IpAddr> {
    let four = address.as_sockaddr_in().map(|four| IpAddr::V4(four.ip()));
    four.or_else(|| address.as_sockaddr_in6().map(|six| IpAddr::V6(six.ip())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_this_host_are_it() {
        for (name, is_it) in [
            ("localhost", true),
            ("127.0.0.1", true),
            ("::1", true),
            // A network for documentation (RFC 5737).
            ("192.0.2.1", false),
            ("no-such-host.invalid", false),
        ] {
            assert_eq!(is_this_host(name, 9092), is_it, "{name}");
        }
    }
}
