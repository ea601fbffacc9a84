//! The table `invitation_senders`: who invited somebody to the server itself, and not into an organization.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{DbConn, Result, Transaction, now, schema::invitation_senders};

/// Whether this user invited them.
pub async fn is_sender(conn: &mut DbConn, invitation_id: i32, user_id: i32) -> Result<bool> {
    let found = invitation_senders::table.find((invitation_id, user_id));
    on_conn!(conn, |raw| diesel::select(diesel::dsl::exists(found)).get_result(raw))
}

/// Notes that this user invited them.
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

/// Takes that back; `false` when it was not so.
pub async fn delete(tx: &mut Transaction<'_>, invitation_id: i32, user_id: i32) -> Result<bool> {
    let found = invitation_senders::table.find((invitation_id, user_id));
    let deleted = on_conn!(tx, |raw| diesel::delete(found).execute(raw))?;
    Ok(deleted > 0)
}
