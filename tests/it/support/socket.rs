//! A socket of an application, as clients have it.

use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{WebSocketStream, tungstenite::Message};

use super::server::TestServer;

/// An open socket of vsn 2.
#[derive(Debug)]
pub(crate) struct Socket {
    stream: WebSocketStream<TcpStream>,
}

impl Socket {
    /// Opens a socket; `Err` with the status when it is refused.
    pub(crate) async fn open(server: &TestServer, jwt: &str, app_key: &str, name: &str) -> Result<Self, u16> {
        let query = format!("vsn=2.0.0&app_key={app_key}&guardian_token={jwt}&unique_identifier={name}");
        let mut socket = Self { stream: server.socket(&query).await? };
        // The handshake is answered before the hub has the stream; what closes sockets reaches those it has.
        socket.send(json!([null, "hb", "phoenix", "heartbeat", {}])).await;
        assert_eq!(socket.message().await[1], "hb");
        Ok(socket)
    }

    /// Its two directions.
    pub(crate) fn split(
        self,
    ) -> (SplitSink<WebSocketStream<TcpStream>, Message>, SplitStream<WebSocketStream<TcpStream>>) {
        self.stream.split()
    }

    /// Returns the next message; `None` when the stream has ended.
    pub(crate) async fn next(&mut self) -> Option<Message> {
        self.stream.next().await?.ok()
    }

    pub(crate) async fn send(&mut self, message: Value) {
        self.stream.send(Message::text(message.to_string())).await.unwrap();
    }

    /// The next message.
    pub(crate) async fn message(&mut self) -> Value {
        serde_json::from_str(&self.text().await).unwrap()
    }

    /// The next message as it came.
    pub(crate) async fn text(&mut self) -> String {
        match self.stream.next().await {
            Some(Ok(Message::Text(text))) => text.as_str().to_owned(),
            other => panic!("{other:?} is no message"),
        }
    }

    /// Joins a topic and waits until the join is complete, with the own presence.
    pub(crate) async fn join(&mut self, topic: &str) {
        self.send(json!(["1", "1", topic, "phx_join", {}])).await;
        for event in ["phx_reply", "presence_state", "presence_diff"] {
            assert_eq!(self.message().await[3], event);
        }
    }

    /// The code that the server closes with, whatever it sends before.
    pub(crate) async fn close_code(&mut self) -> u16 {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
                Some(Ok(_)) => {}
                other => panic!("{other:?} instead of a close code"),
            }
        }
    }
}
