//! Joins, leaves and presence.

use super::{
    super::{
        Limits,
        action::{Action, Join},
        connection::frames::Frames,
        executor::Executor,
    },
    *,
};

const OK: &str = r#"{"status":"ok","response":{}}"#;

fn ok() -> Value {
    serde_json::from_str(OK).unwrap()
}

vsn_test!(joiners_are_answered_then_told_who_is_there_then_seen, async |vsn| {
    let hub = Hub::new(Limits::default());
    let mut alice = Client::connect(&hub, "alice", vsn).await;
    alice.join("t", "1").await;
    alice.expect(Some("1"), Some("1"), "phx_reply", ok()).await;
    alice.expect(Some("1"), None, "presence_state", json!({})).await;
    let diff = alice.receive().await;
    assert_eq!((diff.event.as_str(), &diff.join_ref, &diff.r#ref), ("presence_diff", &Value::Null, &Value::Null));
    let alice_meta = diff.payload["joins"]["alice"].clone();
    assert!(alice_meta["metas"][0]["phx_ref"].is_string() && alice_meta["metas"][0]["online_at"].is_u64());

    let mut bob = Client::connect(&hub, "bob", vsn).await;
    bob.join("t", "77").await;
    bob.expect(Some("77"), Some("77"), "phx_reply", ok()).await;
    bob.expect(Some("77"), None, "presence_state", json!({"alice": alice_meta})).await;
    let seen = bob.receive().await;
    assert!(seen.payload["joins"]["bob"].is_object());
    assert_eq!(alice.receive().await, seen);
});

vsn_test!(leavers_are_answered_and_others_told, async |vsn| {
    let hub = Hub::new(Limits::default());
    let mut alice = Client::joined(&hub, "alice", vsn, "t").await;
    let mut bob = Client::joined(&hub, "bob", vsn, "t").await;
    alice.expect_diff().await;
    alice.send("1", "5", "t", "phx_leave", "{}").await;
    alice.expect(Some("1"), Some("5"), "phx_reply", ok()).await;
    alice.expect(Some("1"), Some("1"), "phx_close", json!({})).await;
    assert_eq!(bob.expect_diff().await, (vec![], vec!["alice".to_owned()]));
    bob.send("1", "6", "t", "e", "{}").await;
    bob.expect(None, None, "e", json!({})).await;
    alice.heartbeat().await;

    alice.join("t", "7").await;
    alice.expect(Some("7"), Some("7"), "phx_reply", ok()).await;
    assert!(alice.receive().await.payload["bob"].is_object());
    assert_eq!(bob.expect_diff().await.0, ["alice"]);
});

vsn_test!(joining_again_ends_the_first_channel, async |vsn| {
    let hub = Hub::new(Limits::default());
    let mut bob = Client::joined(&hub, "bob", vsn, "t").await;
    let mut alice = Client::joined(&hub, "alice", vsn, "t").await;
    assert_eq!(bob.expect_diff().await.0, ["alice"]);
    alice.join("t", "2").await;
    alice.expect(Some("2"), Some("2"), "phx_reply", ok()).await;
    alice.expect(Some("1"), Some("1"), "phx_close", json!({})).await;
    let state = alice.receive().await;
    assert_eq!(state.event, "presence_state");
    assert_eq!(state.payload.as_object().unwrap().keys().collect::<Vec<_>>(), ["bob"]);
    assert_eq!(alice.expect_diff().await.0, ["alice"]);
    assert_eq!(bob.expect_diff().await.1, ["alice"]);
    assert_eq!(bob.expect_diff().await.0, ["alice"]);
    alice.send("2", "3", "t", "e", r#"{"n":1}"#).await;
    alice.expect(None, None, "e", json!({"n": 1})).await;
    bob.expect(None, None, "e", json!({"n": 1})).await;
});

vsn_test!(each_socket_of_a_user_is_a_meta, async |vsn| {
    let hub = Hub::new(Limits::default());
    let mut watcher = Client::joined(&hub, "watcher", vsn, "t").await;
    let _first = Client::joined(&hub, "alice", vsn, "t").await;
    let second = Client::joined(&hub, "alice", vsn, "t").await;
    let refs: Vec<Value> = [watcher.receive().await, watcher.receive().await]
        .iter()
        .map(|diff| diff.payload["joins"]["alice"]["metas"][0]["phx_ref"].clone())
        .collect();
    assert_ne!(refs[0], refs[1]);
    let list: Value = serde_json::from_str(hub.presence_list(&topic("t")).unwrap().get()).unwrap();
    let metas = list["alice"]["metas"].as_array().unwrap();
    assert_eq!(metas.iter().map(|meta| &meta["phx_ref"]).collect::<Vec<_>>(), refs.iter().collect::<Vec<_>>());

    drop(second);
    let left = watcher.receive().await;
    assert_eq!(left.payload["leaves"]["alice"]["metas"], json!([metas[1]]));
    let list: Value = serde_json::from_str(hub.presence_list(&topic("t")).unwrap().get()).unwrap();
    assert_eq!(list["alice"]["metas"], json!([metas[0]]));
    assert_eq!(hub.presence_list(&topic("elsewhere")).unwrap().get(), "{}");
});

/// No door offers a join without presence yet.
#[tokio::test]
async fn a_client_may_join_unseen() {
    let hub = Hub::new(Limits::default());
    let mut watcher = Client::joined(&hub, "watcher", Vsn::V2, "t").await;
    let outbox = Outbox::polled(1 << 20, Arc::default(), Arc::default());
    let connection = hub.shared.sockets.add(Vsn::V2.into(), identity("unseen"), outbox);
    let mut executor = Executor::new(Arc::clone(&hub.shared), Arc::clone(&connection));
    let mut join = |replaced| {
        let (appearance, lead, state) = (None, Vec::new(), None);
        let join = Join { topic: topic("t"), appearance, lead, state, replaced, is_free: true };
        executor.carry_out(Action::Join(join), 0, 0).joined.unwrap()
    };
    let membership = join(None);
    let membership = join(Some(membership));
    watcher.send("1", "2", "t", "e", "{}").await;
    watcher.expect(None, None, "e", json!({})).await;
    let received = connection.outbox.take().into_iter().map(Frames::into_bytes).collect::<Vec<_>>().concat();
    assert_eq!(received, b"\x81\x20[null,null,\"lobby:key:t\",\"e\",{}]");
    let list: Value = serde_json::from_str(hub.presence_list(&topic("t")).unwrap().get()).unwrap();
    assert_eq!(list.as_object().unwrap().keys().collect::<Vec<_>>(), ["watcher"]);
    let totals = hub.stats().totals;
    assert_eq!((totals.joins, totals.leaves, totals.deliveries), (3, 1, 2));

    executor.leave_all(vec![membership], None);
    watcher.send("1", "3", "t", "e", "{}").await;
    watcher.expect(None, None, "e", json!({})).await;
    watcher.heartbeat().await;
    assert!(connection.outbox.is_empty());
    assert_eq!(hub.stats().totals.joined(), 1);
}

#[tokio::test]
async fn what_came_with_the_handshake_is_read() {
    let hub = Hub::new(Limits::default());
    let (server, client) = loopback().await;
    // A masked text frame, with a mask of zero.
    let text = br#"[null,"5","phoenix","heartbeat",{}]"#;
    let frame = [&[0x81, 0x80 | text.len() as u8, 0, 0, 0, 0], &text[..]].concat();
    tokio::spawn(hub.serve_websocket(server, frame.into(), identity("alice"), Vsn::V2));
    let stream = WebSocketStream::from_raw_socket(client, Role::Client, None).await;
    let mut client = Client { vsn: Vsn::V2, stream };
    assert_eq!(client.receive_text().await, format!(r#"[null,"5","phoenix","phx_reply",{OK}]"#));
}
