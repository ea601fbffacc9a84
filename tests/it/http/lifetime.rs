//! Beginning and end of connections: limits, timeouts, stopping. The time is the runtime's: it stands still until
//! nothing else can happen.

use std::time::Duration;

use pusher_lite::{http::Refusal, server};
use tokio::time::{Instant, sleep, timeout};

use super::server::Server;
use crate::support::client::status;

const GET: &str = "GET /params/1 HTTP/1.1\r\nhost: x\r\n\r\n";

#[tokio::test]
async fn a_taken_port_is_said_with_the_setting_that_changes_it() {
    let first = server::bind([127, 0, 0, 1].into(), 0).unwrap();
    let port = first.local_addr().unwrap().port();
    let error = server::bind([127, 0, 0, 1].into(), port).unwrap_err().to_string();
    assert!(error.contains(&port.to_string()) && error.contains("PORT"), "{error}");
    let error = server::bind([192, 0, 2, 1].into(), 0).unwrap_err().to_string();
    assert!(error.contains("192.0.2.1") && error.contains("HOST"), "{error}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_kernel_keeps_little_for_a_client_that_does_not_read() {
    let listener = server::bind([127, 0, 0, 1].into(), 0).unwrap();
    let _client = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (accepted, _) = listener.accept().await.unwrap();
    assert_eq!(socket2::SockRef::from(&accepted).tcp_notsent_lowat().unwrap(), 256 << 10);
}

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_arrive_ends_the_connection() {
    let server = Server::start();
    let mut client = server.connect().await;
    client.send("GET /params/1 HTTP/1.1\r\nhost:").await;
    assert_eq!(client.rest().await, "");
    assert_eq!(server.refused(), [Refusal::HeadTooSlow]);
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_ends() {
    let server = Server::start();
    let mut client = server.connect().await;
    client.send(GET).await;
    assert_eq!(status(&client.answer().await), 200);
    assert_eq!(client.rest().await, "");
    assert_eq!(server.refused(), [], "it had its answer");
}

/// The pools of proxies keep a connection for a minute: it is theirs to close. With a body and without one.
#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_left_open_for_longer_than_a_head_may_take() {
    let server = Server::start();
    let post = "POST /params/1 HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
    for request in [GET, post] {
        let mut client = server.connect().await;
        client.send(request).await;
        client.answer().await;
        let answered = Instant::now();
        assert_eq!(client.rest().await, "");
        assert_eq!(answered.elapsed().as_secs(), 75, "{request}");

        // Some of a head does not prolong the time of a head.
        let mut client = server.connect().await;
        client.send(request).await;
        client.answer().await;
        sleep(Duration::from_secs(50)).await;
        let began = Instant::now();
        client.send("GET /").await;
        assert_eq!(client.rest().await, "");
        assert_eq!(began.elapsed().as_secs(), 30, "{request}");
    }
    assert_eq!(server.refused(), [Refusal::HeadTooSlow; 2]);
}

#[tokio::test(start_paused = true)]
async fn a_body_must_come_along() {
    let server = Server::start();
    let mut client = server.connect().await;
    client
        .send("POST /params/1 HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{")
        .await;
    let began = Instant::now();
    assert_eq!(status(&client.answer().await), 408);
    assert_eq!(began.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_arrive_is_answered() {
    let server = Server::start();
    let head = "POST /params/1 HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n";
    assert_eq!(status(&server.exchange(head).await), 408);
}

#[tokio::test(start_paused = true)]
async fn connections_over_the_limit_wait_for_one_to_end() {
    let server = Server::with_connections(1);
    let mut first = server.connect().await;
    first.send("GET /wait HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    server.gate.reached.notified().await;

    let mut second = server.connect().await;
    second.send(GET).await;
    assert!(timeout(Duration::from_secs(10), second.answer()).await.is_err(), "there is no room yet");
    server.gate.open.notify_one();
    assert!(first.rest().await.ends_with("waited"));
    assert_eq!(status(&second.answer().await), 200);
}

#[tokio::test(start_paused = true)]
async fn those_who_ask_for_nothing_make_room_for_those_who_ask() {
    let server = Server::with_connections(3);
    let mut busy = server.connect().await;
    busy.send("GET /wait HTTP/1.1\r\nhost: x\r\n\r\n").await;
    server.gate.reached.notified().await;
    let mut quiet = [server.connect().await, server.connect().await];
    quiet[0].send("GET /params/1 HTTP/1.1\r\nhost:").await;
    for _ in 0..5 {
        assert_eq!(status(&server.exchange("GET /params/1 HTTP/1.0\r\n\r\n").await), 200);
    }
    assert_eq!(quiet[0].rest().await, "");
    assert!(server.refused().contains(&Refusal::Quiet), "{:?}", server.refused());
    server.gate.open.notify_one();
    assert_eq!(status(&busy.answer().await), 200);
}

#[tokio::test]
async fn a_stop_lets_requests_end_and_takes_no_new_ones() {
    let server = Server::start();
    let mut idle = server.connect().await;
    idle.send(GET).await;
    idle.answer().await;
    let mut busy = server.connect().await;
    busy.send("GET /wait HTTP/1.1\r\nhost: x\r\n\r\n").await;
    server.gate.reached.notified().await;

    server.stop();
    assert_eq!(idle.rest().await, "");
    assert!(tokio::net::TcpStream::connect(server.address).await.is_err());
    server.gate.open.notify_one();
    assert!(busy.rest().await.ends_with("waited"));
    server.stopped().await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_ever() {
    let server = Server::start();
    let mut busy = server.connect().await;
    busy.send("GET /wait HTTP/1.1\r\nhost: x\r\n\r\n").await;
    server.gate.reached.notified().await;
    server.stop();
    server.stopped().await;
}

#[tokio::test]
async fn a_panic_ends_one_connection_and_is_counted() {
    let server = Server::start();
    let (mut faulty, mut other) = (server.connect().await, server.connect().await);
    faulty.send("GET /panic HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!(faulty.rest().await, "");
    other.send(GET).await;
    assert_eq!(status(&other.answer().await), 200);
    while server.tasks.panics() != 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.tasks.failed(), None);
}
