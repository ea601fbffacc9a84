//! TLS: certificate and key from files that may be replaced while the server runs.

use std::{
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use parking_lot::RwLock;
use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::{
    net::TcpStream,
    task::spawn_blocking,
    time::{sleep, timeout},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use tokio_util::sync::CancellationToken;

use crate::http::{Refusal, Refusals};

/// The name of HTTP/2 in the handshake.
pub(super) const HTTP_2: &[u8] = b"h2";
const HTTP_1: &[u8] = b"http/1.1";

/// Timeout for a handshake.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);

/// A certificate or key that cannot be used; the message names the file.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file cannot be read, or holds no certificate or key.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        reason: String,
    },
    /// Both can be read, but not used together.
    #[error("the certificate {} and the key {} do not fit: {source}", certificate.display(), key.display())]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// The mismatch.
        source: rustls::Error,
    },
    /// Resumption of sessions needs random numbers, and there are none.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}

/// TLS settings of connections. The clones use the same certificate.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    current: Arc<Current>,
}

/// The files of the certificate, and their current contents.
#[derive(Debug)]
struct Current {
    /// In PEM: the server's certificate first, then those that lead to a known authority.
    certificate: PathBuf,
    /// In PEM.
    key: PathBuf,
    in_use: RwLock<Arc<CertifiedKey>>,
}

/// Version of a file, to detect that it was replaced.
type Version = Option<(SystemTime, u64)>;

impl Tls {
    /// Reads certificate and key.
    ///
    /// # Errors
    ///
    /// [`TlsError`], whose message is for the person who starts the server.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let in_use = RwLock::new(Arc::new(read(certificate, key, &provider)?));
        let current = Arc::new(Current { certificate: certificate.to_owned(), key: key.to_owned(), in_use });
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![HTTP_2.to_vec(), HTTP_1.to_vec()];
        // Resumption spares reconnecting clients, perhaps many at the same time, the costly part of the handshake.
        config.ticketer = ring::Ticketer::new()?;
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)), current })
    }

    /// Reads the files again, for new connections. Files that cannot be used are logged, and the certificate in use
    /// stays.
    pub async fn reload(&self) {
        let current = Arc::clone(&self.current);
        let reloaded = spawn_blocking(move || current.reload()).await;
        match reloaded.expect("reading files does not panic") {
            Ok(()) => tracing::info!("The TLS certificate was read again"),
            Err(error) => tracing::error!(%error, "Could not reload the TLS certificate; the old one stays in use"),
        }
    }

    /// Reads the files again whenever they have changed. `look_every` is the interval of the checks. Runs forever.
    pub async fn reload_when_replaced(self, look_every: Duration) {
        let mut seen = self.versions().await;
        loop {
            sleep(look_every).await;
            let found = self.versions().await;
            if found != seen {
                seen = found;
                self.reload().await;
            }
        }
    }

    /// Performs the handshake; returns `None` when it fails, or the server stops meanwhile.
    pub(super) async fn accept(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        refusals: &Refusals,
        stopping: &CancellationToken,
    ) -> Option<TlsStream<TcpStream>> {
        let handshake = timeout(HANDSHAKE_TIME, self.acceptor.accept(stream));
        let result = tokio::select! {
            result = handshake => result.unwrap_or_else(|_| {
                refusals.count(Refusal::HandshakeTooSlow);
                Err(io::ErrorKind::TimedOut.into())
            }),
            () = stopping.cancelled() => return None,
        };
        result.inspect_err(|error| tracing::debug!(%peer, %error, "A TLS handshake failed.")).ok()
    }

    async fn versions(&self) -> [Version; 2] {
        let current = Arc::clone(&self.current);
        let versions = spawn_blocking(move || [version(&current.certificate), version(&current.key)]).await;
        versions.expect("looking at files does not panic")
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Tls").field("certificate", &self.current.certificate).finish_non_exhaustive()
    }
}

impl Current {
    fn reload(&self) -> Result<(), TlsError> {
        let read = read(&self.certificate, &self.key, &ring::default_provider())?;
        *self.in_use.write() = Arc::new(read);
        Ok(())
    }
}

impl ResolvesServerCert for Current {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.in_use.read()))
    }
}

fn read(certificate: &Path, key: &Path, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let unusable = |path: &Path, reason: String| TlsError::File { path: path.to_owned(), reason };
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| unusable(certificate, error.to_string()))?;
    if chain.is_empty() {
        return Err(unusable(certificate, "there is no certificate in it".to_owned()));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| unusable(key, error.to_string()))?;
    CertifiedKey::from_der(chain, private, provider).map_err(|source| TlsError::Mismatch {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
        source,
    })
}

fn version(path: &Path) -> Version {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}
