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
    schema::{user_tokens, users},
    user_suspensions::active,
    users::User,
};

/// A token, valid until it is invalidated.
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

/// Returns the token and its user, if it has not been invalidated and the user is active.
pub async fn find_active(conn: &mut DbConn, token: &str) -> Result<Option<(UserToken, User)>> {
    if !is_storable(token) {
        return Ok(None);
    }
    on_conn!(conn, |raw| user_tokens::table
        .inner_join(users::table)
        .filter(user_tokens::token.eq(token))
        .filter(user_tokens::invalidated_at.is_null())
        .filter(active!())
        .select((UserToken::as_select(), User::as_select()))
        .first(raw))
    .optional()
}

/// Returns the token, whether it has been invalidated or not.
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

/// Returns the token with this id, if it belongs to this user, whether it has been invalidated or not.
pub async fn find_of(conn: &mut DbConn, user_id: i32, id: i32) -> Result<Option<UserToken>> {
    on_conn!(conn, |raw| user_tokens::table
        .find(id)
        .filter(user_tokens::user_id.eq(user_id))
        .select(UserToken::as_select())
        .first(raw))
    .optional()
}

/// Returns the user's oldest token that is valid.
pub async fn first_active_of(conn: &mut DbConn, user_id: i32) -> Result<Option<UserToken>> {
    on_conn!(conn, |raw| user_tokens::table
        .filter(user_tokens::user_id.eq(user_id))
        .filter(user_tokens::invalidated_at.is_null())
        .order(user_tokens::id)
        .select(UserToken::as_select())
        .first(raw))
    .optional()
}

/// Returns the user's valid tokens, the oldest first.
pub async fn list_active_of(conn: &mut DbConn, user_id: i32) -> Result<Vec<UserToken>> {
    on_conn!(conn, |raw| user_tokens::table
        .filter(user_tokens::user_id.eq(user_id))
        .filter(user_tokens::invalidated_at.is_null())
        .order(user_tokens::id)
        .select(UserToken::as_select())
        .load(raw))
}

/// Returns true if this user has a token with this id that has not been invalidated.
async fn is_active(conn: &mut DbConn, id: i32, user_id: i32) -> Result<bool> {
    let active = user_tokens::table
        .find(id)
        .filter(user_tokens::user_id.eq(user_id))
        .filter(user_tokens::invalidated_at.is_null());
    on_conn!(conn, |raw| diesel::select(diesel::dsl::exists(active)).get_result(raw))
}

/// Returns the ids of those of these tokens that have not been invalidated, each with the id of its user.
pub(super) async fn active_among(conn: &mut DbConn, ids: &[i32]) -> Result<Vec<(i32, i32)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    on_conn!(conn, |raw| user_tokens::table
        .filter(user_tokens::id.eq_any(ids))
        .filter(user_tokens::invalidated_at.is_null())
        .select((user_tokens::id, user_tokens::user_id))
        .load(raw))
}

/// Returns true if the token that a JWT came from is still valid, or if the JWT came from none.
pub async fn is_active_if_any(conn: &mut DbConn, id: Option<i32>, user_id: i32) -> Result<bool> {
    match id {
        Some(id) => is_active(conn, id, user_id).await,
        None => Ok(true),
    }
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

/// Creates a token for the user: a version 4 UUID (D14).
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
    let valid =
        user_tokens::table.filter(user_tokens::user_id.eq(user_id)).filter(user_tokens::invalidated_at.is_null());
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
