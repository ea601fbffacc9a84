//! Sessions: a user's token is exchanged for a JWT.

use serde_json::json;

use super::Error;
use crate::{
    app::App,
    auth::{
        Permissions,
        jwt::{Grant, SESSION_LIFETIME},
    },
    http::{Request, Response, StatusCode},
    store::{enrollments, user_tokens},
};

/// Answers with a JWT for the user of `token`. With `channel=true` it only opens sockets, so that it can be given to a
/// browser (D10); else it carries `admin` for those who administer an organization, and for root users.
pub(in crate::web) async fn create(app: App, request: Request) -> Result<Response, Error> {
    let token = request.params().require_text("token")?;
    let mut conn = app.db.conn().await?;
    let found = user_tokens::find_active(&mut conn, &token).await?;
    let (token, user) = found.ok_or_else(|| Error::invalid("token", "invalid"))?;
    app.accounts.token_uses.note(&app.db, token.id, request.client_addr());
    let is_admin = user.is_root || enrollments::is_admin_anywhere(&mut conn, user.id).await?;
    let permissions = if is_admin && !for_channels_only(&request) { Permissions::ADMIN } else { Permissions::USER };
    let grant = Grant { user_id: user.id, token_id: Some(token.id), permissions, lifetime: SESSION_LIFETIME };
    Ok(Response::json(StatusCode::CREATED, &json!({ "jwt": app.jwt.issue(&grant) })))
}

fn for_channels_only(request: &Request) -> bool {
    request.params().raw("channel").is_some_and(|value| matches!(value.get(), "true" | "\"true\""))
}
