//! Requests to a server that was started as a process, which may be killed meanwhile.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use super::support::Running;

/// Requests in the name of the demo's user.
pub(super) struct Api {
    port: u16,
    pub(super) jwt: String,
}

impl Api {
    /// Signs in with the token of the welcome.
    pub(super) fn new(running: &mut Running) -> Self {
        let (port, token) = (running.port(), running.word("Token"));
        let answer = exchange(port, &request("POST", &format!("/api/sessions?token={token}"), "", "")).unwrap();
        let jwt = answer.split("\"jwt\":\"").nth(1).unwrap_or_else(|| panic!("no JWT: {answer}"));
        Self { port, jwt: jwt.split('"').next().unwrap().to_owned() }
    }

    /// The status of the answer; `None` when there is none, since the server is gone.
    pub(super) fn create_organization(&self, name: &str) -> Option<u16> {
        let body = format!("{{\"organization\":{{\"name\":\"{name}\"}}}}");
        self.send("POST", "/api/organizations", &body).map(|answer| status(&answer))
    }

    /// The names of all organizations, in JSON.
    pub(super) fn organizations(&self) -> String {
        self.send("GET", "/api/organizations", "").unwrap()
    }

    pub(super) fn get(&self, path: &str) -> u16 {
        status(&self.send("GET", path, "").unwrap())
    }

    fn send(&self, method: &str, path: &str, body: &str) -> Option<String> {
        let headers = format!("authorization: Bearer {}\r\ncontent-type: application/json\r\n", self.jwt);
        exchange(self.port, &request(method, path, &headers, body)).filter(|answer| answer.contains("\r\n\r\n"))
    }
}

fn request(method: &str, path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}"
    )
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

/// All that is answered to a request; `None` when the connection fails before anything is.
pub(super) fn exchange(port: u16, request: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    // An answer that was cut off counts as far as it came.
    let _ = stream.read_to_end(&mut answer);
    (!answer.is_empty()).then(|| String::from_utf8_lossy(&answer).into_owned())
}
