//! TLS client for this machine's own server: it trusts one certificate, whatever names and authorities that has.

use std::{path::Path, sync::Arc};

use rustls::pki_types::{CertificateDer, pem::PemObject};
use tokio_rustls::TlsConnector;

use super::TlsError;
use crate::tls::{Trust, client};

/// Creates a connector that trusts only a server with the key of the first certificate in this file.
///
/// # Errors
///
/// When the file cannot be read, or holds none.
pub fn trusting_only(certificate: &Path) -> Result<TlsConnector, TlsError> {
    let trusted = CertificateDer::from_pem_file(certificate)
        .map_err(|error| TlsError::File { path: certificate.to_owned(), reason: error.to_string() })?;
    Ok(TlsConnector::from(Arc::new(client(Trust::Only(trusted))?)))
}
