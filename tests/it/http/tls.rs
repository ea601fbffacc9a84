//! Clients that make no progress on an encrypted connection. The time is the runtime's: it stands still until nothing
//! else can happen.

use pusher_lite::{http::Refusal, server::Tls};
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::server::Server;
use crate::support::{
    client::{Client, status},
    tls::{CertificateFiles, connect},
};

/// The beginning of a TLS record that holds a `ClientHello`.
const SOME_OF_A_HANDSHAKE: &[u8] = &[22, 3, 1, 2, 0, 1, 0];

fn start(connections: usize) -> (Server, CertificateDer<'static>) {
    let (files, certificate) = CertificateFiles::new();
    (Server::with_tls(connections, Tls::load(&files.certificate, &files.key).unwrap()), certificate)
}

async fn half_a_handshake(server: &Server) -> Client {
    let mut client = server.connect().await;
    client.send(SOME_OF_A_HANDSHAKE).await;
    client
}

async fn exchange(server: &Server, certificate: &CertificateDer<'static>, request: &str) -> String {
    let mut stream = connect(server.address, certificate, &["http/1.1"]).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // The server cuts the connection off without a TLS close notice.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_never_ends_is_ended() {
    let (server, _) = start(10);
    assert_eq!(half_a_handshake(&server).await.rest().await, "");
    assert_eq!(server.refused(), [Refusal::HandshakeTooSlow]);
}

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_arrive_ends_an_encrypted_connection() {
    let (server, certificate) = start(10);
    assert_eq!(exchange(&server, &certificate, "GET /params/1 HTTP/1.1\r\nhost:").await, "");
    assert_eq!(server.refused(), [Refusal::HeadTooSlow]);
}

#[tokio::test(start_paused = true)]
async fn handshakes_that_never_end_make_room_for_those_who_ask() {
    let (server, certificate) = start(3);
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(half_a_handshake(&server).await);
    }
    for _ in 0..5 {
        let answer = exchange(&server, &certificate, "GET /params/1 HTTP/1.0\r\n\r\n").await;
        assert_eq!(status(&answer), 200);
    }
    assert_eq!(held[0].rest().await, "");
    assert!(server.refused().contains(&Refusal::Quiet), "{:?}", server.refused());
}
