//! How the database is: for those who look after it.

use diesel::{
    dsl::sql,
    sql_types::{BigInt, Text},
};
use diesel_async::RunQueryDsl;

use super::{Db, DbConn, PoolStats, Result, connect::RawConn};

/// How the database is.
#[derive(Clone, Debug)]
pub struct Status {
    /// `SQLite` or `Postgres`.
    pub kind: &'static str,
    /// Its version, in its own words: `15.14 (Debian 15.14-0+deb12u1)`.
    pub version: String,
    /// What it takes up on disk, in bytes; with SQLite without the log of what was written last.
    pub bytes: i64,
    /// The connections of this process.
    pub pool: PoolStats,
}

impl Db {
    /// How the database is.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`](super::Error::Unavailable) when it does not answer.
    pub async fn status(&self) -> Result<Status> {
        // Before this takes a connection itself.
        let pool = self.pool_stats();
        let (kind, version, bytes) = ask(&mut self.conn().await?).await?;
        Ok(Status { kind, version, bytes, pool })
    }
}

/// Each database has words of its own for this.
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
