//! A server with a certificate.

use std::{fs, net::SocketAddr};

use rustls::pki_types::CertificateDer;

use super::support::{Installation, exchange};
use crate::support::tls::{CertificateFiles, connect};

fn settings(files: &CertificateFiles) -> [(&'static str, &str); 3] {
    [
        ("PUSHER_LITE_TLS_CERTIFICATE", files.certificate.to_str().unwrap()),
        ("PUSHER_LITE_TLS_KEY", files.key.to_str().unwrap()),
        ("PUSHER_LITE_REDIRECT_PORT", "0"),
    ]
}

async fn is_served(port: u16, certificate: &CertificateDer<'static>) -> bool {
    connect(SocketAddr::from(([127, 0, 0, 1], port)), certificate, &["http/1.1"]).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_replaced_by_a_signal() {
    let (files, first) = CertificateFiles::new();
    let installation = Installation::new();
    let mut running = installation.serve(&settings(&files));
    assert!(running.welcome.contains("https://localhost:"), "{}", running.welcome);
    let port = running.port();
    assert!(is_served(port, &first).await);

    let second = files.renew();
    running.signal("HUP");
    installation.until_logged("The TLS certificate was read again");
    assert!(is_served(port, &second).await && !is_served(port, &first).await);

    fs::write(&files.certificate, "nonsense").unwrap();
    running.signal("HUP");
    installation.until_logged("the old one stays in use");
    assert!(is_served(port, &second).await);
    assert!(running.stop());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_replaced_is_noticed() {
    let (files, first) = CertificateFiles::new();
    let installation = Installation::new();
    let mut running = installation.serve(&settings(&files));
    let port = running.port();
    assert!(is_served(port, &first).await);
    let second = files.renew();
    installation.until_logged("The TLS certificate was read again");
    assert!(is_served(port, &second).await);
}

#[test]
fn plain_requests_are_sent_on() {
    let (files, _) = CertificateFiles::new();
    let installation = Installation::new();
    let mut running = installation.serve(&settings(&files));
    let port = running.port();
    installation.until_logged("Sending plain requests on to https");
    let log = installation.log();
    let line = log.lines().find(|line| line.contains("Sending plain requests")).unwrap();
    let redirecting = line.rsplit_once("127.0.0.1:").unwrap().1.trim().parse().unwrap();
    let answer = exchange(redirecting, "GET /demo?x=1 HTTP/1.1\r\nhost: localhost:80\r\nconnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 308"), "{answer}");
    assert!(answer.contains(&format!("location: https://localhost:{port}/demo?x=1\r\n")), "{answer}");
}

#[test]
fn a_certificate_that_cannot_be_used_stops_the_start() {
    let (files, _) = CertificateFiles::new();
    fs::remove_file(&files.key).unwrap();
    let installation = Installation::new();
    let message = installation.failure(&["--port", "0"], &settings(&files));
    assert!(message.contains("key.pem"), "{message}");
    assert!(!installation.folder.path().join("data/pusher-lite.db").exists(), "the database was left alone");
}
