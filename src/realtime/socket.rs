//! One connection's protocol state: message in, action out, no I/O.

use pusher_lite_protocol::{Message, Outgoing, Vsn, event, message, reply};

use super::channel::{Channel, Refs};
use super::identity::Identity;
use super::limits::Limits;
use super::topic::{Topic, TopicError};

/// The channels of one connection.
#[derive(Debug)]
pub(super) struct Socket {
    vsn: Vsn,
    /// Few enough for a search from the front.
    channels: Vec<Channel>,
}

/// What a message asks for.
#[derive(Debug)]
pub(super) enum Action<'a> {
    /// A late message; nobody waits for an answer.
    Nothing,
    /// Answer; the place among what is sent in topics does not matter.
    Reply(Outgoing<'a>),
    /// Answer, behind what was sent in the channel's topic before.
    ReplyInOrder(&'a Channel, Outgoing<'a>),
    /// Pass the message on to the topic's members.
    Publish(&'a Channel),
    /// Join the topic, answer, and give the channel to [`Socket::add`]. The channel that it replaces has to leave first;
    /// the client hears of that after the answer.
    Join { topic: Topic, refs: Refs, replaced: Option<Channel> },
    /// Leave the topic, and answer.
    Leave(Channel),
}

impl Socket {
    pub(super) fn new(vsn: Vsn) -> Socket {
        Socket { vsn, channels: Vec::new() }
    }

    /// Decides what becomes of a message.
    pub(super) fn receive<'a>(
        &'a mut self,
        message: &'a Message<'a>,
        identity: &Identity,
        limits: &Limits,
    ) -> Action<'a> {
        let Some(topic) = message.topic.text.as_deref() else {
            return unmatched(message);
        };
        let joined = self.channels.iter().position(|channel| channel.room.topic().as_str() == topic);
        match (joined, message.event.text.as_deref()) {
            (None, Some(event::HEARTBEAT)) if topic == event::PHOENIX_TOPIC => {
                Action::Reply(Outgoing::reply(message::NULL, &message.r#ref, &message.topic.json, reply::OK))
            }
            (_, Some(event::JOIN)) => self.join(topic, joined, message, identity, limits),
            (Some(at), Some(event::LEAVE)) => self.leave(at, message),
            // A leave that crossed the server's own close. Version 1 has always been told that there is no such topic.
            (None, Some(event::LEAVE)) if self.vsn == Vsn::V2 => {
                Action::Reply(Outgoing::reply(&message.join_ref, &message.r#ref, &message.topic.json, reply::OK))
            }
            (Some(at), _) => self.push(at, message, identity, limits),
            (None, _) => unmatched(message),
        }
    }

    /// Adds the channel of a join that was carried out.
    pub(super) fn add(&mut self, channel: Channel) {
        // Most sockets join one topic, and room for four would be a tenth of what they take up in all.
        self.channels.reserve_exact(1);
        self.channels.push(channel);
    }

    /// Takes all channels away, at the end of the connection.
    pub(super) fn take_channels(&mut self) -> Vec<Channel> {
        std::mem::take(&mut self.channels)
    }

    fn join<'a>(
        &mut self,
        topic: &str,
        joined: Option<usize>,
        message: &'a Message<'a>,
        identity: &Identity,
        limits: &Limits,
    ) -> Action<'a> {
        let refused =
            |payload| Action::Reply(Outgoing::reply(&message.join_ref, &message.r#ref, &message.topic.json, payload));
        let topic = match Topic::parse(topic) {
            Ok(topic) if topic.app_key() == &*identity.app_key => topic,
            Ok(_) => return refused(reply::UNAUTHORIZED),
            Err(TopicError::Invalid) => return refused(reply::INVALID),
            Err(TopicError::Unmatched) => return unmatched(message),
        };
        if topic.name().len() > limits.name_bytes {
            return refused(reply::TOPIC_TOO_LONG);
        }
        let refs = Refs::of_join(self.vsn, message);
        if !self.has_room_for(&topic, &refs, joined, limits) {
            return refused(reply::TOO_MANY_CHANNELS);
        }
        let replaced = joined.map(|at| self.channels.swap_remove(at));
        Action::Join { topic, refs, replaced }
    }

    /// Whether a channel may be joined, if in the place of another. What the client chose to call its channels is kept as
    /// long as they are joined, so its size is limited too.
    fn has_room_for(&self, topic: &Topic, refs: &Refs, replaced: Option<usize>, limits: &Limits) -> bool {
        let size = |topic: &Topic, refs: &Refs| topic.as_str().len() + refs.len();
        let others = self.channels.iter().enumerate().filter(|(at, _)| Some(*at) != replaced);
        let (count, bytes) = others.fold((0, 0), |(count, bytes), (_, channel)| {
            (count + 1, bytes + size(channel.room.topic(), &channel.refs))
        });
        count < limits.channels_per_socket && bytes + size(topic, refs) <= limits.message_bytes
    }

    fn leave(&mut self, at: usize, message: &Message<'_>) -> Action<'static> {
        if self.channels[at].is_stale(self.vsn, message) {
            return Action::Nothing;
        }
        Action::Leave(self.channels.swap_remove(at))
    }

    fn push<'a>(&'a self, at: usize, message: &'a Message<'a>, identity: &Identity, limits: &Limits) -> Action<'a> {
        let channel = &self.channels[at];
        match channel.check_push(identity, limits, message) {
            Ok(()) => Action::Publish(channel),
            Err(payload) => {
                let reply = Outgoing::reply(channel.refs.own(), &message.r#ref, &message.topic.json, payload);
                Action::ReplyInOrder(channel, reply)
            }
        }
    }
}

/// The reply without a `join_ref`, even if one was given.
fn unmatched<'a>(message: &'a Message<'a>) -> Action<'a> {
    Action::Reply(Outgoing::reply(message::NULL, &message.r#ref, &message.topic.json, reply::UNMATCHED_TOPIC))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use pusher_lite_protocol::presence::PhxRef;
    use pusher_lite_protocol::{Payload, quote};

    use super::*;
    use crate::realtime::room::Room;
    use crate::realtime::tests::application;

    fn identity() -> Identity {
        Identity {
            app_key: "key".into(),
            unique_identifier: "alice".into(),
            user_id: 1,
            token_id: None,
            organization_id: None,
            may_send: true,
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

        /// What becomes of a message, in words; joins are carried out.
        fn send(&mut self, text: &str) -> String {
            let vsn = self.socket.vsn;
            let written = |message: &Outgoing<'_>| {
                let mut buffer = Vec::new();
                vsn.encode(message, &mut buffer);
                String::from_utf8(buffer).unwrap()
            };
            let message = vsn.decode_text(text).unwrap();
            match self.socket.receive(&message, &self.identity, &self.limits) {
                Action::Nothing => "nothing".to_owned(),
                Action::Reply(reply) => written(&reply),
                Action::ReplyInOrder(_, reply) => format!("in order {}", written(&reply)),
                Action::Publish(channel) => {
                    let Payload::Json(payload) = message.payload else { panic!("text is not binary") };
                    format!("publish {} {} {payload}", channel.room.topic(), message.event.json)
                }
                Action::Leave(channel) => {
                    format!("leave, own ref {} {}", channel.refs.own(), written(&channel.close(&message.topic.json)))
                }
                Action::Join { topic, refs, replaced } => {
                    let replaced = replaced
                        .map(|channel| format!(" for {}", written(&channel.close(&message.topic.json))))
                        .unwrap_or_default();
                    let done = format!("join {topic}, own ref {}{replaced}", refs.own());
                    let room = Arc::new(Room::new(topic, application(), Arc::default(), Duration::ZERO));
                    self.socket.add(Channel { room, refs, phx_ref: PhxRef(1) });
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
            (
                r#"{"topic":"lobby:key:t","event":"e","payload":{"z":1},"ref":"2"}"#,
                r#"publish lobby:key:t "e" {"z":1}"#,
            ),
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
            (r#"[null,"6","lobby:key:t","phx_leave",{}]"#, "nothing"),
            (
                r#"["4","7","lobby:key:t","phx_leave",{}]"#,
                r#"leave, own ref "4" ["4","4","lobby:key:t","phx_close",{}]"#,
            ),
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

        client.limits.message_bytes = 3000;
        client.limits.name_bytes = 3000;
        client.send(r#"["100","x","lobby:key:100","phx_leave",{}]"#);
        let long = format!(r#"["1","1","lobby:key:{}","phx_join",{{}}]"#, "x".repeat(3000));
        assert!(client.send(&long).contains("too many channels joined"));
        assert!(client.send(&join(100)).starts_with("join"));
    }
}
