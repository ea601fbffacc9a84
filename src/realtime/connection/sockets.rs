//! All connections.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use dashmap::DashMap;
use parking_lot::Mutex;
use pusher_lite_protocol::Dialect;
use tokio::{
    sync::Notify,
    time::{MissedTickBehavior, interval},
};

use super::{
    by_user::ByUser,
    connection::{Connection, SocketId},
    expiry::{self, Expiries},
    idle::{self, Wheel},
    outbox::Outbox,
};
use crate::realtime::{
    close::Close,
    identity::{Basis, Identity},
    usage::{applications::Applications, counters::Counters, stats::Sizes},
};

/// Interval between two batches of connections that the server closes while it stops, and the smallest batch. With
/// fewer connections than fill the window, there is no use in spreading them over it.
const CLOSE_EVERY: Duration = Duration::from_millis(100);
const CLOSE_AT_LEAST: usize = 25;

/// Number of connections that are asked to close before other tasks have their turn: less than a millisecond.
const CLOSE_IN_A_TURN: usize = 500;

/// Interval of looking for JWTs that have expired.
const EXPIRY_TICK: Duration = Duration::from_secs(1);

/// All connections by id.
#[derive(Debug)]
pub(crate) struct Sockets {
    connections: DashMap<SocketId, Arc<Connection>>,
    by_user: ByUser,
    applications: Arc<Applications>,
    counters: Arc<Counters>,
    next_id: AtomicU64,
    /// Number of ticks that have passed.
    now: AtomicU32,
    idle: Mutex<Wheel>,
    expiries: Mutex<Expiries>,
    stopping: AtomicBool,
    /// Notified when the last connection is gone while stopping.
    gone: Notify,
}

impl Sockets {
    pub(crate) fn new(applications: Arc<Applications>, counters: Arc<Counters>) -> Sockets {
        Sockets {
            connections: DashMap::new(),
            by_user: ByUser::default(),
            applications,
            counters,
            next_id: AtomicU64::new(1),
            now: AtomicU32::new(0),
            idle: Mutex::new(Wheel::new()),
            expiries: Mutex::default(),
            stopping: AtomicBool::new(false),
            gone: Notify::new(),
        }
    }

    pub(crate) fn add(&self, dialect: Dialect, identity: Identity, outbox: Outbox) -> Arc<Connection> {
        let is_polled = outbox.is_polled();
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let application = self.applications.get(&identity.app_key);
        application.socket_opened();
        self.counters.opened(dialect, is_polled);
        let (now, opened_ms) = (self.now(), self.counters.uptime_ms());
        let connection = Arc::new(Connection::new(id, dialect, identity, outbox, application, now, opened_ms));
        self.connections.insert(id, Arc::clone(&connection));
        self.by_user.add(&connection);
        // Long-poll sessions have an idle timeout of their own.
        if !is_polled {
            self.idle.lock().insert(id, idle::due(self.now()));
        }
        if let Some(expires_at) = connection.identity.expires_at {
            self.expiries.lock().insert(expires_at, id);
        }
        // After the insertion, so that either this task sees the stop or the stop sees the connection.
        if self.is_stopping() {
            connection.outbox.request_close(Close::Shutdown);
        }
        connection
    }

    pub(crate) fn remove(&self, connection: &Connection) {
        self.connections.remove(&connection.id);
        self.by_user.remove(connection);
        if let Some(expires_at) = connection.identity.expires_at {
            self.expiries.lock().remove(expires_at, connection.id);
        }
        connection.application.socket_gone();
        self.counters.gone(connection.dialect, connection.outbox.is_polled());
        if self.is_stopping() && self.connections.is_empty() {
            self.gone.notify_waiters();
        }
    }

    /// Adds the queued bytes of all connections.
    pub(crate) fn measure(&self, sizes: &mut Sizes) {
        for connection in &self.connections {
            let waiting = connection.outbox.waiting();
            sizes.waiting_bytes += waiting;
            sizes.waiting_sockets += usize::from(waiting > 0);
        }
    }

    /// Calls `each` with every connection. Takes some milliseconds with a hundred thousand of them.
    pub(crate) fn for_each(&self, mut each: impl FnMut(&Arc<Connection>)) {
        self.connections.iter().for_each(|connection| each(&connection));
    }

    /// See [`Counters::uptime_ms`].
    pub(crate) fn uptime_ms(&self) -> u32 {
        self.counters.uptime_ms()
    }

