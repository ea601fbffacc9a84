//! Settings of the mail server: TLS, certificates, passwords.

use pusher_lite::mail::send_test;

use super::{
    sink::{Answer, Security, Sink},
    smtp_at,
};

const TO: &str = "me@example.com";

#[tokio::test]
async fn tls_from_the_first_byte_or_by_starttls() {
    let folder = tempfile::tempdir().unwrap();
    for (security, scheme, query) in [(Security::Tls, "smtps", ""), (Security::StartTls, "smtp", "&tls=required")] {
        let mut sink = Sink::with(security).await;
        let authority = folder.path().join("ca.pem");
        std::fs::write(&authority, &sink.certificate).unwrap();
        let port = sink.address.port();
        let place = format!("localhost:{port}?sslrootcert={}{query}", authority.display());
        send_test(&smtp_at(&format!("{scheme}://me%40h:p%2Fw@{place}")), super::URL, TO).await.unwrap();
        let mail = sink.mails.recv().await.unwrap();
        assert!(mail.encrypted && mail.recipient == TO);
        // "\0me@h\0p/w" in base64.
        assert!(sink.heard("AUTH PLAIN AG1lQGgAcC93"));

        let with_the_authorities_of_the_system =
            format!("{scheme}://localhost:{port}?{}", query.trim_start_matches('&'));
        let error = send_test(&smtp_at(&with_the_authorities_of_the_system), super::URL, TO).await.unwrap_err();
        assert!(error.to_lowercase().contains("certificate"), "nobody vouches for it: {error}");
    }
}

#[tokio::test]
async fn nothing_is_said_to_a_server_without_starttls() {
    let sink = Sink::start().await;
    let url = format!("smtp://me:s3cr3t@localhost:{}?tls=required", sink.address.port());
    let error = send_test(&smtp_at(&url), super::URL, TO).await.unwrap_err();
    assert!(error.starts_with("The mail server did not begin with TLS"), "{error}");
    assert!(!sink.heard("AUTH") && !sink.heard("MAIL"));
}

#[tokio::test]
async fn a_wrong_password_is_named_and_not_shown() {
    let sink = Sink::start().await;
    sink.answer("AUTH", Answer::Say("535 5.7.8 wrong"));
    let url = format!("smtp://me:s3cr3t@{}", sink.address);
    let error = send_test(&smtp_at(&url), super::URL, TO).await.unwrap_err();
    assert!(error.starts_with("The mail server refused the user and password") && error.contains("535"), "{error}");
    assert!(!error.contains("s3cr3t") && !sink.heard("MAIL"));
}
