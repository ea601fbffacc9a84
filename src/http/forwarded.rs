//! Headers in which proxies describe the clients whose requests they pass on.
//!
//! `X-Forwarded-For`, `-Proto` and `-Host` are believed as far as trusted proxies wrote them. `Forwarded` (RFC 7239) is
//! ignored: a proxy that does not know it passes on the client's own value.

use std::{
    net::{IpAddr, SocketAddr},
    str::FromStr,
    sync::Arc,
};

use hyper::{HeaderMap, header::HeaderName};
use ipnet::IpNet;

pub(super) const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// The proxies whose headers about their clients are trusted. Cheap to clone; by default there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    networks: Arc<[IpNet]>,
}

impl TrustedProxies {
    /// Returns true if a peer of this address is one of them. An IPv4 address in IPv6 form counts as an IPv4 address.
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(&address))
    }
}

impl FromStr for TrustedProxies {
    type Err = ipnet::AddrParseError;

    /// Reads addresses and networks (`10.0.0.0/8`), separated by commas.
    fn from_str(list: &str) -> Result<Self, Self::Err> {
        let items = list.split(',').map(str::trim).filter(|item| !item.is_empty());
        let network = |item: &str| item.parse::<IpAddr>().map(IpNet::from).or_else(|_| item.parse());
        Ok(Self { networks: items.map(network).collect::<Result<_, _>>()? })
    }
}

/// The path of a request: the address that sent it, and the number of trusted proxies that passed it on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) client: IpAddr,
    proxies: usize,
}

impl Way {
    /// Traces the request back from `peer`, as far as the proxies on the way are trusted.
    pub(super) fn of(headers: &HeaderMap, peer: IpAddr, trusted: &TrustedProxies) -> Self {
        let mut way = Self { client: peer.to_canonical(), proxies: 0 };
        let mut senders = from_last(headers, FOR);
        while trusted.trusts(way.client) {
            way.proxies += 1;
            match senders.next().and_then(address) {
                Some(sender) => way.client = sender,
                // The trace ends here: the proxy sends a request of its own, or does not name its client.
                None => break,
            }
        }
        way
    }

    /// Returns `Some(true)` if the client's own connection is encrypted; `None` if no trusted proxy tells.
    pub(super) fn is_secure(&self, headers: &HeaderMap) -> Option<bool> {
        let scheme = self.said(headers, PROTO)?;
        Some(["https", "wss"].iter().any(|secure| scheme.eq_ignore_ascii_case(secure)))
    }

    /// Returns the host that the client asked for; `None` if no trusted proxy tells.
    pub(super) fn host<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        self.said(headers, HOST)
    }

    /// Returns the value that the first of the trusted proxies wrote. Each appends to the header, or replaces it: a
    /// value that is farther from the end than the number of trusted proxies comes from the client.
    fn said<'a>(&self, headers: &'a HeaderMap, name: HeaderName) -> Option<&'a str> {
        from_last(headers, name).take(self.proxies).last().flatten()
    }
}

