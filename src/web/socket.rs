//! `/socket/websocket`: from an HTTP request to a socket of the hub.

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
    http::{
        Method, Methods, Request, Response,
        upgrade::{self, Upgraded},
    },
    realtime,
    web::App,
};

/// Subprotocol that phoenix.js offers in `Sec-WebSocket-Protocol`, beside its JWT, when it is given an `authToken`.
const PROTOCOL: &str = "phoenix";

/// Prefix of that JWT, in base64.
const AUTH_TOKEN: &str = "base64url.bearer.phx.";

/// phoenix.js leaves the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Opens a socket. As in the original, parameters are checked before the handshake: a plain GET with wrong ones is a
/// 403 as well.
pub(super) async fn connect(app: App, mut request: Request) -> Result<Response, Error> {
    if request.method() != Method::GET {
        return Err(Error::WrongMethod { methods: Methods::of([Method::GET]), is_api: false });
    }
    if app.hub.is_stopping() {
        return Err(Error::Stopping);
    }
    let jwt = auth_token(&request);
    let Admitted { vsn, identity, reservation } = admit(&app, &request, jwt.as_deref()).await?;
    let (response, upgrade) = upgrade::websocket(&mut request, &[PROTOCOL])?;
    let tasks = app.tasks.clone();
    let opening = async move {
        // The place is given back when the client does not read the answer: see `Upgrade::finish`.
        let Some(Upgraded { stream, unread, connection }) = upgrade.finish().await else { return };
        let stream = match stream {
            upgrade::Stream::Plain(stream) => realtime::Stream::Plain(stream),
            upgrade::Stream::Tls(stream, session) => realtime::Stream::Tls(stream, session),
        };
        let socket = app.hub.serve_websocket(stream, unread, identity.clone(), vsn);
        if confirm(&app, &identity).await.is_err() {
            return;
        }
        // A task of its own, so that the handshake takes up no memory while the socket lives.
        tokio::spawn(async move {
            socket.await;
            drop((connection, reservation));
        });
    };
    tokio::spawn(tasks.survive("handshake", opening));
    Ok(response)
}

/// Returns the JWT among the offered subprotocols (D22). phoenix.js writes it in the standard alphabet, in spite of the
/// name. An unreadable one is ignored: the original looks at no subprotocol at all.
fn auth_token(request: &Request) -> Option<String> {
    let encoded = upgrade::offered_protocols(request).find_map(|offered| offered.strip_prefix(AUTH_TOKEN))?;
    let decoded = BASE64.decode(encoded.replace('+', "-").replace('/', "_")).ok()?;
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_jwt_is_read_from_the_subprotocols() {
        let found = |offered: &str| {
            let request = Request::test("GET", "/", &[("sec-websocket-protocol", offered)]);
            auth_token(&request)
        };
        for (offered, expected) in [
            ("phoenix", None),
            ("base64url.bearer.other.YQ", None),
            ("phoenix, base64url.bearer.phx.YS5iLmM", Some("a.b.c")),
            ("base64url.bearer.phx.YS5iLmM=,phoenix", Some("a.b.c")),
            ("phoenix, base64url.bearer.phx.fj9+Pw", Some("~?~?")),
            ("phoenix, base64url.bearer.phx.fj9-Pw", Some("~?~?")),
            ("phoenix, base64url.bearer.phx.fj8_", Some("~??")),
            ("phoenix, base64url.bearer.phx.fj8/", Some("~??")),
            ("phoenix, base64url.bearer.phx.", Some("")),
            ("phoenix, base64url.bearer.phx.a", None),
            ("phoenix, base64url.bearer.phx.!!!!", None),
            ("phoenix, base64url.bearer.phx._w", None),
        ] {
            assert_eq!(found(offered), expected.map(str::to_owned), "{offered}");
        }
    }
}
