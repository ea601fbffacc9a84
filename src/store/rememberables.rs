//! The table `rememberables`: browsers that stay signed in. Each has a permanent series, and a token that changes with
//! each use.

use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{DbConn, Result, Transaction, error::Optional as _, now, schema::rememberables};

/// A remembered browser.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = rememberables)]
pub struct Rememberable {
    /// The primary key.
    pub id: i32,
    /// The user who stays signed in.
    pub user_id: Option<i32>,
    /// Hash of the valid token.
    pub token_hash: Option<String>,
    /// Creation time of that token.
    pub token_created_at: Option<NaiveDateTime>,
}

/// Returns the browser with this series.
pub async fn find(conn: &mut DbConn, series_hash: &str) -> Result<Option<Rememberable>> {
    on_conn!(conn, |raw| rememberables::table
        .filter(rememberables::series_hash.eq(series_hash))
        .select(Rememberable::as_select())
        .first(raw))
    .optional()
}

/// Remembers a browser.
///
/// # Errors
///
/// [`Error::NotFound`](super::Error::NotFound) when there is no such user.
pub async fn create(tx: &mut Transaction<'_>, user_id: i32, series_hash: &str, token_hash: &str) -> Result<()> {
    let now = now();
    on_conn!(tx, |raw| diesel::insert_into(rememberables::table)
        .values((
            rememberables::user_id.eq(user_id),
            rememberables::series_hash.eq(series_hash),
            rememberables::token_hash.eq(token_hash),
            rememberables::token_created_at.eq(now),
            rememberables::inserted_at.eq(now),
            rememberables::updated_at.eq(now),
        ))
        .execute(raw))
    .map(drop)
}

/// Replaces the token `old` by `new`; `false` when `old` is no longer the valid one.
pub async fn rotate(tx: &mut Transaction<'_>, id: i32, old: &str, new: &str) -> Result<bool> {
    let now = now();
    let current = rememberables::table.find(id).filter(rememberables::token_hash.eq(old));
    let changed = on_conn!(tx, |raw| diesel::update(current)
        .set((
            rememberables::token_hash.eq(new),
            rememberables::token_created_at.eq(now),
            rememberables::updated_at.eq(now),
        ))
        .execute(raw))?;
    Ok(changed > 0)
}

/// Forgets the browser with this series, if it is remembered.
pub async fn delete(tx: &mut Transaction<'_>, series_hash: &str) -> Result<()> {
    let of_series = rememberables::table.filter(rememberables::series_hash.eq(series_hash));
    on_conn!(tx, |raw| diesel::delete(of_series).execute(raw)).map(drop)
}

/// Forgets all browsers of the user. For [`endings`](super::endings).
pub(super) async fn delete_all_of(tx: &mut Transaction<'_>, user_id: i32) -> Result<()> {
    let of_user = rememberables::table.filter(rememberables::user_id.eq(user_id));
    on_conn!(tx, |raw| diesel::delete(of_user).execute(raw)).map(drop)
}

/// Forgets the browsers whose token is older than `lifetime`.
pub async fn delete_older(tx: &mut Transaction<'_>, lifetime: TimeDelta) -> Result<()> {
    let older = rememberables::table.filter(rememberables::token_created_at.le(now() - lifetime));
    on_conn!(tx, |raw| diesel::delete(older).execute(raw)).map(drop)
}
