//! Uploads that stop before their end: to paths that do not exist, and from one address.

use pusher_lite::{
    http::{Refusal, Timeouts},
    realtime::Limits,
};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::{
    rounds,
    server::{PATIENCE, Server, until},
};
use crate::support::{
    client::{Client, status},
    database::TestDatabase,
};

const LARGEST: usize = 8_000_000;

async fn start(database: &TestDatabase) -> Server {
    let timeouts = Timeouts { head: PATIENCE, keep_alive: PATIENCE * 9, send: PATIENCE * 9 };
    Server::start(database.with_original_rows().await, Limits::default(), timeouts, None)
}

/// Sends all of a body but its end.
async fn stall(server: &Server, path: &str, client: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nx-forwarded-for: {client}\r\ncontent-type: application/json\r\n\
         content-length: {LARGEST}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![b' '; LARGEST - 1]).await.unwrap();
    stream
}

/// The status that a body of 200 KB gets.
async fn publish(server: &Server, client: &str) -> u16 {
    let mut connection = Client::connect(server.address).await;
    let body = format!("{{\"token\":\"{}\"}}", "x".repeat(200_000));
    let head = format!(
        "POST /api/sessions HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-forwarded-for: {client}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    connection.send(head + &body).await;
    status(&connection.rest().await)
}

web_test!(uploads_to_nowhere_take_no_memory);
async fn uploads_to_nowhere_take_no_memory(database: TestDatabase) {
    let server = start(&database).await;
    for _ in 0..rounds() {
        let mut stalled = Vec::new();
        for (number, path) in
            ["/nope", "/api/nope", "/health/live", "/js/pusher.js"].iter().cycle().take(36).enumerate()
        {
            stalled.push(stall(&server, path, &format!("203.0.113.{number}")).await);
        }
        assert_eq!(publish(&server, "198.51.100.1").await, 422, "there is room for others");
        assert_eq!(server.refused(Refusal::BodiesFull), 0);
    }
}

web_test!(one_address_keeps_no_other_from_sending);
async fn one_address_keeps_no_other_from_sending(database: TestDatabase) {
    let server = start(&database).await;
    for _ in 0..rounds() {
        let (mut stalled, before) = (Vec::new(), server.refused(Refusal::BodiesFull));
        for _ in 0..12 {
            stalled.push(stall(&server, "/api/sessions", "203.0.113.1").await);
        }
        until("its share is used up", || server.refused(Refusal::BodiesFull) > before).await;
        assert_eq!(publish(&server, "198.51.100.1").await, 422, "there is room for others");
    }
}
