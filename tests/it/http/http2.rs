//! Connections that carry several requests at the same time, when they are idle and when there is no room for others.
//! The time is the runtime's: it stands still until nothing else can happen.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{
    Request,
    client::conn::http2::{self, SendRequest},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use pusher_lite::{http::Refusal, server::Tls};
use rustls::pki_types::CertificateDer;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::server::Server;
use crate::support::tls::{CertificateFiles, connect};

/// Longer than the server leaves an idle connection open.
const LONG: Duration = Duration::from_secs(300);

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const NO_SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
/// `:method: GET` on the first stream, and that more of the head is to come.
const SOME_OF_A_HEAD: &[u8] = &[0, 0, 1, 1, 0, 0, 0, 0, 1, 0x82];

/// One connection, and what became of it.
struct Client {
    requests: SendRequest<Empty<Bytes>>,
    ended: JoinHandle<hyper::Result<()>>,
}

impl Client {
    async fn connect(server: &Server, certificate: &CertificateDer<'static>) -> Self {
        let stream = connect(server.address, certificate, &["h2"]).await.unwrap();
        let (requests, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        Self { requests, ended: tokio::spawn(connection) }
    }

    /// The body of the answer; it must be a good one.
    fn get(&mut self, path: &str) -> impl Future<Output = Bytes> + use<> {
        let request = Request::get(format!("https://localhost{path}")).body(Empty::new()).unwrap();
        let answer = self.requests.send_request(request);
        async move {
            let answer = answer.await.unwrap();
            assert_eq!(answer.status(), 200);
            answer.into_body().collect().await.unwrap().to_bytes()
        }
    }
}

fn start(connections: usize) -> (Server, CertificateDer<'static>) {
    let (files, certificate) = CertificateFiles::new();
    (Server::with_tls(connections, Tls::load(&files.certificate, &files.key).unwrap()), certificate)
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_ends_and_one_with_a_request_does_not() {
    let (server, certificate) = start(10);
    let mut idle = Client::connect(&server, &certificate).await;
    idle.get("/params/1").await;
    let mut busy = Client::connect(&server, &certificate).await;
    let waiting = tokio::spawn(busy.get("/wait"));
    server.gate.reached.notified().await;
    idle.ended.await.unwrap().unwrap();
    sleep(LONG).await;
    server.gate.open.notify_one();
    assert_eq!(waiting.await.unwrap(), "waited");
    busy.ended.await.unwrap().unwrap();
    assert_eq!(server.refused(), []);
}

#[tokio::test(start_paused = true)]
async fn of_two_connections_the_idle_one_makes_room_for_others() {
    let (server, certificate) = start(2);
    let mut busy = Client::connect(&server, &certificate).await;
    let waiting = [tokio::spawn(busy.get("/wait")), tokio::spawn(busy.get("/wait"))];
    for _ in &waiting {
        server.gate.reached.notified().await;
    }
    // It has answered one of its requests, and another goes on.
    busy.get("/params/1").await;
    let mut idle = Client::connect(&server, &certificate).await;
    idle.get("/params/1").await;

    let mut next = Client::connect(&server, &certificate).await;
    next.get("/params/1").await;
    assert!(idle.ended.await.unwrap().is_err() || idle.requests.is_closed());
    assert_eq!(server.refused(), [Refusal::Quiet]);
    for waiting in waiting {
        server.gate.open.notify_one();
        assert_eq!(waiting.await.unwrap(), "waited");
    }
    busy.get("/params/1").await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_asks_for_nothing_whole_is_ended() {
    let (server, certificate) = start(10);
    for bytes in [vec![], PREFACE.to_vec(), [PREFACE, NO_SETTINGS, SOME_OF_A_HEAD].concat()] {
        let refused = server.refused().len();
        let mut stream = connect(server.address, &certificate, &["h2"]).await.unwrap();
        stream.write_all(&bytes).await.unwrap();
        // The server may send a notice or just close the connection; both are right.
        let ended = timeout(LONG, stream.read_to_end(&mut Vec::new())).await;
        assert!(ended.is_ok(), "{} bytes keep it open", bytes.len());
        assert_eq!(server.refused().len(), refused + 1, "{:?}", server.refused());
        assert_eq!(server.refused().last(), Some(&Refusal::HeadTooSlow));
    }
}