    /// Returns the basis of every connection, each basis once.
    pub(crate) fn bases(&self) -> Vec<Basis> {
        let bases: HashSet<Basis> = self.connections.iter().map(|connection| connection.identity.basis()).collect();
        bases.into_iter().collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.connections.len()
    }

    /// Notes that the server received something.
    pub(crate) fn received(&self, connection: &Connection) {
        connection.received(self.now());
    }

    /// Asks the connections of these identities to close, together. Returns their number. Other tasks get their turn in
    /// between.
    ///
    /// A connection that is added meanwhile may be missed. The task that adds it checks afterwards whether it may be
    /// open.
    pub(crate) async fn close_all(&self, close: Close, which: impl Fn(&Identity) -> bool) -> usize {
        let found: Vec<SocketId> =
            self.connections.iter().filter(|found| which(&found.identity)).map(|found| found.id).collect();
        let group = Arc::default();
        for batch in found.chunks(CLOSE_IN_A_TURN) {
            for connection in batch.iter().filter_map(|id| self.connections.get(id)) {
                connection.outbox.request_close_with(close, Some(&group));
            }
            tokio::task::yield_now().await;
        }
        found.len()
    }

    /// Asks a user's connections to close, together. Looks at no other connections.
    pub(crate) fn close_user(&self, close: Close, app_key: &str, unique_identifier: &str) {
        let group = Arc::default();
        for id in self.by_user.find(app_key, unique_identifier) {
            let Some(connection) = self.connections.get(&id) else { continue };
            let Identity { app_key: theirs, unique_identifier: name, .. } = &connection.identity;
            if **theirs == *app_key && **name == *unique_identifier {
                connection.outbox.request_close_with(close, Some(&group));
            }
        }
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Asks all connections to close, spread over `window`. Connections that are added meanwhile are asked immediately.
    /// Waits until all are gone.
    pub(crate) async fn stop(&self, window: Duration) {
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

    /// Closes all connections in batches that count as one group: no presence list shrinks step by step while the
    /// server stops.
    async fn close_in_batches(&self, window: Duration) {
        let all: Vec<SocketId> = self.connections.iter().map(|connection| connection.id).collect();
        let group = Arc::default();
        let mut turns = interval(CLOSE_EVERY);
        for batch in all.chunks(batch_size(all.len(), window)) {
            turns.tick().await;
            for connection in batch.iter().filter_map(|id| self.connections.get(id)) {
                connection.outbox.request_close_with(Close::Shutdown, Some(&group));
            }
        }
    }

    /// Closes connections that have been silent for the timeout. Runs for ever.
    ///
    /// Clients are not silent while the process does not run: their messages wait unread. So missed ticks are left out,
    /// and a tick that comes late does not count. Everything is read before the next tick.
    pub(crate) async fn close_idle(self: Arc<Self>, idle_timeout: Duration) {
        let period = idle::tick(idle_timeout);
        let mut interval = interval(period);
        interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
        interval.tick().await;
        loop {
            if interval.tick().await.elapsed() >= idle::late(period) {
                continue;
            }
            let now = self.now.fetch_add(1, Ordering::Relaxed) + 1;
            let due = self.idle.lock().take(now);
            for id in due {
                self.close_if_idle(id, now);
            }
        }
    }

    /// Closes the sockets that end with their JWT, within two seconds of its expiry. Runs for ever.
    pub(crate) async fn close_expired(self: Arc<Self>) {
        let mut ticks = interval(EXPIRY_TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let expired = self.expiries.lock().take(expiry::now());
            for batch in expired.chunks(CLOSE_IN_A_TURN) {
                for connection in batch.iter().filter_map(|id| self.connections.get(id)) {
                    connection.outbox.request_close(Close::Expired);
                }
                tokio::task::yield_now().await;
            }
        }
    }

    fn close_if_idle(&self, id: SocketId, now: u32) {
        let Some(connection) = self.connections.get(&id) else {
            return;
        };
        match idle::due(connection.last_received()) {
            due if due <= now && connection.is_paused() => self.idle.lock().insert(id, now + 1),
            due if due <= now => connection.outbox.request_close(Close::Idle),
            due => self.idle.lock().insert(id, due),
        }
    }

    fn now(&self) -> u32 {
        self.now.load(Ordering::Relaxed)
    }
}

/// Returns how many of so many connections to close at a time, to be done when the window ends.
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
