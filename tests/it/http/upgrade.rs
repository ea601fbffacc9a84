//! From HTTP to WebSocket.

use std::time::Duration;

use tokio::{io::AsyncWriteExt, time::timeout};

use super::server::Server;
use crate::support::client::status;

const HANDSHAKE: &str = "GET /socket HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
    sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

#[tokio::test]
async fn the_stream_is_handed_over_with_what_was_sent_early() {
    let server = Server::start();
    let mut client = server.connect().await;
    client.send(format!("{HANDSHAKE}\r\nearly ")).await;
    let answer = client.until("\r\n\r\n").await;
    assert_eq!(status(&answer), 101);
    for header in ["connection: Upgrade", "upgrade: websocket", "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="] {
        assert!(answer.contains(&format!("{header}\r\n")), "{answer}");
    }
    assert!(!answer.contains("sec-websocket-protocol"), "{answer}");
    client.send("late").await;
    client.stream.shutdown().await.unwrap();
    assert_eq!(client.rest().await, "early late");
}

#[tokio::test]
async fn a_known_protocol_is_chosen() {
    let server = Server::start();
    for (offered, chosen) in [("chat, phoenix", true), ("phoenix", true), ("chat", false)] {
        let mut client = server.connect().await;
        client.send(format!("{HANDSHAKE}sec-websocket-protocol: {offered}\r\n\r\n")).await;
        let answer = client.until("\r\n\r\n").await;
        assert_eq!(status(&answer), 101);
        assert_eq!(answer.contains("sec-websocket-protocol: phoenix\r\n"), chosen, "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_upgraded_connection_counts_until_it_ends() {
    let server = Server::with_connections(1);
    let mut first = server.connect().await;
    first.send(format!("{HANDSHAKE}\r\n")).await;
    first.until("\r\n\r\n").await;

    let mut second = server.connect().await;
    second.send("GET /params/1 HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(timeout(Duration::from_secs(10), second.answer()).await.is_err(), "there is no room yet");
    drop(first);
    assert_eq!(status(&second.answer().await), 200);
}

#[tokio::test]
async fn improper_handshakes_are_refused_once() {
    let server = Server::start();
    for missing in
        ["upgrade: websocket\r\n", "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "sec-websocket-version: 13\r\n"]
    {
        let request = HANDSHAKE.replace(missing, "").replace("connection: Upgrade", "connection: Upgrade, close");
        let answer = server.exchange(format!("{request}\r\n")).await;
        assert_eq!(status(&answer), 400, "without {missing}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    }
}
