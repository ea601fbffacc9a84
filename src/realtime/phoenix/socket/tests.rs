use std::{sync::Arc, time::Duration};

use pusher_lite_protocol::quote;

use super::*;
use crate::realtime::{Principal, SecretId, action::Membership, room::room::Room, tests::application};

fn identity() -> Identity {
    Identity {
        app_key: "key".into(),
        unique_identifier: "alice".into(),
        principal: Principal::Application(SecretId(1)),
        may_send: true,
        restrictions: None,
        expires_at: None,
    }
}

struct Client {
    socket: Socket,
    identity: Identity,
    limits: Limits,
}

impl Client {
    fn new(vsn: Vsn) -> Client {
        Client { socket: Socket::new(vsn), identity: identity(), limits: Limits::default() }
    }

    /// Sends a message, carries out joins, and returns the step in words.
    fn send(&mut self, text: &str) -> String {
        let vsn = self.socket.vsn;
        let written = |message: &Outgoing<'_>| {
            let mut buffer = Vec::new();
            vsn.encode(message, &mut buffer);
            String::from_utf8(buffer).unwrap()
        };
        let message = vsn.decode_text(text).unwrap();
        match self.socket.receive(&message, &self.identity, &self.limits) {
            Step::Nothing => "nothing".to_owned(),
            Step::Reply(reply) => written(&reply),
            Step::ReplyInOrder(_, reply) => format!("in order {}", written(&reply)),
            Step::Publish(channel, _) => {
                let payload = message.payload.json().expect("text is not binary");
                format!("publish lobby:{} {} {payload}", channel.room().topic().as_str(), message.event.json)
            }
            Step::Leave(channel) => {
                format!("leave, own ref {} {}", channel.refs.own(), written(&channel.close(&message.topic.json)))
            }
            Step::Join { topic, refs, rights, replaced, .. } => {
                let replaced = replaced
                    .map(|channel| format!(" for {}", written(&channel.close(&message.topic.json))))
                    .unwrap_or_default();
                let done = format!("join lobby:{}, own ref {}{replaced}", topic.as_str(), refs.own());
                let room = Arc::new(Room::new(topic, application(), Arc::default(), Duration::ZERO));
                let membership = Membership { room, presence: None };
                self.socket.add(Channel { membership, refs, may_send: rights.send });
                done
            }
        }
    }
}

