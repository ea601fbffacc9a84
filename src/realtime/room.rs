//! A topic with members: who is present, and what is yet to be sent.
//!
//! Everything that must keep its order in a topic goes through its log: broadcasts, and marks between them where a
//! member joins, leaves or gets something of its own. So a newcomer gets nothing from before its join, a leaver
//! everything up to its leave, and a reply comes behind the broadcasts before it, without anyone waiting for anyone.

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use bytes::Bytes;
use indexmap::IndexMap;
use parking_lot::Mutex;
use pusher_lite_protocol::presence::{Meta, PhxRef};
use pusher_lite_protocol::{BinaryPush, Outgoing, Vsn, event, message, quote};
use tokio::time::Instant;

use super::applications::Application;
use super::connection::{Connection, SocketId};
use super::counters::Tally;
use super::flusher::Flusher;
use super::frame;
use super::pace::Pace;
use super::presence::Presence;
use super::session::LastWords;
use super::stats::Sizes;
use super::topic::Topic;

/// With more bytes than this in the log, sockets that publish to the topic are not read from until the flusher has taken
/// it, so that a publisher cannot outrun the server's writing.
const HELD_FROM: usize = 256 << 10;

/// With more bytes than this in the log, publishers that cannot be held back are turned away.
const FULL_FROM: usize = 16 << 20;

/// The members of a topic, for the flusher alone.
pub(super) type Members = IndexMap<SocketId, Arc<Connection>>;

#[derive(Debug)]
pub(super) struct Room {
    topic: Topic,
    application: Arc<Application>,
    flusher: Arc<Flusher>,
    presence_window: Duration,
    state: Mutex<State>,
    /// As of the end of the last drain; empty while one is under way.
    members: Mutex<Members>,
}

#[derive(Debug, Default)]
struct State {
    presence: Presence,
    telling: Telling,
    /// Members per version, those in the log's marks included.
    counts: [usize; Vsn::COUNT],
    log: Log,
    /// The flusher has it in its hands, or will.
    scheduled: bool,
    /// No longer in the registry, which makes another room for the topic.
    closed: bool,
    /// Publishers that wait for the log to be taken.
    held: Vec<Waker>,
}

/// Telling the members who came and went.
#[derive(Debug, Default)]
struct Telling {
    pace: Pace,
    /// The flusher will have it done.
    scheduled: bool,
    /// Who is there as far as members know, for those who join before they are told more.
    known_state: Option<Bytes>,
}

/// What is to be sent, in order.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// The frames of all broadcasts, one behind the other, for each version that has members.
    pub(super) runs: [Vec<u8>; Vsn::COUNT],
    pub(super) marks: Vec<Mark>,
    /// The bytes of all frames.
    size: usize,
    /// What it comes to when all members get it.
    tally: Tally,
}

/// Something that concerns one member, at a place among the broadcasts.
#[derive(Debug)]
pub(super) struct Mark {
    pub(super) connection: Arc<Connection>,
    /// The place in the run of the member's version.
    pub(super) at: usize,
    pub(super) change: Change,
    /// What the member is sent at this place.
    pub(super) frames: Vec<u8>,
}

/// What a member that leaves is sent.
#[derive(Debug, Default)]
pub(super) struct Parting {
    pub(super) frames: Vec<u8>,
    /// The connection's, if this is its end.
    pub(super) last_words: Option<Arc<LastWords>>,
}

#[derive(Debug)]
pub(super) enum Change {
    /// Between the mark's frames and the `tail` comes this `state`.
    Join {
        state: Bytes,
        tail: Vec<u8>,
    },
    None,
    /// The connection's last words, if this is its end, are said when all its rooms have let go of them.
    Leave(Option<Arc<LastWords>>),
}

impl Room {
    /// `presence_window`: see [`Limits`](super::Limits).
    pub(super) fn new(
        topic: Topic,
        application: Arc<Application>,
        flusher: Arc<Flusher>,
        presence_window: Duration,
    ) -> Room {
        application.topic_opened();
        Room { topic, application, flusher, presence_window, state: Mutex::default(), members: Mutex::default() }
    }

    pub(super) fn topic(&self) -> &Topic {
        &self.topic
    }

    /// Who is there, whether members know it yet or not.
    pub(super) fn presence_state(&self) -> String {
        self.state.lock().presence.state()
    }

    /// Adds the room's sizes.
    pub(super) fn measure(&self, sizes: &mut Sizes) {
        let state = self.state.lock();
        sizes.log_bytes += state.log.size;
        sizes.presence_users += state.presence.users();
        sizes.most_members = sizes.most_members.max(state.members());
    }

