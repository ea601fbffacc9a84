//! Ends of sessions.

use std::time::Duration;

use pusher_lite::{auth::Permissions, realtime::Limits};
use serde_json::json;

use super::{
    ADMIN, APP_KEY,
    client::{Poller, Socket, query, topic},
};
use crate::support::{
    database::TestDatabase,
    server::{METRICS_TOKEN, TestServer},
};

/// A message to an ended session gets 410, and a poll of it gets another session.
async fn assert_gone(poller: &Poller<'_>) {
    assert_eq!(poller.send("9", "phoenix", "heartbeat", json!({})).await, 410);
    let answer = poller.poll().await.json();
    assert_eq!(answer["status"], 410);
    assert_ne!(answer["token"], poller.token);
}

/// The users who leave, in the next message.
async fn leaves(socket: &mut Socket) -> Vec<String> {
    let (event, payload) = socket.receive().await;
    assert_eq!(event, "presence_diff");
    payload["leaves"].as_object().unwrap().keys().cloned().collect()
}

async fn rest(server: &TestServer, method: &str, path: &str) {
    let authorization = format!("authorization: Bearer {}", server.jwt(ADMIN, Permissions::ADMIN));
    let path = format!("/api/organizations/acme-inc/applications/{APP_KEY}{path}");
    let status = server.request(method, &path, &[&authorization], "").await.status();
    assert!((200..300).contains(&status), "{status}");
}

web_test!(whom_nobody_polls_is_seen_to_leave);
async fn whom_nobody_polls_is_seen_to_leave(database: TestDatabase) {
    let limits = Limits { longpoll_window: Duration::from_millis(200), ..Limits::default() };
    let server = TestServer::with_limits(database.with_original_rows().await, limits);
    let mut watcher = Socket::joined(&server, "watcher", "1.0.0", "t").await;
    let silent = Poller::open(&server, "silent", "2.0.0").await;
    assert_eq!(silent.send("1", &topic("t"), "phx_join", json!({})).await, 200);
    assert_eq!(leaves(&mut watcher).await, [""; 0]);
    assert_eq!(leaves(&mut watcher).await, ["silent"]);
    assert_gone(&silent).await;
}

web_test!(a_disconnected_user_is_answered_at_once);
async fn a_disconnected_user_is_answered_at_once(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut watcher = Socket::joined(&server, "watcher", "2.0.0", "t").await;
    let poller = Poller::joined(&server, "kicked", "1.0.0", "t").await;
    assert_eq!(leaves(&mut watcher).await, [""; 0]);
    let waiting = poller.waiting_poll().await;
    rest(&server, "POST", "/event/disconnect?topic=kicked").await;
    assert_eq!(waiting.await.json(), json!({"status": 204, "token": poller.token, "messages": []}));
    assert_eq!(leaves(&mut watcher).await, ["kicked"]);
    assert_gone(&poller).await;
}

web_test!(an_archived_application_has_no_sessions);
async fn an_archived_application_has_no_sessions(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let poller = Poller::joined(&server, "alice", "2.0.0", "t").await;
    rest(&server, "DELETE", "").await;
    let answer = poller.poll().await.json();
    // It takes a moment until the session is gone; then the request opens none.
    let answer = if answer["status"] == 204 { poller.poll().await.json() } else { answer };
    assert_eq!(answer, json!({"status": 403, "reason": "application archived"}));
    assert_eq!(poller.send("9", "phoenix", "heartbeat", json!({})).await, 410);
}

web_test!(a_slow_poller_ends_alone);
async fn a_slow_poller_ends_alone(database: TestDatabase) {
    let limits = Limits { outbox_bytes: 20_000, ..Limits::default() };
    let server = TestServer::with_limits(database.with_original_rows().await, limits);
    let mut publisher = Socket::joined(&server, "publisher", "2.0.0", "t").await;
    let mut reading = Poller::joined(&server, "reading", "2.0.0", "t").await;
    let slow = Poller::joined(&server, "slow", "2.0.0", "t").await;
    let (mut received, mut slow_has_left) = (0, false);
    while !slow_has_left {
        publisher.send("2", &topic("t"), "e", json!({"s": "x".repeat(2000)})).await;
        received += 1;
        while reading.receive().await.0 != "e" {}
        let (mut event, mut payload) = publisher.receive().await;
        while event != "e" {
            slow_has_left |= payload["leaves"]["slow"].is_object();
            (event, payload) = publisher.receive().await;
        }
        assert!(received < 1000, "the slow one is never closed");
    }
    assert_gone(&slow).await;
    assert_eq!(reading.send("3", "phoenix", "heartbeat", json!({})).await, 200);
}

web_test!(a_stop_answers_the_polls_that_wait);
async fn a_stop_answers_the_polls_that_wait(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let poller = Poller::joined(&server, "alice", "1.0.0", "t").await;
    let waiting = poller.waiting_poll().await;
    server.app.hub.shutdown(Duration::ZERO).await;
    let answer = waiting.await.json();
    // An error, upon which every phoenix.js joins its topics again; no other session is opened.
    assert_eq!(answer, json!({"status": 500}));
    let path = format!("/socket/longpoll?{}", query(&server, "bob", "1.0.0"));
    let answer = server.get(&path, &[]).await;
    assert_eq!(
        (answer.status(), answer.header("retry-after"), &answer.json()["status"]),
        (503, Some("5"), &json!(500))
    );
    let metrics = server.get("/metrics", &[&format!("authorization: Bearer {METRICS_TOKEN}")]).await;
    let full = r#"pusher_lite_refusals_total{what="connect",reason="server full"} 0"#;
    assert!(metrics.body().lines().any(|line| line == full), "a stop is not a lack of room: {}", metrics.body());
}
