//! Who may open a socket, over whichever transport.

use pusher_lite_protocol::Vsn;

use super::Error;
use crate::{app::App, auth::jwt::Claims, http::Params, realtime::Identity};

/// Reads the parameters of a connect and looks up whether they open a socket (D1, D5, D8). `auth_token` is the JWT
/// of phoenix.js's `authToken`; where there is none, it is the parameter `guardian_token`.
pub(super) async fn admit(app: &App, params: &Params, auth_token: Option<&str>) -> Result<(Vsn, Identity), Error> {
    let vsn = vsn(params)?;
    let app_key = required(params, "app_key")?;
    let unique_identifier = required(params, "unique_identifier")?;
    let claims = match auth_token {
        Some(jwt) => claims(app, jwt)?,
        None => claims(app, &required(params, "guardian_token")?)?,
    };
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

/// What a JWT says, which must permit joining channels.
fn claims(app: &App, jwt: &str) -> Result<Claims, Error> {
    let claims = app.jwt.verify(jwt).map_err(|_| Error::Refused)?;
    if claims.permissions.may_join() { Ok(claims) } else { Err(Error::Refused) }
}

fn required(params: &Params, name: &str) -> Result<String, Error> {
    params.text(name).ok_or(Error::Refused)
}
