//! Requests and sockets in the name of the users of the dump.

use futures_util::{SinkExt, StreamExt};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use pusher_lite::{app::App, auth::Permissions, store::Db};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{WebSocketStream, tungstenite::Message};

use crate::support::server::{Answer, JWT_SECRET, TestServer};

/// A server, and requests to its API.
pub(super) struct Api {
    server: TestServer,
}

impl Api {
    /// Serves this database.
    pub(super) fn start(db: Db) -> Self {
        Self { server: TestServer::start(db) }
    }

    pub(super) fn app(&self) -> &App {
        &self.server.app
    }

    /// A JWT with which this user may do everything that users may.
    pub(super) fn jwt(&self, user_id: i32) -> String {
        self.server.jwt(user_id, Permissions::ADMIN)
    }

    /// A JWT with these claims, whatever they are.
    pub(super) fn mint(&self, claims: Value) -> String {
        let key = EncodingKey::from_secret(JWT_SECRET.as_bytes());
        jsonwebtoken::encode(&Header::new(Algorithm::HS512), &claims, &key).unwrap()
    }

    /// A request without a JWT. The body, unless it is null, is sent as JSON.
    pub(super) async fn anonymous(&self, method: &str, path: &str, body: Value) -> Answer {
        self.send(method, path, &[], body).await
    }

    /// A request of this user, with [`Api::jwt`].
    pub(super) async fn request(&self, user_id: i32, method: &str, path: &str, body: Value) -> Answer {
        self.with_jwt(&self.jwt(user_id), method, path, body).await
    }

    /// A request with this JWT.
    pub(super) async fn with_jwt(&self, jwt: &str, method: &str, path: &str, body: Value) -> Answer {
        self.send(method, path, &[&format!("authorization: Bearer {jwt}")], body).await
    }

    /// A request with these headers.
    pub(super) async fn send(&self, method: &str, path: &str, headers: &[&str], body: Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let headers = [headers, &["content-type: application/json"]].concat();
        self.server.request(method, path, &headers, &body).await
    }

    /// Opens a socket of vsn 2; `Err` with the status when it is refused.
    pub(super) async fn connect(&self, jwt: &str, app_key: &str, unique_identifier: &str) -> Result<Socket, u16> {
        let query = format!("vsn=2.0.0&app_key={app_key}&guardian_token={jwt}&unique_identifier={unique_identifier}");
        let mut socket = Socket { stream: self.server.socket(&query).await? };
        // The handshake is answered before the hub has the stream; what closes sockets reaches those it has.
        socket.send(json!([null, "hb", "phoenix", "heartbeat", {}])).await;
        assert_eq!(socket.message().await[1], "hb");
        Ok(socket)
    }
}

/// An open socket.
#[derive(Debug)]
pub(super) struct Socket {
    stream: WebSocketStream<TcpStream>,
}

impl Socket {
    pub(super) async fn send(&mut self, message: Value) {
        self.stream.send(Message::text(message.to_string())).await.unwrap();
    }

    /// The next message.
    pub(super) async fn message(&mut self) -> Value {
        match self.stream.next().await {
            Some(Ok(Message::Text(text))) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?} is no message"),
        }
    }

    /// Joins a topic and waits until the join is complete, with the own presence.
    pub(super) async fn join(&mut self, topic: &str) {
        self.send(json!(["1", "1", topic, "phx_join", {}])).await;
        for event in ["phx_reply", "presence_state", "presence_diff"] {
            assert_eq!(self.message().await[3], event);
        }
    }

    /// The code that the server closes with, whatever it sends before.
    pub(super) async fn close_code(&mut self) -> u16 {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
                Some(Ok(_)) => {}
                other => panic!("{other:?} instead of a close code"),
            }
        }
    }
}
