//! A topic with members: its presence, and the log of messages that are yet to be sent.
//!
//! Everything that must keep its order in a topic goes through its log: broadcasts, and marks between them where a
//! member joins, leaves or gets something of its own. So a newcomer gets nothing from before its join, a leaver
//! everything up to its leave, and a reply comes behind the broadcasts before it, without anyone waiting for anyone.

use std::{sync::Arc, task::Waker, time::Duration};

use bytes::Bytes;
use indexmap::IndexMap;
use parking_lot::{Mutex, MutexGuard};
use pusher_lite_protocol::{Dialect, Spelling, presence::Diff};
use tokio::time::Instant;

use super::{
    due::Due,
    log::{Log, Mark, PerDialect},
    pace::{self, Pace},
    presence::Presence,
    waiters::Waiters,
};
use crate::realtime::{
    connection::{
        budget::Budget,
        connection::{Connection, SocketId},
    },
    topic::Topic,
    usage::{applications::Application, stats::Sizes},
};

/// The members of a topic, for the flusher alone.
pub(crate) type Members = IndexMap<SocketId, Arc<Connection>>;

#[derive(Debug)]
pub(crate) struct Room {
    pub(super) topic: Topic,
    application: Arc<Application>,
    pub(super) due: Arc<Due<Room>>,
    presence_window: Duration,
    state: Mutex<State>,
    /// Snapshot taken at the end of the last drain; empty during a drain.
    members: Mutex<Members>,
    /// The place where a test wants a panic, once.
    #[cfg(test)]
    pub(crate) panics_at: Mutex<Option<PanicAt>>,
}

/// Places where a test can have a room panic.
#[cfg(test)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PanicAt {
    Begin,
    Join,
    Leave,
    Send,
    Change,
    Tell,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) presence: Presence,
    telling: Telling,
    /// Members per dialect, those in the log's marks included.
    pub(super) counts: PerDialect,
    pub(super) log: Log,
    /// The flusher has it in its hands, or will.
    scheduled: bool,
    /// No longer in the registry, which makes another room for the topic.
    pub(super) closed: bool,
    /// A panic left half a change. The flusher gives the room up.
    broken: bool,
    /// Publishers that wait for the log to be taken.
    pub(super) held: Waiters,
}

/// Telling the members who came and went.
#[derive(Debug, Default)]
struct Telling {
    pace: Pace,
    /// The flusher will have it done.
    scheduled: bool,
    /// Presence as members know it, as each dialect writes it, for those who join before the members are told again.
    known_state: [Option<Bytes>; Dialect::COUNT],
}

/// The part of a room that a drain takes beside log and members.
#[derive(Debug)]
pub(crate) struct Taken {
    held: Vec<Waker>,
    /// The number of members, those in the log's marks included.
    count: usize,
    pub(crate) is_broken: bool,
}

impl Drop for Taken {
    /// Lets the publishers go that waited for it, also after a panic.
    fn drop(&mut self) {
        self.held.drain(..).for_each(Waker::wake);
    }
}

/// Breaks the room when it is dropped: by a panic, since it is forgotten otherwise.
struct Breaks<'a> {
    room: &'a Arc<Room>,
    state: &'a mut State,
}

impl Drop for Breaks<'_> {
    fn drop(&mut self) {
        self.state.broken = true;
        self.room.schedule(self.state);
    }
}

impl Room {
    /// `presence_window`: see [`Limits`](crate::realtime::Limits).
    pub(crate) fn new(
        topic: Topic,
        application: Arc<Application>,
        due: Arc<Due<Room>>,
        presence_window: Duration,
    ) -> Room {
        application.topic_opened();
        Room {
            topic,
            application,
            due,
            presence_window,
            state: Mutex::default(),
            members: Mutex::default(),
            #[cfg(test)]
            panics_at: Mutex::default(),
        }
    }

    /// Memory of its messages until they are sent.
    pub(crate) fn budget(&self) -> &Arc<Budget> {
        self.due.budget()
    }

    pub(crate) fn topic(&self) -> &Topic {
        &self.topic
    }

    /// The room's presence as a dialect writes it, with changes that members do not know yet.
    pub(crate) fn presence(&self, dialect: Dialect) -> String {
        self.state.lock().presence.state(dialect)
    }

    /// Adds the room's sizes.
    pub(crate) fn measure(&self, sizes: &mut Sizes) {
        let state = self.state.lock();
        sizes.log_bytes += state.log.size();
        sizes.presence_users += state.presence.users();
        sizes.most_members = sizes.most_members.max(state.members());
    }

    /// For the flusher: tells the members who came and went. Survives a panic, too.
    pub(crate) fn tell(self: &Arc<Self>) {
        let tell = |state: &mut State| {
            state.telling.scheduled = false;
            if !state.closed {
                self.tell_now(state);
            }
            self.schedule(state);
        };
        self.due.supervision().survive("topic", || self.change(tell));
    }

