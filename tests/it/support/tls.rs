//! Certificates in files, and clients that trust them.

use std::{fs, io, net::SocketAddr, path::PathBuf, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName},
};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

/// A self-signed certificate for `localhost` and its key, in files that go with the value.
pub(crate) struct CertificateFiles {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
    _folder: TempDir,
}

impl CertificateFiles {
    /// The files, with a certificate in them.
    pub(crate) fn new() -> (Self, CertificateDer<'static>) {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let files = Self { certificate: path("certificate.pem"), key: path("key.pem"), _folder: folder };
        let issued = files.renew();
        (files, issued)
    }

    /// Puts another certificate and key into the files.
    pub(crate) fn renew(&self) -> CertificateDer<'static> {
        let issued = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(&self.certificate, issued.cert.pem()).unwrap();
        fs::write(&self.key, issued.signing_key.serialize_pem()).unwrap();
        issued.cert.der().clone()
    }
}

/// A TLS connection to `localhost` by a client that trusts this certificate alone, and offers these protocols.
pub(crate) async fn connect(
    address: SocketAddr,
    trusted: &CertificateDer<'static>,
    protocols: &[&str],
) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, TcpStream::connect(address).await?).await
}
