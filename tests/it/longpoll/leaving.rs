//! Polls whose client goes away while they wait, and what was published meanwhile.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::client::{Poller, Socket, topic};
use crate::support::{client::Client, database::TestDatabase, server::TestServer};

/// Sends a poll that nothing answers for now.
async fn poll(server: &TestServer, poller: &Poller<'_>) -> Client {
    let mut client = Client::connect(server.address).await;
    client.send(format!("GET {} HTTP/1.1\r\nhost: x\r\n\r\n", poller.path())).await;
    client
}

web_test!(what_is_published_after_a_poll_was_given_up_comes_with_the_next);
async fn what_is_published_after_a_poll_was_given_up_comes_with_the_next(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut poller = Poller::joined(&server, "poller", "2.0.0", "leaving").await;
    let mut socket = Socket::joined(&server, "socket", "2.0.0", "leaving").await;
    assert_eq!(poller.receive().await.0, "presence_diff");
    for number in 0..20 {
        let mut given_up = poll(&server, &poller).await;
        if number % 2 == 0 {
            given_up.stream.shutdown().await.unwrap();
            // The server has noticed once it closes its side.
            assert_eq!(given_up.stream.read(&mut [0; 1]).await.unwrap_or(0), 0, "nothing is sent to it");
        } else {
            socket2::SockRef::from(&given_up.stream).set_linger(Some(std::time::Duration::ZERO)).unwrap();
            drop(given_up);
        }
        for part in ["a", "b"] {
            socket.send("2", &topic("leaving"), "e", json!({"n": format!("{number}{part}")})).await;
            assert_eq!(socket.receive().await.0, "e");
        }
        for part in ["a", "b"] {
            let (event, payload) = poller.receive().await;
            assert_eq!((event.as_str(), payload["n"].as_str().unwrap()), ("e", format!("{number}{part}").as_str()));
        }
    }
}
