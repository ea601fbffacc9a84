//! Opening a connection to Postgres.

use diesel::{ConnectionError, ConnectionResult};
use diesel_async::AsyncPgConnection;
use tokio_postgres::{Config, NoTls};

/// Opens one connection as the URL says.
pub(super) async fn open(url: String) -> ConnectionResult<AsyncPgConnection> {
    let mut config: Config = url.parse().map_err(bad_connection)?;
    if config.get_application_name().is_none() {
        config.application_name("pusher-lite");
    }
    let (client, connection) = config.connect(NoTls).await.map_err(bad_connection)?;
    AsyncPgConnection::try_from_client_and_connection(client, connection).await
}

/// The error with its causes: `tokio_postgres` alone only says "error connecting to server".
fn bad_connection(error: tokio_postgres::Error) -> ConnectionError {
    let mut reason = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        reason = format!("{reason}: {cause}");
        source = cause.source();
    }
    ConnectionError::BadConnection(reason)
}
