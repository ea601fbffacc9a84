//! All connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use dashmap::DashMap;
use parking_lot::Mutex;
use pusher_lite_protocol::Vsn;
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval};

use super::applications::Applications;
use super::close::Close;
use super::connection::{Connection, SocketId};
use super::counters::Counters;
use super::identity::Identity;
use super::idle::{self, Wheel};
use super::outbox::Outbox;

/// All connections by id.
#[derive(Debug)]
pub(super) struct Sockets {
    connections: DashMap<SocketId, Arc<Connection>>,
    applications: Arc<Applications>,
    counters: Arc<Counters>,
    next_id: AtomicU64,
    /// The ticks that have passed.
    now: AtomicU32,
    idle: Mutex<Wheel>,
    stopping: AtomicBool,
    /// Told when the last connection is gone while stopping.
    gone: Notify,
}

impl Sockets {
    pub(super) fn new(applications: Arc<Applications>, counters: Arc<Counters>) -> Sockets {
        Sockets {
            connections: DashMap::new(),
            applications,
            counters,
            next_id: AtomicU64::new(1),
            now: AtomicU32::new(0),
            idle: Mutex::new(Wheel::new()),
            stopping: AtomicBool::new(false),
            gone: Notify::new(),
        }
    }

    pub(super) fn add(&self, vsn: Vsn, identity: Identity, outbox: Outbox) -> Arc<Connection> {
        let is_polled = outbox.is_polled();
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let application = self.applications.get(&identity.app_key);
        application.socket_opened();
        self.counters.opened(vsn, is_polled);
        let (now, opened_ms) = (self.now(), self.counters.uptime_ms());
        let connection = Arc::new(Connection::new(id, vsn, identity, outbox, application, now, opened_ms));
        self.connections.insert(id, Arc::clone(&connection));
        // Long-poll sessions end by a rule of their own.
        if !is_polled {
            self.idle.lock().insert(id, idle::due(self.now()));
        }
        // After the insertion, so that either this sees the stop or the stop sees the connection.
        if self.is_stopping() {
            connection.outbox.request_close(Close::Shutdown);
        }
        connection
    }

    pub(super) fn remove(&self, connection: &Connection) {
        self.connections.remove(&connection.id);
        connection.application.socket_gone();
        self.counters.gone(connection.vsn, connection.outbox.is_polled());
        if self.is_stopping() && self.connections.is_empty() {
            self.gone.notify_waiters();
        }
    }

    pub(super) fn len(&self) -> usize {
        self.connections.len()
    }

    /// Notes that something was received.
    pub(super) fn received(&self, connection: &Connection) {
        connection.received(self.now());
    }

    /// Asks the connections of these identities to close, together.
    pub(super) fn close(&self, close: Close, which: impl Fn(&Identity) -> bool) {
        let departure = Arc::default();
        for connection in &self.connections {
            if which(&connection.identity) {
                connection.outbox.request_close_with(close, Some(&departure));
            }
        }
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Asks all connections to close, also those still to come, and waits until they are gone.
    pub(super) async fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.close(Close::Shutdown, |_| true);
        loop {
            let gone = self.gone.notified();
            if self.connections.is_empty() {
                return;
            }
            gone.await;
        }
    }

    /// Closes connections from which nothing came for so long. Runs for ever.
    pub(super) async fn close_idle(self: Arc<Self>, idle_timeout: Duration) {
        let mut interval = interval(idle::tick(idle_timeout));
        interval.set_missed_tick_behavior(MissedTickBehavior::Burst);
        interval.tick().await;
        loop {
            interval.tick().await;
            let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
            let due = self.idle.lock().take(now);
            for id in due {
                self.close_if_idle(id, now);
            }
        }
    }

    fn close_if_idle(&self, id: SocketId, now: u32) {
        let Some(connection) = self.connections.get(&id) else {
            return;
        };
        match idle::due(connection.last_received()) {
            due if due <= now => connection.outbox.request_close(Close::Idle),
            due => self.idle.lock().insert(id, due),
        }
    }

    fn now(&self) -> u32 {
        self.now.load(Ordering::Relaxed)
    }
}
