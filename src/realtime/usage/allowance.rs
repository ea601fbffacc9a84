//! The cost of a socket's requests other than events, and the pause of a socket that asks for too much.
//!
//! The answer to a join lists everybody in the topic, and the server tells each member of the join. So a message of a
//! hundred bytes can cost megabytes. The server refuses nothing for it: it reads later from a socket over its
//! allowance, as if the network were slow. A topic's first join on a connection is free, so that clients that come back
//! after a restart are not held up.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use super::bucket::{Bucket, Rate};
use crate::realtime::topic::Topic;

/// Cost of a message in bytes, on top of its own bytes and those of its answer.
const MESSAGE: usize = 1024;

/// Burst of the allowance, in seconds' worth.
const BURST_SECONDS: u32 = 10;

/// Rate-limit state of one socket, in bytes that it makes the server send.
#[derive(Debug, Default)]
pub(crate) struct Allowance {
    bucket: Bucket,
    /// Time from which the server may read from the socket again, in nanoseconds since the start; zero if it may now.
    paused_until: u64,
}

/// Topics that a connection has joined before, for the price of a join.
#[derive(Debug, Default)]
pub(crate) struct Visited {
    /// Hashes of the topics that were left; most sockets leave none.
    left: Vec<u64>,
}

impl Allowance {
    /// Charges for a message of `received` bytes that caused `caused` bytes. `per_second` is the allowance; zero means
    /// no limit. Returns true if this pauses the socket.
    pub(crate) fn charge(&mut self, per_second: u32, received: usize, caused: usize, now: u64) -> bool {
        let rate = Rate { per_second, burst_seconds: BURST_SECONDS };
        let cost = MESSAGE.saturating_add(received).saturating_add(caused);
        let Some(paused_until) = self.bucket.charge(rate, cost as u64, now) else { return false };
        let was_paused = self.is_overdrawn();
        self.paused_until = paused_until;
        !was_paused
    }

    /// Returns true if the socket was paused and [`Allowance::pause`] has not found the end of the pause.
    pub(crate) fn is_overdrawn(&self) -> bool {
        self.paused_until > 0
    }

    /// Returns the rest of the pause, if the socket is paused.
    pub(crate) fn pause(&mut self, now: impl FnOnce() -> u64) -> Option<Duration> {
        if !self.is_overdrawn() {
            return None;
        }
        let left = self.paused_until.saturating_sub(now());
        if left == 0 {
            self.paused_until = 0;
        }
        (left > 0).then(|| Duration::from_nanos(left))
    }
}

impl Visited {
    /// Joins a topic that is not joined now. Returns true if it was not joined before either. A socket may join `most`
    /// topics. Once the topics that it has joined and left come to so many, no join counts as a first one any more.
    pub(crate) fn join(&mut self, topic: &Topic, joined: usize, most: usize) -> bool {
        let is_new = self.left.is_empty() || !self.forget(hash(topic));
        is_new && joined + self.left.len() < most
    }

    pub(crate) fn leave(&mut self, topic: &Topic, most: usize) {
        if self.left.len() < most {
            self.left.push(hash(topic));
        }
    }

    fn forget(&mut self, hash: u64) -> bool {
        let at = self.left.iter().position(|left| *left == hash);
        at.map(|at| self.left.swap_remove(at)).is_some()
    }
}

/// Hashes a topic. Two topics with the same hash are rare; the second one's join is not free then.
fn hash(topic: &Topic) -> u64 {
    let mut hasher = DefaultHasher::new();
    topic.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    #[test]
    fn a_pause_lasts_until_the_debt_is_paid() {
        let mut allowance = Allowance::default();
        assert!(!allowance.charge(1024, 512, 8 * 1024 + 512, 5));
        assert_eq!(allowance.pause(|| 5), None);
        assert!(allowance.charge(1024, 512, 512, 5), "10 s are used up");
        assert!(!allowance.charge(1024, 0, 0, 5), "it is paused already");
        assert_eq!(allowance.pause(|| 5), Some(Duration::from_secs(3)));
        assert_eq!(allowance.pause(|| 5 + SECOND), Some(Duration::from_secs(2)));
        assert_eq!(allowance.pause(|| 5 + 3 * SECOND), None);
        assert!(!allowance.is_overdrawn());
    }

    #[test]
    fn a_topic_is_new_once_and_so_many_are() {
        let topic = |name: u32| Topic::new("key", &name.to_string()).unwrap();
        let mut visited = Visited::default();
        assert!(visited.join(&topic(1), 0, 3));
        visited.leave(&topic(1), 3);
        assert!(visited.join(&topic(2), 0, 3) && !visited.join(&topic(1), 1, 3));
        visited.leave(&topic(1), 3);
        visited.leave(&topic(2), 3);
        assert!(visited.join(&topic(3), 0, 3) && !visited.join(&topic(4), 1, 3));
        for name in 5..100 {
            visited.leave(&topic(name), 3);
        }
        assert_eq!(visited.left.len(), 3);
        assert!(!visited.join(&topic(1000), 0, 3));
    }
}
