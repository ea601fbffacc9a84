//! Back-pressure on publishers, through session and pump.

use std::{pin::pin, time::Duration};

use futures_util::poll;
use tokio::{
    task::AbortHandle,
    time::{pause, timeout},
};

use super::{
    super::{Limits, PublishError, room::flusher::Flusher, session::session::Session},
    *,
};

/// A JSON object of so many bytes and a few more.
fn long(len: usize) -> String {
    format!(r#"{{"x":"{}"}}"#, "x".repeat(len))
}

/// Stops the tasks that take logs.
fn stop_flushers(hub: &Hub) {
    hub.shared.tasks.iter().for_each(AbortHandle::abort);
}

fn start_flushers(hub: &Hub) {
    Flusher::all(&hub.shared.registry).for_each(|flusher| drop(tokio::spawn(flusher.run())));
}

vsn_test!(a_socket_is_not_read_from_while_its_topic_has_much_to_send, async |vsn| {
    pause();
    let hub = Hub::new(Limits::default());
    let mut alice = Client::joined(&hub, "alice", vsn, "t").await;
    stop_flushers(&hub);
    alice.send("1", "2", "t", "e", &long(300_000)).await;
    // More than the pump reads in one go, so that the heartbeat comes after it has looked at its hold.
    alice.send("1", "3", "t", "e", &long(40_000)).await;
    alice.send_heartbeat().await;
    assert!(timeout(Duration::from_secs(10), alice.next()).await.is_err(), "the heartbeat waits unread");
    start_flushers(&hub);
    let mut events = Vec::new();
    for _ in 0..3 {
        events.push(alice.receive().await.event);
    }
    // The reply to a heartbeat has no place among the events.
    events.sort_unstable();
    assert_eq!(events, ["e", "e", "phx_reply"]);
});

vsn_test!(a_polling_client_s_message_is_answered_when_the_log_is_taken, async |vsn| {
    let hub = Hub::new(Limits::default());
    let mut alice = longpolling::Poller::joined(&hub, "alice", vsn, "t").await;
    stop_flushers(&hub);
    tokio::task::yield_now().await;
    let session = Arc::clone(&alice.session);
    let text = written(vsn, ["1", "2", "lobby:key:t", "e"], &long(300_000));
    let mut pushed = pin!(session.receive_text(&text));
    assert!(poll!(&mut pushed).is_pending());
    assert!(poll!(&mut pushed).is_pending());
    start_flushers(&hub);
    pushed.await.unwrap();
    assert_eq!(alice.receive().await.event, "e");
});

/// Whatever goes through a long log is held: a push, a reply in its place, and a join.
#[tokio::test]
async fn a_session_passes_every_hold_on() {
    let hub = Hub::new(Limits::default());
    stop_flushers(&hub);
    tokio::task::yield_now().await;
    for (vsn, name) in [(Vsn::V1, "v1"), (Vsn::V2, "v2")] {
        let outbox = Outbox::polled(1 << 20, Arc::default(), Arc::default());
        let connection = hub.shared.sockets.add(vsn.into(), identity("alice"), outbox);
        let mut session = Session::new(Arc::clone(&hub.shared), connection);
        let topic_text = format!("lobby:key:{name}");
        let mut is_held = |event: &str, payload: &str| {
            let text = written(vsn, ["1", "2", &topic_text, event], payload);
            session.receive_text(&text, &mut Vec::new()).unwrap().is_some()
        };
        assert!(!is_held("phx_join", "{}"));
        assert!(!is_held("e", &long(100_000)));
        hub.publish(&topic(name), "e", EventPayload::check(serde_json::from_str(&long(100_000)).unwrap())).unwrap();
        assert!(is_held("e", &long(100_000)));
        assert!(is_held("e", "[]"), "it is refused, by a reply in its place");
        assert!(is_held("phx_join", "{}"));
        let payload = long(7_000_000);
        let payload = || EventPayload::check(serde_json::from_str(&payload).unwrap());
        let published = [(); 4].map(|()| hub.publish(&topic(name), "e", payload()));
        assert_eq!(published, [Ok(()), Ok(()), Ok(()), Err(PublishError::Overloaded)]);
    }
}
