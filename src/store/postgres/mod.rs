//! Opening a connection to Postgres, encrypted as its URL says.
//!
//! `sslmode` has the meaning that `libpq` gives it: `disable`, `prefer` (the default: encrypted if the server supports
//! it), `require` (encrypted, without authentication of the server), `verify-full` (encrypted, and the server proves
//! its name to one of the system's authorities, or to the one in the PEM file `sslrootcert`, which implies
//! `verify-full`).

use std::{str::FromStr, sync::Arc, time::Duration};

use diesel::{ConnectionError, ConnectionResult};
use diesel_async::AsyncPgConnection;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use tokio_postgres::{
    Config,
    config::{Host, SslMode},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Error, Result};
use crate::tls::{Trust, client};

/// Idle time of a connection before the kernel checks that the server is still there.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// Contents of a Postgres URL.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) config: Config,
    verification: Verification,
}

/// Verification of the server's certificate.
#[derive(Debug)]
enum Verification {
    Nobody,
    System,
    File(String),
}

/// Opens connections to one server. Cheap to clone.
#[derive(Clone)]
pub(super) struct Connector {
    config: Config,
    tls: MakeRustlsConnect,
    timeout: Duration,
}

/// Reads a URL.
///
/// # Errors
///
/// The reason, as the end of a sentence and without any part of the URL.
pub(super) fn parse(url: &str) -> Result<Parsed, &'static str> {
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    let (mut mode, mut file, mut rest) = ("prefer", None, Vec::new());
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        match parameter.split_once('=') {
            Some(("sslmode", value)) => mode = value,
            Some(("sslrootcert", value)) => file = Some(value),
            _ => rest.push(parameter),
        }
    }
    let (ssl_mode, mut verification) = match mode {
        "disable" => (SslMode::Disable, Verification::Nobody),
        "allow" | "prefer" => (SslMode::Prefer, Verification::Nobody),
        "require" => (SslMode::Require, Verification::Nobody),
        "verify-full" => (SslMode::Require, Verification::System),
        _ => return Err("has an sslmode that is none of disable, prefer, require and verify-full"),
    };
    if let Some(file) = file {
        if ssl_mode != SslMode::Require {
            return Err("has an sslrootcert, but its sslmode is not verify-full");
        }
        let file = percent_encoding::percent_decode_str(file).decode_utf8();
        verification = Verification::File(file.map_err(|_| "has an sslrootcert that is no UTF-8")?.into_owned());
    }
    // The parser's own reason may quote the URL, and with it the password.
    let url = if rest.is_empty() { address.to_owned() } else { format!("{address}?{}", rest.join("&")) };
    let mut config = Config::from_str(&url).map_err(|_| "starts as one of Postgres, but cannot be read as one")?;
    if config.get_hosts().is_empty() {
        return Err("names no host of a Postgres server");
    }
    config.ssl_mode(ssl_mode);
    // Finds out that a server has vanished while no query waits for it.
    config.keepalives_idle(KEEPALIVE);
    if config.get_application_name().is_none() {
        config.application_name("pusher-lite");
    }
    Ok(Parsed { config, verification })
}

impl Connector {
    /// Prepares TLS as the URL says. `timeout` is the maximum time to open a connection.
    ///
    /// # Errors
    ///
    /// [`Error::Unusable`] when no trusted authority can be read.
    pub(super) fn new(parsed: Parsed, timeout: Duration) -> Result<Self> {
        let tls = match parsed.verification {
            Verification::Nobody => client(Trust::Anyone).map_err(unusable)?,
            Verification::System => verifying(system_authorities()?)?,
            Verification::File(path) => verifying(authorities_of(&path)?)?,
        };
        Ok(Self { config: parsed.config, tls: MakeRustlsConnect::new(tls), timeout })
    }

    /// Opens one connection.
    pub(super) async fn open(self) -> ConnectionResult<AsyncPgConnection> {
        let timeout = self.timeout;
        let opened = tokio::time::timeout(timeout, self.open_whenever()).await;
        opened.unwrap_or_else(|_| {
            Err(ConnectionError::BadConnection(format!("no answer within {} s", timeout.as_secs_f32())))
        })
    }

    async fn open_whenever(self) -> ConnectionResult<AsyncPgConnection> {
        let (client, connection) = self.config.connect(self.tls).await.map_err(bad_connection)?;
        AsyncPgConnection::try_from_client_and_connection(client, connection).await
    }
}

/// Returns the database and the servers that may have it, without anything secret.
pub(super) fn describe(config: &Config) -> String {
    let name = config.get_dbname().or(config.get_user()).unwrap_or("of the user's name");
    let host = |host: &Host| match host {
        Host::Tcp(name) => name.clone(),
        Host::Unix(folder) => folder.display().to_string(),
    };
    let hosts: Vec<String> = config.get_hosts().iter().map(host).collect();
    format!("Postgres database {name} on {}", hosts.join(", "))
}

/// Creates a client that trusts servers whose names these authorities confirm.
fn verifying(authorities: RootCertStore) -> Result<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(unusable)?;
    Ok(builder.with_root_certificates(authorities).with_no_client_auth())
}

fn system_authorities() -> Result<RootCertStore> {
    let mut authorities = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    authorities.add_parsable_certificates(found.certs);
    if authorities.is_empty() {
        return Err(unusable("the system trusts no certificate authority; name one with sslrootcert"));
    }
    Ok(authorities)
}

fn authorities_of(path: &str) -> Result<RootCertStore> {
    let mut authorities = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(unusable)? {
        authorities.add(certificate.map_err(unusable)?).map_err(unusable)?;
    }
    if authorities.is_empty() {
        return Err(unusable("the file of sslrootcert holds no certificate"));
    }
    Ok(authorities)
}

fn unusable(reason: impl std::fmt::Display) -> Error {
    Error::Unusable(format!("TLS to Postgres cannot be prepared: {reason}"))
}

/// Converts the error with its causes: `tokio_postgres` alone only says "error connecting to server".
fn bad_connection(error: tokio_postgres::Error) -> ConnectionError {
    let causes = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
    let mut reasons: Vec<String> = causes.map(ToString::to_string).collect();
    // Some errors include their cause in their own text.
    reasons.dedup_by(|cause, error| error.ends_with(cause.as_str()));
    ConnectionError::BadConnection(reasons.join(": "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(query: &str) -> Result<SslMode, &'static str> {
        parse(&format!("postgres://me@localhost/app{query}")).map(|parsed| parsed.config.get_ssl_mode())
    }

    #[test]
    fn modes_are_those_of_libpq() {
        for (query, expected) in [
            ("", SslMode::Prefer),
            ("?sslmode=disable", SslMode::Disable),
            ("?connect_timeout=3&sslmode=require", SslMode::Require),
            ("?sslmode=verify-full", SslMode::Require),
            ("?sslmode=verify-full&sslrootcert=/etc/my%20ca.pem", SslMode::Require),
        ] {
            assert_eq!(mode(query), Ok(expected), "{query}");
        }
        assert!(mode("?sslmode=verify-ca").unwrap_err().contains("none of"));
        assert!(mode("?sslmode=prefer&sslrootcert=/ca.pem").unwrap_err().contains("verify-full"));
    }

    #[test]
    fn a_file_of_authorities_is_read_and_told_when_it_cannot_be() {
        let parsed = parse("postgres://me@localhost/app?sslmode=verify-full&sslrootcert=/no/such%20file").unwrap();
        assert!(matches!(&parsed.verification, Verification::File(path) if path == "/no/such file"));
        assert!(matches!(Connector::new(parsed, Duration::ZERO), Err(Error::Unusable(_))));
    }
}
