//! The server with TLS: HTTP/2, HTTP/1.1 and WebSockets, and certificates that are replaced.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::{Request, Version, client::conn::http2, header::STRICT_TRANSPORT_SECURITY};
use hyper_util::rt::{TokioExecutor, TokioIo};
use pusher_lite::{auth::Permissions, server::Tls};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};
use tokio_tungstenite::{
    client_async,
    tungstenite::{self, Message},
};

use crate::support::{
    client::status,
    database::TestDatabase,
    server::TestServer,
    tls::{CertificateFiles, connect},
};

/// Of the original's database: the key of Test App.
const APP_KEY: &str = "88911bb8-e6c9-11f1-bf84-f2fc4c7451a7";
const ADMIN: i32 = 1;

const HOUR: &str = "max-age=3600";

web_test!(requests_come_by_http2_where_the_client_speaks_it);
async fn requests_come_by_http2_where_the_client_speaks_it(database: TestDatabase) {
    let (files, certificate) = CertificateFiles::new();
    let server =
        TestServer::with_tls(database.with_original_rows().await, Tls::load(&files.certificate, &files.key).unwrap());
    let stream = connect(server.address, &certificate, &["h2", "http/1.1"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (mut requests, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);

    let authorization = format!("Bearer {}", server.jwt(ADMIN, Permissions::ADMIN));
    let request = |method: &str, path: &str, body: &'static str| {
        let request = Request::builder().method(method).uri(format!("https://localhost{path}"));
        let request = request.header("authorization", &authorization).header("content-type", "application/json");
        request.body(Full::new(Bytes::from_static(body.as_bytes()))).unwrap()
    };
    let page = requests.send_request(request("GET", "/", "")).await.unwrap();
    assert_eq!((page.status().as_u16(), page.version()), (200, Version::HTTP_2));
    assert_eq!(page.headers()[STRICT_TRANSPORT_SECURITY], HOUR);
    let created = request("POST", "/api/organizations", r#"{"organization":{"name":"By HTTP/2"}}"#);
    let created = requests.send_request(created).await.unwrap();
    assert_eq!(created.status(), 201);
    let body = created.into_body().collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["data"]["name"], "By HTTP/2");
    let socket = requests.send_request(request("GET", "/socket/websocket?vsn=2.0.0", "")).await.unwrap();
    assert_eq!(socket.status(), 403, "there are no WebSockets in HTTP/2, nor a panic");
    drop(requests);
    connection.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_speak_http2_is_answered_by_http1() {
    let (files, certificate) = CertificateFiles::new();
    let folder = tempfile::tempdir().unwrap();
    let url = pusher_lite::store::DatabaseUrl::Sqlite(folder.path().join("test.db"));
    let db = pusher_lite::store::Db::connect(&url, &pusher_lite::store::Options::default()).await.unwrap();
    let server = TestServer::with_tls(db, Tls::load(&files.certificate, &files.key).unwrap());
    for protocols in [&["http/1.1"][..], &[]] {
        let mut stream = connect(server.address, &certificate, protocols).await.unwrap();
        stream.write_all(b"GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert_eq!(status(&answer), 200);
        assert!(answer.contains(&format!("strict-transport-security: {HOUR}\r\n")), "{answer}");
    }
    let plain = timeout(Duration::from_secs(10), server.get("/health/live", &[])).await;
    assert!(!format!("{:?}", plain.unwrap()).contains("200 OK"), "nothing is answered without TLS");
}

web_test!(sockets_open_and_close_over_tls);
async fn sockets_open_and_close_over_tls(database: TestDatabase) {
    let (files, certificate) = CertificateFiles::new();
    let server =
        TestServer::with_tls(database.with_original_rows().await, Tls::load(&files.certificate, &files.key).unwrap());
    let jwt = server.jwt(ADMIN, Permissions::ADMIN);
    let query = format!("app_key={APP_KEY}&guardian_token={jwt}&unique_identifier=alice&vsn=2.0.0");
    let stream = connect(server.address, &certificate, &["http/1.1"]).await.unwrap();
    let (mut socket, _) = client_async(format!("wss://localhost/socket/websocket?{query}"), stream).await.unwrap();
    let topic = format!("lobby:{APP_KEY}:t");
    socket.send(Message::text(json!(["1", "1", topic, "phx_join", {}]).to_string())).await.unwrap();
    for event in ["phx_reply", "presence_state", "presence_diff"] {
        assert_eq!(next(&mut socket).await[3], event);
    }
    socket.send(Message::text(json!(["1", "2", topic, "e", {"n": 1}]).to_string())).await.unwrap();
    assert_eq!(next(&mut socket).await[4], json!({"n": 1}));

    let ((), closed) = tokio::join!(server.app.hub.shutdown(Duration::ZERO), socket.next());
    let Some(Ok(Message::Close(Some(frame)))) = closed else { panic!("no close frame: {closed:?}") };
    assert_eq!(u16::from(frame.code), 1012);
}

async fn next(socket: &mut (impl StreamExt<Item = Result<Message, tungstenite::Error>> + Unpin)) -> Value {
    serde_json::from_str(socket.next().await.unwrap().unwrap().to_text().unwrap()).unwrap()
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let ((files, _), (others, _)) = (CertificateFiles::new(), CertificateFiles::new());
    let missing = files.key.with_extension("missing");
    for (certificate, key, named) in [
        (&missing, &files.key, "key.missing"),
        (&files.certificate, &missing, "key.missing"),
        (&files.key, &files.key, "key.pem"),
        (&files.certificate, &files.certificate, "certificate.pem"),
        (&files.certificate, &others.key, "do not fit"),
    ] {
        let error = Tls::load(certificate, key).unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
    }
}
