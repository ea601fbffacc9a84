//! Status of the database, for administrators.

use diesel::{
    dsl::sql,
    sql_types::{BigInt, Text},
};
use diesel_async::RunQueryDsl;

use super::{Db, DbConn, PoolStats, Result, connect::RawConn};

/// Status of the database.
#[derive(Clone, Debug)]
pub struct Status {
    /// `SQLite` or `Postgres`.
    pub kind: &'static str,
    /// Version, as the database reports it: `15.14 (Debian 15.14-0+deb12u1)`.
    pub version: String,
    /// Size on disk in bytes; for SQLite without the write-ahead log.
    pub bytes: i64,
    /// Statistics of this process's connections.
    pub pool: PoolStats,
}

impl Db {
    /// Returns the status of the database.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`](super::Error::Unavailable) when it does not answer.
    pub async fn status(&self) -> Result<Status> {
        // Read before this function takes a connection itself.
        let pool = self.pool_stats();
        let (kind, version, bytes) = ask(&mut self.conn().await?).await?;
        Ok(Status { kind, version, bytes, pool })
    }
}

/// Queries the kind, version and size. Each database has its own way to ask.
async fn ask(conn: &mut DbConn) -> Result<(&'static str, String, i64)> {
    let (kind, version, bytes) = match conn.raw() {
        RawConn::Sqlite(_) => {
            let bytes = "(SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size())";
            ("SQLite", "sqlite_version()", bytes)
        }
        RawConn::Postgres(_) => {
            ("Postgres", "current_setting('server_version')", "pg_database_size(current_database())")
        }
    };
    let asked = diesel::select((sql::<Text>(version), sql::<BigInt>(bytes)));
    let (version, bytes) = on_conn!(conn, |raw| asked.get_result(raw))?;
    Ok((kind, version, bytes))
}
