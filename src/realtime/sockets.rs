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
use super::stats::Sizes;

/// How often some of the connections are closed while the server stops, and how few at a time: with fewer of them than fill
/// the window, there is no use in spreading them over it.
const CLOSE_EVERY: Duration = Duration::from_millis(100);
const CLOSE_AT_LEAST: usize = 25;

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

    /// Adds what waits for all connections.
    pub(super) fn measure(&self, sizes: &mut Sizes) {
        for connection in &self.connections {
            let waiting = connection.outbox.waiting();
            sizes.waiting_bytes += waiting;
            sizes.waiting_sockets += usize::from(waiting > 0);
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

    /// Asks all connections to close, spread over `window`; those still to come, at once. Waits until they are gone.
    pub(super) async fn stop(&self, window: Duration) {
        self.stopping.store(true, Ordering::SeqCst);
        self.close_in_batches(window).await;
        loop {
            let gone = self.gone.notified();
            if self.connections.is_empty() {
                return;
            }
            gone.await;
        }
    }

    /// They count as closed together: no list of who is there shrinks step by step while the server stops.
    async fn close_in_batches(&self, window: Duration) {
        let all: Vec<SocketId> = self.connections.iter().map(|connection| connection.id).collect();
        let departure = Arc::default();
        let mut turns = interval(CLOSE_EVERY);
        for batch in all.chunks(batch_size(all.len(), window)) {
            turns.tick().await;
            for connection in batch.iter().filter_map(|id| self.connections.get(id)) {
                connection.outbox.request_close_with(Close::Shutdown, Some(&departure));
            }
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

/// How many of so many connections to close at a time, to be through when the window is over.
fn batch_size(connections: usize, window: Duration) -> usize {
    let turns = usize::try_from(window.as_millis() / CLOSE_EVERY.as_millis()).unwrap_or(usize::MAX);
    if turns == 0 { connections.max(1) } else { connections.div_ceil(turns).max(CLOSE_AT_LEAST) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_fill_the_window_and_are_not_tiny() {
        let seconds = Duration::from_secs;
        for (connections, window, size) in [
            (0, seconds(10), 25),
            (100, seconds(10), 25),
            (2_500, seconds(10), 25),
            (5_000, seconds(10), 50),
            (100_001, seconds(10), 1001),
            (5_000, Duration::ZERO, 5_000),
            (0, Duration::ZERO, 1),
            (10, Duration::MAX, 25),
        ] {
            assert_eq!(batch_size(connections, window), size, "{connections} in {window:?}");
        }
    }
}
