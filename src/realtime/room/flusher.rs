//! The tasks that write the logs of topics.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use tokio::{task::yield_now, time::Instant};

use super::{drain::Drain, due::Due, registry::Registry, room::Room};

/// Writes between two turns of other tasks: some 2 ms. At each turn the worker asks the system for ready tasks, and
/// often wakes another worker for them. With 128 writes between turns, that is a tenth of a large broadcast's cost.
const WRITES_PER_TURN: usize = 512;

/// The same limit in time, in case writes take longer than they should. Checked when one topic's turn is over.
const TIME_PER_TURN: Duration = Duration::from_millis(4);

/// Writes to one topic before the next one has its turn. So a small topic waits for 0.2 ms of each large one's
/// broadcast.
const WRITES_PER_TOPIC: usize = 32;

/// Brings the logs of its topics to their members, all topics in turn, so that a large one does not hold up the others.
/// There are a few flushers. A topic stays with one of them, which keeps its order.
#[derive(Debug)]
pub(crate) struct Flusher {
    due: Arc<Due<Room>>,
    registry: Arc<Registry>,
}

impl Flusher {
    /// Makes the flushers for all rooms of the registry.
    pub(crate) fn all(registry: &Arc<Registry>) -> impl Iterator<Item = Self> {
        registry.due().iter().map(|due| Self { due: Arc::clone(due), registry: Arc::clone(registry) })
    }

    /// Runs for ever.
    pub(crate) async fn run(self) {
        let mut under_way = VecDeque::new();
        loop {
            self.due.until_needed().await;
            // Immediately: events that others publish while it writes gather for the next time.
            self.flush(&mut under_way).await;
        }
    }

    async fn flush(&self, under_way: &mut VecDeque<Drain>) {
        loop {
            self.tell();
            under_way.extend(self.due.take_scheduled().into_iter().map(Drain::new));
            let (mut budget, begin) = (WRITES_PER_TURN, Instant::now());
            while budget > 0 && begin.elapsed() < TIME_PER_TURN {
                let Some(mut drain) = under_way.pop_front() else { break };
                let mut writes = WRITES_PER_TOPIC.min(budget);
                budget -= writes;
                let is_done = match self.due.supervision().survive("topic", || drain.step(&mut writes)) {
                    Some(is_done) if !drain.is_broken() => is_done,
                    _ => {
                        // Before it is closed, so that no joining socket finds it closed and waits for another.
                        self.registry.remove(drain.room());
                        drain.fail();
                        true
                    }
                };
                if is_done {
                    self.end(drain);
                } else {
                    under_way.push_back(drain);
                }
                budget += writes;
            }
            if under_way.is_empty() && self.due.is_idle() {
                return;
            }
            yield_now().await;
        }
    }

    /// Tells the members of the rooms that are due.
    fn tell(&self) {
        let now = Instant::now();
        while let Some(rooms) = self.due.take_to_tell(now) {
            rooms.iter().for_each(Room::tell);
        }
    }

    fn end(&self, drain: Drain) {
        let (room, more) = drain.end();
        if more {
            self.due.schedule(room);
        } else {
            self.registry.remove_if_unused(&room);
        }
    }
}