    /// For the flusher: takes the log and the members. It only moves them, and cannot panic.
    pub(crate) fn begin_drain(&self, members: &mut Members) -> (Log, Taken) {
        let taken = {
            let mut state = self.state.lock();
            let taken = Taken { held: state.held.take(), count: state.members(), is_broken: state.broken };
            (std::mem::take(&mut state.log), taken)
        };
        std::mem::swap(&mut *self.members.lock(), members);
        taken
    }

    /// For the flusher: counts what was taken.
    pub(crate) fn count(&self, log: &Log, taken: &Taken) {
        self.application.add_tally(&log.tally, taken.count);
    }

    /// For the flusher: gives the members back. Returns whether there is more to send by now.
    pub(crate) fn end_drain(&self, members: Members) -> bool {
        *self.members.lock() = members;
        let mut state = self.state.lock();
        state.scheduled = !state.log.is_empty() || state.broken;
        state.scheduled
    }

    /// For the flusher, after a panic: closes the room to joins. Adds the members that are here to `members`, and returns the
    /// marks in the log, of which the rest is lost.
    pub(crate) fn give_up(&self, members: &mut Members) -> Vec<Mark> {
        let (mut log, held) = {
            let mut state = self.state.lock();
            (state.closed, state.broken) = (true, false);
            (std::mem::take(&mut state.log), state.held.take())
        };
        members.append(&mut self.members.lock());
        held.into_iter().for_each(Waker::wake);
        log.take_marks()
    }

    /// Says that the room was given up, and how many members were closed.
    pub(crate) fn log_failure(&self, members: usize) {
        let app_key = &**self.application.key();
        tracing::error!(app_key, members, "A topic is given up after a fault; its sockets are closed with 1011.");
    }

    #[cfg(test)]
    pub(crate) fn panic_if_told(&self, place: PanicAt) {
        if self.panics_at.lock().take_if(|at| *at == place).is_some() {
            panic!("on purpose");
        }
    }

    /// The state, to read it or to wait for its log. Changes go through [`Room::change`].
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Closes the room if it has no members and nothing to send.
    pub(crate) fn close_if_unused(&self) -> bool {
        let mut state = self.state.lock();
        state.closed = !state.scheduled && state.members() == 0;
        state.closed
    }

    /// Changes the state. A panic in between leaves half a change, perhaps half a frame in the log: the flusher gives the room
    /// up instead of sending that.
    pub(super) fn change<T>(self: &Arc<Self>, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock();
        let breaks = Breaks { room: self, state: &mut state };
        let changed = change(&mut *breaks.state);
        #[cfg(test)]
        self.panic_if_told(PanicAt::Change);
        std::mem::forget(breaks);
        changed
    }

    /// Tells the members who came and went: now, or soon, with what else happens until then.
    pub(super) fn tell_in_time(self: &Arc<Self>, state: &mut State) {
        if state.telling.scheduled && state.members() > 0 || !state.presence.has_changed() {
            return;
        }
        let now = Instant::now();
        let at = state.telling.pace.next(state.weight(), self.presence_window, now);
        if at <= now || state.members() == 0 {
            self.tell_now(state);
        } else {
            state.telling.scheduled = true;
            self.due.tell_at(at, Arc::clone(self));
        }
    }

    fn tell_now(&self, state: &mut State) {
        #[cfg(test)]
        self.panic_if_told(PanicAt::Tell);
        while let Some(diff) = state.take_diff() {
            state.log.tell(self.topic.spelled(Spelling::Own), &diff, &state.counts);
            let weight = state.weight();
            state.telling.pace.told(weight, self.presence_window, Instant::now());
        }
    }

    /// Has the flusher take the log, if something is in it.
    pub(super) fn schedule(self: &Arc<Self>, state: &mut State) {
        if !state.scheduled && (!state.log.is_empty() || state.broken) {
            state.scheduled = true;
            self.due.schedule(Arc::clone(self));
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.application.topic_gone();
    }
}

impl State {
    pub(super) fn members(&self) -> usize {
        self.counts.iter().sum()
    }

    fn weight(&self) -> usize {
        pace::weight(self.members(), self.presence.bytes())
    }

    fn take_diff(&mut self) -> Option<Diff> {
        self.telling.known_state = Default::default();
        self.presence.take_diff()
    }

    /// Returns the presence as members know it. It is kept until it changes.
    pub(super) fn known_state(&mut self, dialect: Dialect, budget: &Arc<Budget>) -> Bytes {
        if let Some(state) = &self.telling.known_state[dialect.index()] {
            return state.clone();
        }
        let state = budget.share(self.presence.known_state(dialect).into_bytes());
        if self.telling.scheduled {
            self.telling.known_state[dialect.index()] = Some(state.clone());
        }
        state
    }
}
