//! What the tests run on.

pub(crate) mod client;
pub(crate) mod database;
pub(crate) mod postgres;
pub(crate) mod server;

/// Writes one test over both databases: `name::sqlite` and `name::postgres`, each with a database of its own.
///
/// The body runs as a spawned task, which proves that what it awaits can be used in a request handler.
macro_rules! db_test {
    ($(#[$meta:meta])* async fn $name:ident($database:ident: $type:ty) $body:block) => {
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn body($database: $type) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                $crate::support::database::on_sqlite(body).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                $crate::support::database::on_postgres(body).await;
            }
        }
    };
}
