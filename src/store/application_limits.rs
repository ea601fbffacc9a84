//! The table `application_limits`: settings of single applications that differ from the server's.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{
    DbConn, Result, Transaction,
    effects::Effect,
    error::Optional as _,
    now,
    schema::{application_limits, applications},
};

/// Settings that one application has of its own. `None` means the server's setting; a limit of 0 means none, and none is
/// negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = application_limits, treat_none_as_null = true)]
pub struct OwnSettings {
    /// Maximum open sockets.
    pub sockets: Option<i32>,
    /// Maximum events a second, pushed by the application's sockets and published to it by REST.
    pub events_per_second: Option<i32>,
    /// Maximum events a second that each of its sockets pushes.
    pub events_per_socket: Option<i32>,
}

impl OwnSettings {
    /// Returns the names of the columns with their values.
    pub fn columns(&self) -> [(&'static str, Option<i32>); 3] {
        [
            ("sockets", self.sockets),
            ("events_per_second", self.events_per_second),
            ("events_per_socket", self.events_per_socket),
        ]
    }
}

/// Returns the settings of all active applications that have their own, by key.
pub async fn all(conn: &mut DbConn) -> Result<Vec<(String, OwnSettings)>> {
    on_conn!(conn, |raw| application_limits::table
        .inner_join(applications::table)
        .filter(applications::archived_at.is_null())
        .filter(applications::app_key.is_not_null())
        .select((applications::app_key.assume_not_null(), OwnSettings::as_select()))
        .load(raw))
}

/// Returns the settings that one application has of its own; by default none.
pub async fn find(conn: &mut DbConn, application_id: i32) -> Result<OwnSettings> {
    let found = on_conn!(conn, |raw| application_limits::table
        .find(application_id)
        .select(OwnSettings::as_select())
        .first(raw));
    Ok(found.optional()?.unwrap_or_default())
}

/// Replaces the settings that an application has of its own.
///
/// # Errors
///
/// [`Error::NotFound`](super::Error::NotFound) when there is no such application.
pub async fn set(tx: &mut Transaction<'_>, application_id: i32, own: &OwnSettings) -> Result<()> {
    tx.add(Effect::ApplicationSettingsChanged);
    let now: NaiveDateTime = now();
    let row = (
        application_limits::application_id.eq(application_id),
        own,
        application_limits::inserted_at.eq(now),
        application_limits::updated_at.eq(now),
    );
    on_conn!(tx, |raw| diesel::insert_into(application_limits::table)
        .values(row)
        .on_conflict(application_limits::application_id)
        .do_update()
        .set((own, application_limits::updated_at.eq(now)))
        .execute(raw))?;
    Ok(())
}
