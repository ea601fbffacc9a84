//! A server, started, started again, and started twice.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use super::support::Installation;

const DEMO: [(&str, &str); 1] = [("PUSHER_LITE_DEMO", "true")];

#[test]
fn demo_data_is_made_once_and_kept() {
    let installation = Installation::new();
    let mut first = installation.serve(&DEMO);
    let (token, app_key) = (first.word("Token"), first.word("app_key"));
    assert!(session(first.port(), &token).starts_with("HTTP/1.1 201"));
    assert!(first.stop(), "a stop by SIGTERM is a success");

    let mut second = installation.serve(&DEMO);
    assert_eq!((second.word("Token"), second.word("app_key")), (token, app_key));
}

#[test]
fn a_second_server_on_the_port_says_which_setting_to_change() {
    let installation = Installation::new();
    let mut running = installation.serve(&[]);
    let message = Installation::new().failure(&["--port", &running.port().to_string()], &[]);
    assert!(message.contains("is taken") && message.contains("PORT") && message.contains("--port"), "{message}");
}

/// The answer to `POST /api/sessions`.
fn session(port: u16, token: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let path = format!("/api/sessions?token={token}");
    write!(stream, "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
