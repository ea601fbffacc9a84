//! Clients of either transport.

use std::collections::VecDeque;

use futures_util::{SinkExt, StreamExt, future::select};
use pusher_lite::auth::Permissions;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{WebSocketStream, tungstenite::Message};

use super::{ADMIN, APP_KEY};
use crate::support::server::{Answer, TestServer};

/// Returns the query that a client connects with.
pub(super) fn query(server: &TestServer, user: &str, vsn: &str) -> String {
    let jwt = server.jwt(ADMIN, Permissions::ADMIN);
    format!("app_key={APP_KEY}&guardian_token={jwt}&unique_identifier={user}&vsn={vsn}")
}

/// A topic of Test App.
pub(super) fn topic(name: &str) -> String {
    format!("lobby:{APP_KEY}:{name}")
}

/// A client that polls.
pub(super) struct Poller<'a> {
    server: &'a TestServer,
    vsn: &'static str,
    /// The query that it connected with, which every request repeats.
    query: String,
    pub(super) token: String,
    received: VecDeque<Value>,
}

impl<'a> Poller<'a> {
    pub(super) async fn open(server: &'a TestServer, user: &str, vsn: &'static str) -> Self {
        let query = query(server, user, vsn);
        let opened = server.get(&format!("/socket/longpoll?{query}"), &[]).await.json();
        assert_eq!(opened["status"], 410);
        let token = opened["token"].as_str().unwrap().to_owned();
        Self { server, vsn, query, token, received: VecDeque::new() }
    }

    /// Opens a session and joins, up to where it has seen itself join.
    pub(super) async fn joined(server: &'a TestServer, user: &str, vsn: &'static str, name: &str) -> Self {
        let mut poller = Self::open(server, user, vsn).await;
        assert_eq!(poller.send("1", &topic(name), "phx_join", json!({})).await, 200);
        for event in ["phx_reply", "presence_state", "presence_diff"] {
            assert_eq!(poller.receive().await.0, event);
        }
        poller
    }

    pub(super) fn path(&self) -> String {
        format!("/socket/longpoll?{}&token={}", self.query, self.token)
    }

    /// The status in the answer to a message.
    pub(super) async fn send(&self, r#ref: &str, topic: &str, event: &str, payload: Value) -> u64 {
        let message = match self.vsn {
            "1.0.0" => json!({"topic": topic, "event": event, "payload": payload, "ref": r#ref}),
            _ => json!(["1", r#ref, topic, event, payload]),
        };
        let answer = self.post("application/json", &message.to_string()).await;
        assert_eq!(answer.status(), 200);
        answer.json()["status"].as_u64().unwrap()
    }

    pub(super) async fn post(&self, content_type: &str, body: &str) -> Answer {
        self.server.request("POST", &self.path(), &[&format!("content-type: {content_type}")], body).await
    }

    pub(super) async fn poll(&self) -> Answer {
        self.server.get(&self.path(), &[]).await
    }

    /// A poll that waits at the server. Of two polls, the server answers the first when the second begins; it says so by that
    /// answer.
    pub(super) async fn waiting_poll(&self) -> impl Future<Output = Answer> + '_ {
        let either = select(Box::pin(self.poll()), Box::pin(self.poll())).await;
        let (replaced, waiting) = either.factor_first();
        assert_eq!(replaced.json()["status"], 204);
        waiting
    }

    /// The next message.
    pub(super) async fn receive_message(&mut self) -> Value {
        while self.received.is_empty() {
            let answer = self.poll().await.json();
            assert_eq!((&answer["status"], &answer["token"]), (&json!(200), &json!(self.token)));
            self.received.extend(answer["messages"].as_array().unwrap().iter().cloned());
        }
        self.received.pop_front().unwrap()
    }

    /// Event and payload of the next message.
    pub(super) async fn receive(&mut self) -> (String, Value) {
        let message = self.receive_message().await;
        parts(match self.vsn {
            "1.0.0" => message,
            _ => serde_json::from_str(message.as_str().unwrap()).unwrap(),
        })
    }
}

/// A client over WebSocket.
pub(super) struct Socket {
    vsn: &'static str,
    stream: WebSocketStream<TcpStream>,
}

impl Socket {
    /// Opens a socket and joins, up to where it has seen itself join.
    pub(super) async fn joined(server: &TestServer, user: &str, vsn: &'static str, name: &str) -> Self {
        let stream = server.socket(&query(server, user, vsn)).await.unwrap();
        let mut socket = Self { vsn, stream };
        socket.send("1", &topic(name), "phx_join", json!({})).await;
        for event in ["phx_reply", "presence_state", "presence_diff"] {
            assert_eq!(socket.receive().await.0, event);
        }
        socket
    }

    pub(super) async fn send(&mut self, r#ref: &str, topic: &str, event: &str, payload: Value) {
        let message = match self.vsn {
            "1.0.0" => json!({"topic": topic, "event": event, "payload": payload, "ref": r#ref}),
            _ => json!(["1", r#ref, topic, event, payload]),
        };
        self.stream.send(Message::text(message.to_string())).await.unwrap();
    }

    pub(super) async fn receive_frame(&mut self) -> Message {
        self.stream.next().await.expect("the socket is open").unwrap()
    }

    /// Event and payload of the next message.
    pub(super) async fn receive(&mut self) -> (String, Value) {
        let frame = self.receive_frame().await;
        let Message::Text(text) = frame else { panic!("{frame:?} is no text") };
        parts(serde_json::from_str(&text).unwrap())
    }
}

fn parts(message: Value) -> (String, Value) {
    let [event, payload] = match message {
        Value::Array(_) => [&message[3], &message[4]],
        _ => [&message["event"], &message["payload"]],
    };
    (event.as_str().unwrap().to_owned(), payload.clone())
}
