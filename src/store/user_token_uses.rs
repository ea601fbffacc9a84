//! The table `user_token_uses`: when and from where a token was last exchanged for a JWT.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{
    DbConn, Result, Transaction, now,
    reference::truncated,
    schema::{user_token_uses, user_tokens},
    user_tokens::UserToken,
};

/// The last use of a token, to about a minute.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = user_token_uses)]
pub struct Use {
    /// When.
    pub used_at: NaiveDateTime,
    /// From where.
    pub ip: Option<String>,
}

/// All tokens of a user with their last use, the newest token first.
pub async fn list(conn: &mut DbConn, user_id: i32) -> Result<Vec<(UserToken, Option<Use>)>> {
    on_conn!(conn, |raw| user_tokens::table
        .left_join(user_token_uses::table)
        .filter(user_tokens::user_id.eq(user_id))
        .order(user_tokens::id.desc())
        .select((UserToken::as_select(), Option::<Use>::as_select()))
        .load(raw))
}

/// Notes that a token is used now. An address that is too long for its column is cut.
///
/// # Errors
///
/// [`Error::NotFound`](super::Error::NotFound) when there is no such token.
pub async fn note(tx: &mut Transaction<'_>, token_id: i32, ip: &str) -> Result<()> {
    let last = (user_token_uses::used_at.eq(now()), user_token_uses::ip.eq(truncated(ip)));
    on_conn!(tx, |raw| diesel::insert_into(user_token_uses::table)
        .values((user_token_uses::user_token_id.eq(token_id), last))
        .on_conflict(user_token_uses::user_token_id)
        .do_update()
        .set(last)
        .execute(raw))
    .map(drop)
}
