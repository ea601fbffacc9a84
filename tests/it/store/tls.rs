//! Encrypted connections to Postgres.

use std::time::Duration;

use pusher_lite::store::{Db, Options};

use crate::support::{left_out::leave_out, postgres::Server};

#[tokio::test(flavor = "multi_thread")]
async fn every_sslmode_does_what_it_says() {
    let ours = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let authority = |name: &str, certificate: &rcgen::Certificate| {
        let path = folder.path().join(name);
        std::fs::write(&path, certificate.pem()).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (our_file, other_file) = (authority("ours.pem", &ours.cert), authority("other.pem", &other.cert));
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = match Server::with_tls(port, &ours.cert.pem(), &ours.signing_key.serialize_pem()) {
        Ok(server) => server,
        Err(reason) => return leave_out("TLS to Postgres", &reason),
    };

    for (query, is_encrypted) in [
        ("sslmode=disable".to_owned(), false),
        ("sslmode=prefer".to_owned(), true),
        ("sslmode=require".to_owned(), true),
        (format!("sslmode=verify-full&sslrootcert={our_file}"), true),
    ] {
        let url = format!("{}?{query}&application_name=tls-test-{is_encrypted}", server.url);
        let db = connect(&url).await.unwrap_or_else(|error| panic!("{query}: {error}"));
        let _conn = db.conn().await.unwrap();
        assert_eq!(encrypted_sessions(&server, is_encrypted).await, (true, false), "{query}");
    }
    let refused = connect(&format!("{}?sslmode=verify-full&sslrootcert={other_file}", server.url)).await.unwrap_err();
    assert!(refused.contains("certificate"), "{refused}");
    let by_address = server.url.replace("localhost", "127.0.0.1");
    let refused = connect(&format!("{by_address}?sslmode=verify-full&sslrootcert={our_file}")).await.unwrap_err();
    assert!(refused.contains("certificate"), "another name than the certificate's: {refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_tls_is_refused_when_tls_is_required() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        while let Ok((mut stream, _)) = listener.accept().await {
            // The answer of a Postgres without TLS to a request for it.
            let _ = stream.read_exact(&mut [0; 8]).await;
            let _ = stream.write_all(b"N").await;
        }
    });
    let refused = connect(&format!("postgres://me@localhost:{port}/app?sslmode=require")).await.unwrap_err();
    assert!(refused.contains("does not support TLS"), "{refused}");
}

async fn connect(url: &str) -> Result<Db, String> {
    let options = Options { pool_size: 2, timeout: Duration::from_secs(10) };
    Db::connect(&url.parse().unwrap(), &options).await.map_err(|error| error.to_string())
}

/// Returns whether there are sessions of this test that are as they should be, and whether there are others.
async fn encrypted_sessions(server: &Server, should_be: bool) -> (bool, bool) {
    let url = format!("{}?sslmode=disable", server.url);
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let sql = "SELECT coalesce(bool_or(ssl = $1), false), coalesce(bool_or(ssl <> $1), false) FROM pg_stat_ssl \
               JOIN pg_stat_activity USING (pid) WHERE application_name = 'tls-test-' || $1::text";
    let row = client.query_one(sql, &[&should_be]).await.unwrap();
    (row.get(0), row.get(1))
}
