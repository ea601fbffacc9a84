//! Events from clients and from REST.

use serde_json::value::RawValue;

use super::{
    super::{Limits, PublishError},
    *,
};

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap()
}

/// Key order, numbers, repeated keys and white space that a decoder would not keep.
const ODD: &str = r#"{"z":1,"a":1.10,"n":-0,"x":1E3, "a" : "\/ \u003c é","10":[ ]}"#;

#[tokio::test]
async fn events_reach_both_versions_exactly_as_they_were_sent() {
    let hub = Hub::new(Limits::default());
    let mut one = Client::joined(&hub, "one", Vsn::V1, "t").await;
    let mut two = Client::joined(&hub, "two", Vsn::V2, "t").await;
    let _elsewhere = Client::joined(&hub, "three", Vsn::V2, "u").await;
    one.expect_diff().await;
    let v1 = |event: &str| format!(r#"{{"topic":"lobby:key:t","ref":null,"payload":{ODD},"event":"{event}"}}"#);
    let v2 = |event: &str| format!(r#"[null,null,"lobby:key:t","{event}",{ODD}]"#);

    one.send("1", "5", "t", "from_one", ODD).await;
    assert_eq!((one.receive_text().await, two.receive_text().await), (v1("from_one"), v2("from_one")));
    two.send("1", "6", "t", "from_two", ODD).await;
    assert_eq!((one.receive_text().await, two.receive_text().await), (v1("from_two"), v2("from_two")));
    hub.publish(&topic("t"), "from_rest", EventPayload::check(&raw(ODD))).unwrap();
    assert_eq!((one.receive_text().await, two.receive_text().await), (v1("from_rest"), v2("from_rest")));
}

#[tokio::test]
async fn control_characters_are_taken_from_version_1_and_escaped() {
    let hub = Hub::new(Limits { message_bytes: 1000, ..Limits::default() });
    let mut one = Client::joined(&hub, "one", Vsn::V1, "t").await;
    let mut two = Client::joined(&hub, "two", Vsn::V2, "t").await;
    one.expect_diff().await;
    let message = |payload: &str| written(Vsn::V1, ["1", "5", "lobby:key:t", "e"], payload);
    for raw in [Message::text(message("{\"a\":\"b\nc\"}")), Message::binary(message("{\"a\":\"b\nc\"}"))] {
        one.send_message(raw).await;
        assert_eq!(two.receive_text().await, r#"[null,null,"lobby:key:t","e",{"a":"b\u000ac"}]"#);
        one.expect(None, None, "e", json!({"a": "b\nc"})).await;
    }
    one.send_text(&message(&format!("{{\"a\":\"{}\"}}", "\n".repeat(200)))).await;
    one.expect_close(Some(1011)).await;
    two.expect_diff().await;
    two.send("1", "5", "t", "e", "{\"a\":\"b\nc\"}").await;
    two.expect_close(Some(1011)).await;
}

#[tokio::test]
async fn rest_cannot_publish_what_clients_cannot() {
    let hub = Hub::new(Limits::default());
    for event in ["phx_close", "phx_error", "presence_diff", "presence_state", "disconnect", "chan_reply_2"] {
        assert_eq!(hub.publish(&topic("t"), event, EventPayload::check(&raw("{}"))), Err(PublishError::ReservedEvent));
    }
    assert_eq!(
        hub.publish(&topic("t"), "e", EventPayload::check(&raw("[]"))),
        Err(PublishError::Payload(PayloadError::NotObject))
    );
    assert_eq!(hub.publish(&topic("nobody"), "e", EventPayload::check(&raw("{}"))), Ok(()));
}

vsn_test!(refusals_keep_their_place_among_events, async |vsn| {
    let hub = Hub::new(Limits::default());
    let mut client = Client::joined(&hub, "alice", vsn, "t").await;
    client.send("1", "2", "t", "a", "{}").await;
    client.send("1", "3", "t", "phx_close", "{}").await;
    client.send("1", "4", "t", "b", "{}").await;
    client.send("1", "5", "t", "phx_leave", "{}").await;
    client.expect(None, None, "a", json!({})).await;
    let reserved = json!({"status": "error", "response": {"reason": "reserved event"}});
    client.expect(Some("1"), Some("3"), "phx_reply", reserved).await;
    client.expect(None, None, "b", json!({})).await;
    assert_eq!(client.receive().await.r#ref, "5");
});

#[tokio::test]
async fn binary_pushes_pass_by_those_who_cannot_take_them() {
    let hub = Hub::new(Limits::default());
    let mut alice = Client::joined(&hub, "alice", Vsn::V2, "t").await;
    let mut bob = Client::joined(&hub, "bob", Vsn::V2, "t").await;
    let mut old = Client::joined(&hub, "old", Vsn::V1, "t").await;
    for _ in 0..2 {
        alice.expect_diff().await;
    }
    bob.expect_diff().await;
    let push = b"\x00\x01\x01\x0b\x0615lobby:key:tupload\x00\x01\x02\xfe\xff";
    alice.send_message(Message::binary(push.to_vec())).await;
    alice.send("1", "6", "t", "after", "{}").await;
    let broadcast = Message::binary(b"\x02\x0b\x06lobby:key:tupload\x00\x01\x02\xfe\xff".to_vec());
    for client in [&mut alice, &mut bob] {
        assert_eq!(client.next().await, broadcast);
        client.expect(None, None, "after", json!({})).await;
    }
    old.expect(None, None, "after", json!({})).await;

    for (refused, reason) in [
        (&b"\x00\x01\x01\x0b\x0a15lobby:key:tdisconnect"[..], "reserved event"),
        // A byte order mark, which TextDecoder drops; half a surrogate; bytes.
        (b"\x00\x01\x01\x0b\x0c15lobby:key:t\xef\xbb\xbfphx_close", "reserved event"),
        (b"\x00\x01\x01\x0b\x0415lobby:key:te\xed\xa0\x80", "event must be a string"),
        (b"\x00\x01\x01\x0b\x0215lobby:key:t\xff\xfe", "event must be a string"),
    ] {
        alice.send_message(Message::binary(refused.to_vec())).await;
        assert_eq!(alice.receive().await.payload["response"]["reason"], reason);
    }
    let leave = b"\x00\x01\x01\x0b\x0913lobby:key:tphx_leave";
    alice.send_message(Message::binary(leave.to_vec())).await;
    assert_eq!(alice.receive().await.r#ref, "3");
    assert_eq!(alice.receive().await.event, "phx_close");
}
