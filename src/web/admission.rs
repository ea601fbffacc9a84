//! Who may open a socket, over whichever transport.

use std::sync::Arc;

use pusher_lite_protocol::Vsn;

use super::{Error, connect::Connect};
use crate::{
    app::App,
    auth::jwt::Claims,
    http::{Params, Request},
    realtime::{Identity, Place, Refusal},
    store::access::SocketAccess,
};

/// Who was let in.
pub(super) struct Admitted {
    pub(super) vsn: Vsn,
    pub(super) identity: Identity,
    /// To be kept until the socket is closed.
    pub(super) place: Place,
}

/// Reads the parameters of a connect and looks up whether they open a socket (D1, D5, D8), see [`Connect::read`], and
/// whether there is a place for one more. Attempts are limited before that: those that open nothing cost as much.
pub(super) async fn admit(app: &App, request: &Request, auth_token: Option<&str>) -> Result<Admitted, Error> {
    let address = request.client_addr();
    app.hub.attempt(address)?;
    let identified = identify(app, request.params(), auth_token).await;
    let (vsn, identity) = identified.inspect_err(|error| {
        if matches!(error, Error::Refused) {
            app.hub.refused(Refusal::ConnectForbidden);
        }
    })?;
    let place = app.hub.take_place(&identity.app_key, address)?;
    Ok(Admitted { vsn, identity, place })
}

async fn identify(app: &App, params: &Params, auth_token: Option<&str>) -> Result<(Vsn, Identity), Error> {
    let Connect { vsn, app_key, unique_identifier, jwt } = Connect::read(params, auth_token).ok_or(Error::Refused)?;
    // Everybody in a topic is told of it.
    if unique_identifier.len() > app.hub.limits().name_bytes {
        return Err(Error::Refused);
    }
    let claims = claims(app, &jwt)?;
    let user_id = claims.user_id.map_err(|_| Error::Refused)?;
    let access = access(app, user_id, claims.token_id, &app_key).await?;
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

/// Looks up once more whether a socket may be open that the hub knows by now. What permitted it may have gone before
/// that, when the hub could not close it.
pub(super) async fn confirm(app: &App, identity: &Identity) -> Result<(), Error> {
    let narrow = |id: i64| i32::try_from(id).map_err(|_| Error::Refused);
    let (user_id, token_id) = (narrow(identity.user_id)?, identity.token_id.map(narrow).transpose()?);
    access(app, user_id, token_id, &identity.app_key).await.map(drop)
}

async fn access(app: &App, user_id: i32, token_id: Option<i32>, app_key: &str) -> Result<Arc<SocketAccess>, Error> {
    let access = app.access.socket(user_id, token_id, app_key).await?;
    if access.may_connect() { Ok(access) } else { Err(Error::Refused) }
}

/// What a JWT says, which must permit joining channels.
fn claims(app: &App, jwt: &str) -> Result<Claims, Error> {
    let claims = app.jwt.verify(jwt).map_err(|_| Error::Refused)?;
    if claims.permissions.may_join() { Ok(claims) } else { Err(Error::Refused) }
}
