//! Opening connections: a pool for either database.

use std::{fmt, path::Path, time::Duration};

use diesel::{ConnectionError, SqliteConnection};
use diesel_async::{
    AsyncConnection, AsyncPgConnection, SimpleAsyncConnection,
    pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, PoolError, RecyclingMethod, bb8},
    sync_connection_wrapper::SyncConnectionWrapper,
};
use futures_util::FutureExt;

use super::{
    DatabaseUrl, Error, Result,
    postgres::{self, Connector},
    status::PoolUse,
    url::unusable_url,
};

/// A SQLite connection, whose queries run on tokio's blocking threads.
pub(super) type SqliteConn = SyncConnectionWrapper<SqliteConnection>;

/// What to ask of the pool.
#[derive(Clone, Debug)]
pub struct Options {
    /// The most connections that are open at once, at least 1.
    pub pool_size: u32,
    /// How long to wait for the database to answer, and for a connection to become free.
    pub connection_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { pool_size: 10, connection_timeout: Duration::from_secs(5) }
    }
}

/// One pool of the two kinds.
#[derive(Clone)]
pub(super) enum Pool {
    Sqlite(bb8::Pool<SqliteConn>),
    Postgres(bb8::Pool<AsyncPgConnection>),
}

/// A connection taken from the pool; dropping it gives it back.
pub struct DbConn(RawConn);

/// What [`on_conn!`](super) looks into.
pub(super) enum RawConn {
    Sqlite(bb8::PooledConnection<'static, SqliteConn>),
    Postgres(Box<bb8::PooledConnection<'static, AsyncPgConnection>>),
}

impl DbConn {
    pub(super) fn raw(&mut self) -> &mut RawConn {
        &mut self.0
    }
}

impl Pool {
    /// Opens the pool with one connection in it, so that a wrong URL is found out now, with its reason.
    pub(super) async fn open(url: &DatabaseUrl, options: &Options) -> Result<Self> {
        let database = url.to_string();
        match url {
            DatabaseUrl::Sqlite(path) => {
                let path = prepare_file(path)?;
                let mut config = ManagerConfig::default();
                config.recycling_method = RecyclingMethod::Fast;
                config.custom_setup = Box::new(|path| open_sqlite(path.to_owned()).boxed());
                let manager = AsyncDieselConnectionManager::<SqliteConn>::new_with_config(path, config);
                Ok(Self::Sqlite(build(manager, options, &database).await?))
            }
            DatabaseUrl::Postgres(url) => {
                let mut config = ManagerConfig::default();
                let connector = Connector::new(postgres::parse(url).map_err(unusable_url)?)?;
                config.custom_setup = Box::new(move |_| connector.clone().open().boxed());
                let manager = AsyncDieselConnectionManager::<AsyncPgConnection>::new_with_config(url, config);
                Ok(Self::Postgres(build(manager, options, &database).await?))
            }
        }
    }

    /// How many connections there are.
    pub(super) fn usage(&self) -> PoolUse {
        let (state, most) = match self {
            Self::Sqlite(pool) => (pool.state(), pool.config().max_size),
            Self::Postgres(pool) => (pool.state(), pool.config().max_size),
        };
        PoolUse { open: state.connections, idle: state.idle_connections, most }
    }

    pub(super) async fn get(&self) -> Result<DbConn> {
        let taken = match self {
            Self::Sqlite(pool) => pool.get_owned().await.map(RawConn::Sqlite),
            Self::Postgres(pool) => pool.get_owned().await.map(|conn| RawConn::Postgres(Box::new(conn))),
        };
        taken.map(DbConn).map_err(|error| match error {
            ::bb8::RunError::TimedOut => Error::Unavailable("no connection became free in time".to_owned()),
            ::bb8::RunError::User(error) => Error::Unavailable(error.to_string()),
        })
    }
}

/// Connects once, to learn the reason if that fails (the pool itself would only time out), then fills the pool.
async fn build<C>(
    manager: AsyncDieselConnectionManager<C>,
    options: &Options,
    database: &str,
) -> Result<::bb8::Pool<AsyncDieselConnectionManager<C>>>
where
    AsyncDieselConnectionManager<C>: ::bb8::ManageConnection<Connection = C, Error = PoolError>,
    C: Send,
{
    let pool = ::bb8::Pool::builder()
        .max_size(options.pool_size.max(1))
        .connection_timeout(options.connection_timeout)
        .error_sink(Box::new(LogErrors))
        .build_unchecked(manager);
    let first = tokio::time::timeout(options.connection_timeout, pool.dedicated_connection()).await;
    match first {
        Ok(Ok(conn)) => {
            // The pool has just been made and is empty, so there is room; if not, the connection is simply closed.
            let _ = pool.add(conn);
            Ok(pool)
        }
        Ok(Err(error)) => Err(Error::Unavailable(format!("{database}: {error}"))),
        Err(_) => Err(Error::Unavailable(format!(
            "{database}: no answer within {} s",
            options.connection_timeout.as_secs_f32()
        ))),
    }
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

/// WAL lets readers go on while one connection writes; with it, NORMAL loses at most the last commits when the power
/// fails, and never damages the file.
const PRAGMAS: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; \
     PRAGMA foreign_keys = ON;";

async fn open_sqlite(path: String) -> diesel::ConnectionResult<SqliteConn> {
    let mut conn = SqliteConn::establish(&path).await?;
    conn.batch_execute(PRAGMAS).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(conn)
}

/// Says why the pool cannot open a connection; those who wait for one only learn that it took too long.
#[derive(Debug)]
struct LogErrors;

impl ::bb8::ErrorSink<PoolError> for LogErrors {
    fn sink(&self, error: PoolError) {
        tracing::warn!(%error, "Could not open a connection to the database");
    }

    fn boxed_clone(&self) -> Box<dyn ::bb8::ErrorSink<PoolError>> {
        Box::new(LogErrors)
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite(_) => "Pool::Sqlite",
            Self::Postgres(_) => "Pool::Postgres",
        })
    }
}

impl fmt::Debug for DbConn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            RawConn::Sqlite(_) => "DbConn::Sqlite",
            RawConn::Postgres(_) => "DbConn::Postgres",
        })
    }
}
