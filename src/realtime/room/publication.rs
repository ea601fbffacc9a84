//! The entrance to a room: every event comes in as a [`Publication`], from whichever door and in whichever protocol.

use std::sync::Arc;

use pusher_lite_protocol::{BinaryPush, EventPayload, Notice, Spelling};

use super::{hold::Hold, log::Change, room::Room};
use crate::realtime::connection::connection::Connection;

/// With more bytes than this in the log, publishers that cannot be held back are refused.
const FULL_FROM: usize = 16 << 20;

/// An event for the members of a room.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Publication<'a> {
    /// The publisher's spelling of the room's topic.
    pub(crate) topic: Spelling<'a>,
    /// The event's name as JSON text, in the publisher's spelling.
    pub(crate) event: &'a str,
    pub(crate) payload: CheckedPayload<'a>,
    pub(crate) source: Source,
    /// A member that does not get the event, for senders that shall not hear themselves. It costs one mark for that member
    /// and nothing for the others. A connection and no [`SocketId`](crate::realtime::connection::connection::SocketId),
    /// because the mark's place depends on the member's dialect.
    pub(crate) except: Option<&'a Arc<Connection>>,
}

/// A payload that has passed the protocol's check: only that makes an [`EventPayload`] or a [`BinaryPush`].
#[derive(Debug, Clone, Copy)]
pub(crate) enum CheckedPayload<'a> {
    Text(EventPayload<'a>),
    /// Repeats topic and event, byte for byte as the client sent them. Most dialects have no form for it (D21).
    Binary(BinaryPush<'a>),
}

/// Origin of an event. Each is counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// A socket. While the log is long, the server does not read from it.
    Push,
    /// REST or the console. It cannot be held back, and is refused when the log is full.
    Rest,
}

/// Outcome of a publication.
#[derive(Debug)]
#[must_use]
pub(crate) enum Published {
    Sent,
    /// Sent, and the publisher has to wait before it sends more.
    Held(Hold),
    /// Not sent: the log is full. Only [`Source::Rest`] is refused.
    Refused,
}

impl Published {
    /// The wait before the publisher may send more.
    pub(crate) fn hold(self) -> Option<Hold> {
        match self {
            Published::Held(hold) => Some(hold),
            Published::Sent | Published::Refused => None,
        }
    }
}

impl Room {
    /// Sends an event to all members but the publication's `except`. No other function adds events to the log.
    pub(crate) fn publish(self: &Arc<Self>, publication: &Publication<'_>) -> Published {
        let Publication { topic, event, payload, source, except } = *publication;
        self.change(|state| {
            if source == Source::Rest && state.log.size() >= FULL_FROM {
                return Published::Refused;
            }
            let from = except.map(|member| state.log.end(member.dialect));
            let notice = match payload {
                CheckedPayload::Text(payload) => Notice::Event { event, payload },
                CheckedPayload::Binary(push) => Notice::Binary(push),
            };
            state.log.publish(self.topic().spelled(topic), &notice, &state.counts);
            if let (Some(member), Some(from)) = (except, from) {
                state.log.skip(member, from);
            }
            let hold = match source {
                Source::Push => {
                    state.log.tally.pushed += 1;
                    Hold::new_if_behind(self, &state.log)
                }
                Source::Rest => {
                    state.log.tally.published += 1;
                    None
                }
            };
            self.schedule(state);
            hold.map_or(Published::Sent, Published::Held)
        })
    }

    /// Sends frames to one member, behind all broadcasts so far. Returns the wait before it may send more.
    pub(crate) fn reply(self: &Arc<Self>, connection: &Arc<Connection>, frames: Vec<u8>) -> Option<Hold> {
        self.change(|state| {
            state.log.mark(connection, Change::Reply, frames);
            self.schedule(state);
            Hold::new_if_behind(self, &state.log)
        })
    }
}
