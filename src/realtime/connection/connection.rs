//! The state that all parts share of one connection.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};

use pusher_lite_protocol::Dialect;

use super::outbox::Outbox;
use crate::realtime::{identity::Identity, usage::applications::Application};

/// Id of a connection; never used twice.
pub(crate) type SocketId = u64;

/// The state that all parts share of one connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) id: SocketId,
    pub(crate) dialect: Dialect,
    pub(crate) identity: Identity,
    pub(crate) outbox: Outbox,
    pub(crate) application: Arc<Application>,
    /// Tick of [`super::idle`] in which the server last received something.
    last_received: AtomicU32,
    /// Memory of received input that is not carried out yet: an incomplete message, or messages that wait because the
    /// client is paused. `partial_since_ms` is the time since which there is any.
    partial: AtomicUsize,
    partial_since_ms: AtomicU32,
    /// True while the server does not read from the socket. It cannot tell then whether the client is silent.
    is_paused: AtomicBool,
    /// Time of the opening, see [`Counters::uptime_ms`](crate::realtime::usage::counters::Counters::uptime_ms).
    opened_ms: u32,
}

impl Connection {
    /// Makes a connection. `application` is that of the identity, `now` a tick.
    pub(crate) fn new(
        id: SocketId,
        dialect: Dialect,
        identity: Identity,
        outbox: Outbox,
        application: Arc<Application>,
        now: u32,
        opened_ms: u32,
    ) -> Connection {
        // One key for all sockets of the application.
        let identity = Identity { app_key: Arc::clone(application.key()), ..identity };
        Connection {
            id,
            dialect,
            identity,
            outbox,
            application,
            last_received: AtomicU32::new(now),
            partial: AtomicUsize::new(0),
            partial_since_ms: AtomicU32::new(0),
            is_paused: AtomicBool::new(false),
            opened_ms,
        }
    }

    /// Returns the time since the connection was opened.
    pub(crate) fn age(&self, uptime_ms: u32) -> Duration {
        Duration::from_millis(uptime_ms.wrapping_sub(self.opened_ms).into())
    }

    pub(crate) fn received(&self, now: u32) {
        self.last_received.store(now, Ordering::Relaxed);
    }

    /// Notes the memory of received input that is not carried out yet. Returns the value before.
    pub(crate) fn set_partial(&self, memory: usize, now_ms: impl FnOnce() -> u32) -> usize {
        // Only the connection's own task writes here.
        let before = self.partial.load(Ordering::Relaxed);
        if before == 0 && memory > 0 {
            self.partial_since_ms.store(now_ms(), Ordering::Relaxed);
        }
        if before != memory {
            self.partial.store(memory, Ordering::Relaxed);
        }
        before
    }

    /// Returns the memory of received input that is not carried out yet, and for how long there has been any.
    pub(crate) fn partial(&self, uptime_ms: u32) -> (usize, Duration) {
        let age_ms = uptime_ms.wrapping_sub(self.partial_since_ms.load(Ordering::Relaxed));
        (self.partial.load(Ordering::Relaxed), Duration::from_millis(age_ms.into()))
    }

    pub(crate) fn set_paused(&self, is_paused: bool) {
        self.is_paused.store(is_paused, Ordering::Release);
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.is_paused.load(Ordering::Acquire)
    }

    pub(crate) fn last_received(&self) -> u32 {
        self.last_received.load(Ordering::Relaxed)
    }
}
