//! The table `ownerships`: which organization an application belongs to.
//!
//! Only rows with `is_owned` count, as in the original's queries.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{
    DbConn, Result, Transaction, now,
    schema::{enrollments, ownerships},
};

/// Gives an application to an organization.
///
/// # Errors
///
/// [`Error::NotFound`](super::Error::NotFound) when one of the two is missing.
pub async fn create(tx: &mut Transaction<'_>, organization_id: i32, application_id: i32) -> Result<()> {
    let now = now();
    on_conn!(tx, |raw| diesel::insert_into(ownerships::table)
        .values((
            ownerships::organization_id.eq(organization_id),
            ownerships::application_id.eq(application_id),
            ownerships::is_owned.eq(true),
            ownerships::inserted_at.eq(now),
            ownerships::updated_at.eq(now),
        ))
        .execute(raw))?;
    Ok(())
}

/// The organizations that own this application and have this user enrolled.
pub async fn organizations_shared(conn: &mut DbConn, application_id: i32, user_id: i32) -> Result<Vec<i32>> {
    let of_user = enrollments::table.filter(enrollments::user_id.eq(user_id)).select(enrollments::organization_id);
    on_conn!(conn, |raw| ownerships::table
        .filter(ownerships::application_id.eq(application_id))
        .filter(ownerships::is_owned.eq(true))
        .filter(ownerships::organization_id.eq_any(of_user))
        .order(ownerships::organization_id)
        .select(ownerships::organization_id)
        .load(raw))
}
