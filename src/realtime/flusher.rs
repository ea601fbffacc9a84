//! The tasks that write what topics gather.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::yield_now;

use super::drain::Drain;
use super::registry::Registry;
use super::room::Room;

/// Writes between two turns of everything else. A write is some 5 µs, so that this is well under a millisecond.
const WRITES_PER_TURN: usize = 128;

/// Brings the logs of its topics to their members, all topics in turn, so that a large one does not hold up the others.
/// There are a few of them; a topic stays with one, which keeps its order.
#[derive(Debug, Default)]
pub(super) struct Flusher {
    /// Topics with something to send that is not under way yet.
    scheduled: Mutex<VecDeque<Arc<Room>>>,
    wake: Notify,
}

impl Flusher {
    pub(super) fn schedule(&self, room: Arc<Room>) {
        self.scheduled.lock().push_back(room);
        self.wake.notify_one();
    }

    /// Runs for ever.
    pub(super) async fn run(self: Arc<Self>, registry: Arc<Registry>) {
        let mut under_way = VecDeque::new();
        loop {
            self.wake.notified().await;
            // Behind all that is ready now: publishers that come to speak meanwhile add to the same log, and one write
            // carries it all. No timer could wait so briefly.
            yield_now().await;
            self.flush(&registry, &mut under_way).await;
        }
    }

    async fn flush(&self, registry: &Registry, under_way: &mut VecDeque<Drain>) {
        loop {
            under_way.extend(std::mem::take(&mut *self.scheduled.lock()).into_iter().map(Drain::begin));
            let mut budget = WRITES_PER_TURN;
            while budget > 0 {
                let Some(mut drain) = under_way.pop_front() else { break };
                if drain.step(&mut budget) {
                    self.end(drain, registry);
                } else {
                    under_way.push_back(drain);
                }
            }
            if under_way.is_empty() && self.scheduled.lock().is_empty() {
                return;
            }
            yield_now().await;
        }
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
