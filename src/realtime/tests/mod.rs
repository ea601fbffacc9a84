//! Tests of the hub over real streams, after the handshake.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use pusher_lite_protocol::{EventPayload, Outgoing, PayloadError, Vsn};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::protocol::{Message, Role},
};

use super::{
    Credentials, Hub, Identity, Principal, Topic,
    connection::{
        connection::{Connection, SocketId},
        outbox::Outbox,
        sink::Sink,
    },
    usage::applications::Application,
};

mod counting;
mod crowds;
mod ending;
mod fan_out;
mod faults;
mod holding;
mod joining;
mod longpolling;
mod memory;
mod pausing;
mod pushing;
mod slow;
mod tls;
mod view;

pub(super) use view::View;

/// Runs a test body for either version.
macro_rules! vsn_test {
    ($name:ident, $body:expr) => {
        mod $name {
            use super::*;

            #[tokio::test]
            async fn v1() {
                ($body)(Vsn::V1).await;
            }

            #[tokio::test]
            async fn v2() {
                ($body)(Vsn::V2).await;
            }
        }
    };
}
use vsn_test;

/// Makes the two ends of a connection.
pub(super) async fn loopback() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (listener.accept().await.unwrap().0, client)
}

/// Makes a connection that no pump serves, and the client's end of it.
pub(super) async fn connection(id: SocketId, unique_identifier: &str, vsn: Vsn) -> (Arc<Connection>, TcpStream) {
    let (server, client) = loopback().await;
    let (reader, writer) = server.into_split();
    // The server does not read, but the stream has to stay open.
    std::mem::forget(reader);
    let outbox = Outbox::new(Sink::Stream(writer), 1 << 20, Arc::default());
    (Arc::new(Connection::new(id, vsn.into(), identity(unique_identifier), outbox, application(), 0, 0)), client)
}

/// Makes a connection of a long-poll session without polls.
pub(super) fn polled(id: SocketId, vsn: Vsn) -> Arc<Connection> {
    let outbox = Outbox::polled(1 << 20, Arc::default(), Arc::default());
    Arc::new(Connection::new(id, vsn.into(), identity("polled"), outbox, application(), 0, 0))
}

/// Makes the application of [`identity`], with counters that no hub reads.
pub(super) fn application() -> Arc<Application> {
    Arc::new(Application::new("key".into(), Arc::default()))
}

fn credentials() -> Credentials {
    Credentials { user_id: 1, token_id: Some(2), session: None, organization_id: Some(3) }
}

fn identity(unique_identifier: &str) -> Identity {
    Identity {
        app_key: "key".into(),
        unique_identifier: unique_identifier.into(),
        principal: Principal::User(credentials()),
        may_send: true,
        restrictions: None,
        expires_at: None,
    }
}

/// Lets the hub serve a socket; returns the client's end.
async fn open(hub: &Hub, identity: Identity, vsn: Vsn) -> TcpStream {
    let (server, client) = loopback().await;
    tokio::spawn(hub.serve_websocket(server, Bytes::new(), identity, vsn));
    client
}

fn topic(name: &str) -> Topic {
    Topic::new("key", name).unwrap()
}

/// A client that speaks WebSocket and one version of the protocol.
struct Client {
    vsn: Vsn,
    stream: WebSocketStream<TcpStream>,
}

/// A message in either version; the `join_ref` is null in version 1.
#[derive(Debug, Clone, PartialEq)]
struct Received {
    join_ref: Value,
    r#ref: Value,
    topic: Value,
    event: String,
    payload: Value,
}

