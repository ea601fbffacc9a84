//! Counters.

use std::time::Duration;

use pusher_lite_protocol::Dialect;
use serde_json::value::RawValue;

use super::{
    super::{OpenSockets, Refusal, SAMPLES, STEP, Totals},
    *,
};

fn json(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}

fn closes(hub: &Hub, reason: &str) -> u64 {
    let closes = hub.stats().closes;
    closes.iter().find(|(name, _)| *name == reason).unwrap_or_else(|| panic!("{reason} is no reason")).1
}

fn refused(hub: &Hub, refusal: Refusal) -> u64 {
    hub.stats().refusals.iter().find(|(other, _)| *other == refusal).unwrap().1
}

vsn_test!(sockets_topics_and_events_are_counted, async |vsn: Vsn| {
    let hub = Hub::new(Default::default());
    let mut alice = Client::joined(&hub, "alice", vsn, "t").await;
    let mut bob = Client::joined(&hub, "bob", vsn, "t").await;
    alice.expect_diff().await;
    alice.send("1", "2", "t", "e", "{}").await;
    hub.publish(&topic("t"), "e", EventPayload::check(&json("{}"))).unwrap();
    hub.publish(&topic("empty"), "e", EventPayload::check(&json("{}"))).unwrap();
    for client in [&mut alice, &mut bob] {
        client.receive().await;
        client.receive().await;
        client.heartbeat().await;
    }

    let stats = hub.stats();
    let mut sockets = OpenSockets::default();
    sockets.websocket[Dialect::from(vsn).index()] = 2;
    assert_eq!((stats.sockets, stats.topics), (sockets, 1));
    let Totals { opened, joins, leaves, pushed, published, deliveries, presence_deliveries, .. } = stats.totals;
    assert_eq!((opened, joins, leaves), (2, 2, 0));
    assert_eq!((pushed, published, deliveries), (1, 2, 4));
    // Alice's own join, then Bob's to both.
    assert_eq!(presence_deliveries, 3);
    assert_eq!(stats.fan_out, [1, 2, 0, 0, 0, 0, 0]);
    let application = &hub.applications()[0];
    assert_eq!((&*application.app_key, application.sockets, application.topics), ("key", 2, 1));
    assert_eq!((application.events_in, application.recent_events_in, application.deliveries), (3, 3, 4));

    bob.stream.close(None).await.unwrap();
    assert_eq!(alice.expect_diff().await.1, ["bob"]);
    drop(bob);
    while closes(&hub, "client") == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(hub.stats().totals.joined(), 1);
    drop(alice);
    hub.shutdown(std::time::Duration::ZERO).await;
    assert_eq!(hub.stats().sockets.count(), 0);
    assert_eq!(hub.stats().totals.joined(), 0);
    assert_eq!(closes(&hub, "gone") + closes(&hub, "shutdown"), 1);
});

