//! Opening connections: a pool for either database.

use std::{fmt, sync::Arc, time::Duration};

use diesel::{ConnectionError, SqliteConnection};
use diesel_async::{
    AsyncConnection, AsyncPgConnection, SimpleAsyncConnection, TransactionManager,
    pooled_connection::{
        AsyncDieselConnectionManager, ManagerConfig, PoolError, PoolableConnection, RecyclingMethod, bb8,
    },
    sync_connection_wrapper::SyncConnectionWrapper,
};
use futures_util::FutureExt;
use tokio::time::{Instant, error::Elapsed};

use super::{
    DatabaseUrl, Error, Result,
    outage::{Kind, Outage},
    postgres::{self, Connector},
    sqlite_file,
    url::unusable_url,
};

/// A SQLite connection, whose queries run on tokio's blocking threads.
pub(super) type SqliteConn = SyncConnectionWrapper<SqliteConnection>;

/// Options of the pool.
#[derive(Clone, Debug)]
pub struct Options {
    /// Maximum number of open connections, at least 1.
    pub pool_size: u32,
    /// Maximum time to wait for a connection to be opened or to become free, and for Postgres to answer a query.
    pub timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { pool_size: 10, timeout: Duration::from_secs(5) }
    }
}

/// A pool, and the state of its database.
#[derive(Clone)]
pub(super) struct Pool {
    pub(super) raw: RawPool,
    size: u32,
    timeout: Duration,
    outage: Arc<Outage>,
}

/// One pool of the two kinds.
#[derive(Clone)]
pub(super) enum RawPool {
    Sqlite(bb8::Pool<SqliteConn>),
    Postgres(bb8::Pool<AsyncPgConnection>),
}

/// A connection taken from the pool; dropping it gives it back.
pub struct DbConn {
    raw: RawConn,
    timeout: Duration,
    outage: Arc<Outage>,
}

