//! The database: SQLite or Postgres, chosen by URL, every query written once.
//!
//! - [`Db`] hands out connections ([`Db::conn`]) to read, and runs transactions ([`Db::transaction`]) to write.
//! - A function that reads takes `&mut DbConn`; one that writes takes `&mut Transaction`, which only
//!   [`Db::transaction`] can give: so no write is half done, and none goes unnoticed by the [`access`] cache. Actions that
//!   follow a write are its [`effects`], which the commit carries out.
//! - One file per table holds its queries; `on_conn!` type-checks each of them against both databases.
//! - [`access`] answers, from memory, which user may use which application.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use chrono::{NaiveDateTime, SubsecRound, Utc};

/// Runs one query expression on whichever database the connection belongs to.
///
/// The whole query is built inside, because `as_select`, `as_returning` and `into_boxed` carry the backend's type. It
/// evaluates to a `Result` with the module's [`Error`]. Postgres has [`Options::timeout`] to answer; SQLite waits only
/// for other writers, and limits that wait itself.
macro_rules! on_conn {
    ($conn:expr, |$raw:ident| $query:expr) => {{
        let timeout = $conn.timeout();
        let answer = match $conn.raw() {
            $crate::store::connect::RawConn::Sqlite($raw) => {
                let $raw = &mut **$raw;
                Ok($query.await)
            }
            $crate::store::connect::RawConn::Postgres($raw) => {
                let $raw = &mut ***$raw;
                tokio::time::timeout(timeout, $query).await
            }
        };
        $conn.judge(answer).await
    }};
}

pub mod access;
pub mod admin;
pub mod application_limits;
pub mod applications;
pub mod audit;
pub mod audit_trim;
pub mod backup;
mod connect;
pub mod credentials;
pub mod demo;
pub mod effects;
pub mod email_changes;
pub mod endings;
pub mod enrollments;
mod error;
pub mod installation;
pub mod invitation_enrollments;
pub mod invitation_senders;
pub mod invitations;
pub mod mailed_tokens;
pub mod mails;
mod migrate;
pub mod organizations;
mod outage;
pub mod ownerships;
mod postgres;
mod reference;
pub mod rememberables;
pub mod roots;
mod schema;
mod session_hash;
pub mod sessions;
mod sqlite_file;
mod status;
mod transaction;
mod url;
pub mod user_quotas;
pub mod user_suspensions;
pub mod user_token_uses;
pub mod user_tokens;
pub mod users;

pub use self::connect::{DbConn, Options, PoolStats};
pub use self::error::Error;
pub use self::reference::{Reference, Unstorable, check_text};
pub use self::status::Status;
pub use self::transaction::Transaction;
pub use self::url::DatabaseUrl;

/// The result of everything in this module.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The database. Cheap to clone; all clones share one pool.
#[derive(Clone, Debug)]
pub struct Db {
    pool: connect::Pool,
    generation: Generation,
    sink: Option<effects::Sink>,
}

impl Db {
    /// Opens the pool and checks that the database answers, without changing anything in it.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when the database does not answer within [`Options::timeout`]. [`Error::Unusable`] when
    /// the file or its folder cannot be opened, or the URL asks for something unsupported.
    pub async fn connect(url: &DatabaseUrl, options: &Options) -> Result<Self> {
        let pool = connect::Pool::open(url, options).await?;
        Ok(Self { pool, generation: Generation::default(), sink: None })
    }

    /// Creates the missing parts of the schema. Harmless on a database with the full schema, also when several
    /// processes start at the same time. A database of the original keeps all its data and gains one table, diesel's
    /// list of migrations.
    ///
    /// # Errors
    ///
    /// [`Error::Unusable`] when the tables there are not the original's, or creating them is refused.
    pub async fn migrate(&self) -> Result<()> {
        migrate::run(&self.pool).await?;
        migrate::check(&mut self.conn().await?).await
    }

    /// Returns a connection for reading.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when none becomes free within [`Options::timeout`].
    pub async fn conn(&self) -> Result<DbConn> {
        self.pool.get().await
    }

    /// Checks that the database answers queries, and that its schema is up to date.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when it does not answer, [`Error::Unusable`] when the schema is another one.
    pub async fn check(&self) -> Result<()> {
        match migrate::is_current(&mut self.conn().await?).await {
            Ok(true) => Ok(()),
            Err(Error::Unavailable(reason)) => Err(Error::Unavailable(reason)),
            _ => Err(Error::Unusable("the database lacks migrations of this server".to_owned())),
        }
    }

    /// Returns the statistics of the connection pool.
    pub fn pool_stats(&self) -> PoolStats {
        self.pool.stats()
    }

    /// Returns the number of transactions that this process has committed: data that was read under an older number may
    /// be stale.
    fn generation(&self) -> u64 {
        self.generation.0.load(Ordering::Acquire)
    }
}

/// Counts this process's commits.
#[derive(Clone, Debug, Default)]
struct Generation(Arc<AtomicU64>);

impl Generation {
    /// Makes everything that was read before stale. Call it after a commit, never before: a reader that starts in
    /// between would otherwise keep the old row under the new number.
    fn advance(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

/// Returns the current time, as the tables hold it: UTC without a zone, in whole seconds like the original's rows.
pub fn now() -> NaiveDateTime {
    Utc::now().naive_utc().trunc_subsecs(0)
}
