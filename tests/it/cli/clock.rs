//! The machine's clock is set while the server runs. `libfaketime` sets it, for the server alone.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

use super::{
    requests::{Api, exchange},
    support::{Installation, Running, get},
};
use crate::support::{left_out::leave_out, measured::assert_below};

/// Longer than a JWT lives.
const TWENTY_DAYS: &str = "+1728000";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_set_is_told_and_survived() {
    let Some(library) = faketime() else { return };
    let installation = Installation::new();
    let clock = installation.folder.path().join("clock");
    set(&clock, "+0");
    let mut running = installation.serve(&[
        ("PUSHER_LITE_DEMO", "true"),
        ("PUSHER_LITE_IDLE_TIMEOUT", "3600"),
        ("LD_PRELOAD", library.to_str().unwrap()),
        ("FAKETIME_TIMESTAMP_FILE", clock.to_str().unwrap()),
        ("FAKETIME_NO_CACHE", "1"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ]);
    let before = Api::new(&mut running);
    assert_eq!(before.get("/api/organizations"), 200);
    let mut socket = Socket::join(&mut running, &before.jwt).await;
    let mut jwt = before.jwt.clone();

    let mut told = 0;
    for (to, said, old_jwt) in [
        ("-3600", "The clock was set back", 401),
        (TWENTY_DAYS, "The clock was set forward", 401),
        ("+0", "The clock was set back", 200),
    ] {
        let poll = format!("/socket/longpoll?token={}", session(&mut running, &jwt));
        let busy = running.cpu_time();
        set(&clock, to);
        until_logged_again(&installation, said, &mut told);
        assert_eq!(before.get("/api/organizations"), old_jwt, "{to}");
        let now = Api::new(&mut running);
        assert_eq!(now.create_organization(&format!("At {to}")), Some(201));
        assert_eq!(now.get("/health/ready"), 200);
        // Open sockets and sessions stay open, and their rate limits are as before.
        for number in 0..20 {
            assert_eq!(socket.echo(number).await, number, "{to}");
        }
        let heartbeat = exchange(running.port(), &post(&poll, r#"[null,"1","phoenix","heartbeat",{}]"#));
        assert!(heartbeat.unwrap().contains(r#""status":200"#), "{to}: the session of long-polling lives");
        let polled = get(running.port(), &poll);
        assert!(polled.contains("phx_reply"), "{to}: {polled}");
        jwt = now.jwt;
        assert_below(running.cpu_time() - busy, Duration::from_secs(5), "processor time after the clock was set");
    }
    assert!(running.stop());
    assert!(!installation.log().contains("panicked"), "{}", installation.log());
}

fn post(path: &str, body: &str) -> String {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
}

/// The library, from Debian's package `libfaketime`, which `faketime` brings along.
fn faketime() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let library = folders.map(|folder| folder.join("faketime/libfaketimeMT.so.1")).find(|path| path.exists());
    if library.is_none() {
        leave_out("the test of the clock", "faketime is not installed");
    }
    library
}

/// Waits until the log tells of the clock once more than it has, in these words.
fn until_logged_again(installation: &Installation, said: &str, told: &mut usize) {
    *told += 1;
    installation.until_log(|log| {
        let mut lines = log.lines().filter(|line| line.contains("The clock was set"));
        lines.nth(*told - 1).is_some_and(|line| line.contains(said))
    });
}

/// Sets the clock so many seconds from the true time.
fn set(clock: &Path, offset: &str) {
    let new = clock.with_extension("new");
    fs::write(&new, format!("{offset}\n")).unwrap();
    fs::rename(new, clock).unwrap();
}

/// The token of a new long-poll session.
fn session(running: &mut Running, jwt: &str) -> String {
    let query = query(running, jwt);
    let answer = get(running.port(), &format!("/socket/longpoll?{query}"));
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let body: Value = serde_json::from_str(body).unwrap();
    body["token"].as_str().unwrap_or_else(|| panic!("no session: {body}")).to_owned()
}

fn query(running: &mut Running, jwt: &str) -> String {
    format!("app_key={}&guardian_token={jwt}&unique_identifier=alice&vsn=2.0.0", running.word("app_key"))
}

/// An open socket that has joined a topic.
struct Socket {
    stream: WebSocketStream<TcpStream>,
    topic: String,
}

impl Socket {
    async fn join(running: &mut Running, jwt: &str) -> Self {
        let url = format!("ws://localhost/socket/websocket?{}", query(running, jwt));
        let stream = TcpStream::connect(("127.0.0.1", running.port())).await.unwrap();
        let (stream, _) = client_async(url, stream).await.unwrap();
        let mut socket = Self { stream, topic: format!("lobby:{}:t", running.word("app_key")) };
        socket.send("phx_join", json!({})).await;
        socket.until("presence_diff").await;
        socket
    }

    /// Sends a number to the topic, and returns what comes back.
    async fn echo(&mut self, number: i64) -> i64 {
        self.send("echo", json!({ "number": number })).await;
        self.until("echo").await["number"].as_i64().unwrap()
    }

    async fn send(&mut self, event: &str, payload: Value) {
        let message = json!(["1", "1", self.topic, event, payload]);
        self.stream.send(Message::text(message.to_string())).await.unwrap();
    }

    /// The payload of the next such event.
    async fn until(&mut self, event: &str) -> Value {
        loop {
            let message = self.stream.next().await.expect("the socket stays open").unwrap();
            let mut message: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
            if message[3] == event {
                return message[4].take();
            }
        }
    }
}