/// Writes a message with these names: `join_ref`, `ref`, topic and event.
fn written(vsn: Vsn, names: [&str; 4], payload: &str) -> String {
    let [join_ref, r#ref, topic, event] = names.map(pusher_lite_protocol::quote);
    let message = Outgoing { join_ref: &join_ref, r#ref: &r#ref, topic: &topic, event: &event, payload };
    let mut text = Vec::new();
    vsn.encode(&message, &mut text);
    String::from_utf8(text).unwrap()
}

impl Received {
    fn read(vsn: Vsn, message: &Value) -> Received {
        let field = |at: usize, key: &str| {
            if vsn == Vsn::V1 { message[key].clone() } else { message[at].clone() }
        };
        let event = field(3, "event").as_str().unwrap().to_owned();
        Received {
            join_ref: field(0, "join_ref"),
            r#ref: field(1, "ref"),
            topic: field(2, "topic"),
            event,
            payload: field(4, "payload"),
        }
    }
}

impl Client {
    async fn connect(hub: &Hub, unique_identifier: &str, vsn: Vsn) -> Client {
        Client::connect_as(hub, identity(unique_identifier), vsn).await
    }

    async fn connect_as(hub: &Hub, identity: Identity, vsn: Vsn) -> Client {
        let stream = WebSocketStream::from_raw_socket(open(hub, identity, vsn).await, Role::Client, None).await;
        Client { vsn, stream }
    }

    /// Connects and joins, and reads until it has seen its own join.
    async fn joined(hub: &Hub, unique_identifier: &str, vsn: Vsn, topic: &str) -> Client {
        let mut client = Client::connect(hub, unique_identifier, vsn).await;
        client.join(topic, "1").await;
        for event in ["phx_reply", "presence_state", "presence_diff"] {
            assert_eq!(client.receive().await.event, event);
        }
        client
    }

    async fn join(&mut self, topic: &str, r#ref: &str) {
        self.send(r#ref, r#ref, topic, "phx_join", "{}").await;
    }

    /// Sends a message to a topic of the client's application. The refs are strings.
    async fn send(&mut self, join_ref: &str, r#ref: &str, topic: &str, event: &str, payload: &str) {
        let text = written(self.vsn, [join_ref, r#ref, &format!("lobby:key:{topic}"), event], payload);
        self.send_text(&text).await;
    }

    async fn send_text(&mut self, text: &str) {
        self.send_message(Message::text(text)).await;
    }

    async fn send_message(&mut self, message: Message) {
        self.stream.send(message).await.unwrap();
    }

    async fn next(&mut self) -> Message {
        self.stream.next().await.expect("the stream ends with a close frame").unwrap()
    }

    async fn receive_text(&mut self) -> String {
        match self.next().await {
            Message::Text(text) => text.to_string(),
            other => panic!("{other:?} is not text"),
        }
    }

    async fn receive(&mut self) -> Received {
        let text = self.receive_text().await;
        Received::read(self.vsn, &serde_json::from_str(&text).unwrap())
    }

    /// Receives a message and checks that it is this one.
    async fn expect(&mut self, join_ref: Option<&str>, r#ref: Option<&str>, event: &str, payload: Value) {
        let join_ref = join_ref.filter(|_| self.vsn == Vsn::V2);
        let received = self.receive().await;
        assert_eq!((&received.join_ref, &received.r#ref), (&json!(join_ref), &json!(r#ref)), "{received:?}");
        assert_eq!((received.event.as_str(), &received.payload), (event, &payload), "{received:?}");
    }

    /// Receives a `presence_diff` and returns the joined and the left users.
    async fn expect_diff(&mut self) -> (Vec<String>, Vec<String>) {
        let received = self.receive().await;
        assert_eq!(received.event, "presence_diff");
        let users = |side: &str| received.payload[side].as_object().unwrap().keys().cloned().collect();
        (users("joins"), users("leaves"))
    }

    /// Receives a reply to a message on the topic `phoenix`, so that everything sent before was carried out.
    async fn heartbeat(&mut self) {
        self.send_heartbeat().await;
        self.expect(None, Some("hb"), "phx_reply", json!({"status": "ok", "response": {}})).await;
    }

    async fn send_heartbeat(&mut self) {
        self.send_text(self.heartbeat_text()).await;
    }

    fn heartbeat_text(&self) -> &'static str {
        match self.vsn {
            Vsn::V1 => r#"{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"hb"}"#,
            Vsn::V2 => r#"[null,"hb","phoenix","heartbeat",{}]"#,
        }
    }

    /// Does the same as [`Client::heartbeat`], when presence may come before the reply.
    async fn heartbeat_among(&mut self, view: &mut View) {
        self.send_heartbeat().await;
        loop {
            let received = self.receive().await;
            if received.r#ref == "hb" {
                return;
            }
            view.receive(&received.event, &received.payload);
        }
    }

    /// Receives the close frame and the end of the stream.
    async fn expect_close(&mut self, code: Option<u16>) {
        let Message::Close(frame) = self.next().await else { panic!("no close frame") };
        assert_eq!(frame.map(|frame| u16::from(frame.code)), code);
        assert!(!matches!(self.stream.next().await, Some(Ok(_))), "nothing follows a close frame");
    }
}
