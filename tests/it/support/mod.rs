//! Support code of the tests.

pub(crate) mod browser;
pub(crate) mod client;
pub(crate) mod database;
pub(crate) mod left_out;
pub(crate) mod measured;
pub(crate) mod postgres;
pub(crate) mod proxy;
pub(crate) mod server;
pub(crate) mod socket;
pub(crate) mod sources;
pub(crate) mod tls;

/// Runs a test, the function of this name, over both databases, each time with one of its own: `name::sqlite` and
/// `name::postgres`.
///
/// The function runs as a spawned task, which proves that what it awaits can be used in a request handler.
macro_rules! db_test {
    ($name:ident) => {
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                $crate::support::database::on_sqlite(super::$name).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                $crate::support::database::on_postgres(super::$name).await;
            }
        }
    };
}

/// Runs a test, the function of this name, on SQLite alone: for what lies above the database, and would only be tested
/// twice in the same way. Each resource has a test with [`db_test!`], too.
macro_rules! web_test {
    ($name:ident) => {
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                $crate::support::database::on_sqlite(super::$name).await;
            }
        }
    };
}
