//! `/socket/websocket`: the way from HTTP into the hub.

use base64::{
    Engine,
    alphabet::URL_SAFE,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::{
    Error,
    admission::{Admitted, admit, confirm},
};
use crate::{
    app::App,
    http::{
        self, Method, Request, Response,
        upgrade::{self, Upgraded},
    },
    realtime,
};

/// What phoenix.js offers as `Sec-WebSocket-Protocol`, beside its JWT, when it is given an `authToken`.
const PROTOCOL: &str = "phoenix";

/// What is before that JWT, in base64.
const AUTH_TOKEN: &str = "base64url.bearer.phx.";

/// phoenix.js leaves the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Opens a socket. As in the original, parameters are looked at before the handshake: a plain GET with wrong ones is a
/// 403 as well.
pub(super) async fn connect(app: App, mut request: Request) -> Result<Response, Error> {
    if request.method() != Method::GET {
        return Err(http::Error::bad_request("a WebSocket is opened by GET").into());
    }
    if app.hub.is_stopping() {
        return Err(Error::Stopping);
    }
    let jwt = auth_token(&request)?;
    let Admitted { vsn, identity, place } = admit(&app, &request, jwt.as_deref()).await?;
    let (response, upgrade) = upgrade::websocket(&mut request, &[PROTOCOL])?;
    tokio::spawn(async move {
        let Some(Upgraded { stream, unread, connection }) = upgrade.finish().await else { return };
        let stream = match stream {
            upgrade::Stream::Plain(stream) => realtime::Stream::Plain(stream),
            upgrade::Stream::Tls(stream, session) => realtime::Stream::Tls(stream, session),
        };
        let socket = app.hub.serve_websocket(stream, unread, identity.clone(), vsn);
        if confirm(&app, &identity).await.is_err() {
            return;
        }
        // A task of its own, so that nothing of the handshake takes up memory while the socket lives.
        tokio::spawn(async move {
            socket.await;
            drop((connection, place));
        });
    });
    Ok(response)
}

/// The JWT among the offered subprotocols (D22). phoenix.js writes it in the standard alphabet, in spite of the name.
fn auth_token(request: &Request) -> Result<Option<String>, Error> {
    let Some(encoded) = upgrade::offered_protocols(request).find_map(|offered| offered.strip_prefix(AUTH_TOKEN)) else {
        return Ok(None);
    };
    let decoded = BASE64.decode(encoded.replace('+', "-").replace('/', "_")).map_err(|_| Error::Refused)?;
    String::from_utf8(decoded).map(Some).map_err(|_| Error::Refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_jwt_is_read_from_the_subprotocols() {
        let found = |offered: &str| {
            let request = Request::test("GET", "/", &[("sec-websocket-protocol", offered)]);
            auth_token(&request).map_err(|error| error.status().as_u16())
        };
        for (offered, expected) in [
            ("phoenix", Ok(None)),
            ("base64url.bearer.other.YQ", Ok(None)),
            ("phoenix, base64url.bearer.phx.YS5iLmM", Ok(Some("a.b.c"))),
            ("base64url.bearer.phx.YS5iLmM=,phoenix", Ok(Some("a.b.c"))),
            ("phoenix, base64url.bearer.phx.fj9+Pw", Ok(Some("~?~?"))),
            ("phoenix, base64url.bearer.phx.fj9-Pw", Ok(Some("~?~?"))),
            ("phoenix, base64url.bearer.phx.fj8_", Ok(Some("~??"))),
            ("phoenix, base64url.bearer.phx.fj8/", Ok(Some("~??"))),
            ("phoenix, base64url.bearer.phx.", Ok(Some(""))),
            ("phoenix, base64url.bearer.phx.a", Err(403)),
            ("phoenix, base64url.bearer.phx.!!!!", Err(403)),
            ("phoenix, base64url.bearer.phx._w", Err(403)),
        ] {
            assert_eq!(found(offered), expected.map(|jwt| jwt.map(str::to_owned)), "{offered}");
        }
    }
}
