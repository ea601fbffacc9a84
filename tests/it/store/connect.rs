//! Opening of the database, and the errors when that fails.

use std::time::Duration;

use diesel::{Connection, SqliteConnection, connection::SimpleConnection};
use pusher_lite::store::{DatabaseUrl, Db, Error, Options};

use crate::support::database::TestDatabase;

fn options() -> Options {
    Options { pool_size: 1, timeout: Duration::from_secs(10) }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_sqlite_file_and_its_folder_are_made_for_the_owner_only() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some/folder/test.db");
    let db = Db::connect(&DatabaseUrl::Sqlite(path.clone()), &options()).await.unwrap();
    db.migrate().await.unwrap();
    for name in ["test.db", "test.db-wal", "test.db-shm"] {
        let mode = path.with_file_name(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sqlite_file_that_cannot_be_opened_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::Sqlite(folder.path().to_owned());
    let error = Db::connect(&url, &options()).await.unwrap_err();
    assert!(matches!(&error, Error::Unusable(reason) if reason.contains(folder.path().to_str().unwrap())), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("letter.txt");
    std::fs::write(&path, "Dear Sir or Madam, ".repeat(100)).unwrap();
    let error = Db::connect(&DatabaseUrl::Sqlite(path.clone()), &options()).await.unwrap_err();
    assert!(error.to_string().contains("not a database"), "{error}");
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("Dear Sir"), "it is left as it was");
}

/// Two that start at once: one writes to the new file while the other wants it to have a log.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_file_that_somebody_writes_to_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let mut other = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    other.batch_execute("BEGIN IMMEDIATE; CREATE TABLE t (id integer)").unwrap();

    let impatient = Options { pool_size: 1, timeout: Duration::from_millis(200) };
    let error = Db::connect(&DatabaseUrl::Sqlite(path.clone()), &impatient).await.unwrap_err();
    assert!(error.to_string().contains("no answer within 0.2 s"), "it waits, and is not refused: {error}");

    other.batch_execute("COMMIT").unwrap();
    Db::connect(&DatabaseUrl::Sqlite(path), &options()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_server_that_is_not_there_is_told_with_its_reason_and_without_the_password() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url: DatabaseUrl = format!("postgres://me:hunter2@127.0.0.1:{free}/app").parse().unwrap();
    let error = Db::connect(&url, &options()).await.unwrap_err().to_string();
    assert!(error.contains("Postgres database app") && error.contains("refused"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}

db_test!(a_full_pool_says_so_instead_of_waiting_for_ever);
async fn a_full_pool_says_so_instead_of_waiting_for_ever(database: TestDatabase) {
    let options = Options { pool_size: 1, timeout: Duration::from_millis(200) };
    let db = Db::connect(&database.url, &options).await.unwrap();
    let _taken = db.conn().await.unwrap();
    let error = db.conn().await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error}");
}
