//! The table `user_token_uses`: time and IP address of the last exchange of each token for a JWT.

use chrono::{NaiveDateTime, Timelike};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{
    DbConn, Result, Transaction,
    error::Optional as _,
    now,
    reference::truncated,
    schema::{user_token_settings, user_token_uses, user_tokens},
    user_token_settings::TokenSettings,
    user_tokens::{UserToken, valid},
};

/// The last use of a token, to about a minute.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = user_token_uses)]
pub struct Use {
    /// Time of the use.
    pub used_at: NaiveDateTime,
    /// IP address of the use.
    pub ip: Option<String>,
}

/// A token, and all that its owner is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedToken {
    /// The token itself.
    pub token: UserToken,
    /// Name, scope and expiry.
    pub settings: TokenSettings,
    /// Last use, if the token was used since uses are recorded.
    pub last_use: Option<Use>,
    /// True if the token is neither invalidated nor expired.
    pub is_valid: bool,
}

/// Returns all tokens of a user with their last use, the newest token first.
pub async fn list(conn: &mut DbConn, user_id: i32) -> Result<Vec<ListedToken>> {
    let rows: Vec<(UserToken, Option<TokenSettings>, Option<Use>, bool)> = on_conn!(conn, |raw| user_tokens::table
        .left_join(user_token_settings::table)
        .left_join(user_token_uses::table)
        .filter(user_tokens::user_id.eq(user_id))
        .order(user_tokens::id.desc())
        .select((UserToken::as_select(), Option::<TokenSettings>::as_select(), Option::<Use>::as_select(), valid!()))
        .load(raw))?;
    let listed = |(token, row, last_use, is_valid)| {
        let settings = TokenSettings::of_row(row);
        ListedToken { token, settings, last_use, is_valid }
    };
    Ok(rows.into_iter().map(listed).collect())
}

/// Records that a token is used now. An address that is too long for its column is cut. Returns `true` for the first
/// use of this day, or the first in this hour from another address than the last use.
///
/// # Errors
///
/// [`Error::NotFound`](super::Error::NotFound) when there is no such token.
pub async fn note(tx: &mut Transaction<'_>, token_id: i32, ip: &str) -> Result<bool> {
    let before: Option<Use> =
        on_conn!(tx, |raw| user_token_uses::table.find(token_id).select(Use::as_select()).first(raw)).optional()?;
    let now = now();
    let is_like = |before: Use| {
        let (same_day, same_hour) = (before.used_at.date() == now.date(), before.used_at.hour() == now.hour());
        same_day && (same_hour || before.ip.as_deref() == Some(truncated(ip)))
    };
    let is_new = !before.is_some_and(is_like);
    let last = (user_token_uses::used_at.eq(now), user_token_uses::ip.eq(truncated(ip)));
    on_conn!(tx, |raw| diesel::insert_into(user_token_uses::table)
        .values((user_token_uses::user_token_id.eq(token_id), last))
        .on_conflict(user_token_uses::user_token_id)
        .do_update()
        .set(last)
        .execute(raw))?;
    Ok(is_new)
}
