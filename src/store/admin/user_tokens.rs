//! Tokens of users, without the secrets.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{UserName, contains, listed, pattern};
use crate::store::{
    DbConn, Result, Transaction,
    effects::Revocation,
    error::Optional as _,
    now,
    schema::{user_token_settings, user_token_uses, user_tokens, users},
    user_token_settings::TokenSettings,
    user_token_uses::Use,
    user_tokens::{UserToken, valid},
};

/// A token in a list.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = user_tokens)]
pub struct Row {
    /// The primary key.
    pub id: i32,
    /// Time since which the token opens no sessions.
    pub invalidated_at: Option<NaiveDateTime>,
    /// Time at which it was created.
    pub inserted_at: NaiveDateTime,
    /// The owner of the token.
    #[diesel(embed)]
    pub user: UserName,
    /// Name, scope and expiry, if the token has a row of them.
    #[diesel(embed)]
    pub settings: Option<TokenSettings>,
    /// Last use, if the token was used since uses are recorded.
    #[diesel(embed)]
    pub last_use: Option<Use>,
}

/// Filters for a list of tokens; `None` lists all.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Part of the user's name or address, or of the token's name, or its id.
    pub text: Option<String>,
    /// Filter by valid, or invalidated or expired.
    pub is_valid: Option<bool>,
    /// Filter by user.
    pub user_id: Option<i32>,
}

/// The rows of a search, for both backends to infer.
macro_rules! found {
    ($search:expr) => {{
        let mut query = user_tokens::table
            .inner_join(users::table)
            .left_join(user_token_settings::table)
            .left_join(user_token_uses::table)
            .into_boxed();
        if let Some(text) = &$search.text {
            let pattern = pattern(text);
            let named = contains!(users::name, pattern.clone()).or(contains!(users::email, pattern.clone()));
            let named = named.or(contains!(user_token_settings::name.nullable(), pattern));
            query = query.filter(named.or(user_tokens::id.nullable().eq(text.parse::<i32>().ok())));
        }
        match $search.is_valid {
            Some(true) => query = query.filter(valid!()),
            Some(false) => query = query.filter(diesel::dsl::not(valid!())),
            None => {}
        }
        if let Some(user_id) = $search.user_id {
            query = query.filter(user_tokens::user_id.eq(user_id));
        }
        query
    }};
}

listed!(found => Row, then user_tokens::id, {
    "id" => Id: user_tokens::id,
    "user" => User: super::lower(users::email),
    "name" => Name: user_token_settings::name.nullable(),
    "expires_at" => ExpiresAt: user_token_settings::expires_at.nullable(),
    "invalidated_at" => InvalidatedAt: user_tokens::invalidated_at,
    "used_at" => UsedAt: user_token_uses::used_at.nullable(),
    "inserted_at" => InsertedAt: user_tokens::inserted_at,
});

/// Returns one token, with the secret.
pub async fn find(conn: &mut DbConn, id: i32) -> Result<Option<(Row, UserToken)>> {
    on_conn!(conn, |raw| user_tokens::table
        .inner_join(users::table)
        .left_join(user_token_settings::table)
        .left_join(user_token_uses::table)
        .filter(user_tokens::id.eq(id))
        .select((Row::as_select(), UserToken::as_select()))
        .first(raw))
    .optional()
}

/// Takes back that a token was invalidated; `false` when it was not. An expired token stays invalid.
pub async fn restore(tx: &mut Transaction<'_>, id: i32) -> Result<bool> {
    let invalid = user_tokens::table.find(id).filter(user_tokens::invalidated_at.is_not_null());
    let restored = on_conn!(tx, |raw| diesel::update(invalid)
        .set((user_tokens::invalidated_at.eq(None::<NaiveDateTime>), user_tokens::updated_at.eq(now())))
        .execute(raw))?;
    Ok(restored > 0)
}

/// Deletes a token with its settings and the record of its last use; closes the sockets whose JWT came from it. Returns what it was.
///
/// # Errors
///
/// [`Error::NotFound`](crate::store::Error::NotFound) when there is no such token.
pub async fn delete(tx: &mut Transaction<'_>, id: i32) -> Result<UserToken> {
    tx.revoke(Revocation::Token(id));
    on_conn!(tx, |raw| diesel::delete(user_tokens::table.find(id)).returning(UserToken::as_returning()).get_result(raw))
}
