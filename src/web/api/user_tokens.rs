//! Tokens of users: each opens sessions until it is invalidated or expires. Only for the user and for root users (D4).

use chrono::{DateTime, NaiveDateTime, TimeDelta};
use serde_json::{Map, Value, json};

use super::{Error, caller::Caller, changeset::parse_time, data, timestamp};
use crate::{
    http::{Request, Response, StatusCode},
    operations::tokens::{self as operations, NewToken, TokenFault},
    store::{
        self, Transaction, now,
        token_scope::TokenScope,
        user_tokens::{self, UserToken},
    },
    web::App,
};

/// Creates a token (D12, D14, D45). The answer is 200, as in the original. It has the settings that were given, beside what
/// the original answers.
///
/// # Errors
///
/// [`Error::Invalid`] for settings that no token can have, or that are more than those of the caller's own token.
pub(in crate::web) async fn create(app: App, request: Request, caller: Caller) -> Result<Response, Error> {
    let user_id = request.path_param("user_id").parse().map_err(|_| Error::NotFound("user"))?;
    caller.require_self(user_id)?;
    let new = new_token(&request)?.created_by(caller.token()).map_err(|fault| invalid(&[fault]))?;
    let (actor, quota) = (caller.actor(), caller.quota(&app));
    let create = async |tx: &mut Transaction<'_>| operations::create(tx, &actor, user_id, &new, quota).await;
    let created = app.db.transaction(create).await;
    let token = created.map_err(|error| match error {
        store::Error::NotFound => Error::NotFound("user"),
        error => error.into(),
    })?;
    let mut shown = view(&token);
    shown.extend(given(&request, &new));
    Ok(data(StatusCode::OK, shown))
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

/// Reads the settings of a new token. One that is missing or null is as for a token of the original.
fn new_token(request: &Request) -> Result<NewToken, Error> {
    let text = |name: &str| match parameter(request, name)? {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Error::invalid(name, "is invalid")),
    };
    let scope = match text("scope")? {
        None => TokenScope::All,
        Some(name) => TokenScope::parse(&name).ok_or_else(|| Error::invalid("scope", &known_scopes()))?,
    };
    let expires_at = match (parameter(request, "expires_at")?, parameter(request, "expires_in")?) {
        (None, None) => None,
        (Some(time), None) => Some(read_time(&time).ok_or_else(|| Error::invalid("expires_at", "is invalid"))?),
        (None, Some(seconds)) => Some(read_seconds(&seconds)?),
        (Some(_), Some(_)) => return Err(Error::invalid("expires_in", "cannot be given together with expires_at")),
    };
    NewToken::check(text("name")?.as_deref(), scope, expires_at).map_err(|faults| invalid(&faults))
}

fn parameter(request: &Request, name: &str) -> Result<Option<Value>, Error> {
    Ok(request.params().value(name)?.filter(|value| !value.is_null()))
}

fn known_scopes() -> String {
    format!("must be one of {}", TokenScope::ALL.map(TokenScope::name).join(", "))
}

/// Reads a time of ISO 8601, in UTC unless it has an offset.
fn read_time(time: &Value) -> Option<NaiveDateTime> {
    let text = time.as_str()?;
    parse_time(text).or_else(|| DateTime::parse_from_rfc3339(text).ok().map(|time| time.naive_utc()))
}

/// Reads a number of seconds from now on.
fn read_seconds(seconds: &Value) -> Result<NaiveDateTime, Error> {
    let seconds = seconds.as_i64().or_else(|| seconds.as_str()?.parse().ok()).filter(|seconds| *seconds > 0);
    let seconds = seconds.ok_or_else(|| Error::invalid("expires_in", "must be a whole number of seconds above 0"))?;
    let time = TimeDelta::try_seconds(seconds).and_then(|delta| now().checked_add_signed(delta));
    time.ok_or_else(|| invalid(&[TokenFault::ExpiryTooLate]))
}

fn invalid(faults: &[TokenFault]) -> Error {
    let errors = faults.iter().map(|fault| (fault.field().to_owned(), json!([fault.to_string()])));
    Error::Invalid(Value::Object(errors.collect()))
}

fn view(token: &UserToken) -> Map<String, Value> {
    let UserToken { id, token, invalidated_at, .. } = token;
    let members = [("id", json!(id)), ("token", json!(token)), ("invalidated_at", json!(timestamp(*invalidated_at)))];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Returns the settings that the request gave, and an expiry that the token has without it.
fn given<'a>(request: &'a Request, new: &'a NewToken) -> impl Iterator<Item = (String, Value)> + 'a {
    let settings = new.settings();
    let has = |name: &str| request.params().raw(name).is_some();
    let shown = [
        ("name", has("name"), json!(settings.name)),
        ("scope", has("scope"), json!(settings.scope.name())),
        ("expires_at", has("expires_at") || settings.expires_at.is_some(), json!(timestamp(settings.expires_at))),
    ];
    shown.into_iter().filter(|(_, is_shown, _)| *is_shown).map(|(name, _, value)| (name.to_owned(), value))
}
