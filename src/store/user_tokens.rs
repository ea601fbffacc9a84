//! The table `user_tokens`: long-lived tokens, each exchanged for a JWT when a session begins.

use std::fmt;

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    DbConn, Result, Transaction,
    effects::Revocation,
    error::Optional as _,
    now,
    reference::is_storable,
    schema::{user_token_settings, user_tokens, users},
    user_suspensions::active,
    user_token_settings::TokenSettings,
    users::User,
};

// The settings of tokens as `valid!` looks at them, in queries that may have joined the table themselves.
diesel::alias! {
    pub(in crate::store) const EXPIRIES: Alias<Expiries> = user_token_settings as expiries;
}

/// The condition that the token of a row of `user_tokens` is valid, that is, neither invalidated nor expired. For both
/// backends to infer.
macro_rules! valid {
    () => {{
        use $crate::store::{
            schema::{user_token_settings, user_tokens},
            user_tokens::EXPIRIES,
        };
        let of_token =
            diesel::ExpressionMethods::eq(EXPIRIES.field(user_token_settings::user_token_id), user_tokens::id);
        let over = diesel::ExpressionMethods::le(EXPIRIES.field(user_token_settings::expires_at), $crate::store::now());
        let expired = diesel::QueryDsl::filter(diesel::QueryDsl::filter(EXPIRIES, of_token), over);
        diesel::BoolExpressionMethods::and(
            diesel::ExpressionMethods::is_null(user_tokens::invalidated_at),
            diesel::dsl::not(diesel::dsl::exists(expired)),
        )
    }};
}
pub(in crate::store) use valid;

/// A token, valid until it is invalidated or expires, see [`TokenSettings`].
#[derive(Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = user_tokens)]
pub struct UserToken {
    /// The primary key.
    pub id: i32,
    /// The owner.
    pub user_id: i32,
    /// The secret itself.
    pub token: String,
    /// Time since which the token opens no sessions.
    pub invalidated_at: Option<NaiveDateTime>,
    /// Time at which it was created.
    pub inserted_at: NaiveDateTime,
}

impl UserToken {
    /// Returns the last four of 32 hexadecimal digits, by which people tell their tokens apart. Empty for a short
    /// token.
    pub fn ending(&self) -> &str {
        let shown = self.token.char_indices().rev().nth(3).filter(|(start, _)| *start >= 12);
        shown.map_or("", |(start, _)| &self.token[start..])
    }
}

/// Omits the token, which is a secret.
impl fmt::Debug for UserToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserToken").field("id", &self.id).field("user_id", &self.user_id).finish_non_exhaustive()
    }
}

/// Returns the token and its user, if it is valid and the user is active.
pub async fn find_active(conn: &mut DbConn, token: &str) -> Result<Option<(UserToken, User)>> {
    if !is_storable(token) {
        return Ok(None);
    }
    on_conn!(conn, |raw| user_tokens::table
        .inner_join(users::table)
        .filter(user_tokens::token.eq(token))
        .filter(valid!())
        .filter(active!())
        .select((UserToken::as_select(), User::as_select()))
        .first(raw))
    .optional()
}

/// Returns the token, whether it is valid or not.
pub async fn find(conn: &mut DbConn, token: &str) -> Result<Option<UserToken>> {
    if !is_storable(token) {
        return Ok(None);
    }
    on_conn!(conn, |raw| user_tokens::table
        .filter(user_tokens::token.eq(token))
        .select(UserToken::as_select())
        .first(raw))
    .optional()
}

/// Returns the token with this id, if it belongs to this user, whether it is valid or not.
pub async fn find_of(conn: &mut DbConn, user_id: i32, id: i32) -> Result<Option<UserToken>> {
    on_conn!(conn, |raw| user_tokens::table
        .find(id)
        .filter(user_tokens::user_id.eq(user_id))
        .select(UserToken::as_select())
        .first(raw))
    .optional()
}

/// Returns the user's oldest valid token.
pub async fn first_active_of(conn: &mut DbConn, user_id: i32) -> Result<Option<UserToken>> {
    on_conn!(conn, |raw| user_tokens::table
        .filter(user_tokens::user_id.eq(user_id))
        .filter(valid!())
        .order(user_tokens::id)
        .select(UserToken::as_select())
        .first(raw))
    .optional()
}