/// Connection variants that [`on_conn!`](super) matches on.
pub(super) enum RawConn {
    Sqlite(bb8::PooledConnection<'static, SqliteConn>),
    Postgres(Box<bb8::PooledConnection<'static, AsyncPgConnection>>),
}

/// Size of the pool, and counters since the start.
#[derive(Clone, Copy, Debug)]
pub struct PoolStats {
    /// Connections that are open.
    pub open: usize,
    /// Open connections that are not in use.
    pub idle: usize,
    /// Maximum number of connections.
    pub max: usize,
    /// Number of times that a caller had to wait for a connection.
    pub waits: u64,
    /// Total time that callers waited.
    pub waited: Duration,
    /// Number of times that a caller got no connection.
    pub unavailable: u64,
    /// Connections that were opened.
    pub opened: u64,
    /// Connections that broke.
    pub broken: u64,
}

impl DbConn {
    pub(super) fn raw(&mut self) -> &mut RawConn {
        &mut self.raw
    }

    /// Returns the state of the database, which all connections share.
    pub(super) fn outage(&self) -> Arc<Outage> {
        Arc::clone(&self.outage)
    }

    /// Returns the time that Postgres has for an answer.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Turns the answer into a result for the caller, and records it in the shared state of the database.
    pub(super) async fn judge<T>(&mut self, answer: Result<diesel::QueryResult<T>, Elapsed>) -> Result<T> {
        match answer {
            Ok(answer) => {
                let mut answer = answer.map_err(Error::from);
                // Boxed, since this is rare and the future of every query would be larger.
                if matches!(answer, Err(Error::Query(_))) && !Box::pin(self.is_alive()).await {
                    answer = Err(Error::Unavailable("the database ended the connection".to_owned()));
                }
                if !matches!(answer, Err(Error::Unavailable(_))) {
                    self.outage.answered();
                }
                answer
            }
            Err(Elapsed { .. }) => {
                self.give_up();
                self.outage.failed(Kind::Silent);
                Err(Error::Unavailable(format!("it did not answer within {} s", self.timeout.as_secs_f32())))
            }
        }
    }

    /// Checks whether Postgres still answers after an error. A server that stops or crashes, or an administrator who ends
    /// the connection, is reported as an error of the query; only the end of the connection tells it from others.
    async fn is_alive(&mut self) -> bool {
        let time = self.timeout;
        match &mut self.raw {
            RawConn::Sqlite(_) => true,
            RawConn::Postgres(conn) => {
                let conn: &mut AsyncPgConnection = conn;
                // An empty query is answered in a transaction that has failed, too.
                matches!(tokio::time::timeout(time, conn.batch_execute("")).await, Ok(Ok(())))
            }
        }
    }

    /// Closes the connection instead of returning it to the pool: the next query on it would wait for the same answer.
    fn give_up(&mut self) {
        if let RawConn::Postgres(conn) = &mut self.raw {
            let conn: &mut AsyncPgConnection = conn;
            <AsyncPgConnection as AsyncConnection>::TransactionManager::transaction_manager_status_mut(conn)
                .set_in_error();
        }
    }
}

impl Pool {
    /// Opens the pool with one connection, so that a wrong URL is reported now, with its reason.
    pub(super) async fn open(url: &DatabaseUrl, options: &Options) -> Result<Self> {
        let (outage, timeout) = (Arc::new(Outage::default()), options.timeout);
        let raw = match url {
            DatabaseUrl::Sqlite(path) => {
                let path = sqlite_file::prepare(path)?;
                let mut config = ManagerConfig::default();
                config.recycling_method = RecyclingMethod::Fast;
                config.custom_setup = Box::new(|path| open_sqlite(path.to_owned()).boxed());
                let manager = AsyncDieselConnectionManager::<SqliteConn>::new_with_config(path, config);
                RawPool::Sqlite(build(manager, options, url, &outage).await?)
            }
            DatabaseUrl::Postgres(postgres) => {
                let mut config = ManagerConfig::default();
                // Does not ask the server, which would add a round trip to every query.
                config.recycling_method = RecyclingMethod::CustomFunction(Box::new(|conn| is_open(conn).boxed()));
                let connector = Connector::new(postgres::parse(postgres).map_err(unusable_url)?, timeout)?;
                config.custom_setup = Box::new(move |_| connector.clone().open().boxed());
                let manager = AsyncDieselConnectionManager::<AsyncPgConnection>::new_with_config(postgres, config);
                RawPool::Postgres(build(manager, options, url, &outage).await?)
            }
        };
        Ok(Self { raw, size: options.pool_size.max(1), timeout, outage })
    }

    pub(super) fn stats(&self) -> PoolStats {
        let state = match &self.raw {
            RawPool::Sqlite(pool) => pool.state(),
            RawPool::Postgres(pool) => pool.state(),
        };
        let counted = &state.statistics;
        PoolStats {
            open: state.connections as usize,
            idle: state.idle_connections as usize,
            max: self.size as usize,
            waits: counted.get_waited,
            waited: counted.get_wait_time,
            unavailable: counted.get_timed_out,
            opened: counted.connections_created,
            broken: counted.connections_closed_broken,
        }
    }

    pub(super) async fn get(&self) -> Result<DbConn> {
        self.outage.check(|| self.stats().idle > 0, self.timeout)?;
        let raw = tokio::select! {
            taken = self.take() => taken?,
            () = self.refused() => return Err(Error::Unavailable("no connection can be opened".to_owned())),
        };
        Ok(DbConn { raw, timeout: self.timeout, outage: Arc::clone(&self.outage) })
    }

    async fn take(&self) -> Result<RawConn> {
        let taken = match &self.raw {
            RawPool::Sqlite(pool) => pool.get_owned().await.map(RawConn::Sqlite),
            RawPool::Postgres(pool) => pool.get_owned().await.map(|conn| RawConn::Postgres(Box::new(conn))),
        };
        taken.map_err(|error| match error {
            ::bb8::RunError::TimedOut => Error::Unavailable("no connection became free in time".to_owned()),
            ::bb8::RunError::User(error) => Error::Unavailable(error.to_string()),
        })
    }

    /// Completes when no connection is open and none can be opened.
    async fn refused(&self) {
        loop {
            self.outage.refused().await;
            if self.stats().open == 0 {
                return;
            }
        }
    }
}

/// Connects once, to learn the reason if that fails (the pool itself would only time out), then fills the pool.
async fn build<C>(
    manager: AsyncDieselConnectionManager<C>,
    options: &Options,
    url: &DatabaseUrl,
    outage: &Arc<Outage>,
) -> Result<::bb8::Pool<AsyncDieselConnectionManager<C>>>
where
    AsyncDieselConnectionManager<C>: ::bb8::ManageConnection<Connection = C, Error = PoolError>,
    C: Send,
{
    let pool = ::bb8::Pool::builder()
        .max_size(options.pool_size.max(1))
        .connection_timeout(options.timeout)
        .error_sink(Box::new(NoteErrors(Arc::clone(outage))))
        .build_unchecked(manager);
    let first = tokio::time::timeout(options.timeout, pool.dedicated_connection()).await;
    match first {
        Ok(Ok(conn)) => {
            // The pool is new and empty, so there is room; if not, the connection is simply closed.
            let _ = pool.add(conn);
            Ok(pool)
        }
        Ok(Err(error)) => Err(Error::Unavailable(format!("{url}: {error}"))),
        Err(_) => Err(Error::Unavailable(format!("{url}: no answer within {} s", options.timeout.as_secs_f32()))),
    }
}

/// Returns an error if a connection that was idle for a while is closed, as far as this side knows.
async fn is_open(conn: &mut AsyncPgConnection) -> diesel::QueryResult<()> {
    if conn.is_broken() { Err(diesel::result::Error::BrokenTransactionManager) } else { Ok(()) }
}

/// With FULL, SQLite answers a commit when it is on disk; NORMAL would lose the last commits in a power failure.
const PRAGMAS: &str = "PRAGMA busy_timeout = 5000; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";

/// Interval and duration of retries while other processes keep a new file from switching to WAL. The duration is less
/// than the pool waits by default, so that the reason is reported.
const WAL_RETRY: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(4));

async fn open_sqlite(path: String) -> diesel::ConnectionResult<SqliteConn> {
    let mut conn = SqliteConn::establish(&path).await?;
    conn.batch_execute(PRAGMAS).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
    write_ahead(&mut conn).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

/// Switches the file to WAL, which lets readers continue while one connection writes. The setting is stored in the
/// file. For a new file this waits while other processes use it, since SQLite does not: `busy_timeout` has no effect
/// when a reader becomes a writer.
async fn write_ahead(conn: &mut SqliteConn) -> diesel::QueryResult<()> {
    let (pause, patience) = WAL_RETRY;
    let since = Instant::now();
    loop {
        match conn.batch_execute("PRAGMA journal_mode = WAL").await {
            Err(error) if error.to_string().contains("database is locked") && since.elapsed() < patience => {
                tokio::time::sleep(pause).await;
            }
            done => return done,
        }
    }
}

/// Records why the pool cannot open a connection; callers that wait for one only learn that it took too long.
#[derive(Debug)]
struct NoteErrors(Arc<Outage>);

impl ::bb8::ErrorSink<PoolError> for NoteErrors {
    fn sink(&self, error: PoolError) {
        match error {
            PoolError::ConnectionError(error) => {
                tracing::warn!(%error, "Could not open a database connection.");
                self.0.failed(Kind::Refused);
            }
            PoolError::QueryError(_) => tracing::debug!("A database connection was closed in the meantime."),
        }
    }

    fn boxed_clone(&self) -> Box<dyn ::bb8::ErrorSink<PoolError>> {
        Box::new(NoteErrors(Arc::clone(&self.0)))
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.raw {
            RawPool::Sqlite(_) => "Pool::Sqlite",
            RawPool::Postgres(_) => "Pool::Postgres",
        })
    }
}

impl fmt::Debug for DbConn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.raw {
            RawConn::Sqlite(_) => "DbConn::Sqlite",
            RawConn::Postgres(_) => "DbConn::Postgres",
        })
    }
}
