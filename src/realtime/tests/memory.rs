//! Memory limits of clients, each and all together; and delivery of every accepted message in spite of them.

use std::time::Duration;

use serde_json::value::RawValue;
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::protocol::frame::{
    Frame,
    coding::{Data, OpCode},
};

use super::{
    super::{Limits, PublishError},
    longpolling::Poller,
    *,
};

const MB: usize = 1_000_000;

/// A payload of about so many bytes, recognizable by a number.
fn payload(number: usize, len: usize) -> Box<RawValue> {
    RawValue::from_string(format!(r#"{{"n":{number},"s":"{}"}}"#, "x".repeat(len))).unwrap()
}

fn publish(hub: &Hub, name: &str, number: usize, len: usize) {
    hub.publish(&topic(name), "e", EventPayload::check(&payload(number, len))).unwrap();
}

/// Waits for something that the server does by itself.
async fn until(mut done: impl FnMut() -> bool) {
    while !done() {
        sleep(Duration::from_millis(1)).await;
    }
}

/// Waits until a topic's log is brought to its members.
async fn flushed(hub: &Hub) {
    until(|| hub.sizes().log_bytes == 0).await;
}

fn closes(hub: &Hub, reason: &str) -> u64 {
    hub.stats().closes.iter().find(|(kind, _)| *kind == reason).unwrap().1
}

/// Receives these events, among presence.
async fn expect_events(client: &mut Client, numbers: std::ops::Range<usize>) {
    for number in numbers {
        assert_eq!(client.receive_event("e").await["n"], number);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_larger_than_the_outbox_and_small_ones_behind_it_arrive() {
    for large in [2_200_000, 3 * MB, 7_900_000] {
        let hub = Hub::new(Limits::default());
        let mut clients = Vec::new();
        for user in ["a", "b", "c", "d"] {
            clients.push(Client::joined(&hub, user, Vsn::V2, "t").await);
        }
        publish(&hub, "t", 0, large);
        for number in 1..20 {
            flushed(&hub).await;
            publish(&hub, "t", number, 10);
        }
        for client in &mut clients {
            expect_events(client, 0..20).await;
        }
        assert_eq!(closes(&hub, "too slow"), 0);
    }
}

#[tokio::test]
async fn large_events_wait_for_a_client_that_reads_slowly() {
    for sizes in [[1 << 20; 3], [3 * MB, 3 * MB, 10], [10, 8 * MB - 100, 8 * MB - 100]] {
        let hub = Hub::new(Limits::default());
        let mut slow = Client::joined(&hub, "slow", Vsn::V2, "t").await;
        for (number, len) in sizes.into_iter().enumerate() {
            publish(&hub, "t", number, len);
            flushed(&hub).await;
        }
        expect_events(&mut slow, 0..3).await;
        slow.heartbeat().await;
    }
}

#[tokio::test]
async fn a_long_poll_session_holds_what_comes_between_two_polls() {
    for (count, len) in [(1, 2_200_000), (2, 1_100_000), (3, 700_000), (8, 300_000), (1, 8 * MB - 100)] {
        let hub = Hub::new(Limits::default());
        let mut poller = Poller::joined(&hub, "poller", Vsn::V2, "t").await;
        for number in 0..count {
            publish(&hub, "t", number, len);
            flushed(&hub).await;
        }
        publish(&hub, "t", count, 10);
        for number in 0..=count {
            assert_eq!(poller.receive().await.payload["n"], number, "{count} of {len}");
        }
    }
}

#[tokio::test]
async fn an_event_that_can_never_be_delivered_is_refused() {
    let hub = Hub::new(Limits { event_bytes: 1000, ..Limits::default() });
    let mut alice = Client::joined(&hub, "alice", Vsn::V2, "t").await;
    let refused = hub.publish(&topic("t"), "e", EventPayload::check(&payload(0, 1000)));
    assert_eq!(refused, Err(PublishError::TooLarge(1000)));
    publish(&hub, "t", 1, 900);
    assert_eq!(alice.receive_event("e").await["n"], 1);
}

/// A topic with a `presence_state` of some 250 KB, where the outbox holds 20 KB.
#[tokio::test]
async fn a_presence_state_larger_than_the_outbox_can_be_joined_while_things_happen() {
    let hub = Hub::new(Limits { outbox_bytes: 20_000, ..Limits::default() });
    let mut members = Vec::new();
    for number in 0..200 {
        let poller = Poller::open(&hub, &format!("{number}{}", "\u{1}".repeat(200)), Vsn::V2);
        poller.send("1", "t", "phx_join", "{}").await;
        members.push(poller);
    }
    let mut joiner = Client::connect(&hub, "joiner", Vsn::V2).await;
    joiner.join("t", "1").await;
    until(|| hub.presence_list(&topic("t")).unwrap().get().contains("joiner")).await;
    for number in 0..20 {
        publish(&hub, "t", number, 100);
        flushed(&hub).await;
    }
    assert_eq!(joiner.receive().await.event, "phx_reply");
    let state = joiner.receive().await;
    assert!(state.payload.to_string().len() > 200_000);
    expect_events(&mut joiner, 0..20).await;
    joiner.heartbeat_after_events_v2().await;
}

impl Client {
    /// Shows that the client is still served.
    async fn heartbeat_after_events_v2(&mut self) {
        self.send_heartbeat().await;
        while self.receive().await.r#ref != "hb" {}
    }
}

/// Stuck readers of large events, one after the other and beside each other, share one copy.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stuck_readers_share_what_waits_for_them_also_when_they_are_closed() {
    let hub = Hub::new(Limits { linger: Duration::from_secs(600), ..Limits::default() });
    let mut stuck = Vec::new();
    for number in 0..60 {
        stuck.push(Client::joined(&hub, &number.to_string(), Vsn::V2, "t").await);
    }
    for number in 0..4 {
        publish(&hub, "t", number, 7_500_000);
        flushed(&hub).await;
        let memory = hub.sizes().outbox_memory;
        // The vector that the log grows in has up to twice the size of an event.
        assert!(memory < (number + 1) * 16 * MB, "{memory} after {number}");
    }
    // They are closed when something else is sent while two events wait. Each keeps one frame, the same for all.
    until(|| hub.sizes().waiting_sockets == 60 && hub.sizes().outbox_memory < 17 * MB).await;
    for client in &mut stuck {
        expect_events(client, 0..1).await;
        client.expect_close(Some(1013)).await;
    }
    until(|| hub.sizes().outbox_memory == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_the_budget_of_all_outboxes_those_for_whom_most_waits_are_closed() {
    let limits = Limits { outbox_memory: 12 * MB, outbox_bytes: 4 * MB, ..Limits::default() };
    let hub = Hub::new(limits);
    let mut healthy = Client::joined(&hub, "healthy", Vsn::V2, "small").await;
    let mut small = Client::joined(&hub, "small", Vsn::V2, "little").await;
    let mut stuck = Vec::new();
    for number in 0..8 {
        stuck.push(Client::joined(&hub, "stuck", Vsn::V2, &number.to_string()).await);
    }
    publish(&hub, "little", 0, 100_000);
    for round in 0..8 {
        for number in 0..stuck.len() {
            publish(&hub, &number.to_string(), round, 700_000);
            flushed(&hub).await;
        }
        publish(&hub, "small", round, 10);
        assert_eq!(healthy.receive_event("e").await["n"], round);
    }
    until(|| closes(&hub, "evicted") > 0 && hub.sizes().outbox_memory <= limits.outbox_memory).await;
    assert!(closes(&hub, "evicted") <= 8);
    assert_eq!(small.receive_event("e").await["n"], 0);
    for client in [&mut healthy, &mut small] {
        client.heartbeat().await;
    }
    drop(stuck);
    until(|| hub.socket_count() == 2 && hub.sizes().outbox_memory == 0).await;
}

async fn begin_message(client: &mut Client, len: usize) {
    let fragment = Frame::message(vec![b' '; len], OpCode::Data(Data::Text), false);
    client.send_message(Message::Frame(fragment)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_the_budget_of_unfinished_messages_the_largest_and_slowest_are_closed() {
    let limits = Limits { message_bytes: 100_000, partial_memory: 450_000, ..Limits::default() };
    let hub = Hub::new(limits);
    let mut honest = Client::connect(&hub, "honest", Vsn::V2).await;
    begin_message(&mut honest, 1000).await;
    let mut unfinished = Vec::new();
    for _ in 0..4 {
        let mut client = Client::connect(&hub, "unfinished", Vsn::V2).await;
        begin_message(&mut client, 95_000).await;
        unfinished.push(client);
    }
    until(|| hub.sizes().partial_memory > 380_000).await;
    assert!(hub.sizes().partial_memory < 405_000, "no more than what has come");
    assert_eq!(closes(&hub, "evicted"), 0);

    let mut late = Client::connect(&hub, "late", Vsn::V2).await;
    begin_message(&mut late, 95_000).await;
    until(|| closes(&hub, "evicted") > 0 && hub.sizes().partial_memory <= limits.partial_memory).await;
    // The number depends on how much of the last message has come by then. It is never all of them.
    assert!(closes(&hub, "evicted") < 5);
    let rest = honest.heartbeat_text().to_owned();
    honest.send_message(Message::Frame(Frame::message(rest.into_bytes(), OpCode::Data(Data::Continue), true))).await;
    honest.expect(None, Some("hb"), "phx_reply", json!({"status": "ok", "response": {}})).await;
    drop(unfinished);
    drop(late);
    until(|| hub.sizes().partial_memory == 0).await;
}

/// The memory of one large message is freed when the message is complete.
#[tokio::test]
async fn a_large_message_leaves_nothing_behind() {
    let hub = Hub::new(Limits::default());
    let mut alice = Client::joined(&hub, "alice", Vsn::V2, "t").await;
    let text = format!(r#"{{"s":"{}"}}"#, "x".repeat(MB));
    alice.send("1", "2", "t", "e", &text).await;
    assert_eq!(alice.receive_event("e").await["s"].as_str().unwrap().len(), MB);
    assert_eq!(hub.sizes().partial_memory, 0);
}

vsn_test!(a_ref_that_is_too_long_is_as_any_message_that_cannot_be_read, async |vsn| {
    let hub = Hub::new(Limits::default());
    let mut alice = Client::joined(&hub, "alice", vsn, "t").await;
    alice.send("1", &"1".repeat(5000), "t", "e", "{}").await;
    alice.expect_close(Some(1011)).await;
    let poller = Poller::joined(&hub, "poller", vsn, "t").await;
    let text = written(vsn, ["1", &"1".repeat(5000), "lobby:key:t", "e"], "{}");
    assert!(poller.session.receive_text(&text).await.is_err());
    poller.send("2", "t", "e", "{}").await;
});
