//! The table `email_changes`: new addresses that users asked for and have not confirmed yet.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{
    DbConn, Error, Result, Transaction, credentials,
    error::Optional as _,
    now,
    schema::{email_changes, users},
};

/// A request for another address.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = email_changes)]
pub struct EmailChange {
    /// The user.
    pub user_id: i32,
    /// The new address.
    pub email: String,
    /// Time at which the link was mailed to the new address.
    pub inserted_at: NaiveDateTime,
}

/// Returns the pending change of the user.
pub async fn find(conn: &mut DbConn, user_id: i32) -> Result<Option<EmailChange>> {
    on_conn!(conn, |raw| email_changes::table.find(user_id).select(EmailChange::as_select()).first(raw)).optional()
}

/// Returns the change that the token with one of these stored forms confirms.
pub async fn find_by_token(conn: &mut DbConn, forms: &[String]) -> Result<Option<EmailChange>> {
    on_conn!(conn, |raw| email_changes::table
        .filter(email_changes::token_hash.eq_any(forms))
        .select(EmailChange::as_select())
        .first(raw))
    .optional()
}

/// Stores a change, in place of an earlier one.
///
/// # Errors
///
/// [`Error::NotFound`] when there is no such user.
pub async fn replace(tx: &mut Transaction<'_>, user_id: i32, email: &str, token_hash: &str) -> Result<()> {
    delete(tx, user_id).await?;
    on_conn!(tx, |raw| diesel::insert_into(email_changes::table)
        .values((
            email_changes::user_id.eq(user_id),
            email_changes::email.eq(email),
            email_changes::token_hash.eq(token_hash),
            email_changes::inserted_at.eq(now()),
        ))
        .execute(raw))
    .map(drop)
}

/// Gives the user the new address; returns `false` if the change is no longer pending. Links to set a password that
/// were mailed to the old address become invalid.
///
/// # Errors
///
/// [`Error::Duplicate`] when another user has taken the address meanwhile, even if in another case: the unique index
/// does not see that, but sign-in treats the two as the same.
pub async fn carry_out(tx: &mut Transaction<'_>, change: &EmailChange) -> Result<bool> {
    if !delete(tx, change.user_id).await? {
        return Ok(false);
    }
    if credentials::is_taken_by_another(tx, &change.email, change.user_id).await? {
        return Err(Error::Duplicate { field: "email" });
    }
    let now = now();
    on_conn!(tx, |raw| diesel::update(users::table.find(change.user_id))
        .set((
            users::email.eq(&change.email),
            users::confirmed_at.eq(now),
            users::reset_password_token.eq(None::<String>),
            users::reset_password_sent_at.eq(None::<NaiveDateTime>),
            users::updated_at.eq(now),
        ))
        .execute(raw))?;
    Ok(true)
}

/// Deletes the pending change; `false` when there was none.
pub(super) async fn delete(tx: &mut Transaction<'_>, user_id: i32) -> Result<bool> {
    let deleted = on_conn!(tx, |raw| diesel::delete(email_changes::table.find(user_id)).execute(raw))?;
    Ok(deleted > 0)
}