#[test]
fn version_1_joins_pushes_and_leaves() {
    let mut client = Client::new(Vsn::V1);
    for (sent, expected) in [
        (
            r#"{"topic":"phoenix","event":"heartbeat","payload":"str","ref":{"x":1}}"#,
            r#"{"topic":"phoenix","ref":{"x":1},"payload":{"status":"ok","response":{}},"event":"phx_reply"}"#,
        ),
        (r#"{"topic":"lobby:key:t","event":"phx_join","payload":null,"ref":1.5}"#, "join lobby:key:t, own ref 1.5"),
        (r#"{"topic":"lobby:key:t","event":"e","payload":{"z":1},"ref":"2"}"#, r#"publish lobby:key:t "e" {"z":1}"#),
        (
            r#"{"topic":"lobby:key:t","event":"phx_join","payload":{},"ref":"3"}"#,
            r#"join lobby:key:t, own ref "3" for {"topic":"lobby:key:t","ref":1.5,"payload":{},"event":"phx_close"}"#,
        ),
        (
            r#"{"topic":"lobby:key:t","event":"phx_leave","payload":{},"ref":null}"#,
            r#"leave, own ref "3" {"topic":"lobby:key:t","ref":"3","payload":{},"event":"phx_close"}"#,
        ),
        (
            r#"{"topic":"lobby:key:t","event":"phx_leave","payload":{},"ref":"5"}"#,
            r#"{"topic":"lobby:key:t","ref":"5","payload":{"status":"error","response":{"reason":"unmatched topic"}},"event":"phx_reply"}"#,
        ),
    ] {
        assert_eq!(client.send(sent), expected, "{sent}");
    }
}

#[test]
fn version_2_checks_the_join_ref_of_leaves_only() {
    let mut client = Client::new(Vsn::V2);
    for (sent, expected) in [
        (r#"["4","9","lobby:key:t","phx_join",{}]"#, r#"join lobby:key:t, own ref "4""#),
        (r#"["77",5,"lobby:key:t","e",{}]"#, r#"publish lobby:key:t "e" {}"#),
        (r#"["77","6","lobby:key:t","phx_leave",{}]"#, "nothing"),
        (r#"["4","7","lobby:key:t","phx_leave",{}]"#, r#"leave, own ref "4" ["4","4","lobby:key:t","phx_close",{}]"#),
        (
            r#"["7","8","lobby:key:t","phx_leave",{}]"#,
            r#"["7","8","lobby:key:t","phx_reply",{"status":"ok","response":{}}]"#,
        ),
        (r#"["1","4","room:1","phx_leave",{}]"#, r#"["1","4","room:1","phx_reply",{"status":"ok","response":{}}]"#),
    ] {
        assert_eq!(client.send(sent), expected, "{sent}");
    }
}

#[test]
fn a_leave_without_a_join_ref_is_one_of_whatever_join_there_is() {
    let mut client = Client::new(Vsn::V2);
    for (sent, expected) in [
        (r#"["4","4","lobby:key:t","phx_join",{}]"#, r#"join lobby:key:t, own ref "4""#),
        (r#"[null,"5","lobby:key:t","phx_leave",{}]"#, r#"leave, own ref "4" ["4","4","lobby:key:t","phx_close",{}]"#),
        (r#"["7","7","lobby:key:t","phx_join",{}]"#, r#"join lobby:key:t, own ref "7""#),
        (r#"["4","8","lobby:key:t","phx_leave",{}]"#, "nothing"),
        (r#"["null","8","lobby:key:t","phx_leave",{}]"#, "nothing"),
        (r#"["","8","lobby:key:t","phx_leave",{}]"#, "nothing"),
    ] {
        assert_eq!(client.send(sent), expected, "{sent}");
    }
}

#[test]
fn version_2_puts_the_ref_in_the_place_of_a_missing_join_ref() {
    let mut client = Client::new(Vsn::V2);
    for (sent, expected) in [
        (r#"[null,"1","lobby:key:t","phx_join",{}]"#, r#"join lobby:key:t, own ref "1""#),
        (
            r#"[null,"l","lobby:key:t","phx_leave",{}]"#,
            r#"leave, own ref "1" [null,null,"lobby:key:t","phx_close",{}]"#,
        ),
        (r#"[null,null,"lobby:key:t","phx_join",{}]"#, "join lobby:key:t, own ref null"),
        (
            r#"[3,3,"lobby:key:t","phx_join",{}]"#,
            r#"join lobby:key:t, own ref 3 for [null,null,"lobby:key:t","phx_close",{}]"#,
        ),
    ] {
        assert_eq!(client.send(sent), expected, "{sent}");
    }
}

#[test]
fn refuses_joins() {
    let mut client = Client::new(Vsn::V2);
    for (topic, join_ref, response) in [
        ("room:1", "null", reply::UNMATCHED_TOPIC),
        ("lobby", "null", reply::UNMATCHED_TOPIC),
        ("phoenix", "null", reply::UNMATCHED_TOPIC),
        ("lobby:key", r#""1""#, reply::INVALID),
        ("lobby:key:", r#""1""#, reply::INVALID),
        ("lobby:key:*", r#""1""#, reply::INVALID),
        ("lobby::a:b", r#""1""#, reply::INVALID),
        ("lobby:other:t", r#""1""#, reply::UNAUTHORIZED),
        ("lobby:KEY:t", r#""1""#, reply::UNAUTHORIZED),
    ] {
        let topic = quote(topic);
        assert_eq!(
            client.send(&format!(r#"["1","2",{topic},"phx_join",{{}}]"#)),
            format!(r#"[{join_ref},"2",{topic},"phx_reply",{response}]"#)
        );
    }
    let topic = quote(&format!("lobby:key:{}", "t".repeat(1025)));
    assert_eq!(
        client.send(&format!(r#"["1","2",{topic},"phx_join",{{}}]"#)),
        format!(r#"["1","2",{topic},"phx_reply",{}]"#, reply::TOPIC_TOO_LONG)
    );
    assert_eq!(
        client.send(r#"["1","1",null,"phx_join",{}]"#),
        format!(r#"[null,"1",null,"phx_reply",{}]"#, reply::UNMATCHED_TOPIC)
    );
}

#[test]
fn refuses_pushes() {
    let mut client = Client::new(Vsn::V2);
    let unmatched = format!(r#"[null,"4","lobby:key:t","phx_reply",{}]"#, reply::UNMATCHED_TOPIC);
    assert_eq!(client.send(r#"["1","4","lobby:key:t","e",{}]"#), unmatched);
    client.send(r#"["1","1","lobby:key:t","phx_join",{}]"#);
    for (event, payload, response) in [
        (r#""phx_close""#, "{}", reply::RESERVED_EVENT),
        (r#""phx_\u0072eply""#, "{}", reply::RESERVED_EVENT),
        (r#""phx_anything""#, "{}", reply::RESERVED_EVENT),
        (r#""presence_state""#, "{}", reply::RESERVED_EVENT),
        (r#""presence_diff""#, "{}", reply::RESERVED_EVENT),
        (r#""disconnect""#, "{}", reply::RESERVED_EVENT),
        (r#""chan_\u0072eply_5""#, "{}", reply::RESERVED_EVENT),
        (r#""e""#, r#""str""#, reply::PAYLOAD_NOT_OBJECT),
        (r#""e""#, "[{}]", reply::PAYLOAD_NOT_OBJECT),
        (r#""e""#, "null", reply::PAYLOAD_NOT_OBJECT),
        ("1", "{}", reply::EVENT_NOT_STRING),
        ("null", "{}", reply::EVENT_NOT_STRING),
    ] {
        assert_eq!(
            client.send(&format!(r#"["9","5","lobby:key:t",{event},{payload}]"#)),
            format!(r#"in order ["1","5","lobby:key:t","phx_reply",{response}]"#)
        );
    }
    let longest = "e".repeat(1024);
    assert!(client.send(&format!(r#"["1","5","lobby:key:t","{longest}",{{}}]"#)).starts_with("publish"));
    assert_eq!(
        client.send(&format!(r#"["1","5","lobby:key:t","{longest}e",{{}}]"#)),
        format!(r#"in order ["1","5","lobby:key:t","phx_reply",{}]"#, reply::EVENT_TOO_LONG)
    );
    for event in ["heartbeat", "", "phx", "événement"] {
        let event = quote(event);
        let expected = format!("publish lobby:key:t {event} {{}}");
        assert_eq!(client.send(&format!(r#"["1","5","lobby:key:t",{event},{{}}]"#)), expected);
    }
    client.identity.may_send = false;
    assert_eq!(
        client.send(r#"["1","5","lobby:key:t","e",{}]"#),
        format!(r#"in order ["1","5","lobby:key:t","phx_reply",{}]"#, reply::FORBIDDEN)
    );
}

#[test]
fn holds_so_many_channels_and_so_much_of_their_names() {
    let mut client = Client::new(Vsn::V2);
    let join = |number: usize| format!(r#"["{number}","{number}","lobby:key:{number}","phx_join",{{}}]"#);
    for number in 0..100 {
        assert!(client.send(&join(number)).starts_with("join"), "{number}");
    }
    let refused = format!(r#"["100","100","lobby:key:100","phx_reply",{}]"#, reply::TOO_MANY_CHANNELS);
    assert_eq!(client.send(&join(100)), refused);
    assert!(client.send(&join(5)).starts_with("join"), "joining again needs no room");
    client.send(r#"["5","x","lobby:key:5","phx_leave",{}]"#);
    assert!(client.send(&join(100)).starts_with("join"));

    let ref_of =
        |len: usize, topic: &str| format!(r#"["{}","1","lobby:key:{topic}","phx_join",{{}}]"#, "1".repeat(len));
    for topic in 0..8 {
        client.send(&format!(r#"["{topic}","x","lobby:key:{topic}","phx_leave",{{}}]"#));
    }
    for topic in 0..7 {
        assert!(client.send(&ref_of(4000, &topic.to_string())).starts_with("join"), "{topic}");
    }
    assert!(client.send(&ref_of(4090, "7")).contains("too many channels joined"));
    for topic in 0..7 {
        client.send(&ref_of(1, &topic.to_string()));
    }

    client.limits.message_bytes = 3000;
    client.limits.name_bytes = 3000;
    client.send(r#"["100","x","lobby:key:100","phx_leave",{}]"#);
    let long = format!(r#"["1","1","lobby:key:{}","phx_join",{{}}]"#, "x".repeat(3000));
    assert!(client.send(&long).contains("too many channels joined"));
    assert!(client.send(&join(100)).starts_with("join"));
}
