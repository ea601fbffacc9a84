//! The table `installation`: one row, which tells new installations from older ones.
//!
//! The migrator writes the row once, in the transaction of the migrations. Defaults that became stricter apply to new
//! installations only, so an older one behaves after an upgrade as it did before.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{DbConn, Result, error::Optional as _, schema::installation};

/// The primary key of the only row.
const ID: i32 = 1;

/// Returns true if the database was empty when this server first used it: neither the original nor a version of this
/// server without the table `installation` has run on it. It stays true for as long as the database exists.
///
/// If the row is missing, the stricter defaults apply until the next start writes it.
pub async fn is_new(conn: &mut DbConn) -> Result<bool> {
    let found = on_conn!(conn, |raw| installation::table.find(ID).select(installation::is_new).first(raw));
    Ok(found.optional()?.unwrap_or(true))
}

/// Returns the SQL that writes the row, unless there is one.
pub(super) fn sql_to_record(is_new: bool, made_at: NaiveDateTime) -> String {
    let made_at = made_at.format("%Y-%m-%d %H:%M:%S");
    format!("INSERT INTO installation VALUES ({ID}, {is_new}, '{made_at}') ON CONFLICT (id) DO NOTHING")
}
