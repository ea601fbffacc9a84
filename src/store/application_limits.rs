//! The table `application_limits`: what single applications may use that differs from the settings.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{
    DbConn, Result, Transaction,
    error::Optional as _,
    now,
    schema::{application_limits, applications},
};

/// What one application may use. `None` is as the settings say, 0 is no limit; never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = application_limits, treat_none_as_null = true)]
pub struct ApplicationLimits {
    /// Its sockets.
    pub sockets: Option<i32>,
    /// Events that its sockets push and REST publishes to it a second.
    pub events_per_second: Option<i32>,
    /// Events that each of its sockets pushes a second.
    pub events_per_socket: Option<i32>,
}

/// The limits of all active applications that have some of their own, by key.
pub async fn all(conn: &mut DbConn) -> Result<Vec<(String, ApplicationLimits)>> {
    on_conn!(conn, |raw| application_limits::table
        .inner_join(applications::table)
        .filter(applications::archived_at.is_null())
        .filter(applications::app_key.is_not_null())
        .select((applications::app_key.assume_not_null(), ApplicationLimits::as_select()))
        .load(raw))
}

/// The limits of one application; by default there are none of its own.
pub async fn find(conn: &mut DbConn, application_id: i32) -> Result<ApplicationLimits> {
    let found = on_conn!(conn, |raw| application_limits::table
        .find(application_id)
        .select(ApplicationLimits::as_select())
        .first(raw));
    Ok(found.optional()?.unwrap_or_default())
}

/// Gives an application these limits in place of others.
///
/// # Errors
///
/// [`Error::NotFound`](super::Error::NotFound) when there is no such application.
pub async fn set(tx: &mut Transaction<'_>, application_id: i32, limits: &ApplicationLimits) -> Result<()> {
    let now: NaiveDateTime = now();
    let row = (
        application_limits::application_id.eq(application_id),
        limits,
        application_limits::inserted_at.eq(now),
        application_limits::updated_at.eq(now),
    );
    on_conn!(tx, |raw| diesel::insert_into(application_limits::table)
        .values(row)
        .on_conflict(application_limits::application_id)
        .do_update()
        .set((limits, application_limits::updated_at.eq(now)))
        .execute(raw))?;
    Ok(())
}
