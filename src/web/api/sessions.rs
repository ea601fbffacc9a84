//! Sessions: a user's token is exchanged for a JWT, which does no more than the token's scope permits and does not outlive
//! the token.

use std::time::Duration;

use serde_json::{Value, json, value::RawValue};

use super::{Error, permit::Permit};
use crate::{
    auth::{
        Permissions,
        jwt::{self, Grant, NotUnderstood, RESTRICTIONS, Restrictions, SESSION_LIFETIME, Scope},
    },
    http::{Request, Response, StatusCode},
    store::{enrollments, token_scope::Capability, user_token_settings, user_tokens},
    web::{App, restrictions::of_socket},
};

/// Answers with a JWT for the user of `token`. With `channel=true` it only opens sockets, so that it can be given to a
/// browser (D10), and may be restricted (D41); else it carries `admin` for those who administer an organization, and for root
/// users.
///
/// # Errors
///
/// [`Error::OutOfScope`] for a page's JWT from a token that opens no sockets. [`Error::Invalid`] for a wrong token, a `channel` that is neither true nor false, and restrictions that are not understood.
pub(in crate::web) async fn create(app: App, request: Request) -> Result<Response, Error> {
    let token = request.params().require_text("token")?;
    let scope = scope(&request)?;
    let (restrictions, lifetime) = restrictions(&request, scope)?;
    // Behind an address of the own machines there may be everybody.
    let guesser = Some(request.client_addr()).filter(|_| !request.is_from_own_machines());
    if let Some(address) = guesser {
        app.accounts.wrong_tokens.check(address).map_err(Error::TooManyWrongTokens)?;
    }
    let mut conn = app.db.conn().await?;
    let Some((token, user)) = user_tokens::find_active(&mut conn, &token).await? else {
        guesser.inspect(|address| app.accounts.wrong_tokens.note(*address));
        return Err(Error::invalid("token", "invalid"));
    };
    let settings = user_token_settings::find(&mut conn, token.id).await?;
    if scope == Scope::Channel {
        Permit::check(Some(settings.scope), Capability::Connect)?;
    }
    app.accounts.token_uses.note(&app.db, token.id, &user, request.client_addr());
    let is_admin = user.is_root || enrollments::is_admin_anywhere(&mut conn, user.id).await?;
    let permissions = if is_admin && scope == Scope::Full { Permissions::ADMIN } else { Permissions::USER };
    let (token_id, not_after) = (Some(token.id), settings.expires_at);
    let grant = Grant { user_id: user.id, token_id, permissions, scope, lifetime, not_after };
    let jwt = app.jwt.issue_restricted(&grant, &restrictions);
    if jwt.len() > jwt::MAX_BYTES {
        let most = jwt::MAX_BYTES;
        return Err(Error::invalid("topics", &format!("must be fewer or shorter: the JWT would be over {most} bytes")));
    }
    Ok(Response::json(StatusCode::CREATED, &json!({ "jwt": jwt })))
}

/// Reads the restrictions of a page's JWT, and its lifetime.
fn restrictions(request: &Request, scope: Scope) -> Result<(Restrictions, Duration), Error> {
    let mut values = RESTRICTIONS.map(|_| None);
    for (name, value) in RESTRICTIONS.into_iter().zip(&mut values) {
        *value = restriction(request, scope, name)?;
    }
    let read = Restrictions::read(values);
    let restrictions = read.map_err(|NotUnderstood { field, message }| Error::invalid(field, message))?;
    of_socket(&restrictions, "").map_err(|error| Error::invalid("info", &error.to_string()))?;
    let lifetime = restriction(request, scope, "expires_in")?.map_or(Ok(SESSION_LIFETIME), |value| lifetime(&value))?;
    Ok((restrictions, lifetime))
}

/// Returns the value of one restriction. It is refused for any JWT that is not a page's: the caller would take that JWT for a
/// restricted one.
fn restriction(request: &Request, scope: Scope, name: &str) -> Result<Option<Value>, Error> {
    match request.params().value(name)?.filter(|value| !value.is_null()) {
        Some(_) if scope == Scope::Full => Err(Error::invalid(name, "is for JWTs with channel=true alone")),
        value => Ok(value),
    }
}

fn lifetime(seconds: &Value) -> Result<Duration, Error> {
    let most = SESSION_LIFETIME.as_secs();
    let seconds =
        seconds.as_u64().or_else(|| seconds.as_str()?.parse().ok()).filter(|seconds| (1..=most).contains(seconds));
    let refused = || Error::invalid("expires_in", &format!("must be a whole number of seconds from 1 to {most}"));
    seconds.map(Duration::from_secs).ok_or_else(refused)
}

/// Of what `channel` says. A value that may be meant as true, such as `1`, must not give a page an account's JWT, and no
/// value is better guessed.
fn scope(request: &Request) -> Result<Scope, Error> {
    match request.params().raw("channel").map(RawValue::get) {
        None | Some("false" | "\"false\"") => Ok(Scope::Full),
        Some("true" | "\"true\"") => Ok(Scope::Channel),
        Some(_) => Err(Error::invalid("channel", "must be true or false")),
    }
}
