//! The tasks that write what topics gather.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

use super::drain::Drain;
use super::registry::Registry;
use super::room::Room;

/// Writes between two turns of everything else: some 2 ms. With each turn the worker asks the system for what else is ready,
/// and often wakes another one for it, which is a tenth of a large broadcast's cost where there are 128 writes between them.
const WRITES_PER_TURN: usize = 512;

/// Writes to one topic before the next one has its turn, so that a small topic waits for 0.2 ms of each large one's broadcast.
const WRITES_PER_TOPIC: usize = 32;

/// Brings the logs of its topics to their members, all topics in turn, so that a large one does not hold up the others.
/// There are a few of them; a topic stays with one, which keeps its order.
#[derive(Debug, Default)]
pub(super) struct Flusher {
    /// Topics with something to send that is not under way yet.
    scheduled: Mutex<VecDeque<Arc<Room>>>,
    /// Topics whose members are to be told of changes in presence, by time.
    to_tell: Mutex<BTreeMap<Instant, Vec<Arc<Room>>>>,
    wake: Notify,
}

impl Flusher {
    pub(super) fn schedule(&self, room: Arc<Room>) {
        self.scheduled.lock().push_back(room);
        self.wake.notify_one();
    }

    /// Has the members of a topic told of changes in its presence, see [`Room::tell`].
    pub(super) fn tell_at(&self, at: Instant, room: Arc<Room>) {
        self.to_tell.lock().entry(at).or_default().push(room);
        self.wake.notify_one();
    }

    /// Runs for ever.
    pub(super) async fn run(self: Arc<Self>, registry: Arc<Registry>) {
        let mut under_way = VecDeque::new();
        loop {
            self.until_needed().await;
            // At once: what others publish while it writes gathers for the next time.
            self.flush(&registry, &mut under_way).await;
        }
    }

    async fn flush(&self, registry: &Registry, under_way: &mut VecDeque<Drain>) {
        loop {
            self.tell();
            under_way.extend(std::mem::take(&mut *self.scheduled.lock()).into_iter().map(Drain::begin));
            let mut budget = WRITES_PER_TURN;
            while budget > 0 {
                let Some(mut drain) = under_way.pop_front() else { break };
                let mut writes = WRITES_PER_TOPIC.min(budget);
                budget -= writes;
                if drain.step(&mut writes) {
                    self.end(drain, registry);
                } else {
                    under_way.push_back(drain);
                }
                budget += writes;
            }
            if under_way.is_empty() && self.scheduled.lock().is_empty() {
                return;
            }
            yield_now().await;
        }
    }

    /// Until there is something to send, or members to tell.
    async fn until_needed(&self) {
        let next = self.to_tell.lock().first_key_value().map(|(at, _)| *at);
        match next {
            None => self.wake.notified().await,
            Some(at) => tokio::select! {
                () = self.wake.notified() => {}
                () = sleep_until(at) => {}
            },
        }
    }

    /// Has the members told for whom it is time.
    fn tell(&self) {
        let now = Instant::now();
        while let Some(rooms) = self.take_due(now) {
            rooms.iter().for_each(Room::tell);
        }
    }

    fn take_due(&self, now: Instant) -> Option<Vec<Arc<Room>>> {
        let mut to_tell = self.to_tell.lock();
        let first = to_tell.first_entry()?;
        (*first.key() <= now).then(|| first.remove())
    }

    fn end(&self, drain: Drain, registry: &Registry) {
        let (room, more) = drain.end();
        if more {
            self.schedule(room);
        } else {
            registry.remove_if_unused(&room);
        }
    }
}