    /// Adds a member. It is sent `lead`, then `presence_state` as the others know it, without itself, and then, as
    /// everyone, what has changed since, itself included. Does nothing and returns false if the room is closed.
    pub(super) fn join(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
        lead: &[u8],
        join_ref: &str,
        meta: Meta,
    ) -> bool {
        let topic = quote(self.topic.as_str());
        let mut state = self.state.lock();
        if state.closed {
            return false;
        }
        let mut frames = lead.to_vec();
        let known = state.known_state();
        let payload = std::str::from_utf8(&known).expect("JSON is text");
        let event = quote(event::PRESENCE_STATE);
        let message = Outgoing { join_ref, r#ref: message::NULL, topic: &topic, event: &event, payload };
        let tail = frame::text_around(connection.vsn, &message, &mut frames);
        state.mark(connection, Change::Join { state: known, tail }, frames);
        state.counts[connection.vsn.index()] += 1;
        state.presence.join(&connection.identity.unique_identifier, meta);
        self.tell_in_time(&mut state);
        self.schedule(&mut state);
        true
    }

    /// Takes a member away. It is sent `frames` behind all broadcasts so far, and the others are told.
    pub(super) fn leave(self: &Arc<Self>, connection: &Arc<Connection>, phx_ref: PhxRef, parting: Parting) {
        let mut state = self.state.lock();
        state.part(connection, parting);
        self.absent(&mut state, connection, phx_ref);
        self.schedule(&mut state);
    }

    /// The first half of [`Room::leave`]: nothing is sent to the member after this, but its presence stays.
    pub(super) fn part(self: &Arc<Self>, connection: &Arc<Connection>, parting: Parting) {
        let mut state = self.state.lock();
        state.part(connection, parting);
        self.schedule(&mut state);
    }

    /// The second half of [`Room::leave`]: its presence ends, and the others are told.
    pub(super) fn end_presence(self: &Arc<Self>, connection: &Arc<Connection>, phx_ref: PhxRef) {
        let mut state = self.state.lock();
        self.absent(&mut state, connection, phx_ref);
        self.schedule(&mut state);
    }

    /// For the flusher: tells the members who came and went.
    pub(super) fn tell(self: &Arc<Self>) {
        let mut state = self.state.lock();
        state.telling.scheduled = false;
        self.tell_now(&mut state);
        self.schedule(&mut state);
    }

    /// Whether its publishers should be held back.
    pub(super) fn is_behind(&self) -> bool {
        self.state.lock().log.size >= HELD_FROM
    }

    /// Sends something to one member, behind all broadcasts so far. Returns whether its publisher should be held back.
    pub(super) fn reply(self: &Arc<Self>, connection: &Arc<Connection>, frames: Vec<u8>) -> bool {
        let mut state = self.state.lock();
        state.mark(connection, Change::None, frames);
        self.schedule(&mut state);
        state.log.size >= HELD_FROM
    }

    /// Sends a message to all members. Returns whether its publisher should be held back.
    pub(super) fn broadcast(self: &Arc<Self>, message: &Outgoing<'_>) -> bool {
        let mut state = self.state.lock();
        state.broadcast(message);
        state.log.tally.pushed += 1;
        self.schedule(&mut state);
        state.log.size >= HELD_FROM
    }

    /// As [`Room::broadcast`], for publishers that cannot be held back. Does nothing and returns false if too much is
    /// waiting already.
    pub(super) fn try_broadcast(self: &Arc<Self>, message: &Outgoing<'_>) -> bool {
        let mut state = self.state.lock();
        if state.log.size >= FULL_FROM {
            return false;
        }
        state.broadcast(message);
        state.log.tally.published += 1;
        self.schedule(&mut state);
        true
    }

    /// Sends a binary push to all members that can take it; version 1 has no form for it (D21).
    pub(super) fn broadcast_binary(self: &Arc<Self>, push: &BinaryPush<'_>) -> bool {
        let mut state = self.state.lock();
        let state = &mut *state;
        let [v1, v2] = state.counts;
        if v2 > 0 {
            state.log.append(Vsn::V2, v2, |run| frame::binary(push, run));
        }
        state.log.tally.pushed += 1;
        state.log.tally.deliveries += v2 as u64;
        state.log.tally.binary_skipped += v1 as u64;
        self.schedule(state);
        state.log.size >= HELD_FROM
    }

    /// Whether a publisher is still to be held back; if so, it is woken when that ends.
    pub(super) fn holds(&self, publisher: &Waker) -> bool {
        let mut state = self.state.lock();
        let holds = state.log.size >= HELD_FROM;
        if holds && !state.held.iter().any(|waker| waker.will_wake(publisher)) {
            state.held.push(publisher.clone());
        }
        holds
    }

    /// For the flusher: takes what is to be sent, and the members to send it to.
    pub(super) fn begin_drain(&self) -> (Log, Members) {
        let (log, held, members) = {
            let mut state = self.state.lock();
            (std::mem::take(&mut state.log), std::mem::take(&mut state.held), state.members())
        };
        self.application.add_tally(&log.tally, members);
        held.into_iter().for_each(Waker::wake);
        (log, std::mem::take(&mut *self.members.lock()))
    }

    /// For the flusher: gives the members back. Returns whether there is more to send by now.
    pub(super) fn end_drain(&self, members: Members) -> bool {
        *self.members.lock() = members;
        let mut state = self.state.lock();
        state.scheduled = !state.log.is_empty();
        state.scheduled
    }

    /// Closes the room if nobody is in it and nothing is to be sent.
    pub(super) fn close_if_unused(&self) -> bool {
        let mut state = self.state.lock();
        state.closed = !state.scheduled && state.members() == 0;
        state.closed
    }

    fn absent(self: &Arc<Self>, state: &mut State, connection: &Arc<Connection>, phx_ref: PhxRef) {
        state.presence.leave(&connection.identity.unique_identifier, phx_ref);
        self.tell_in_time(state);
    }

    /// Tells the members who came and went: now, or soon, with what else happens until then.
    fn tell_in_time(self: &Arc<Self>, state: &mut State) {
        if state.telling.scheduled && state.members() > 0 || !state.presence.has_changed() {
            return;
        }
        let now = Instant::now();
        let at = state.telling.pace.next(state.members(), self.presence_window, now);
        if at <= now || state.members() == 0 {
            self.tell_now(state);
        } else {
            state.telling.scheduled = true;
            self.flusher.tell_at(at, Arc::clone(self));
        }
    }

    fn tell_now(&self, state: &mut State) {
        if let Some(diff) = state.take_diff() {
            let topic = quote(self.topic.as_str());
            state.append(&Outgoing::broadcast(&topic, &quote(event::PRESENCE_DIFF), &diff));
            state.log.tally.presence_deliveries += state.members() as u64;
            state.telling.pace.told(state.members(), self.presence_window, Instant::now());
        }
    }

    fn schedule(self: &Arc<Self>, state: &mut State) {
        if !state.scheduled && !state.log.is_empty() {
            state.scheduled = true;
            self.flusher.schedule(Arc::clone(self));
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.application.topic_gone();
    }
}

impl State {
    fn members(&self) -> usize {
        self.counts.iter().sum()
    }

    fn take_diff(&mut self) -> Option<String> {
        self.telling.known_state = None;
        self.presence.take_diff()
    }

    /// Who is there as far as members know. Kept only while that stays as it is.
    fn known_state(&mut self) -> Bytes {
        if let Some(state) = &self.telling.known_state {
            return state.clone();
        }
        let state = Bytes::from(self.presence.known_state());
        if self.telling.scheduled {
            self.telling.known_state = Some(state.clone());
        }
        state
    }

    fn mark(&mut self, connection: &Arc<Connection>, change: Change, frames: Vec<u8>) {
        // Not counted is the state that a joiner gets, which many share.
        self.log.size += frames.len();
        self.log.tally.bytes += frames.len() as u64;
        if let Change::Join { state, tail } = &change {
            self.log.tally.bytes += (state.len() + tail.len()) as u64;
        }
        let at = self.log.runs[connection.vsn.index()].len();
        self.log.marks.push(Mark { connection: Arc::clone(connection), at, change, frames });
    }

    fn part(&mut self, connection: &Arc<Connection>, parting: Parting) {
        self.mark(connection, Change::Leave(parting.last_words), parting.frames);
        self.counts[connection.vsn.index()] -= 1;
    }

    fn broadcast(&mut self, message: &Outgoing<'_>) {
        self.append(message);
        self.log.tally.deliveries += self.members() as u64;
    }

    fn append(&mut self, message: &Outgoing<'_>) {
        for vsn in [Vsn::V1, Vsn::V2] {
            let members = self.counts[vsn.index()];
            if members > 0 {
                self.log.append(vsn, members, |run| frame::text(vsn, message, run));
            }
        }
    }
}

impl Log {
    fn append(&mut self, vsn: Vsn, members: usize, write: impl FnOnce(&mut Vec<u8>)) {
        let run = &mut self.runs[vsn.index()];
        let before = run.len();
        write(run);
        let len = run.len() - before;
        self.size += len;
        self.tally.bytes += (len * members) as u64;
    }

    fn is_empty(&self) -> bool {
        self.marks.is_empty() && self.runs.iter().all(Vec::is_empty)
    }
}
