//! The table `invitation_senders`: the users who invited an address to the server itself, and not into an organization.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{
    DbConn, Result, Transaction, now,
    schema::{invitation_senders, users},
    user_suspensions::active,
};

/// Returns true if a user with an active account sent this invitation to the server.
pub async fn any_active(conn: &mut DbConn, invitation_id: i32) -> Result<bool> {
    let senders = invitation_senders::table
        .inner_join(users::table)
        .filter(invitation_senders::invitation_id.eq(invitation_id))
        .select(invitation_senders::user_id);
    on_conn!(conn, |raw| diesel::select(diesel::dsl::exists(senders.filter(active!()))).get_result(raw))
}

/// Returns true if a user whose account still exists sent this invitation to the server.
pub async fn any(conn: &mut DbConn, invitation_id: i32) -> Result<bool> {
    let senders = invitation_senders::table.filter(invitation_senders::invitation_id.eq(invitation_id));
    on_conn!(conn, |raw| diesel::select(diesel::dsl::exists(senders)).get_result(raw))
}

/// Returns true if this user sent the invitation.
pub async fn is_sender(conn: &mut DbConn, invitation_id: i32, user_id: i32) -> Result<bool> {
    let found = invitation_senders::table.find((invitation_id, user_id));
    on_conn!(conn, |raw| diesel::select(diesel::dsl::exists(found)).get_result(raw))
}

/// Records this user as a sender of the invitation.
///
/// # Errors
///
/// [`Error::NotFound`](super::Error::NotFound) when one of the rows that it refers to is gone.
pub async fn create(tx: &mut Transaction<'_>, invitation_id: i32, user_id: i32) -> Result<()> {
    on_conn!(tx, |raw| diesel::insert_into(invitation_senders::table)
        .values((
            invitation_senders::invitation_id.eq(invitation_id),
            invitation_senders::user_id.eq(user_id),
            invitation_senders::inserted_at.eq(now()),
        ))
        .execute(raw))
    .map(drop)
}

/// Removes this user from the senders; `false` when the user was not one.
pub async fn delete(tx: &mut Transaction<'_>, invitation_id: i32, user_id: i32) -> Result<bool> {
    let found = invitation_senders::table.find((invitation_id, user_id));
    let deleted = on_conn!(tx, |raw| diesel::delete(found).execute(raw))?;
    Ok(deleted > 0)
}
