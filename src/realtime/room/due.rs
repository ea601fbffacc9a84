//! Rooms that wait for their flusher.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use parking_lot::Mutex;
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use crate::realtime::{connection::budget::Budget, supervision::Supervision};

/// Rooms that wait for one flusher. A room puts itself here, and needs no reference to its flusher.
#[derive(Debug)]
pub(crate) struct Due<R> {
    /// Rooms with a log to take.
    scheduled: Mutex<VecDeque<Arc<R>>>,
    /// Rooms with changes in presence to tell their members, by time.
    to_tell: Mutex<BTreeMap<Instant, Vec<Arc<R>>>>,
    wake: Notify,
    budget: Arc<Budget>,
    supervision: Supervision,
}

impl<R> Due<R> {
    /// Makes an empty queue. Messages count against `budget` until they are sent.
    pub(crate) fn new(budget: Arc<Budget>, supervision: Supervision) -> Self {
        Self { scheduled: Mutex::default(), to_tell: Mutex::default(), wake: Notify::new(), budget, supervision }
    }

    pub(crate) fn supervision(&self) -> &Supervision {
        &self.supervision
    }

    pub(crate) fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    /// Queues a room, so that the flusher takes its log when it is the room's turn.
    pub(crate) fn schedule(&self, room: Arc<R>) {
        self.scheduled.lock().push_back(room);
        self.wake.notify_one();
    }

    /// Queues a room, so that the flusher tells its members of changes in presence at a later time.
    pub(crate) fn tell_at(&self, at: Instant, room: Arc<R>) {
        self.to_tell.lock().entry(at).or_default().push(room);
        self.wake.notify_one();
    }

    pub(crate) fn take_scheduled(&self) -> VecDeque<Arc<R>> {
        std::mem::take(&mut *self.scheduled.lock())
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.scheduled.lock().is_empty()
    }

    /// Takes the rooms with the earliest time, if that is not after `now`.
    pub(crate) fn take_to_tell(&self, now: Instant) -> Option<Vec<Arc<R>>> {
        let mut to_tell = self.to_tell.lock();
        let first = to_tell.first_entry()?;
        (*first.key() <= now).then(|| first.remove())
    }

    /// Waits until there is a log to take, or a room with members to tell.
    pub(crate) async fn until_needed(&self) {
        let next = self.to_tell.lock().first_key_value().map(|(at, _)| *at);
        match next {
            None => self.wake.notified().await,
            Some(at) => tokio::select! {
                () = self.wake.notified() => {}
                () = sleep_until(at) => {}
            },
        }
    }
}

impl<R> Default for Due<R> {
    fn default() -> Self {
        Self::new(Arc::default(), Supervision::default())
    }
}
