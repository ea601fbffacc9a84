//! The table `email_changes`: addresses that users want instead of theirs, until they are confirmed.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{
    DbConn, Error, Result, Transaction, credentials,
    error::Optional as _,
    now,
    schema::{email_changes, users},
};

/// A wish for another address.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = email_changes)]
pub struct EmailChange {
    /// Whose.
    pub user_id: i32,
    /// The address to be.
    pub email: String,
    /// When the link was mailed there.
    pub inserted_at: NaiveDateTime,
}

/// What the user wishes for.
pub async fn find(conn: &mut DbConn, user_id: i32) -> Result<Option<EmailChange>> {
    on_conn!(conn, |raw| email_changes::table.find(user_id).select(EmailChange::as_select()).first(raw)).optional()
}

/// What the token with one of these stored forms confirms.
pub async fn find_by_token(conn: &mut DbConn, forms: &[String]) -> Result<Option<EmailChange>> {
    on_conn!(conn, |raw| email_changes::table
        .filter(email_changes::token_hash.eq_any(forms))
        .select(EmailChange::as_select())
        .first(raw))
    .optional()
}

/// Keeps a wish, in the place of an earlier one.
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

/// Gives the user the address; `false` when the wish is gone by now. Links that were mailed to the old one to set a
/// password are good for nothing any more.
///
/// # Errors
///
/// [`Error::Duplicate`] when somebody else has the address by now, be it in other upper and lower case, which the unique
/// index does not see, but signing in takes for the same.
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

/// Forgets the wish; `false` when there was none.
pub async fn delete(tx: &mut Transaction<'_>, user_id: i32) -> Result<bool> {
    let deleted = on_conn!(tx, |raw| diesel::delete(email_changes::table.find(user_id)).execute(raw))?;
    Ok(deleted > 0)
}
