//! `/socket/websocket`: who may connect, and the way from HTTP into the hub.

use pusher_lite_protocol::Vsn;

use super::Error;
use crate::{
    app::App,
    auth::jwt::Claims,
    http::{
        self, Method, Params, Request, Response,
        upgrade::{self, Upgraded},
    },
    realtime::Identity,
};

/// What phoenix.js offers as `Sec-WebSocket-Protocol`, beside its JWT, when it is given an `authToken`.
const PROTOCOL: &str = "phoenix";

/// Opens a socket. As in the original, parameters are looked at before the handshake: a plain GET with wrong ones is a
/// 403 as well.
pub(super) async fn connect(app: App, mut request: Request) -> Result<Response, Error> {
    if request.method() != Method::GET {
        return Err(http::Error::bad_request("a WebSocket is opened by GET").into());
    }
    let (vsn, identity) = admit(&app, request.params()).await?;
    let (response, upgrade) = upgrade::websocket(&mut request, &[PROTOCOL])?;
    tokio::spawn(async move {
        let Some(Upgraded { stream, unread, connection }) = upgrade.finish().await else { return };
        let socket = app.hub.serve_websocket(stream, unread, identity, vsn);
        // What permitted the socket may have gone before the hub knew of it, and so could not close it.
        if admit(&app, request.params()).await.is_err() {
            return;
        }
        // A task of its own, so that nothing of the handshake takes up memory while the socket lives.
        tokio::spawn(async move {
            socket.await;
            drop(connection);
        });
    });
    Ok(response)
}

/// Reads the parameters of a connect and looks up whether they open a socket (D1, D5, D8).
async fn admit(app: &App, params: &Params) -> Result<(Vsn, Identity), Error> {
    let vsn = vsn(params)?;
    let app_key = required(params, "app_key")?;
    let unique_identifier = required(params, "unique_identifier")?;
    let claims = claims(app, params)?;
    let user_id = claims.user_id.ok_or(Error::Refused)?;
    let access = app.access.socket(user_id, claims.token_id, &app_key).await?;
    if !access.may_connect() {
        return Err(Error::Refused);
    }
    let organization_id = access.organization_ids.first().filter(|_| !access.is_root);
    let identity = Identity {
        app_key: app_key.into(),
        unique_identifier: unique_identifier.into(),
        user_id: user_id.into(),
        token_id: claims.token_id.map(i64::from),
        organization_id: organization_id.copied().map(i64::from),
        may_send: claims.permissions.may_send(),
    };
    Ok((vsn, identity))
}

fn vsn(params: &Params) -> Result<Vsn, Error> {
    let parameter = match params.raw("vsn") {
        Some(_) => Some(required(params, "vsn")?),
        None => None,
    };
    Vsn::negotiate(parameter.as_deref()).map_err(|_| Error::Refused)
}

/// The JWT of `guardian_token`, which must permit joining channels.
fn claims(app: &App, params: &Params) -> Result<Claims, Error> {
    let claims = app.jwt.verify(&required(params, "guardian_token")?).map_err(|_| Error::Refused)?;
    if claims.permissions.may_join() { Ok(claims) } else { Err(Error::Refused) }
}

fn required(params: &Params, name: &str) -> Result<String, Error> {
    params.text(name).ok_or(Error::Refused)
}
