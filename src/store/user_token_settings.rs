//! The table `user_token_settings`: name, scope and expiry of tokens. A token without a row has no name, the scope `all` and
//! no expiry.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{DbConn, Result, Transaction, error::Optional as _, schema::user_token_settings, token_scope::TokenScope};

/// Name, scope and expiry of a token.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = user_token_settings)]
pub struct TokenSettings {
    /// The name by which people tell the token from others.
    pub name: Option<String>,
    /// The part of the API that the token is for.
    #[diesel(deserialize_as = String)]
    pub scope: TokenScope,
    /// Time from which the token is invalid.
    pub expires_at: Option<NaiveDateTime>,
}

impl TokenSettings {
    /// Settings of a token without a row.
    pub const ABSENT: Self = Self { name: None, scope: TokenScope::All, expires_at: None };

    /// Returns the settings of a token whose row may be absent.
    pub(in crate::store) fn of_row(row: Option<Self>) -> Self {
        row.unwrap_or(Self::ABSENT)
    }
}

/// Returns the settings of the token with this id.
pub async fn find(conn: &mut DbConn, token_id: i32) -> Result<TokenSettings> {
    let row = user_token_settings::table.find(token_id);
    let row = on_conn!(conn, |raw| row.select(TokenSettings::as_select()).first(raw)).optional()?;
    Ok(TokenSettings::of_row(row))
}

/// Records the settings of a new token. Those of a token without a row need none.
///
/// # Errors
///
/// [`Error::NotFound`](super::Error::NotFound) when there is no such token.
pub async fn create(tx: &mut Transaction<'_>, token_id: i32, settings: &TokenSettings) -> Result<()> {
    if *settings == TokenSettings::ABSENT {
        return Ok(());
    }
    let row = (
        user_token_settings::user_token_id.eq(token_id),
        user_token_settings::name.eq(settings.name.as_deref()),
        user_token_settings::scope.eq(settings.scope.name()),
        user_token_settings::expires_at.eq(settings.expires_at),
    );
    on_conn!(tx, |raw| diesel::insert_into(user_token_settings::table).values(row).execute(raw)).map(drop)
}
