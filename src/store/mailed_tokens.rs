//! The columns of `users` that hold tokens which were mailed as links. Each can be used once.
//!
//! A given token is looked up in the forms in which it may be stored; see `auth::mailed_token`.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{DbConn, Result, Transaction, credentials::Credentials, error::Optional as _, now, schema::users};

/// Stores a token that confirms the address, in place of an earlier one.
pub async fn keep_confirmation(tx: &mut Transaction<'_>, id: i32, stored: &str) -> Result<()> {
    on_conn!(tx, |raw| diesel::update(users::table.find(id))
        .set((users::confirmation_token.eq(stored), users::confirmation_sent_at.eq(now())))
        .execute(raw))
    .map(drop)
}

/// Stores a token that sets a password, in place of an earlier one.
pub async fn keep_reset(tx: &mut Transaction<'_>, id: i32, stored: &str) -> Result<()> {
    on_conn!(tx, |raw| diesel::update(users::table.find(id))
        .set((users::reset_password_token.eq(stored), users::reset_password_sent_at.eq(now())))
        .execute(raw))
    .map(drop)
}

/// Stores a token that unlocks the account, in place of an earlier one.
pub async fn keep_unlock(tx: &mut Transaction<'_>, id: i32, stored: &str) -> Result<()> {
    on_conn!(tx, |raw| diesel::update(users::table.find(id)).set(users::unlock_token.eq(stored)).execute(raw)).map(drop)
}

/// Returns the user whose address this token confirms.
pub async fn find_confirmation(conn: &mut DbConn, forms: &[String]) -> Result<Option<Credentials>> {
    on_conn!(conn, |raw| users::table
        .filter(users::confirmation_token.eq_any(forms))
        .select(Credentials::as_select())
        .first(raw))
    .optional()
}

/// Returns the user whose password this token sets.
pub async fn find_reset(conn: &mut DbConn, forms: &[String]) -> Result<Option<Credentials>> {
    on_conn!(conn, |raw| users::table
        .filter(users::reset_password_token.eq_any(forms))
        .select(Credentials::as_select())
        .first(raw))
    .optional()
}

/// Returns the user whose account this token unlocks.
pub async fn find_unlock(conn: &mut DbConn, forms: &[String]) -> Result<Option<Credentials>> {
    on_conn!(conn, |raw| users::table
        .filter(users::unlock_token.eq_any(forms))
        .select(Credentials::as_select())
        .first(raw))
    .optional()
}

/// Confirms the address by this token, and deletes the token; `false` when another transaction was faster.
pub async fn use_confirmation(tx: &mut Transaction<'_>, id: i32, forms: &[String]) -> Result<bool> {
    let with_token = users::table.find(id).filter(users::confirmation_token.eq_any(forms));
    let changed = on_conn!(tx, |raw| diesel::update(with_token)
        .set((users::confirmation_token.eq(None::<String>), users::confirmed_at.eq(now()), users::updated_at.eq(now())))
        .execute(raw))?;
    Ok(changed > 0)
}

/// Deletes this token before the password is set; `false` when another transaction was faster. Using it also confirms
/// the address, since the user reads mail to it.
pub async fn use_reset(tx: &mut Transaction<'_>, id: i32, forms: &[String]) -> Result<bool> {
    let with_token = users::table.find(id).filter(users::reset_password_token.eq_any(forms));
    let changed = on_conn!(tx, |raw| diesel::update(with_token)
        .set((users::reset_password_token.eq(None::<String>), users::reset_password_sent_at.eq(None::<NaiveDateTime>),))
        .execute(raw))?;
    if changed == 0 {
        return Ok(false);
    }
    let unconfirmed = users::table.find(id).filter(users::confirmed_at.is_null());
    on_conn!(tx, |raw| diesel::update(unconfirmed)
        .set((users::confirmed_at.eq(now()), users::confirmation_token.eq(None::<String>)))
        .execute(raw))?;
    Ok(true)
}
