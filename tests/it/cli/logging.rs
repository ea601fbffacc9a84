//! Secrets that no log contains, at any level.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{self, Message};

use super::support::Installation;

const LOG_ALL: [(&str, &str); 4] = [
    ("PUSHER_LITE_DEMO", "true"),
    ("PUSHER_LITE_LOG", "trace"),
    ("PUSHER_LITE_LOG_FORMAT", "json"),
    ("PUSHER_LITE_METRICS_TOKEN", METRICS_TOKEN),
];

const METRICS_TOKEN: &str = "a token that opens metrics and no log shows";

/// Part of a payload, and of a name that may belong to a person.
const CONTENT: &str = "what-people-say-to-each-other";

const REQUEST_ID: &str = "a-request-that-is-looked-for";

const HANDSHAKE: &str = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
    sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

#[test]
fn no_credential_is_logged() {
    let installation = Installation::new();
    let mut running = installation.serve(&LOG_ALL);
    let (port, token, app_key) = (running.port(), running.word("Token"), running.word("app_key"));
    let jwt = text_of(&exchange(port, "POST", &format!("/api/sessions?token={token}"), ""), "jwt");
    let encoded = BASE64_STANDARD_NO_PAD.encode(&jwt);

    let query = format!("app_key={app_key}&unique_identifier=alice&vsn=2.0.0");
    let with_jwt = format!("{query}&guardian_token={jwt}");
    let offer = format!("{HANDSHAKE}sec-websocket-protocol: phoenix, base64url.bearer.phx.{encoded}\r\n");
    for (path, headers) in [
        (format!("/socket/websocket?{with_jwt}"), HANDSHAKE),
        (format!("/socket/websocket?{query}"), offer.as_str()),
        (format!("/socket/longpoll?{query}"), &format!("x-phoenix-authtoken: {jwt}\r\n")),
        ("/api/organizations".to_owned(), &format!("authorization: Bearer {jwt}\r\n")),
    ] {
        let answer = exchange(port, "GET", &path, headers);
        assert!(answer.starts_with("HTTP/1.1 101") || answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let session = text_of(&exchange(port, "GET", &format!("/socket/longpoll?{with_jwt}"), ""), "token");
    exchange(port, "POST", &format!("/socket/longpoll?{with_jwt}&token={session}"), "");
    exchange(port, "POST", "/socket/longpoll", &format!("x-phoenix-longpoll-token: {session}\r\n"));
    let event =
        format!("/api/organizations/{CONTENT}/applications/{app_key}/event/{CONTENT}?topic={CONTENT}&text={CONTENT}");
    exchange(port, "POST", &event, &format!("authorization: Bearer {jwt}\r\nx-request-id: {REQUEST_ID}\r\n"));
    push(port, &format!("/socket/websocket?{with_jwt}"), &app_key);
    let metrics = exchange(port, "GET", "/metrics", &format!("authorization: Bearer {METRICS_TOKEN}\r\n"));
    assert!(metrics.starts_with("HTTP/1.1 200"), "{metrics}");
    assert!(running.stop());

    let log = installation.log();
    assert!(log.contains("/socket/longpoll") && log.contains("/socket/websocket"), "{log}");
    for secret in [token, jwt, encoded, session, METRICS_TOKEN.to_owned(), CONTENT.to_owned()] {
        assert!(!log.contains(&secret) && !log.contains(&secret[secret.len() - 20..]), "{secret} is in {log}");
    }

    let lines: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let line = |message: &str, field: &str, value: &str| {
        let found = lines.iter().find(|line| line["message"] == message && line[field] == value);
        found.unwrap_or_else(|| panic!("no line {message} with {field} {value} in {log}"))
    };
    let request = line("Answered a request.", "request_id", REQUEST_ID);
    assert_eq!((&request["method"], request["status"].as_u64()), (&Value::from("POST"), Some(401)));
    assert!(request["duration_ms"].is_number() && request["client"] == "127.0.0.1", "{request}");
    for transport in ["websocket", "longpoll"] {
        let socket = line("A socket was closed.", "transport", transport);
        let is_told = socket["duration_ms"].is_number() && socket["messages"].is_number();
        assert!(is_told && socket["app_key"] == app_key.as_str(), "{socket}");
    }
}

/// Pushes an event over a socket, and waits until it comes back.
fn push(port: u16, path: &str, app_key: &str) {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let (mut socket, _) = tungstenite::client(format!("ws://127.0.0.1{path}"), stream).unwrap();
    let topic = format!("lobby:{app_key}:{CONTENT}");
    for (event, payload) in [("phx_join", json!({})), (CONTENT, json!({"text": CONTENT}))] {
        socket.send(Message::text(json!(["1", "1", topic, event, payload]).to_string())).unwrap();
    }
    while !socket.read().unwrap().to_text().unwrap().contains(&format!("\"text\":\"{CONTENT}\"")) {}
}

/// The answer, or as much of it as comes before a socket would stay open.
fn exchange(port: u16, method: &str, path: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let close = if headers.contains("upgrade") { "" } else { "connection: close\r\n" };
    write!(stream, "{method} {path} HTTP/1.1\r\nhost: x\r\n{close}{headers}content-length: 0\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let (mut chunk, mut read) = ([0; 4096], 1);
    while read > 0 && !answer.starts_with(b"HTTP/1.1 101") {
        read = stream.read(&mut chunk).unwrap();
        answer.extend_from_slice(&chunk[..read]);
    }
    String::from_utf8(answer).unwrap()
}

/// A text in the JSON of an answer; REST answers have it under `data`, or not.
fn text_of(answer: &str, name: &str) -> String {
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let json: Value = serde_json::from_str(body).unwrap();
    json.get("data").unwrap_or(&json)[name].as_str().unwrap_or_else(|| panic!("no {name}: {body}")).to_owned()
}
