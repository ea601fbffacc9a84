//! Users' tokens: each opens sessions until it is invalidated. For the user and for root users alone (D4).

use serde_json::{Value, json};

use super::{Error, caller::Caller, data, timestamp};
use crate::{
    app::App,
    http::{Request, Response, StatusCode},
    store::{
        self, Transaction,
        audit::Differences,
        user_tokens::{self, UserToken},
    },
    web::revocation,
};

/// Creates a token (D12, D14). The answer is 200, as in the original.
pub(in crate::web) async fn create(app: App, request: Request) -> Result<Response, Error> {
    let caller = Caller::of(&app, &request, &mut app.db.conn().await?).await?;
    let user_id = request.path_param("user_id").parse().map_err(|_| Error::NotFound("user"))?;
    caller.require_self(user_id)?;
    let create = async |tx: &mut Transaction<'_>| {
        let token = user_tokens::create(tx, user_id).await?;
        let mut differences = Differences::default();
        differences.note("user_id", user_id);
        caller.record(tx, "create", ("user_tokens", token.id), &differences).await?;
        Ok::<_, store::Error>(token)
    };
    let created = app.db.transaction(create).await;
    let token = created.map_err(|error| match error {
        store::Error::NotFound => Error::NotFound("user"),
        error => error.into(),
    })?;
    Ok(data(StatusCode::OK, view(&token)))
}

/// Invalidates a token, and closes the sockets whose JWT came from it (D5). What counts is whose it is; the user of the
/// path is not looked at, as in the original.
pub(in crate::web) async fn delete(app: App, request: Request) -> Result<Response, Error> {
    let mut conn = app.db.conn().await?;
    let caller = Caller::of(&app, &request, &mut conn).await?;
    let found = user_tokens::find(&mut conn, &request.path_param("token")).await?;
    let token = found.ok_or(Error::NotFound("token"))?;
    caller.require_self(token.user_id)?;
    drop(conn);
    let invalidate = async |tx: &mut Transaction<'_>| {
        let invalidated = user_tokens::invalidate(tx, token.id).await?;
        let mut differences = Differences::default();
        differences.flag("valid", Some(token.invalidated_at.is_none()), false);
        caller.record(tx, "invalidate", ("user_tokens", token.id), &differences).await?;
        Ok::<_, store::Error>(invalidated)
    };
    let invalidated = app.db.transaction(invalidate).await?;
    revocation::token_invalidated(&app.hub, token.id);
    Ok(data(StatusCode::OK, view(&invalidated)))
}

fn view(token: &UserToken) -> Value {
    let UserToken { id, token, invalidated_at, .. } = token;
    json!({ "id": id, "token": token, "invalidated_at": timestamp(*invalidated_at) })
}
