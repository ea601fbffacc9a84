//! Messages of a topic to its members, in no protocol yet: the dialect of a member decides how it gets them.

use crate::{BinaryPush, EventPayload, presence::Diff};

/// A message of a topic to all its members.
#[derive(Debug, Clone, Copy)]
pub enum Notice<'a> {
    /// An event that a client or REST published.
    Event {
        /// The event's name as JSON text, in the publisher's spelling.
        event: &'a str,
        /// The payload.
        payload: EventPayload<'a>,
    },
    /// An event with bytes for a payload.
    Binary(BinaryPush<'a>),
    /// Users who came and went.
    PresenceDiff(&'a Diff),
}

/// The topic of a notice.
#[derive(Debug, Clone, Copy)]
pub struct TopicName<'a> {
    /// The key of the topic's application.
    pub app_key: &'a str,
    /// The topic's name in the application.
    pub name: &'a str,
    /// The publisher's spelling of both.
    pub spelling: Spelling<'a>,
}

/// The spelling of a topic by the publisher of an event. Receivers that speak the publisher's protocol get it back; for the
/// others the topic is spelled anew.
#[derive(Debug, Clone, Copy)]
pub enum Spelling<'a> {
    /// The server's own.
    Own,
    /// The name on the wire as JSON text, from a client of Phoenix channels.
    Phoenix(&'a str),
}
