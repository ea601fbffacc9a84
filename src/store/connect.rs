//! Opening connections: a pool for either database.

use std::{fmt, path::Path, sync::Arc, time::Duration};

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
    url::unusable_url,
};

/// A SQLite connection, whose queries run on tokio's blocking threads.
pub(super) type SqliteConn = SyncConnectionWrapper<SqliteConnection>;

/// What to ask of the pool.
#[derive(Clone, Debug)]
pub struct Options {
    /// The most connections that are open at once, at least 1.
    pub pool_size: u32,
    /// How long to wait for a connection to be opened or to become free, and for Postgres to answer a query.
    pub timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { pool_size: 10, timeout: Duration::from_secs(5) }
    }
}

/// A pool, and whether its database answers.
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

/// What [`on_conn!`](super) looks into.
pub(super) enum RawConn {
    Sqlite(bb8::PooledConnection<'static, SqliteConn>),
    Postgres(Box<bb8::PooledConnection<'static, AsyncPgConnection>>),
}

/// What the pool holds, and what it has counted since the start.
#[derive(Clone, Copy, Debug)]
pub struct PoolStats {
    /// Connections that are open.
    pub open: usize,
    /// Those of them that nobody uses.
    pub idle: usize,
    /// The most that may be open.
    pub max: usize,
    /// How often somebody had to wait for one.
    pub waits: u64,
    /// How long they waited, all together.
    pub waited: Duration,
    /// How often none was had.
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

    /// How long Postgres may take to answer.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// What an answer means, to the caller and to others who need the database.
    pub(super) fn judge<T>(&mut self, answer: Result<diesel::QueryResult<T>, Elapsed>) -> Result<T> {
        match answer {
            Ok(answer) => {
                let answer = answer.map_err(Error::from);
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

    /// Has the connection closed instead of given back: what it is asked next would wait for the same answer.
    fn give_up(&mut self) {
        if let RawConn::Postgres(conn) = &mut self.raw {
            let conn: &mut AsyncPgConnection = conn;
            <AsyncPgConnection as AsyncConnection>::TransactionManager::transaction_manager_status_mut(conn)
                .set_in_error();
        }
    }
}

impl Pool {
    /// Opens the pool with one connection in it, so that a wrong URL is found out now, with its reason.
    pub(super) async fn open(url: &DatabaseUrl, options: &Options) -> Result<Self> {
        let (outage, timeout) = (Arc::new(Outage::default()), options.timeout);
        let raw = match url {
            DatabaseUrl::Sqlite(path) => {
                let path = prepare_file(path)?;
                let mut config = ManagerConfig::default();
                config.recycling_method = RecyclingMethod::Fast;
                config.custom_setup = Box::new(|path| open_sqlite(path.to_owned()).boxed());
                let manager = AsyncDieselConnectionManager::<SqliteConn>::new_with_config(path, config);
                RawPool::Sqlite(build(manager, options, url, &outage).await?)
            }
            DatabaseUrl::Postgres(postgres) => {
                let mut config = ManagerConfig::default();
                // Without asking the server, which every query would wait for once more.
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

    /// Done when no connection is open and none can be opened.
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
            // The pool has just been made and is empty, so there is room; if not, the connection is simply closed.
            let _ = pool.add(conn);
            Ok(pool)
        }
        Ok(Err(error)) => Err(Error::Unavailable(format!("{url}: {error}"))),
        Err(_) => Err(Error::Unavailable(format!("{url}: no answer within {} s", options.timeout.as_secs_f32()))),
    }
}

/// Whether a connection that nobody used for a while is still open, as far as this side knows.
async fn is_open(conn: &mut AsyncPgConnection) -> diesel::QueryResult<()> {
    if conn.is_broken() { Err(diesel::result::Error::BrokenTransactionManager) } else { Ok(()) }
}

/// Makes the file and its folders if they are missing, the file for its owner only. Returns the absolute path, which
/// does not change its meaning with the working directory and cannot be mistaken for a special name like `:memory:`.
fn prepare_file(path: &Path) -> Result<String> {
    let unusable = |error| Error::Unusable(format!("the SQLite file {} cannot be opened: {error}", path.display()));
    let path = std::path::absolute(path).map_err(unusable)?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(unusable)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&path).map_err(unusable)?;
    path.into_os_string()
        .into_string()
        .map_err(|_| Error::Unusable("the path of the SQLite file is no UTF-8".to_owned()))
}

/// With FULL a commit is on the disk before it is answered; NORMAL would lose the last ones when the power fails.
const PRAGMAS: &str = "PRAGMA busy_timeout = 5000; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";

/// How often to try again where others keep a new file from getting its log, and how long: less than the pool waits by
/// default, so that the reason is told.
const WAL_RETRY: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(4));

async fn open_sqlite(path: String) -> diesel::ConnectionResult<SqliteConn> {
    let mut conn = SqliteConn::establish(&path).await?;
    conn.batch_execute(PRAGMAS).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
    write_ahead(&mut conn).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

/// WAL lets readers go on while one connection writes. A file keeps it; for one that is new, this waits for as long as others
/// are at it, since SQLite does not: `busy_timeout` does not count where a reader becomes a writer.
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

/// Says why the pool cannot open a connection; those who wait for one only learn that it took too long.
#[derive(Debug)]
struct NoteErrors(Arc<Outage>);

impl ::bb8::ErrorSink<PoolError> for NoteErrors {
    fn sink(&self, error: PoolError) {
        match error {
            PoolError::ConnectionError(error) => {
                tracing::warn!(%error, "A connection to the database could not be opened.");
                self.0.failed(Kind::Refused);
            }
            PoolError::QueryError(_) => tracing::debug!("A connection to the database was closed meanwhile."),
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
