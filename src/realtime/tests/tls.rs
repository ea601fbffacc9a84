//! Sockets with an encrypted stream, which behave like plain ones.

use std::time::Duration;

use pusher_lite_protocol::quote;
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{PrivateKeyDer, ServerName},
};
use serde_json::value::RawValue;
use tokio_rustls::{TlsAcceptor, TlsConnector, client};

use super::{
    super::{Limits, Stream},
    *,
};

type Encrypted = WebSocketStream<client::TlsStream<TcpStream>>;

/// Makes the two ends of an encrypted connection.
async fn encrypted() -> (Stream, client::TlsStream<TcpStream>) {
    let authority = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = authority.cert.der().clone();
    let key = PrivateKeyDer::try_from(authority.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let ours =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().unwrap();
    let ours = ours.with_no_client_auth().with_single_cert(vec![certificate.clone()], key).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let theirs = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let theirs = theirs.with_root_certificates(roots).with_no_client_auth();

    let (server, client) = loopback().await;
    let (acceptor, connector) = (TlsAcceptor::from(Arc::new(ours)), TlsConnector::from(Arc::new(theirs)));
    let name = ServerName::try_from("localhost").unwrap();
    let (server, client) = tokio::try_join!(acceptor.accept(server), connector.connect(name, client)).unwrap();
    let (stream, session) = server.into_inner();
    (Stream::Tls(stream, Box::new(session)), client)
}

/// Makes a socket that has joined the topic `t`.
async fn joined(hub: &Hub, unique_identifier: &str) -> Encrypted {
    let (server, client) = encrypted().await;
    tokio::spawn(hub.serve_websocket(server, Bytes::new(), identity(unique_identifier), Vsn::V2));
    let mut socket = WebSocketStream::from_raw_socket(client, Role::Client, None).await;
    send(&mut socket, "1", "phx_join", "{}").await;
    for event in ["phx_reply", "presence_state", "presence_diff"] {
        assert_eq!(next(&mut socket).await[3], event);
    }
    socket
}

async fn send(socket: &mut Encrypted, r#ref: &str, event: &str, payload: &str) {
    let text = written(Vsn::V2, ["1", r#ref, "lobby:key:t", event], payload);
    socket.send(Message::text(text)).await.unwrap();
}

async fn next(socket: &mut Encrypted) -> Value {
    match socket.next().await.unwrap().unwrap() {
        Message::Text(text) => serde_json::from_str(&text).unwrap(),
        other => panic!("{other:?} is not text"),
    }
}

fn numbered(number: usize) -> Box<RawValue> {
    RawValue::from_string(format!(r#"{{"n":{number},"s":"{}"}}"#, "x".repeat(4096))).unwrap()
}

#[tokio::test]
async fn messages_of_every_size_go_both_ways() {
    let hub = Hub::new(Limits::default());
    let mut socket = joined(&hub, "alice").await;
    for size in [0, 1, 1_000, 16_384, 65_536, 300_000, 1_000_000] {
        let text = "x".repeat(size);
        let sending = tokio::spawn({
            let payload = format!(r#"{{"text":{}}}"#, quote(&text));
            async move {
                send(&mut socket, "2", "e", &payload).await;
                socket
            }
        });
        socket = sending.await.unwrap();
        assert_eq!(next(&mut socket).await[4]["text"], text);
    }
    hub.disconnect_user("key", "alice").unwrap();
    let Message::Close(Some(frame)) = socket.next().await.unwrap().unwrap() else { panic!("no close frame") };
    assert_eq!(u16::from(frame.code), 1000);
    assert!(socket.next().await.is_none_or(|end| end.is_err()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_read_at_once_comes_in_order() {
    const EVENTS: usize = 2000;
    let hub = Hub::new(Limits { outbox_bytes: 32 << 20, ..Limits::default() });
    let mut socket = joined(&hub, "alice").await;
    // More than the kernel's buffers and the TLS session take: the rest waits in the outbox.
    for number in 0..EVENTS {
        while hub.publish(&topic("t"), "e", EventPayload::check(&numbered(number))).is_err() {
            tokio::task::yield_now().await;
        }
    }
    for number in 0..EVENTS {
        assert_eq!(next(&mut socket).await[4]["n"], number);
    }
    send(&mut socket, "3", "e", "{}").await;
    assert_eq!(next(&mut socket).await[4], json!({}), "reading and writing go on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_read_is_closed() {
    let hub = Hub::new(Limits { outbox_bytes: 64 << 10, linger: Duration::from_millis(100), ..Limits::default() });
    let socket = joined(&hub, "slow").await;
    for number in 0.. {
        if hub.socket_count() == 0 {
            break;
        }
        // The topic may be overloaded for a moment.
        let _ = hub.publish(&topic("t"), "e", EventPayload::check(&numbered(number)));
        tokio::task::yield_now().await;
    }
    drop(socket);
}

#[tokio::test]
async fn a_client_that_goes_without_a_word_is_gone() {
    let hub = Hub::new(Limits::default());
    let mut stays = joined(&hub, "stays").await;
    let goes = joined(&hub, "goes").await;
    assert!(next(&mut stays).await[4]["joins"]["goes"].is_object());
    drop(goes);
    assert!(next(&mut stays).await[4]["leaves"]["goes"].is_object());
}
