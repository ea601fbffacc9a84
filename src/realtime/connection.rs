//! What all parts share of one connection.

use std::sync::atomic::{AtomicU32, Ordering};

use pusher_lite_protocol::Vsn;

use super::identity::Identity;
use super::outbox::Outbox;

/// Tells connections apart; never used twice.
pub(super) type SocketId = u64;

/// What all parts share of one connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) id: SocketId,
    pub(super) vsn: Vsn,
    pub(super) identity: Identity,
    pub(super) outbox: Outbox,
    /// The tick of [`super::idle`] in which something was last received.
    last_received: AtomicU32,
}

impl Connection {
    pub(super) fn new(id: SocketId, vsn: Vsn, identity: Identity, outbox: Outbox, now: u32) -> Connection {
        Connection { id, vsn, identity, outbox, last_received: AtomicU32::new(now) }
    }

    pub(super) fn received(&self, now: u32) {
        self.last_received.store(now, Ordering::Relaxed);
    }

    pub(super) fn last_received(&self) -> u32 {
        self.last_received.load(Ordering::Relaxed)
    }
}
