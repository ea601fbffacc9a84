//! Messages through a session.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use pusher_lite::realtime::Limits;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::client::{Poller, Socket, topic};
use crate::support::{database::TestDatabase, server::TestServer};

const NDJSON: &str = "application/x-ndjson";
const JSON: &str = "application/json";

web_test!(version_1_carries_objects_and_version_2_strings);
async fn version_1_carries_objects_and_version_2_strings(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let t = topic("t");
    let mut first = Poller::joined(&server, "a", "1.0.0", "t").await;
    first.send("2", &t, "e", json!({"z": 1, "é": 2})).await;
    assert_eq!(
        first.receive_message().await,
        json!({"topic": t, "ref": null, "payload": {"z": 1, "é": 2}, "event": "e"})
    );
    let mut second = Poller::joined(&server, "b", "2.0.0", "t2").await;
    second.send("2", &topic("t2"), "e", json!({"é": 2})).await;
    assert_eq!(second.receive_message().await, json!(format!(r#"[null,null,"{}","e",{{"é":2}}]"#, topic("t2"))));
}

web_test!(refusals_arrive_with_the_next_poll);
/// A refusal is no end of the session, and comes as a message (D11).
async fn refusals_arrive_with_the_next_poll(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    for vsn in ["1.0.0", "2.0.0"] {
        let mut poller = Poller::open(&server, "a", vsn).await;
        for (topic, event, response) in [
            ("lobby:x", "phx_join", json!("invalid")),
            ("room:1", "phx_join", json!({"reason": "unmatched topic"})),
            ("lobby:nope:t", "phx_join", json!({"reason": "unauthorized"})),
            (&topic("t"), "e", json!({"reason": "unmatched topic"})),
        ] {
            assert_eq!(poller.send("1", topic, event, json!({})).await, 200);
            let (event, payload) = poller.receive().await;
            assert_eq!((event.as_str(), payload), ("phx_reply", json!({"status": "error", "response": response})));
        }
    }
}

web_test!(what_cannot_be_read_is_refused_and_the_session_lives);
async fn what_cannot_be_read_is_refused_and_the_session_lives(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    for vsn in ["1.0.0", "2.0.0"] {
        let mut poller = Poller::open(&server, "a", vsn).await;
        for (content_type, body) in [
            (JSON, ""),
            (JSON, "{"),
            (JSON, "[1]"),
            (JSON, "\"x\""),
            (JSON, "{}"),
            (NDJSON, "!!!"),
            (NDJSON, "[1"),
            (NDJSON, "{}"),
            (NDJSON, "AAAA"),
            ("application/x-ndjson; charset=utf-8", "[1]\n[2]"),
        ] {
            let refused = poller.post(content_type, body).await;
            assert_eq!(refused.status(), 400, "{body}");
            assert_eq!(refused.header("access-control-allow-origin"), Some("*"));
            let refused = refused.json();
            assert_eq!(refused["status"], 400, "{body}");
            assert!(refused["reason"].is_string(), "{body}");
        }
        assert_eq!(poller.send("hb", "phoenix", "heartbeat", json!({})).await, 200);
        assert_eq!(poller.receive().await.1, json!({"status": "ok", "response": {}}));
    }
}

web_test!(any_content_type_carries_a_message);
async fn any_content_type_carries_a_message(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut poller = Poller::open(&server, "a", "1.0.0").await;
    for (number, content_type) in ["text/plain", "application/x-www-form-urlencoded", "x"].iter().enumerate() {
        let body = json!({"topic": "phoenix", "event": "heartbeat", "payload": {}, "ref": number}).to_string();
        assert_eq!(poller.post(content_type, &body).await.json(), json!({"status": 200}));
        assert_eq!(poller.receive_message().await["ref"], number);
    }
}

fn heartbeat(r#ref: usize) -> String {
    format!(r#"[null,"{ref}","phoenix","heartbeat",{{}}]"#)
}

web_test!(a_batch_is_worked_off_in_order_however_long_it_is);
async fn a_batch_is_worked_off_in_order_however_long_it_is(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut poller = Poller::open(&server, "a", "2.0.0").await;
    for separator in ["\n", "\r\n"] {
        let batch: String = (0..300).map(|number| heartbeat(number) + separator).collect();
        assert_eq!(poller.post(NDJSON, &batch).await.json(), json!({"status": 200}));
        assert_eq!(poller.send("last", "phoenix", "heartbeat", json!({})).await, 200);
        for number in (0..300).map(|number| number.to_string()).chain(["last".to_owned()]) {
            let text = poller.receive_message().await;
            let message: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
            assert_eq!(message[1], number);
        }
    }
    // The messages before the malformed one are carried out.
    let batch = [heartbeat(1), String::new(), heartbeat(2), "[".to_owned(), heartbeat(3)].join("\n");
    assert_eq!(poller.post(NDJSON, &batch).await.status(), 400);
    poller.send("4", "phoenix", "heartbeat", json!({})).await;
    for number in ["1", "2", "4"] {
        assert!(poller.receive_message().await.as_str().unwrap().contains(number));
    }
}

web_test!(a_batch_that_asks_for_too_much_is_given_up);
/// Over its budget a session's messages wait, but no client waits for longer than the limit.
async fn a_batch_that_asks_for_too_much_is_given_up(database: TestDatabase) {
    let longpoll_window = Duration::from_millis(500);
    let limits = Limits { reply_bytes_per_second: 1, longpoll_window, ..Limits::default() };
    let server = TestServer::with_limits(database.with_original_rows().await, limits);
    let poller = Poller::open(&server, "a", "2.0.0").await;
    let batch = (1..6).map(heartbeat).collect::<Vec<_>>().join("\n");
    let polling = async {
        loop {
            poller.poll().await;
        }
    };
    let answer = tokio::select! {
        answer = poller.post(NDJSON, &batch) => answer,
        () = polling => unreachable!("it polls for ever"),
    };
    assert_eq!((answer.status(), &answer.json()["status"]), (200, &json!(408)));
    assert!(answer.json()["reason"].is_string());
}

web_test!(binary_pushes_can_be_sent_and_are_not_received);
async fn binary_pushes_can_be_sent_and_are_not_received(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let (t, mut socket) = (topic("t"), Socket::joined(&server, "ws", "2.0.0", "t").await);
    let mut poller = Poller::joined(&server, "lp", "2.0.0", "t").await;
    assert_eq!(socket.receive().await.0, "presence_diff");

    let header = [0, 1, 1, u8::try_from(t.len()).unwrap(), 6];
    let push = [&header[..], b"13", t.as_bytes(), b"upload", b"\xff\x00"].concat();
    let text = |event: &str| json!(["1", "2", t, event, {}]).to_string();
    let batch = [text("before"), BASE64_STANDARD.encode(push), text("after")].join("\n");
    assert_eq!(poller.post(NDJSON, &batch).await.json(), json!({"status": 200}));

    assert_eq!(socket.receive().await.0, "before");
    let broadcast = [&[2, header[3], 6], t.as_bytes(), b"upload", b"\xff\x00"].concat();
    assert_eq!(socket.receive_frame().await, Message::binary(broadcast));
    assert_eq!(socket.receive().await.0, "after");
    assert_eq!([poller.receive().await.0, poller.receive().await.0], ["before", "after"]);
}

web_test!(a_message_may_have_8_megabytes);
async fn a_message_may_have_8_megabytes(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut poller = Poller::joined(&server, "a", "2.0.0", "t").await;
    for size in [1_000_000, 7_999_000] {
        assert_eq!(poller.send("2", &topic("t"), "big", json!({"s": "x".repeat(size)})).await, 200);
        assert_eq!(poller.receive().await.1["s"].as_str().unwrap().len(), size);
    }
    let refused = poller.post(JSON, &"x".repeat(9_000_000)).await;
    assert_eq!((refused.status(), &refused.json()["status"]), (413, &json!(413)));
    assert_eq!(poller.send("hb", "phoenix", "heartbeat", json!({})).await, 200);
}

web_test!(a_topic_is_the_same_for_everyone_in_it);
async fn a_topic_is_the_same_for_everyone_in_it(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let t = topic("t");
    let mut sockets =
        [Socket::joined(&server, "s1", "1.0.0", "t").await, Socket::joined(&server, "s2", "2.0.0", "t").await];
    let mut pollers =
        [Poller::joined(&server, "p1", "1.0.0", "t").await, Poller::joined(&server, "p2", "2.0.0", "t").await];
    for number in 0..12 {
        match number % 4 {
            at @ (0 | 1) => sockets[at].send("2", &t, "e", json!({"n": number})).await,
            at => assert_eq!(pollers[at - 2].send("2", &t, "e", json!({"n": number})).await, 200),
        }
    }
    let mut seen = [const { Vec::new() }; 4];
    for (socket, numbers) in sockets.iter_mut().zip(&mut seen[..2]) {
        while numbers.len() < 12 {
            numbers.extend(number(socket.receive().await));
        }
    }
    for (poller, numbers) in pollers.iter_mut().zip(&mut seen[2..]) {
        while numbers.len() < 12 {
            numbers.extend(number(poller.receive().await));
        }
    }
    assert!(seen.iter().all(|numbers| *numbers == seen[0]), "{seen:?}");
}

/// Returns the number of the event; `None` for other messages.
fn number((event, payload): (String, Value)) -> Option<Value> {
    (event == "e").then(|| payload["n"].clone())
}