/// Returns the user's valid tokens, the oldest first.
pub async fn list_active_of(conn: &mut DbConn, user_id: i32) -> Result<Vec<UserToken>> {
    on_conn!(conn, |raw| user_tokens::table
        .filter(user_tokens::user_id.eq(user_id))
        .filter(valid!())
        .order(user_tokens::id)
        .select(UserToken::as_select())
        .load(raw))
}

/// Returns the ids of the valid tokens among these, each with the id of its user and its settings.
pub async fn active_among(conn: &mut DbConn, ids: &[i32]) -> Result<Vec<(i32, i32, TokenSettings)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let found: Vec<(i32, i32, Option<TokenSettings>)> = on_conn!(conn, |raw| user_tokens::table
        .left_join(user_token_settings::table)
        .filter(user_tokens::id.eq_any(ids))
        .filter(valid!())
        .select((user_tokens::id, user_tokens::user_id, Option::<TokenSettings>::as_select()))
        .load(raw))?;
    Ok(found.into_iter().map(|(id, user_id, row)| (id, user_id, TokenSettings::of_row(row))).collect())
}

/// Returns the settings of the token of this user that a JWT came from; none if the token is not valid. A JWT that came
/// from no token is not limited.
pub async fn settings_of_origin(
    conn: &mut DbConn,
    token_id: Option<i32>,
    user_id: i32,
) -> Result<Option<TokenSettings>> {
    let Some(id) = token_id else { return Ok(Some(TokenSettings::ABSENT)) };
    let found = active_among(conn, &[id]).await?;
    Ok(found.into_iter().find(|(_, owner_id, _)| *owner_id == user_id).map(|(.., settings)| settings))
}

/// Returns the token as no other transaction can change it until this one ends.
///
/// # Errors
///
/// [`Error::NotFound`](super::Error::NotFound) when there is no such token.
pub async fn lock(tx: &mut Transaction<'_>, id: i32) -> Result<UserToken> {
    on_conn!(tx, |raw| diesel::update(user_tokens::table.find(id))
        .set(user_tokens::updated_at.eq(user_tokens::updated_at))
        .returning(UserToken::as_returning())
        .get_result(raw))
}

/// Creates a token for the user: a version 4 UUID (D14). It has no settings yet.
///
/// # Errors
///
/// [`Error::NotFound`](super::Error::NotFound) when there is no such user.
pub async fn create(tx: &mut Transaction<'_>, user_id: i32) -> Result<UserToken> {
    let now = now();
    let token = Uuid::new_v4().to_string();
    on_conn!(tx, |raw| diesel::insert_into(user_tokens::table)
        .values((
            user_tokens::user_id.eq(user_id),
            user_tokens::token.eq(&token),
            user_tokens::inserted_at.eq(now),
            user_tokens::updated_at.eq(now),
        ))
        .returning(UserToken::as_returning())
        .get_result(raw))
}

/// Invalidates all valid tokens of a user, and closes the sockets whose JWT came from one of them. Returns them, the
/// oldest first.
pub async fn invalidate_all_of(tx: &mut Transaction<'_>, user_id: i32) -> Result<Vec<UserToken>> {
    let now = now();
    let valid = user_tokens::table.filter(user_tokens::user_id.eq(user_id)).filter(valid!());
    let mut invalidated: Vec<UserToken> = on_conn!(tx, |raw| diesel::update(valid)
        .set((user_tokens::invalidated_at.eq(now), user_tokens::updated_at.eq(now)))
        .returning(UserToken::as_returning())
        .get_results(raw))?;
    invalidated.sort_by_key(|token| token.id);
    invalidated.iter().for_each(|token| tx.revoke(Revocation::Token(token.id)));
    Ok(invalidated)
}

/// Invalidates the token, and closes the sockets whose JWT came from it. A token that is already invalid gets a new
/// time.
///
/// # Errors
///
/// [`Error::NotFound`](super::Error::NotFound) when there is no such token.
pub async fn invalidate(tx: &mut Transaction<'_>, id: i32) -> Result<UserToken> {
    let now = now();
    tx.revoke(Revocation::Token(id));
    on_conn!(tx, |raw| diesel::update(user_tokens::table.find(id))
        .set((user_tokens::invalidated_at.eq(now), user_tokens::updated_at.eq(now)))
        .returning(UserToken::as_returning())
        .get_result(raw))
}
