//! `pusher-lite health`, which checks a server without another program.

use super::support::Installation;
use crate::support::tls::CertificateFiles;

#[test]
fn a_server_is_ready_until_it_stops() {
    let installation = Installation::new();
    let mut running = installation.serve(&[("PUSHER_LITE_SHUTDOWN_DELAY", "3600"), ("HOST", "0.0.0.0")]);
    let port = running.port().to_string();
    let shown = installation.stdout(&["health", "--port", &port, "--host", "0.0.0.0"]);
    assert!(shown.contains("is ready"), "{shown}");
    running.signal("TERM");
    installation.until_logged("serving on until balancers have noticed");
    let message = installation.failure(&["health", "--port", &port], &[]);
    assert!(message.contains("503"), "{message}");
    drop(running);
    let message = installation.failure(&["health", "--port", &port], &[]);
    assert!(message.contains("cannot be reached"), "{message}");
}

#[test]
fn with_tls_it_is_the_server_of_this_certificate() {
    let ((files, _), (others, _)) = (CertificateFiles::new(), CertificateFiles::new());
    let with = |files: &CertificateFiles| {
        [
            ("PUSHER_LITE_TLS_CERTIFICATE", files.certificate.to_str().unwrap().to_owned()),
            ("PUSHER_LITE_TLS_KEY", files.key.to_str().unwrap().to_owned()),
        ]
    };
    let installation = Installation::new();
    let settings = with(&files);
    let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
    let mut running = installation.serve(&settings);
    let port = running.port().to_string();
    let output = installation.run(&["health", "--port", &port], &settings);
    assert!(output.status.success(), "{output:?}");
    let settings = with(&others);
    let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
    let message = installation.failure(&["health", "--port", &port], &settings);
    assert!(message.contains("another certificate"), "{message}");
}
