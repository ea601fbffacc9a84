//! Requests over HTTP/2 that are cancelled at varied moments, as closed tabs do: permissions that are invalid in the
//! database afterwards have no socket.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http_body_util::Empty;
use hyper::{
    Method, Request,
    client::conn::http2::{self, SendRequest},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use pusher_lite::{
    auth::{
        Permissions,
        jwt::{Grant, Scope},
    },
    server::Tls,
    store::{
        applications::{self, NewApplication},
        user_tokens,
    },
};
use rustls::pki_types::CertificateDer;
use serde_json::{Value, json};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout},
};
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

use super::rounds;
use crate::{
    api::{ADMIN, TEST_APP},
    support::{
        database::TestDatabase,
        server::TestServer,
        tls::{CertificateFiles, connect},
    },
};

/// Requests of each kind: twelve a round, cancelled at different moments.
fn attempts() -> u32 {
    12 * u32::try_from(rounds()).expect("there are few rounds")
}

/// The organization of [`ADMIN`].
const ACME: i32 = 1;
/// By when a socket that should end has ended, on a slow machine.
const PATIENCE: Duration = Duration::from_secs(30);

struct Stand {
    database: TestDatabase,
    server: TestServer,
    certificate: CertificateDer<'static>,
    requests: SendRequest<Empty<Bytes>>,
    jwt: String,
    /// Duration of a request that is not cancelled.
    usual: Duration,
    _files: CertificateFiles,
}

impl Stand {
    async fn new(database: TestDatabase) -> Self {
        let (files, certificate) = CertificateFiles::new();
        let tls = Tls::load(&files.certificate, &files.key).unwrap();
        let server = TestServer::with_tls(database.with_original_rows().await, tls);
        let stream = connect(server.address, &certificate, &["h2"]).await.unwrap();
        let (requests, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let jwt = server.jwt(ADMIN, Permissions::ADMIN);
        Self { database, server, certificate, requests, jwt, usual: Duration::ZERO, _files: files }
    }

    fn request(&mut self, method: Method, path: &str) -> impl Future<Output = u16> + use<> {
        let request = Request::builder().method(method).uri(format!("https://localhost{path}"));
        let request = request.header("authorization", format!("Bearer {}", self.jwt)).body(Empty::new()).unwrap();
        let answer = self.requests.send_request(request);
        async move { answer.await.unwrap().status().as_u16() }
    }

    /// Sends a request and cancels it in a moment that depends on the round; the first round is not cancelled. When
    /// this returns, the server has heard of the cancellation, and a commit that was under way is over.
    async fn delete(&mut self, path: &str, round: u32, row: &str) {
        let began = Instant::now();
        let answer = self.request(Method::DELETE, path);
        if round == 0 {
            assert_eq!(answer.await, 200);
            self.usual = began.elapsed();
        } else {
            // From before the server can have read it up to when it has answered.
            let moments = attempts().min(24);
            let moment = self.usual * (round % moments) * 6 / (5 * moments);
            let _ = timeout(moment, answer).await;
        }
        // On the same connection, so behind the cancellation.
        assert_eq!(self.request(Method::GET, "/api/organizations").await, 200);
        // Waits for who writes to the row.
        self.database.execute(&format!("UPDATE {row}")).await;
    }

    async fn socket(&self, app_key: &str, token_id: Option<i32>) -> Socket {
        let lifetime = Duration::from_secs(600);
        let grant = Grant {
            user_id: ADMIN,
            token_id,
            permissions: Permissions::ADMIN,
            scope: Scope::Full,
            lifetime,
            not_after: None,
        };
        let jwt = self.server.app.jwt.issue(&grant);
        let path = "/socket/websocket?vsn=2.0.0&unique_identifier=a";
        let url = format!("wss://localhost{path}&app_key={app_key}&guardian_token={jwt}");
        let stream = connect(self.server.address, &self.certificate, &["http/1.1"]).await.unwrap();
        let mut socket = Socket(client_async(url, stream).await.unwrap().0);
        assert!(socket.is_open().await, "it was let in");
        socket
    }
}

struct Socket(WebSocketStream<TlsStream<TcpStream>>);

impl Socket {
    /// Returns true if a heartbeat is answered.
    async fn is_open(&mut self) -> bool {
        let heartbeat = json!([null, "hb", "phoenix", "heartbeat", {}]);
        if self.0.send(Message::text(heartbeat.to_string())).await.is_err() {
            return false;
        }
        match timeout(PATIENCE, self.0.next()).await.expect("an open socket answers, a closed one ends") {
            Some(Ok(Message::Text(text))) => serde_json::from_str::<Value>(text.as_str()).unwrap()[1] == "hb",
            _ => false,
        }
    }

    /// The code that the server closes with; `None` when it does not.
    async fn close_code(mut self) -> Option<u16> {
        match timeout(PATIENCE, self.0.next()).await {
            Ok(Some(Ok(Message::Close(Some(frame))))) => Some(frame.code.into()),
            _ => None,
        }
    }
}

db_test!(an_invalidated_token_has_no_socket);
async fn an_invalidated_token_has_no_socket(database: TestDatabase) {
    let mut stand = Stand::new(database).await;
    let db = stand.server.app.db.clone();
    for round in 0..attempts() {
        let token = db.transaction(async |tx| user_tokens::create(tx, ADMIN).await).await.unwrap();
        let mut socket = stand.socket(TEST_APP, Some(token.id)).await;
        let row = format!("user_tokens SET updated_at = updated_at WHERE id = {}", token.id);
        stand.delete(&format!("/api/users/{ADMIN}/tokens/{}", token.token), round, &row).await;
        let is_valid = async || {
            let found = user_tokens::find(&mut db.conn().await.unwrap(), &token.token).await.unwrap();
            found.unwrap().invalidated_at.is_none()
        };
        if !is_valid().await {
            assert_eq!(socket.close_code().await, Some(1008), "round {round}: the token is invalid, its socket open");
        } else if !socket.is_open().await {
            // The cancellation came to the handler later than to the connection.
            assert!(!is_valid().await, "round {round}: the token is valid, its socket closed");
        }
    }
}

db_test!(an_archived_application_has_no_socket);
async fn an_archived_application_has_no_socket(database: TestDatabase) {
    let mut stand = Stand::new(database).await;
    let db = stand.server.app.db.clone();
    for round in 0..attempts() {
        let key = applications::new_key();
        let new = NewApplication { name: "Short-lived", app_key: &key, app_secret: &key, archived_at: None };
        let application = db.transaction(async |tx| applications::create(tx, ACME, &new).await).await.unwrap();
        let mut socket = stand.socket(&key, None).await;
        let row = format!("applications SET updated_at = updated_at WHERE id = {}", application.id);
        stand.delete(&format!("/api/organizations/{ACME}/applications/{}", application.id), round, &row).await;
        let is_active = async || {
            let found = applications::find_by_key(&mut db.conn().await.unwrap(), &key).await.unwrap();
            found.unwrap().archived_at.is_none()
        };
        if !is_active().await {
            assert_eq!(socket.close_code().await, Some(1008), "round {round}: it is archived, its socket open");
        } else if !socket.is_open().await {
            assert!(!is_active().await, "round {round}: it is active, its socket closed");
        }
    }
}
