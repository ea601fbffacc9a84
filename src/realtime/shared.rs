//! The parts that all sockets of a hub share.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use pusher_lite_protocol::presence::MetaId;
use tokio::task::AbortHandle;

use super::{
    connection::{budget::Budgets, sockets::Sockets},
    limits::Limits,
    room::registry::Registry,
    supervision::Supervision,
    usage::{
        applications::Applications, bucket::nanoseconds, counters::Counters, reservations::Reservations,
        samples::Samples,
    },
};

/// The parts that all sockets of a hub share. The hub's tasks end when it is dropped.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) limits: Limits,
    pub(crate) registry: Arc<Registry>,
    pub(crate) sockets: Arc<Sockets>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) applications: Arc<Applications>,
    pub(crate) budgets: Budgets,
    pub(crate) supervision: Supervision,
    pub(crate) reservations: Arc<Reservations>,
    pub(crate) samples: Arc<Samples>,
    pub(crate) next_meta_id: AtomicU64,
    pub(crate) tasks: Vec<AbortHandle>,
}

impl Shared {
    /// Returns the nanoseconds since the start.
    pub(crate) fn now(&self) -> u64 {
        nanoseconds(self.counters.uptime())
    }

    pub(crate) fn next_meta_id(&self) -> MetaId {
        MetaId(self.next_meta_id.fetch_add(1, Ordering::Relaxed))
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}
