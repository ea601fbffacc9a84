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
            (Some(at), _) => self.push(at, message, identity),
            (None, _) => unmatched(message),
        }
    }

    /// Adds the channel of a join that was carried out.
    pub(super) fn add(&mut self, channel: Channel) {
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

    fn push<'a>(&'a self, at: usize, message: &'a Message<'a>, identity: &Identity) -> Action<'a> {
        let channel = &self.channels[at];
        match channel.check_push(identity, message) {
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
