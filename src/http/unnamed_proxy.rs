//! Warning about proxies that are not configured as trusted: their headers about clients are ignored, and the operator
//! is told.

use std::{net::IpAddr, sync::Once};

use hyper::HeaderMap;

use super::{TrustedProxies, forwarded::FOR};

/// Warns, once, about a neighbour that names its clients and is not trusted: most likely a proxy that is not
/// configured. All its clients then count as one for the limits.
pub(super) fn warn(headers: &HeaderMap, peer: IpAddr, trusted: &TrustedProxies) {
    static WARNING: Once = Once::new();
    if is_unnamed_proxy(headers, peer, trusted) {
        WARNING.call_once(|| {
            tracing::warn!(
                %peer,
                "A request came with X-Forwarded-For from a peer that is no trusted proxy: all clients behind it share \
                 one address, and its limits. If it is your proxy, set PUSHER_LITE_TRUSTED_PROXIES to its address."
            );
        });
    }
}

fn is_unnamed_proxy(headers: &HeaderMap, peer: IpAddr, trusted: &TrustedProxies) -> bool {
    headers.contains_key(FOR) && is_neighbour(peer.to_canonical()) && !trusted.trusts(peer)
}

/// Returns true if an address is of this machine or of a private network, where proxies are.
fn is_neighbour(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderName;

    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let line = |(name, value): &(&'static str, &str)| (HeaderName::from_static(name), value.parse().unwrap());
        lines.iter().map(line).collect()
    }

    #[test]
    fn a_neighbour_that_speaks_for_others_is_a_proxy() {
        let from = |peer: &str, trusted: &str, lines: &[_]| {
            is_unnamed_proxy(&headers(lines), peer.parse().unwrap(), &trusted.parse().unwrap())
        };
        let speaks = [("x-forwarded-for", "203.0.113.9")];
        for peer in
            ["127.0.0.1", "::1", "10.1.2.3", "172.17.0.1", "192.168.1.1", "::ffff:10.1.2.3", "fd00::1", "fe80::1"]
        {
            assert!(from(peer, "", &speaks) && from(peer, "192.0.2.1", &speaks), "{peer}");
            assert!(!from(peer, "", &[("x-forwarded-proto", "https")]), "{peer}");
            assert!(!from(peer, &format!("{peer}, 10.0.0.0/8"), &speaks), "{peer}");
        }
        // Any client on the internet can write the header.
        assert!(!from("203.0.113.1", "", &speaks) && !from("2001:db8::1", "", &speaks));
    }
}
