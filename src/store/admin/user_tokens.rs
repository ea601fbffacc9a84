//! Users' tokens, without the tokens themselves.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{Found, Order, Slice, UserName, contains, ordered, pattern};
use crate::store::{
    DbConn, Error, Result, Transaction,
    error::Optional as _,
    now,
    schema::{user_token_uses, user_tokens, users},
    user_token_uses::Use,
    user_tokens::UserToken,
};

/// A token in a list.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = user_tokens)]
pub struct Row {
    /// The primary key.
    pub id: i32,
    /// Since when it opens no sessions any more.
    pub invalidated_at: Option<NaiveDateTime>,
    /// When it was created.
    pub inserted_at: NaiveDateTime,
    /// Whose it is.
    #[diesel(embed)]
    pub user: UserName,
    /// When it was last used, if it was since that is noted.
    #[diesel(embed)]
    pub last_use: Option<Use>,
}

/// Which tokens to list; `None` lists all.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Part of the user's name or address, or the token's id.
    pub text: Option<String>,
    /// Those that are valid, or are not.
    pub is_valid: Option<bool>,
    /// Those of this user.
    pub user_id: Option<i32>,
}

/// What tokens can be ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are the columns")]
pub enum Sort {
    Id,
    User,
    InvalidatedAt,
    UsedAt,
    InsertedAt,
}

/// The rows of a search, for both backends to infer.
macro_rules! found {
    ($search:expr) => {{
        let mut query = user_tokens::table.inner_join(users::table).left_join(user_token_uses::table).into_boxed();
        if let Some(text) = &$search.text {
            let pattern = pattern(text);
            let named = contains!(users::name, pattern.clone()).or(contains!(users::email, pattern));
            query = query.filter(named.or(user_tokens::id.nullable().eq(text.parse::<i32>().ok())));
        }
        if let Some(is_valid) = $search.is_valid {
            query = query.filter(user_tokens::invalidated_at.is_null().eq(is_valid));
        }
        if let Some(user_id) = $search.user_id {
            query = query.filter(user_tokens::user_id.eq(user_id));
        }
        query
    }};
}

/// The tokens of a search.
pub async fn list(conn: &mut DbConn, search: &Search, order: Order<Sort>, slice: Slice) -> Result<Found<Row>> {
    let total = on_conn!(conn, |raw| found!(search).count().get_result(raw))?;
    let descending = order.descending;
    let rows = on_conn!(conn, |raw| {
        let query = found!(search);
        let query = match order.by {
            Sort::Id => ordered!(query, descending, user_tokens::id),
            Sort::User => ordered!(query, descending, super::lower(users::email)),
            Sort::InvalidatedAt => ordered!(query, descending, user_tokens::invalidated_at),
            Sort::UsedAt => ordered!(query, descending, user_token_uses::used_at.nullable()),
            Sort::InsertedAt => ordered!(query, descending, user_tokens::inserted_at),
        };
        query.then_order_by(user_tokens::id).offset(slice.offset).limit(slice.limit).select(Row::as_select()).load(raw)
    })?;
    Ok(Found { rows, total })
}

/// One token, with the secret.
pub async fn find(conn: &mut DbConn, id: i32) -> Result<Option<(Row, UserToken)>> {
    on_conn!(conn, |raw| user_tokens::table
        .inner_join(users::table)
        .left_join(user_token_uses::table)
        .filter(user_tokens::id.eq(id))
        .select((Row::as_select(), UserToken::as_select()))
        .first(raw))
    .optional()
}

/// Makes a token valid again, or invalid.
///
/// # Errors
///
/// [`Error::NotFound`] when there is no such token.
pub async fn set_valid(tx: &mut Transaction<'_>, id: i32, is_valid: bool) -> Result<()> {
    let now = now();
    let updated = on_conn!(tx, |raw| diesel::update(user_tokens::table.find(id))
        .set((user_tokens::invalidated_at.eq((!is_valid).then_some(now)), user_tokens::updated_at.eq(now)))
        .execute(raw))?;
    if updated == 0 { Err(Error::NotFound) } else { Ok(()) }
}

/// Deletes a token, and when it was used.
///
/// # Errors
///
/// [`Error::NotFound`] when there is no such token.
pub async fn delete(tx: &mut Transaction<'_>, id: i32) -> Result<()> {
    let deleted = on_conn!(tx, |raw| diesel::delete(user_tokens::table.find(id)).execute(raw))?;
    if deleted == 0 { Err(Error::NotFound) } else { Ok(()) }
}