/// Returns the members of a list in headers, the last one first; `None` for a header that is not text.
fn from_last(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = Option<&str>> {
    let lines = headers.get_all(name).iter().rev();
    let members = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
    members.map(|member| std::str::from_utf8(member).ok().map(str::trim))
}

/// Reads an address as proxies write it: alone, in brackets, or with a port.
fn address(text: Option<&str>) -> Option<IpAddr> {
    let text = text?;
    let alone = || text.trim_start_matches('[').trim_end_matches(']').parse().ok();
    let with_port = || text.parse().ok().map(|address: SocketAddr| address.ip());
    alone().or_else(with_port).map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        let line = |(name, value): &(&'static str, &str)| (HeaderName::from_static(name), value.parse().unwrap());
        lines.iter().map(line).collect()
    }

    fn way(peer: &str, trusted: &str, lines: &[(&'static str, &str)]) -> (String, usize) {
        let way = Way::of(&headers(lines), peer.parse().unwrap(), &trusted.parse().unwrap());
        (way.client.to_string(), way.proxies)
    }

    #[test]
    fn nobody_is_believed_unless_trusted() {
        let lines = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", "https")];
        assert_eq!(way("192.0.2.1", "", &lines), ("192.0.2.1".to_owned(), 0));
        assert_eq!(way("192.0.2.1", "192.0.2.2, 10.0.0.0/8", &lines), ("192.0.2.1".to_owned(), 0));
        let direct = Way::of(&headers(&lines), [192, 0, 2, 1].into(), &TrustedProxies::default());
        assert_eq!((direct.is_secure(&headers(&lines)), direct.host(&headers(&lines))), (None, None));
    }

    #[test]
    fn the_client_is_the_last_that_is_no_trusted_proxy() {
        let trusted = "10.0.0.0/8, ::1, 2001:db8::/32";
        for (peer, said, client, proxies) in [
            ("10.0.0.1", "203.0.113.9", "203.0.113.9", 1),
            ("10.0.0.1", "6.6.6.6, 203.0.113.9", "203.0.113.9", 1),
            ("10.0.0.1", "6.6.6.6,203.0.113.9 , 10.9.9.9", "203.0.113.9", 2),
            ("::ffff:10.0.0.1", "::ffff:203.0.113.9", "203.0.113.9", 1),
            ("::1", "203.0.113.9:50000", "203.0.113.9", 1),
            ("::1", "[2001:db9::1]:443", "2001:db9::1", 1),
            ("::1", "[2001:db9::1]", "2001:db9::1", 1),
            ("10.0.0.1", "10.1.1.1, 10.2.2.2", "10.1.1.1", 3),
            ("10.0.0.1", "", "10.0.0.1", 1),
            ("10.0.0.1", "6.6.6.6, unknown", "10.0.0.1", 1),
            ("10.0.0.1", "6.6.6.6, unknown, 10.2.2.2", "10.2.2.2", 2),
        ] {
            assert_eq!(way(peer, trusted, &[("x-forwarded-for", said)]), (client.to_owned(), proxies), "{peer} {said}");
        }
        assert_eq!(way("10.0.0.1", trusted, &[]), ("10.0.0.1".to_owned(), 1));
    }

    #[test]
    fn several_lines_are_one_list() {
        let lines = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "203.0.113.9, 10.0.0.2")];
        assert_eq!(way("10.0.0.1", "10.0.0.0/8", &lines), ("203.0.113.9".to_owned(), 2));
    }

    #[test]
    fn what_is_not_text_hides_what_is_before_it() {
        let mut lines = headers(&[("x-forwarded-for", "6.6.6.6")]);
        lines.append(FOR, hyper::header::HeaderValue::from_bytes(b"\xff").unwrap());
        let way = Way::of(&lines, [10, 0, 0, 1].into(), &"10.0.0.1".parse().unwrap());
        assert_eq!(way.client, IpAddr::from([10, 0, 0, 1]));
    }

    #[test]
    fn scheme_and_host_are_what_the_first_trusted_proxy_says() {
        for (senders, schemes, hosts, secure, host) in [
            ("203.0.113.9", "https", "chat.example.com", Some(true), Some("chat.example.com")),
            ("203.0.113.9", "WSS", "", Some(true), Some("")),
            ("203.0.113.9", "https, http", "evil.example, chat.example.com", Some(false), Some("chat.example.com")),
            ("203.0.113.9, 10.0.0.2", "http, https, http", "a, b, c", Some(true), Some("b")),
            ("203.0.113.9, 10.0.0.2", "https", "a", Some(true), Some("a")),
        ] {
            let lines =
                headers(&[("x-forwarded-for", senders), ("x-forwarded-proto", schemes), ("x-forwarded-host", hosts)]);
            let way = Way::of(&lines, [10, 0, 0, 1].into(), &"10.0.0.0/8".parse().unwrap());
            assert_eq!((way.is_secure(&lines), way.host(&lines)), (secure, host), "{senders} {schemes}");
        }
    }

    #[test]
    fn a_list_of_proxies_holds_addresses_and_networks() {
        for list in ["nonsense", "10.0.0.0/33", "10.0.0.1 10.0.0.2", "localhost"] {
            assert!(list.parse::<TrustedProxies>().is_err(), "{list}");
        }
        let trusted: TrustedProxies = " 127.0.0.1 ,, fd00::/8,".parse().unwrap();
        assert!(trusted.trusts([127, 0, 0, 1].into()) && trusted.trusts("fd12::1".parse().unwrap()));
        assert!(!trusted.trusts([127, 0, 0, 2].into()));
    }
}
