//! Headers of proxies: believed as far as trusted proxies wrote them, whatever the client wrote before them.

#[path = "../../src/http/forwarded.rs"]
#[allow(dead_code, unreachable_pub, reason = "the server uses more of it")]
mod source;

use std::net::IpAddr;

use hyper::{
    HeaderMap,
    header::{HeaderName, HeaderValue},
};

use self::source::{TrustedProxies, Way};

const FOR: &str = "x-forwarded-for";
const PROTO: &str = "x-forwarded-proto";
const HOST: &str = "x-forwarded-host";

/// Runs the target `forwarded`. The input is the text that a client writes into the headers; also a list of proxies.
pub fn check(input: &[u8]) {
    if let Ok(list) = std::str::from_utf8(input)
        && let Ok(trusted) = list.parse::<TrustedProxies>()
    {
        check_nobody_is_believed(input, &trusted);
    }
    let trusted: TrustedProxies = "10.0.0.0/8".parse().expect("it is a network");
    let (proxy, stranger, client) = ([10, 0, 0, 1].into(), [192, 0, 2, 1].into(), [203, 0, 113, 9].into());
    let Some(headers) = headers(input) else { return };
    assert_eq!(way(&headers, stranger, &trusted), (stranger, None, None), "nobody trusts them");

    // One proxy appends to what the client wrote, another writes headers of its own behind them.
    for appended in [appended(input), Some(with(headers, [(FOR, "203.0.113.9"), (PROTO, "https"), (HOST, "h")]))] {
        let Some(headers) = appended else { continue };
        assert_eq!(way(&headers, proxy, &trusted), (client, Some(true), Some("h".to_owned())));
    }
}

/// Checks that nothing is believed without a trusted peer.
fn check_nobody_is_believed(input: &[u8], trusted: &TrustedProxies) {
    let peer = [198, 51, 100, 7].into();
    if let Some(headers) = headers(input).filter(|_| !trusted.trusts(peer)) {
        assert_eq!(way(&headers, peer, trusted), (peer, None, None));
    }
}

fn way(headers: &HeaderMap, peer: IpAddr, trusted: &TrustedProxies) -> (IpAddr, Option<bool>, Option<String>) {
    let way = Way::of(headers, peer, trusted);
    (way.client, way.is_secure(headers), way.host(headers).map(str::to_owned))
}

fn headers(value: &[u8]) -> Option<HeaderMap> {
    let value = HeaderValue::from_bytes(value).ok()?;
    Some([FOR, PROTO, HOST].into_iter().map(|name| (HeaderName::from_static(name), value.clone())).collect())
}

fn appended(value: &[u8]) -> Option<HeaderMap> {
    let append = |(name, own): (&'static str, &str)| {
        let value = HeaderValue::from_bytes(&[value, b", ", own.as_bytes()].concat()).ok()?;
        Some((HeaderName::from_static(name), value))
    };
    [(FOR, "203.0.113.9"), (PROTO, "https"), (HOST, "h")].into_iter().map(append).collect()
}

fn with(mut headers: HeaderMap, own: [(&'static str, &'static str); 3]) -> HeaderMap {
    for (name, value) in own {
        headers.append(name, HeaderValue::from_static(value));
    }
    headers
}
