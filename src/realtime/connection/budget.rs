//! Memory that all connections share, and its limit.

use std::{
    cmp::Ordering,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use bytes::Bytes;
use tokio::sync::Notify;

/// Memory in use for one purpose, over all connections, in bytes.
///
/// Charging never fails and never waits. Going over the limit wakes the task that waits in [`Budget::exceeded`]. That
/// task closes connections until enough is free again (see [`super::pressure`]).
pub(crate) struct Budget {
    limit: usize,
    used: AtomicUsize,
    exceeded: Notify,
}

/// The budgets of a hub.
#[derive(Debug)]
pub(crate) struct Budgets {
    /// Messages to clients that are being written or wait. A message that many clients share counts once.
    pub(crate) outgoing: Arc<Budget>,
    /// Incomplete messages of clients, and messages that wait because their client is paused.
    pub(crate) incoming: Arc<Budget>,
}

/// Bytes that count until the last reference to them is dropped, however many connections share them.
struct Charged {
    bytes: Vec<u8>,
    budget: Arc<Budget>,
}

/// Memory of the allocations around some shared bytes, beyond the bytes themselves.
const OWNER_BYTES: usize = 64;

impl Default for Budget {
    /// A budget without a limit.
    fn default() -> Budget {
        Budget::new(usize::MAX)
    }
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Budget {
        Budget { limit, used: AtomicUsize::new(0), exceeded: Notify::new() }
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    pub(crate) fn used(&self) -> usize {
        self.used.load(Relaxed)
    }

    pub(crate) fn charge(&self, bytes: usize) {
        if self.used.fetch_add(bytes, Relaxed) + bytes > self.limit {
            self.exceeded.notify_one();
        }
    }

    pub(crate) fn release(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Relaxed);
    }

    /// Replaces a charge of `before` bytes with one of `after`.
    pub(crate) fn recharge(&self, before: usize, after: usize) {
        match after.cmp(&before) {
            Ordering::Greater => self.charge(after - before),
            Ordering::Less => self.release(before - after),
            Ordering::Equal => {}
        }
    }

    /// Makes shared bytes of `bytes`. Their memory, unused capacity included, counts once, until the last reference to
    /// them is dropped.
    pub(crate) fn share(self: &Arc<Self>, bytes: Vec<u8>) -> Bytes {
        if bytes.is_empty() {
            return Bytes::new();
        }
        let charged = Charged { bytes, budget: Arc::clone(self) };
        self.charge(charged.size());
        Bytes::from_owner(charged)
    }

    /// Waits until the use goes over the limit. Returns immediately if that has happened since the last call.
    pub(crate) async fn exceeded(&self) {
        self.exceeded.notified().await;
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Budget").field("limit", &self.limit).field("used", &self.used()).finish()
    }
}

impl Charged {
    fn size(&self) -> usize {
        self.bytes.capacity() + OWNER_BYTES
    }
}

impl AsRef<[u8]> for Charged {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Charged {
    fn drop(&mut self) {
        self.budget.release(self.size());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_bytes_count_once_and_until_the_last_is_dropped() {
        let budget = Arc::new(Budget::new(1 << 20));
        let bytes = budget.share(Vec::with_capacity(1000));
        assert_eq!((bytes.len(), budget.used()), (0, 0));
        let mut vec = Vec::with_capacity(1000);
        vec.extend_from_slice(&[7; 600]);
        let bytes = budget.share(vec);
        let used = budget.used();
        assert_eq!(used, 1000 + OWNER_BYTES);
        let parts: Vec<Bytes> = (0..100).map(|at| bytes.slice(at..at + 1)).collect();
        drop(bytes);
        assert_eq!(budget.used(), used);
        drop(parts);
        assert_eq!(budget.used(), 0);
    }

    #[tokio::test]
    async fn going_over_the_limit_is_told_once() {
        let budget = Budget::new(100);
        budget.charge(100);
        budget.recharge(100, 150);
        budget.charge(1);
        budget.exceeded().await;
        budget.release(151);
        assert_eq!(budget.used(), 0);
        tokio::select! {
            biased;
            () = budget.exceeded() => panic!("it is told once"),
            () = std::future::ready(()) => {}
        }
    }
}
