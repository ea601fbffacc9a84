//! What all parts share of one connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use pusher_lite_protocol::Vsn;

use super::applications::Application;
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
    pub(super) application: Arc<Application>,
    /// The tick of [`super::idle`] in which something was last received.
    last_received: AtomicU32,
    /// When it was opened, see [`Counters::uptime_ms`](super::counters::Counters::uptime_ms).
    opened_ms: u32,
}

impl Connection {
    /// `application` is that of the identity, `now` a tick.
    pub(super) fn new(
        id: SocketId,
        vsn: Vsn,
        identity: Identity,
        outbox: Outbox,
        application: Arc<Application>,
        now: u32,
        opened_ms: u32,
    ) -> Connection {
        // One key for all sockets of the application.
        let identity = Identity { app_key: Arc::clone(application.key()), ..identity };
        Connection { id, vsn, identity, outbox, application, last_received: AtomicU32::new(now), opened_ms }
    }

    /// How long it has been open.
    pub(super) fn age(&self, uptime_ms: u32) -> Duration {
        Duration::from_millis(uptime_ms.wrapping_sub(self.opened_ms).into())
    }

    pub(super) fn received(&self, now: u32) {
        self.last_received.store(now, Ordering::Relaxed);
    }

    pub(super) fn last_received(&self) -> u32 {
        self.last_received.load(Ordering::Relaxed)
    }
}
