//! Detection of silent connections, without a timer for each.

use std::{mem::take, time::Duration};

use super::connection::SocketId;

/// Number of ticks in the idle timeout.
const TICKS: u32 = 240;

/// A wheel with one slot per tick. A connection is in the slot of the tick in which it would have been silent too long,
/// as computed when it was put there. The server looks at it again only then.
#[derive(Debug)]
pub(crate) struct Wheel {
    slots: Vec<Vec<SocketId>>,
}

/// Returns the length of a tick. Connections are closed at most two ticks late, and never early.
pub(crate) fn tick(idle_timeout: Duration) -> Duration {
    (idle_timeout / TICKS).max(Duration::from_millis(1))
}

/// Returns the delay from which a tick counts as late. A busy moment does not explain such a delay: the process, or the
/// machine, stood still.
pub(crate) fn late(tick: Duration) -> Duration {
    (tick * 2).max(Duration::from_millis(100))
}

/// Returns the first tick in which a connection that last received in this one has been silent for all of the timeout.
pub(crate) fn due(last_received: u32) -> u32 {
    last_received + TICKS + 1
}

impl Wheel {
    pub(crate) fn new() -> Wheel {
        Wheel { slots: vec![Vec::new(); TICKS as usize + 2] }
    }

    /// Puts a connection into the slot of this tick, which must be one of the next [`TICKS`] + 1.
    pub(crate) fn insert(&mut self, socket: SocketId, due: u32) {
        self.slot(due).push(socket);
    }

    /// Takes the connections in the slot of this tick.
    pub(crate) fn take(&mut self, now: u32) -> Vec<SocketId> {
        take(self.slot(now))
    }

    fn slot(&mut self, tick: u32) -> &mut Vec<SocketId> {
        let at = tick as usize % self.slots.len();
        &mut self.slots[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_looked_at_in_its_tick_only() {
        let mut wheel = Wheel::new();
        wheel.insert(7, due(0));
        wheel.insert(8, due(1));
        for now in 1..=TICKS {
            assert!(wheel.take(now).is_empty(), "{now}");
        }
        assert_eq!(wheel.take(TICKS + 1), [7]);
        wheel.insert(7, due(TICKS));
        assert_eq!(wheel.take(TICKS + 2), [8]);
        for now in TICKS + 3..=2 * TICKS {
            assert!(wheel.take(now).is_empty(), "{now}");
        }
        assert_eq!(wheel.take(2 * TICKS + 1), [7]);
    }
}
