//! A database for one test.

use std::{future::Future, path::Path, sync::Arc, time::Duration};

use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection, connection::SimpleConnection, sql_query};
use pusher_lite::store::{DatabaseUrl, Db, Options};
use tempfile::TempDir;
use uuid::Uuid;

use super::{
    left_out::leave_out,
    postgres::{self, Server},
};

/// The dump of a database of the original, with the data that its README describes.
const ORIGINAL: &str = include_str!("../../../compat-tests/fixtures/original-database.sql");

/// An empty database that belongs to one test.
#[derive(Clone)]
pub(crate) struct TestDatabase {
    pub(crate) url: DatabaseUrl,
    /// Removes the SQLite file with the last clone; `None` on Postgres.
    _folder: Option<Arc<TempDir>>,
}

impl TestDatabase {
    /// The database, with nothing in it.
    pub(crate) async fn connect(&self) -> Db {
        let options = Options { pool_size: 4, timeout: Duration::from_secs(30) };
        Db::connect(&self.url, &options).await.expect("the test's database is there")
    }

    /// The database with its tables.
    pub(crate) async fn migrated(&self) -> Db {
        let db = self.connect().await;
        db.migrate().await.expect("an empty database can be migrated");
        db
    }

    /// The database with the rows of the original's dump. On Postgres also with its tables, as `psql` restores them;
    /// on SQLite with ours, recorded as no new installation.
    pub(crate) async fn with_original_rows(&self) -> Db {
        match &self.url {
            DatabaseUrl::Sqlite(path) => {
                let db = self.migrated().await;
                insert_original_rows(path);
                self.execute("UPDATE installation SET is_new = false").await;
                db
            }
            DatabaseUrl::Postgres(url) => {
                // The dump names the schema `public`; the test has a schema of its own instead.
                let schema = url.split("search_path%3D").nth(1).expect("the test's URL names its schema");
                postgres::execute(url, &ORIGINAL.replace("public.", &format!("{schema}."))).await;
                self.migrated().await
            }
        }
    }

    /// The first column of what a query finds, as text. A null is empty.
    pub(crate) async fn texts(&self, column: &str, rest: &str) -> Vec<String> {
        let sql = format!("SELECT coalesce(CAST({column} AS text), '') AS text FROM {rest}");
        match &self.url {
            DatabaseUrl::Sqlite(path) => {
                let rows: Vec<Text> = sql_query(sql).load(&mut open_sqlite(path)).expect("the test's SQL is right");
                rows.into_iter().map(|row| row.text).collect()
            }
            DatabaseUrl::Postgres(url) => postgres::texts(url, &sql).await,
        }
    }

    /// The only value that a query finds.
    pub(crate) async fn text(&self, column: &str, rest: &str) -> String {
        let mut found = self.texts(column, rest).await;
        assert_eq!(found.len(), 1, "SELECT {column} FROM {rest}");
        found.remove(0)
    }

    /// Runs SQL that both databases understand.
    pub(crate) async fn execute(&self, sql: &str) {
        match &self.url {
            DatabaseUrl::Sqlite(path) => open_sqlite(path).batch_execute(sql).expect("the test's SQL is right"),
            DatabaseUrl::Postgres(url) => postgres::execute(url, sql).await,
        }
    }

    /// Waits until a transaction that has used the test's tables waits for a lock of another one. On SQLite it returns
    /// immediately: there a transaction waits before it reads anything.
    pub(crate) async fn until_somebody_waits(&self) {
        let DatabaseUrl::Postgres(_) = self.url else { return };
        let of_test = "SELECT pid FROM pg_locks JOIN pg_class ON pg_class.oid = relation \
                       WHERE relnamespace = current_schema()::regnamespace";
        let waiting = format!("pg_locks WHERE NOT granted AND pid IN ({of_test})");
        while self.texts("pid", &waiting).await.is_empty() {
            tokio::task::yield_now().await;
        }
    }

    /// Runs SQL that the database must refuse; returns why it does.
    pub(crate) async fn refusal(&self, sql: &str) -> String {
        match &self.url {
            DatabaseUrl::Sqlite(path) => {
                open_sqlite(path).batch_execute(sql).expect_err("SQLite refuses it").to_string()
            }
            DatabaseUrl::Postgres(url) => postgres::refusal(url, sql).await,
        }
    }
}

#[derive(QueryableByName)]
struct Text {
    #[diesel(sql_type = diesel::sql_types::Text)]
    text: String,
}

/// Runs the test on a SQLite file in a new folder.
pub(crate) async fn on_sqlite<F: Future<Output = ()> + Send + 'static>(test: fn(TestDatabase) -> F) {
    let folder = Arc::new(tempfile::tempdir().expect("a temporary folder can be made"));
    let url = DatabaseUrl::Sqlite(folder.path().join("data/test.db"));
    finish(tokio::spawn(test(TestDatabase { url, _folder: Some(folder) })).await);
}

/// Runs the test in a new schema of the Postgres server, if there is one.
pub(crate) async fn on_postgres<F: Future<Output = ()> + Send + 'static>(test: fn(TestDatabase) -> F) {
    if let Some(server) = Server::get() {
        on_server(server, test).await;
    }
}

/// Runs the test as [`on_postgres`] does, on a server that writes its messages in German.
pub(crate) async fn on_german_postgres<F: Future<Output = ()> + Send + 'static>(test: fn(TestDatabase) -> F) {
    let Some(server) = Server::in_german() else { return };
    let message = postgres::refusal(&server.url, "SELECT nothing").await;
    if message.contains("existiert nicht") {
        on_server(server, test).await;
    } else {
        leave_out("every test on a German Postgres", "Its translations or the locale C.UTF-8 are not installed");
    }
}

async fn on_server<F: Future<Output = ()> + Send + 'static>(server: &Server, test: fn(TestDatabase) -> F) {
    let schema = format!("test_{}", Uuid::new_v4().simple());
    postgres::execute(&server.url, &format!("CREATE SCHEMA {schema}")).await;
    let url = DatabaseUrl::Postgres(server.url_of_schema(&schema));
    let outcome = tokio::spawn(test(TestDatabase { url, _folder: None })).await;
    postgres::execute(&server.url, &format!("DROP SCHEMA {schema} CASCADE")).await;
    finish(outcome);
}

fn finish(outcome: Result<(), tokio::task::JoinError>) {
    if let Err(error) = outcome {
        std::panic::resume_unwind(error.into_panic());
    }
}

fn insert_original_rows(path: &Path) {
    let rows: Vec<String> = ORIGINAL
        .lines()
        .filter(|line| line.starts_with("INSERT INTO public.") && !line.contains("schema_migrations"))
        .map(|line| line.replace("INSERT INTO public.", "INSERT INTO "))
        .collect();
    // The dump orders its tables by name, and turns foreign keys on at its end.
    let sql = format!("PRAGMA foreign_keys = OFF; BEGIN; {} COMMIT;", rows.join("\n"));
    open_sqlite(path).batch_execute(&sql).expect("SQLite takes the rows of the dump");
}

fn open_sqlite(path: &Path) -> SqliteConnection {
    let path = path.to_str().expect("the temporary folder's path is UTF-8");
    let mut conn = SqliteConnection::establish(path).expect("the SQLite file opens");
    conn.batch_execute("PRAGMA busy_timeout = 30000").expect("SQLite waits for whoever else writes");
    conn
}
