//! The table `user_tokens`: long-lived tokens, each exchanged for a JWT when a session begins.

use std::fmt;

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    DbConn, Result, Transaction,
    error::Optional as _,
    now,
    reference::is_storable,
    schema::{user_tokens, users},
    users::User,
};

/// A token, valid until it is invalidated.
#[derive(Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = user_tokens)]
pub struct UserToken {
    /// The primary key.
    pub id: i32,
    /// Whose it is.
    pub user_id: i32,
    /// The secret itself.
    pub token: String,
    /// Since when it opens no sessions any more.
    pub invalidated_at: Option<NaiveDateTime>,
    /// When it was created.
    pub inserted_at: NaiveDateTime,
}

/// Without the token, which is a secret.
impl fmt::Debug for UserToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserToken").field("id", &self.id).field("user_id", &self.user_id).finish_non_exhaustive()
    }
}

/// The token and its user, if it has not been invalidated.
pub async fn find_active(conn: &mut DbConn, token: &str) -> Result<Option<(UserToken, User)>> {
    if !is_storable(token) {
        return Ok(None);
    }
    on_conn!(conn, |raw| user_tokens::table
        .inner_join(users::table)
        .filter(user_tokens::token.eq(token))
        .filter(user_tokens::invalidated_at.is_null())
        .select((UserToken::as_select(), User::as_select()))
        .first(raw))
    .optional()
}

/// The token, whether it has been invalidated or not.
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

/// The token with this id, if it is this user's, whether it has been invalidated or not.
pub async fn find_of(conn: &mut DbConn, user_id: i32, id: i32) -> Result<Option<UserToken>> {
    on_conn!(conn, |raw| user_tokens::table
        .find(id)
        .filter(user_tokens::user_id.eq(user_id))
        .select(UserToken::as_select())
        .first(raw))
    .optional()
}

/// The user's oldest token that is valid.
pub async fn first_active_of(conn: &mut DbConn, user_id: i32) -> Result<Option<UserToken>> {
    on_conn!(conn, |raw| user_tokens::table
        .filter(user_tokens::user_id.eq(user_id))
        .filter(user_tokens::invalidated_at.is_null())
        .order(user_tokens::id)
        .select(UserToken::as_select())
        .first(raw))
    .optional()
}

/// Whether this user has a token with this id that has not been invalidated.
pub(super) async fn is_active(conn: &mut DbConn, id: i32, user_id: i32) -> Result<bool> {
    let active = user_tokens::table
        .find(id)
        .filter(user_tokens::user_id.eq(user_id))
        .filter(user_tokens::invalidated_at.is_null());
    on_conn!(conn, |raw| diesel::select(diesel::dsl::exists(active)).get_result(raw))
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

/// Invalidates the token; once more, with a new time, if it already was.
///
/// # Errors
///
/// [`Error::NotFound`](super::Error::NotFound) when there is no such token.
pub async fn invalidate(tx: &mut Transaction<'_>, id: i32) -> Result<UserToken> {
    let now = now();
    on_conn!(tx, |raw| diesel::update(user_tokens::table.find(id))
        .set((user_tokens::invalidated_at.eq(now), user_tokens::updated_at.eq(now)))
        .returning(UserToken::as_returning())
        .get_result(raw))
}
