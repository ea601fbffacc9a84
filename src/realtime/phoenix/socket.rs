//! One connection's protocol state: message in, step out, no I/O.

use pusher_lite_protocol::{
    Message, Outgoing, Vsn,
    phoenix::{event, message, reply, topic},
};

use super::channel::{Channel, Refs};
use crate::realtime::{
    identity::Identity, limits::Limits, restrictions::Rights, room::publication::CheckedPayload, topic::Topic,
    usage::allowance::Visited,
};

/// The most bytes that the refs of all joined topics of a connection may take up together.
const REFS_BYTES: usize = 32 << 10;

/// The channels of one connection.
#[derive(Debug)]
pub(crate) struct Socket {
    vsn: Vsn,
    /// Few enough for a search from the front.
    channels: Vec<Channel>,
    visited: Visited,
}

/// The server's next step, as a message asks for it, in the words of the protocol.
#[derive(Debug)]
pub(crate) enum Step<'a> {
    /// A late message, which needs no answer.
    Nothing,
    /// Answer; the place among what is sent in topics does not matter.
    Reply(Outgoing<'a>),
    /// Answer, behind what was sent in the channel's topic before.
    ReplyInOrder(&'a Channel, Outgoing<'a>),
    /// Pass the message, with its checked payload, on to the topic's members.
    Publish(&'a Channel, CheckedPayload<'a>),
    /// Join the topic, answer, and give the channel to [`Socket::add`]. The channel that it replaces has to leave first;
    /// the client hears of that after the answer. The connection's first join of a topic is free.
    Join { topic: Topic, refs: Refs, rights: Rights, replaced: Option<Channel>, is_free: bool },
    /// Leave the topic, and answer.
    Leave(Channel),
}

impl Socket {
    pub(crate) fn new(vsn: Vsn) -> Socket {
        Socket { vsn, channels: Vec::new(), visited: Visited::default() }
    }

    pub(crate) fn vsn(&self) -> Vsn {
        self.vsn
    }

    /// Decides on the step for a message.
    pub(crate) fn receive<'a>(
        &'a mut self,
        message: &'a Message<'a>,
        identity: &Identity,
        limits: &Limits,
    ) -> Step<'a> {
        let Some(topic) = message.topic.text.as_deref() else {
            return unmatched(message);
        };
        let joined = self.find(topic);
        match (joined, message.event.text.as_deref()) {
            (None, Some(event::HEARTBEAT)) if topic == event::PHOENIX_TOPIC => {
                Step::Reply(Outgoing::reply(message::NULL, &message.r#ref, &message.topic.json, reply::OK))
            }
            (_, Some(event::JOIN)) => self.join(topic, joined, message, identity, limits),
            (Some(at), Some(event::LEAVE)) => self.leave(at, message, limits),
            // A leave that crossed the server's own close. Version 1 has always been told that there is no such topic.
            (None, Some(event::LEAVE)) if self.vsn == Vsn::V2 => {
                Step::Reply(Outgoing::reply(&message.join_ref, &message.r#ref, &message.topic.json, reply::OK))
            }
            (Some(at), _) => self.push(at, message, identity, limits),
            (None, _) => unmatched(message),
        }
    }

    /// Returns the place of the channel that has joined this topic.
    fn find(&self, wire: &str) -> Option<usize> {
        let topic = topic::unprefixed(wire)?;
        self.channels.iter().position(|channel| channel.room().topic().as_str() == topic)
    }

    /// Adds the channel of a join that was carried out.
    pub(crate) fn add(&mut self, channel: Channel) {
        // Most sockets join one topic, and room for four would be a tenth of what they take up in all.
        self.channels.reserve_exact(1);
        self.channels.push(channel);
    }

    /// Takes all channels away, at the end of the connection.
    pub(crate) fn take_channels(&mut self) -> Vec<Channel> {
        std::mem::take(&mut self.channels)
    }

    fn join<'a>(
        &mut self,
        topic: &str,
        joined: Option<usize>,
        message: &'a Message<'a>,
        identity: &Identity,
        limits: &Limits,
    ) -> Step<'a> {
        let refused =
            |payload| Step::Reply(Outgoing::reply(&message.join_ref, &message.r#ref, &message.topic.json, payload));
        let Some((app_key, name)) = topic::split(topic) else { return unmatched(message) };
        let topic = match Topic::new(app_key, name) {
            Ok(topic) if topic.app_key() == &*identity.app_key => topic,
            Ok(_) => return refused(reply::UNAUTHORIZED),
            Err(_) => return refused(reply::INVALID),
        };
        if topic.name().len() > limits.name_bytes {
            return refused(reply::TOPIC_TOO_LONG);
        }
        let rights = identity.rights_on(topic.name());
        if !rights.join {
            return refused(reply::TOPIC_NOT_IN_JWT);
        }
        let refs = Refs::of_join(self.vsn, message);
        if !self.has_room_for(&topic, &refs, joined, limits) {
            return refused(reply::TOO_MANY_CHANNELS);
        }
        let most = limits.channels_per_socket;
        let is_free = joined.is_none() && self.visited.join(&topic, self.channels.len(), most);
        let replaced = joined.map(|at| self.channels.swap_remove(at));
        Step::Join { topic, refs, rights, replaced, is_free }
    }

    /// Returns true if a channel may be joined, perhaps in the place of another. The server keeps the client's names and refs
    /// of a channel while it is joined, so their size is limited too.
    fn has_room_for(&self, topic: &Topic, refs: &Refs, replaced: Option<usize>, limits: &Limits) -> bool {
        let others = self.channels.iter().enumerate().filter(|(at, _)| Some(*at) != replaced);
        let (count, names, kept) = others.fold((0, 0, 0), |(count, names, kept), (_, channel)| {
            (count + 1, names + wire_len(channel.room().topic()), kept + channel.refs.len())
        });
        let (names, kept) = (names + wire_len(topic), kept + refs.len());
        count < limits.channels_per_socket && names + kept <= limits.message_bytes && kept <= REFS_BYTES
    }

    fn leave(&mut self, at: usize, message: &Message<'_>, limits: &Limits) -> Step<'static> {
        if self.channels[at].is_stale(self.vsn, message) {
            return Step::Nothing;
        }
        let channel = self.channels.swap_remove(at);
        self.visited.leave(channel.room().topic(), limits.channels_per_socket);
        Step::Leave(channel)
    }

    fn push<'a>(&'a self, at: usize, message: &'a Message<'a>, identity: &Identity, limits: &Limits) -> Step<'a> {
        let channel = &self.channels[at];
        match channel.check_push(identity, limits, message) {
            Ok(payload) => Step::Publish(channel, payload),
            Err(payload) => {
                let reply = Outgoing::reply(channel.refs.own(), &message.r#ref, &message.topic.json, payload);
                Step::ReplyInOrder(channel, reply)
            }
        }
    }
}

/// Returns the length of a topic's name on the wire.
fn wire_len(topic: &Topic) -> usize {
    topic::PREFIX.len() + topic.as_str().len()
}

/// The reply without a `join_ref`, even if one was given.
fn unmatched<'a>(message: &'a Message<'a>) -> Step<'a> {
    Step::Reply(Outgoing::reply(message::NULL, &message.r#ref, &message.topic.json, reply::UNMATCHED_TOPIC))
}

#[cfg(test)]
mod tests;
