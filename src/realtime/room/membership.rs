//! Joins and leaves of members, with presence or without it.

use std::sync::Arc;

use pusher_lite_protocol::presence::Meta;

use super::{
    log::{Change, Parting},
    presence::PresenceKey,
    room::{Room, State},
};
use crate::realtime::connection::{connection::Connection, frame::Gapped};

/// The bytes that tell one member of another's join, beside the names of topic and user and the user's description.
const TOLD_BYTES: usize = 136;

/// A member that joins.
#[derive(Debug)]
pub(crate) struct Joining<'a> {
    /// Frames that it gets first.
    pub(crate) lead: &'a [u8],
    /// The message that tells it who is there, with a gap for that. `None`: it is not told.
    pub(crate) state: Option<&'a Gapped>,
    /// Its user and meta in the room's presence. `None`: it does not appear there.
    pub(crate) presence: Option<&'a (Arc<str>, Meta)>,
}

impl Room {
    /// Adds a member. It is sent its `lead`, then the presence as the others know it, without itself, and then, as everyone,
    /// what has changed since, itself included. Returns the bytes that are sent by it: what the member gets, and at most what
    /// the others are told of this join and the leave that will follow. Does nothing and returns `None` if the room is
    /// closed.
    pub(crate) fn join(self: &Arc<Self>, connection: &Arc<Connection>, joining: &Joining<'_>) -> Option<usize> {
        let Joining { lead, state: message, presence } = *joining;
        self.change(|state| {
            if state.closed {
                return None;
            }
            let mut frames = Vec::with_capacity(lead.len() + message.map_or(0, Gapped::most_around));
            frames.extend_from_slice(lead);
            let (known, tail) = message.map_or_else(Default::default, |message| {
                let known = state.known_state(connection.dialect, self.budget());
                let tail = message.around(known.len(), &mut frames);
                (known, tail)
            });
            let told = presence.map_or(0, |(user, meta)| self.told_bytes(user, meta));
            let caused = frames.len() + known.len() + tail.len() + told * state.members();
            state.log.mark(connection, Change::Join { state: known, tail }, frames);
            state.counts[connection.dialect.index()] += 1;
            if let Some((user, meta)) = presence {
                state.presence.join(user, meta.clone());
                self.tell_in_time(state);
            }
            self.schedule(state);
            Some(caused)
        })
    }

    /// Returns the bytes by which one member is told of another's join and leave.
    fn told_bytes(&self, user: &str, meta: &Meta) -> usize {
        let info = meta.info.as_ref().map_or(0, |info| info.as_str().len());
        2 * (TOLD_BYTES + self.topic.as_str().len() + user.len() + info)
    }

    /// Takes a member away. It is sent the parting's frames behind all broadcasts so far, and the others are told if it was
    /// in the room's presence.
    pub(crate) fn leave(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
        presence: Option<&PresenceKey>,
        parting: Parting,
    ) {
        self.change(|state| {
            state.part(connection, parting);
            if let Some(key) = presence {
                self.absent(state, key);
            }
            self.schedule(state);
        });
    }

    /// The first half of [`Room::leave`]: nothing is sent to the member after this, but its presence stays. Survives a panic,
    /// since the member has other rooms to leave as well.
    pub(crate) fn part(self: &Arc<Self>, connection: &Arc<Connection>, parting: Parting) {
        let part = |state: &mut State| {
            state.part(connection, parting);
            self.schedule(state);
        };
        self.due.supervision().survive("topic", || self.change(part));
    }

    /// The second half of [`Room::leave`]: its presence ends, and the others are told. Survives a panic, too.
    pub(crate) fn end_presence(self: &Arc<Self>, key: &PresenceKey) {
        let end = |state: &mut State| {
            self.absent(state, key);
            self.schedule(state);
        };
        self.due.supervision().survive("topic", || self.change(end));
    }

    fn absent(self: &Arc<Self>, state: &mut State, key: &PresenceKey) {
        // No new member sees a room that was given up, and all present ones are closed.
        if state.closed {
            return;
        }
        state.presence.leave(key);
        self.tell_in_time(state);
    }
}

impl State {
    fn part(&mut self, connection: &Arc<Connection>, parting: Parting) {
        self.log.mark(connection, Change::Leave(parting.final_frame), parting.frames);
        let count = &mut self.counts[connection.dialect.index()];
        // After a panic it may have been counted wrongly.
        *count = count.saturating_sub(1);
    }
}