#[tokio::test]
async fn bytes_are_those_of_the_frames() {
    let hub = Hub::new(Default::default());
    let mut alice = Client::connect(&hub, "alice", Vsn::V2).await;
    let text = alice.heartbeat_text();
    alice.heartbeat().await;
    let totals = hub.stats().totals;
    // A header of two bytes, and from the client a mask of four.
    assert_eq!(totals.bytes_in, text.len() as u64 + 6);
    assert_eq!(totals.bytes_out, r#"[null,"hb","phoenix","phx_reply",{"status":"ok","response":{}}]"#.len() as u64 + 2);

    alice.join("t", "1").await;
    for _ in 0..3 {
        alice.receive_text().await;
    }
    let before = hub.stats().totals.bytes_out;
    hub.publish(&topic("t"), "e", EventPayload::check(&json(r#"{"a":1}"#))).unwrap();
    let received = alice.receive_text().await;
    assert_eq!(hub.stats().totals.bytes_out - before, received.len() as u64 + 2);
}

#[tokio::test]
async fn refusals_are_counted_by_reason() {
    let hub = Hub::new(Default::default());
    let mut alice = Client::joined(&hub, "alice", Vsn::V2, "t").await;
    alice.send("1", "2", "other", "e", "{}").await;
    alice.send("1", "2", "t", "phx_error", "{}").await;
    alice.send("1", "2", "t", "e", "[]").await;
    alice.send_text(r#"["1","2","lobby:other:t","phx_join",{}]"#).await;
    for _ in 0..4 {
        alice.receive().await;
    }
    for refusal in [Refusal::PushUnmatched, Refusal::PushReserved, Refusal::PushMalformed, Refusal::JoinUnauthorized] {
        assert_eq!(refused(&hub, refusal), 1, "{refusal:?}");
    }
    assert_eq!(hub.stats().totals.pushed, 0);
}

#[tokio::test]
async fn a_binary_push_that_some_cannot_take_is_counted() {
    let hub = Hub::new(Default::default());
    let mut alice = Client::joined(&hub, "alice", Vsn::V2, "t").await;
    let _old = Client::joined(&hub, "old", Vsn::V1, "t").await;
    let polling = hub.open_longpoll(identity("polling"), Vsn::V2).unwrap();
    polling.receive_text(r#"["1","1","lobby:key:t","phx_join",{}]"#).await.unwrap();
    for _ in 0..2 {
        alice.expect_diff().await;
    }
    let push = [&[0, 1, 1, 11, 1][..], b"12lobby:key:te", b"data"].concat();
    alice.send_message(Message::binary(push)).await;
    assert!(matches!(alice.next().await, Message::Binary(_)));
    alice.heartbeat().await;
    let totals = hub.stats().totals;
    assert_eq!((totals.pushed, totals.deliveries, totals.binary_skipped), (1, 2, 2));
}

#[tokio::test(start_paused = true)]
async fn the_last_ten_minutes_are_kept() {
    let hub = Hub::new(Default::default());
    let mut client = Client::joined(&hub, "alice", Vsn::V2, "t").await;
    assert_eq!(hub.samples(), []);
    for _ in 0..10 {
        hub.publish(&topic("t"), "e", EventPayload::check(&json("{}"))).unwrap();
        client.receive().await;
    }
    tokio::time::sleep(STEP + Duration::from_millis(1)).await;
    let samples = hub.samples();
    assert_eq!((samples.len(), samples[0].sockets, samples[0].topics), (1, 1, 1));
    assert!((samples[0].events_in - 2.0).abs() < 0.01 && (samples[0].deliveries - 2.0).abs() < 0.01, "{samples:?}");

    drop(client);
    tokio::time::sleep(STEP * 200).await;
    let samples = hub.samples();
    assert_eq!(samples.len(), SAMPLES);
    assert_eq!((samples[0].sockets, samples[0].events_in), (0, 0.0));
    assert!(samples.is_sorted_by_key(|sample| sample.at));
}

#[tokio::test(start_paused = true)]
async fn an_address_that_opens_nothing_is_forgotten_and_the_last_minute_passes() {
    let hub = Hub::new(Default::default());
    hub.attempt([203, 0, 113, 1].into()).unwrap();
    hub.publish(&topic("t"), "e", EventPayload::check(&json("{}"))).unwrap();
    assert_eq!((hub.sizes().addresses, hub.applications()[0].recent_events_in), (1, 1));
    // One more step than a minute has, for the one that has begun.
    for _ in 0..=60 / STEP.as_secs() {
        tokio::time::sleep(STEP).await;
    }
    assert_eq!((hub.sizes().addresses, hub.applications()[0].recent_events_in), (0, 0));
    assert_eq!(hub.applications()[0].events_in, 1);
}

#[tokio::test]
async fn metas_of_two_runs_differ() {
    let first = || async {
        let hub = Hub::new(Default::default());
        let _alice = Client::joined(&hub, "alice", Vsn::V2, "t").await;
        hub.presence_list(&topic("t")).unwrap().get().to_owned()
    };
    let phx_ref = |list: String| {
        serde_json::from_str::<serde_json::Value>(&list).unwrap()["alice"]["metas"][0]["phx_ref"].clone()
    };
    assert_ne!(phx_ref(first().await), phx_ref(first().await));
}
