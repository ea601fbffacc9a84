//! Carries out the actions of one socket, and charges the socket for them.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use pusher_lite_protocol::presence::Meta;

use super::{
    action::{Action, Join, Membership},
    connection::{connection::Connection, final_frame::FinalFrame},
    limits::Limits,
    room::{hold::Hold, log::Parting, membership::Joining, presence::PresenceKey, room::Room},
    shared::Shared,
    usage::{allowance::Allowance, bucket::Bucket, counters::Count, refusal::Refusal},
};

/// One socket's access to rooms, with the rates at which it may use them.
#[derive(Debug)]
pub(crate) struct Executor {
    shared: Arc<Shared>,
    connection: Arc<Connection>,
    /// Rate-limit state of its pushes.
    events: Bucket,
    /// Rate-limit state of everything else that it asks for.
    allowance: Allowance,
}

/// The outcome of an action.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// The wait before the client may be read from again.
    pub(crate) hold: Option<Hold>,
    /// The membership that a join gave.
    pub(crate) joined: Option<Membership>,
}

impl Executor {
    pub(crate) fn new(shared: Arc<Shared>, connection: Arc<Connection>) -> Executor {
        Executor { shared, connection, events: Bucket::default(), allowance: Allowance::default() }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    /// Counts a refused message.
    pub(crate) fn refused(&self, refusal: Refusal) {
        self.shared.counters.refused(refusal);
    }

    /// Returns true if the socket may push an event now, and counts it then.
    pub(crate) fn may_push(&mut self) -> bool {
        let Executor { shared, connection, events, .. } = self;
        connection.application.may_push(events, || shared.now())
    }

    /// Returns true if the socket has asked for so much that it must not be read from, until [`Executor::pause`] is over.
    pub(crate) fn is_overdrawn(&self) -> bool {
        self.allowance.is_overdrawn()
    }

    /// The time for which the socket must still not be read from, if there is any.
    pub(crate) fn pause(&mut self) -> Option<Duration> {
        let Executor { shared, allowance, .. } = self;
        allowance.pause(|| shared.now())
    }

    /// Events that are passed on have rates of their own; everything else is charged here, by the bytes that came and
    /// those that it causes to be sent.
    pub(crate) fn charge(&mut self, received: usize, caused: usize) {
        let per_second = self.shared.limits.reply_bytes_per_second;
        if self.allowance.charge(per_second, received, caused, self.shared.now()) {
            self.shared.counters.add(Count::Pause, 1);
        }
    }

    /// Carries out what a message of `received` bytes asks for. `replied` is the number of bytes by which it was answered
    /// immediately.
    #[inline]
    pub(crate) fn carry_out(&mut self, action: Action<'_>, received: usize, replied: usize) -> Outcome {
        let (outcome, caused) = match action {
            Action::Publish { room, publication } => {
                return Outcome { hold: room.publish(&publication).hold(), joined: None };
            }
            Action::Done => (Outcome::default(), 0),
            Action::ReplyInOrder { room, frames } => self.reply_in_order(room, frames),
            Action::Join(join) => {
                let is_free = join.is_free;
                let (outcome, caused) = self.join(join);
                if is_free {
                    return outcome;
                }
                (outcome, caused)
            }
            Action::Leave { membership, frames } => {
                let caused = frames.len();
                self.shared.counters.add(Count::Leave, 1);
                self.leave(membership, frames);
                (Outcome::default(), caused)
            }
        };
        self.charge(received, caused + replied);
        outcome
    }

    fn reply_in_order(&self, room: &Arc<Room>, frames: Vec<u8>) -> (Outcome, usize) {
        let caused = frames.len();
        (Outcome { hold: room.reply(&self.connection, frames), joined: None }, caused)
    }

    /// Also returns the bytes that are sent by it, those to other members included.
    fn join(&self, join: Join) -> (Outcome, usize) {
        let Executor { shared, connection, .. } = self;
        let Join { topic, appearance, lead, state, replaced, is_free: _ } = join;
        if let Some(replaced) = replaced {
            shared.counters.add(Count::Leave, 1);
            self.leave(replaced, Vec::new());
        }
        let meta = appearance.map(|appearance| {
            let (id, online_at) = (shared.next_meta_id(), milliseconds_since_1970());
            (appearance.user, Meta { id, online_at, info: appearance.info })
        });
        shared.counters.add(Count::Join, 1);
        let joining = Joining { lead: &lead, state: state.as_ref(), presence: meta.as_ref() };
        let (room, caused) = shared.registry.join(&topic, connection, &joining);
        let hold = room.hold();
        connection.outbox.is_present();
        let presence = meta.map(|(user, meta)| PresenceKey { user, id: meta.id });
        (Outcome { hold, joined: Some(Membership { room, presence }) }, caused)
    }

    fn leave(&self, membership: Membership, frames: Vec<u8>) {
        let Membership { room, presence } = membership;
        room.leave(&self.connection, presence.as_ref(), Parting { frames, final_frame: None });
    }

    /// Leaves all rooms. Those who stay are told, together with the leave of all sockets that are closed with this one; when
    /// the server stops, no member stays.
    pub(crate) fn leave_all(&self, memberships: Vec<Membership>, final_frame: Option<&Arc<FinalFrame>>) {
        self.shared.counters.add(Count::Leave, memberships.len() as u64);
        for Membership { room, .. } in &memberships {
            room.part(&self.connection, Parting { frames: Vec::new(), final_frame: final_frame.cloned() });
        }
        let group = self.connection.outbox.take_group();
        if !self.shared.sockets.is_stopping() {
            let group = group.unwrap_or_default();
            for Membership { room, presence } in memberships {
                if let Some(presence) = presence {
                    group.at_last(move || room.end_presence(&presence));
                }
            }
        }
    }
}

fn milliseconds_since_1970() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_millis().try_into().unwrap_or(u64::MAX)
}
