//! Clients that ask for much and read nothing: over HTTP/2 by a window of zero, over HTTP/1 by not reading.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{
    Request,
    client::conn::http2::{self, SendRequest},
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use pusher_lite::{
    http::{Refusal, Timeouts},
    realtime::Limits,
    server::Tls,
};
use rustls::pki_types::CertificateDer;
use tokio::{io::AsyncWriteExt, net::TcpStream, task::JoinHandle, time::timeout};

use super::{
    rounds,
    server::{PATIENCE, Server, until},
};
use crate::support::{
    database::TestDatabase,
    tls::{CertificateFiles, connect},
};

const REQUESTS: usize = 100;
/// Answers that the server makes for one connection at a time.
const TURNS: usize = 16;

fn timeouts(send: Duration) -> Timeouts {
    Timeouts { head: PATIENCE, keep_alive: PATIENCE * 9, send }
}

async fn start(database: &TestDatabase, send: Duration) -> (Server, CertificateDer<'static>) {
    let (files, certificate) = CertificateFiles::new();
    let tls = Tls::load(&files.certificate, &files.key).unwrap();
    let db = database.with_original_rows().await;
    (Server::start(db, Limits::default(), timeouts(send), Some(tls)), certificate)
}

struct Client {
    requests: SendRequest<Empty<Bytes>>,
    ended: JoinHandle<hyper::Result<()>>,
}

impl Client {
    async fn connect(server: &Server, certificate: &CertificateDer<'static>, window: u32) -> Self {
        let stream = connect(server.address, certificate, &["h2"]).await.unwrap();
        let connecting = http2::Builder::new(TokioExecutor::new())
            .initial_stream_window_size(window)
            .handshake(TokioIo::new(stream));
        let (requests, connection) = connecting.await.unwrap();
        Self { requests, ended: tokio::spawn(connection) }
    }

    /// Asks, and holds on to the answer.
    fn ask(&mut self, path: &str) -> JoinHandle<hyper::Result<Bytes>> {
        let request = Request::get(format!("https://localhost{path}")).body(Empty::new()).unwrap();
        let answer = self.requests.send_request(request);
        tokio::spawn(async move { Ok(answer.await?.into_body().collect().await?.to_bytes()) })
    }
}

web_test!(a_window_of_zero_has_few_answers_made_and_ends);
async fn a_window_of_zero_has_few_answers_made_and_ends(database: TestDatabase) {
    let (server, certificate) = start(&database, Duration::from_secs(2)).await;
    for round in 1..=rounds() {
        let before = server.begun();
        let mut greedy = Client::connect(&server, &certificate, 0).await;
        let answers: Vec<_> = (0..REQUESTS).map(|_| greedy.ask("/sessions/new")).collect();
        until("its turns are taken", || server.begun() == before + TURNS).await;

        let mut other = Client::connect(&server, &certificate, 1 << 16).await;
        assert!(!other.ask("/sessions/new").await.unwrap().unwrap().is_empty());
        assert_eq!(server.begun(), before + TURNS + 1, "no further answer is made for who reads none");

        let ended = timeout(PATIENCE, greedy.ended).await.expect("the connection is ended");
        drop(ended);
        for answer in answers {
            assert!(answer.await.unwrap().is_err());
        }
        until("it is counted", || server.refused(Refusal::AnswerTooSlow) == round as u64).await;
    }
}

web_test!(polls_that_wait_keep_no_other_request_waiting);
async fn polls_that_wait_keep_no_other_request_waiting(database: TestDatabase) {
    let (server, certificate) = start(&database, PATIENCE).await;
    let mut client = Client::connect(&server, &certificate, 1 << 16).await;
    let mut polls = Vec::new();
    for _ in 0..2 * TURNS {
        let path = format!("/socket/longpoll?{}", server.query());
        let opened = timeout(PATIENCE, client.ask(&path)).await.expect("it has a turn").unwrap().unwrap();
        let opened: serde_json::Value = serde_json::from_slice(&opened).unwrap();
        polls.push(client.ask(&format!("{path}&token={}", opened["token"].as_str().unwrap())));
    }
    assert!(polls.iter().all(|poll| !poll.is_finished()));
}

web_test!(an_answer_that_is_not_read_over_http_1_ends_the_connection);
async fn an_answer_that_is_not_read_over_http_1_ends_the_connection(database: TestDatabase) {
    let db = database.with_original_rows().await;
    let server = Server::start(db, Limits::default(), timeouts(Duration::from_secs(1)), None);
    for round in 1..=rounds() {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let requests = "GET /js/pusher.js HTTP/1.1\r\nhost: x\r\n\r\n".repeat(500);
        // It fails when the connection is ended before all is sent.
        let _ = stream.write_all(requests.as_bytes()).await;
        until("it is ended", || server.refused(Refusal::AnswerTooSlow) == round as u64).await;
    }
}
