//! Tokens of users: each opens sessions until it is invalidated. Only for the user and for root users (D4).

use serde_json::{Value, json};

use super::{Error, caller::Caller, data, timestamp};
use crate::{
    http::{Request, Response, StatusCode},
    operations::tokens as operations,
    store::{
        self, Transaction,
        user_tokens::{self, UserToken},
    },
    web::App,
};

/// Creates a token (D12, D14). The answer is 200, as in the original.
pub(in crate::web) async fn create(app: App, request: Request, caller: Caller) -> Result<Response, Error> {
    let user_id = request.path_param("user_id").parse().map_err(|_| Error::NotFound("user"))?;
    caller.require_self(user_id)?;
    let (actor, quota) = (caller.actor(), caller.quota(&app));
    let create = async |tx: &mut Transaction<'_>| operations::create(tx, &actor, user_id, quota).await;
    let created = app.db.transaction(create).await;
    let token = created.map_err(|error| match error {
        store::Error::NotFound => Error::NotFound("user"),
        error => error.into(),
    })?;
    Ok(data(StatusCode::OK, view(&token)))
}

/// Invalidates a token, and closes the sockets whose JWT came from it (D5). Only the owner of the token counts; the
/// user of the path is ignored, as in the original.
pub(in crate::web) async fn delete(app: App, request: Request, caller: Caller) -> Result<Response, Error> {
    let mut conn = app.db.conn().await?;
    let found = user_tokens::find(&mut conn, &request.path_param("token")).await?;
    let token = found.ok_or(Error::NotFound("token"))?;
    caller.require_self(token.user_id)?;
    drop(conn);
    let actor = caller.actor();
    let invalidate = async |tx: &mut Transaction<'_>| operations::invalidate(tx, &actor, token.id).await;
    let (invalidated, _) = app.db.transaction(invalidate).await?;
    Ok(data(StatusCode::OK, view(&invalidated)))
}

fn view(token: &UserToken) -> Value {
    let UserToken { id, token, invalidated_at, .. } = token;
    json!({ "id": id, "token": token, "invalidated_at": timestamp(*invalidated_at) })
}
