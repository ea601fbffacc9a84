//! The WebSocket handshake, and the return of the stream from hyper.

use bytes::Bytes;
use hyper::{
    Method, StatusCode, Version,
    header::{
        CONNECTION, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
        SEC_WEBSOCKET_VERSION, UPGRADE,
    },
    upgrade::{OnUpgrade, Parts},
};
use hyper_util::rt::TokioIo;
use rustls::ServerConnection;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::{Connection, Error, Request, Response, Watched};

/// A stream that speaks WebSocket from now on.
#[derive(Debug)]
pub struct Upgraded {
    /// The stream itself: nothing of HTTP is left around it.
    pub stream: Stream,
    /// Bytes that the peer sent right behind its handshake.
    pub unread: Bytes,
    /// Kept until the stream is closed, so that it stays counted.
    pub connection: Connection,
}

/// A TCP stream, or one with the TLS session of the connection.
#[derive(Debug)]
pub enum Stream {
    /// Not encrypted.
    Plain(TcpStream),
    /// Encrypted; the handshake is done, and some of what the peer sent may be in the session.
    Tls(TcpStream, Box<ServerConnection>),
}

/// The future stream of a request that was answered with 101.
#[derive(Debug)]
pub struct Upgrade {
    on_upgrade: OnUpgrade,
    connection: Connection,
}

impl Upgrade {
    /// Waits until the 101 is sent and returns the stream. The wait takes no longer than a head may. None if the peer
    /// went away before that, or did not read it; the connection is ended then.
    pub async fn finish(self) -> Option<Upgraded> {
        let (stream, read) = match self.on_upgrade.await.ok()?.downcast::<TokioIo<Watched<TcpStream>>>() {
            Ok(Parts { io, read_buf, .. }) => (Stream::Plain(io.into_inner().into_inner()), read_buf),
            Err(upgraded) => {
                let parts = upgraded.downcast::<TokioIo<Watched<TlsStream<TcpStream>>>>().ok()?;
                let Parts { io, read_buf, .. } = parts;
                let (stream, session) = io.into_inner().into_inner().into_inner();
                (Stream::Tls(stream, Box::new(session)), read_buf)
            }
        };
        // A copy, most often of nothing: hyper's buffer is 8 KB, and would live as long as the stream.
        let unread = Bytes::copy_from_slice(&read);
        Some(Upgraded { stream, unread, connection: self.connection })
    }
}

/// Returns the subprotocols that the peer offers, in its order.
pub fn offered_protocols(request: &Request) -> impl Iterator<Item = &str> {
    items(request, SEC_WEBSOCKET_PROTOCOL)
}

/// Checks a WebSocket handshake (RFC 6455, section 4.2.1) and answers it with 101. Await [`Upgrade::finish`] in another
/// task: it waits for this answer to be sent. The server chooses the first of `protocols` that the peer offers.
///
/// # Errors
///
/// [`Error::BadRequest`] that names what is missing. Versions 7 and 8, drafts with the same frames, are accepted like
/// 13.
pub fn websocket(request: &mut Request, protocols: &[&'static str]) -> Result<(Response, Upgrade), Error> {
    let accept = check(request)?;
    let chosen = protocols.iter().copied().find(|protocol| lists(request, SEC_WEBSOCKET_PROTOCOL, protocol));
    let on_upgrade = request.upgrade.take().ok_or_else(|| Error::bad_request("the connection cannot be upgraded"))?;
    let mut response = Response::empty(StatusCode::SWITCHING_PROTOCOLS)
        .header(CONNECTION, HeaderValue::from_static("Upgrade"))
        .header(UPGRADE, HeaderValue::from_static("websocket"))
        .header(SEC_WEBSOCKET_ACCEPT, accept);
    if let Some(protocol) = chosen {
        response = response.header(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
    }
    Ok((response, Upgrade { on_upgrade, connection: request.connection().clone() }))
}

/// Returns the value of `sec-websocket-accept` for a valid handshake.
fn check(request: &Request) -> Result<HeaderValue, Error> {
    if request.method() != Method::GET || request.version() != Version::HTTP_11 {
        return Err(Error::bad_request("a WebSocket is opened by GET and HTTP/1.1"));
    }
    if !lists(request, CONNECTION, "upgrade") || !lists(request, UPGRADE, "websocket") {
        return Err(Error::bad_request(
            "this is the address of a WebSocket: the headers Connection: Upgrade and Upgrade: websocket are missing",
        ));
    }
    if !["13", "8", "7"].into_iter().any(|version| lists(request, SEC_WEBSOCKET_VERSION, version)) {
        return Err(Error::bad_request("Sec-WebSocket-Version must be 13"));
    }
    let key = request.headers().get(SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes).unwrap_or_default();
    if key.is_empty() {
        return Err(Error::bad_request("Sec-WebSocket-Key is missing"));
    }
    Ok(HeaderValue::try_from(derive_accept_key(key)).expect("base64 may stand in a header"))
}

fn lists(request: &Request, name: HeaderName, wanted: &str) -> bool {
    items(request, name).any(|item| item.eq_ignore_ascii_case(wanted))
}

/// Returns the items of a header that is a list, on one line or several.
fn items(request: &Request, name: HeaderName) -> impl Iterator<Item = &str> {
    let values = request.headers().get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROPER: [(&str, &str); 4] = [
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "WebSocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];

    fn with(name: &'static str, value: Option<&'static str>) -> Vec<(&'static str, &'static str)> {
        let kept = PROPER.into_iter().filter(|(other, _)| *other != name);
        kept.chain(value.map(|value| (name, value))).collect()
    }

    #[test]
    fn the_accept_key_is_that_of_the_rfc() {
        let key = check(&Request::test("GET", "/", &PROPER)).unwrap();
        assert_eq!(key, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn draft_versions_are_taken() {
        for version in ["7", "8"] {
            assert!(check(&Request::test("GET", "/", &with("sec-websocket-version", Some(version)))).is_ok());
        }
    }

    #[test]
    fn improper_handshakes_are_refused() {
        for headers in [
            with("connection", None),
            with("connection", Some("close")),
            with("upgrade", None),
            with("upgrade", Some("h2c")),
            with("sec-websocket-version", None),
            with("sec-websocket-version", Some("12")),
            with("sec-websocket-key", None),
            with("sec-websocket-key", Some("")),
        ] {
            assert!(check(&Request::test("GET", "/", &headers)).is_err(), "{headers:?}");
        }
        assert!(check(&Request::test("POST", "/", &PROPER)).is_err());
    }
}
