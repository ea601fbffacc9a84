//! The applications that sockets belong to, and the counters of each.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering},
    },
};

use dashmap::DashMap;
use parking_lot::{Mutex, RwLock};

use super::{
    bucket::{Bucket, Rate, SharedBucket},
    counters::{Counters, Tally},
    settings::ApplicationSettings,
};

/// Steps of [`samples`](super::samples) in the period called "recent": a minute.
const RECENT_STEPS: usize = 12;

/// Bytes of a REST answer that count as one event.
const BYTES_PER_EVENT: usize = 16 << 10;

/// Statistics of one application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationStats {
    /// Its key.
    pub app_key: Arc<str>,
    /// Open sockets, long-poll sessions included.
    pub sockets: usize,
    /// Topics with members.
    pub topics: usize,
    /// Events in since the start of the server, by sockets and REST.
    pub events_in: u64,
    /// Events that went to members since the start. An event that three members get counts three times.
    pub deliveries: u64,
    /// Bytes that went to members since the start, or wait for them.
    pub bytes_out: u64,
    /// Events in during the last minute.
    pub recent_events_in: u64,
}

/// All applications that were used since the start, or since they were closed.
#[derive(Debug, Default)]
pub(crate) struct Applications {
    by_key: DashMap<Arc<str>, Arc<Application>>,
    counters: Arc<Counters>,
    /// Settings of each application that has none of its own.
    defaults: ApplicationSettings,
    /// Settings of the applications that have their own, by key; also of applications without sockets.
    own: Mutex<HashMap<Arc<str>, ApplicationSettings>>,
}

/// The state that all sockets and topics of one application share.
#[derive(Debug)]
pub(crate) struct Application {
    key: Arc<str>,
    counters: Arc<Counters>,
    /// Settings that are read when a socket opens. `usage` has those that are read for each event.
    settings: RwLock<ApplicationSettings>,
    usage: Usage,
    sockets: AtomicUsize,
    topics: AtomicUsize,
    events_in: AtomicU64,
    deliveries: AtomicU64,
    bytes_out: AtomicU64,
    recent: Mutex<Recent>,
}

/// Use of an application's quotas, and those of its settings that are read for each event: without a lock.
#[derive(Debug, Default)]
struct Usage {
    places: AtomicU32,
    events: SharedBucket,
    events_per_second: AtomicU32,
    events_per_socket: AtomicU32,
}

/// Events in, by step.
#[derive(Debug, Default)]
struct Recent {
    /// The total at the end of the last step.
    total: u64,
    steps: [u64; RECENT_STEPS],
    next: usize,
}

impl Applications {
    /// Makes an empty table. The defaults are for applications without settings of their own.
    pub(crate) fn new(counters: Arc<Counters>, defaults: ApplicationSettings) -> Applications {
        Applications { by_key: DashMap::new(), counters, defaults, own: Mutex::default() }
    }

    /// Returns the settings of each application that has none of its own.
    pub(crate) fn defaults(&self) -> ApplicationSettings {
        self.defaults
    }

    /// Replaces the settings of all applications that have their own.
    pub(crate) fn set_own_settings(&self, new: HashMap<Arc<str>, ApplicationSettings>) {
        let mut own = self.own.lock();
        if *own != new {
            *own = new;
            for application in &self.by_key {
                application.configure(*own.get(application.key()).unwrap_or(&self.defaults));
            }
        }
    }

    /// Returns the application with this key, and adds it if it is new. Callers let in only applications that exist, so
    /// the table holds no others.
    pub(crate) fn get(&self, key: &str) -> Arc<Application> {
        if let Some(application) = self.by_key.get(key) {
            return Arc::clone(&application);
        }
        let key: Arc<str> = key.into();
        let application = Application::new(Arc::clone(&key), Arc::clone(&self.counters));
        // Held until it is in the table, so that a change of the settings does not miss it.
        let own = self.own.lock();
        application.configure(*own.get(&key).unwrap_or(&self.defaults));
        Arc::clone(&self.by_key.entry(key).or_insert_with(|| Arc::new(application)))
    }

    /// Forgets an application that no longer exists. Its open sockets and topics no longer count.
    pub(crate) fn remove(&self, key: &str) {
        self.by_key.remove(key);
    }

    pub(crate) fn stats(&self) -> Vec<ApplicationStats> {
        self.by_key.iter().map(|application| application.stats()).collect()
    }

    /// Ends a step of the history.
    pub(crate) fn end_step(&self) {
        self.by_key.iter().for_each(|application| application.end_step());
    }
}

impl Application {
    pub(crate) fn new(key: Arc<str>, counters: Arc<Counters>) -> Application {
        Application {
            key,
            counters,
            settings: RwLock::default(),
            usage: Usage::default(),
            sockets: AtomicUsize::new(0),
            topics: AtomicUsize::new(0),
            events_in: AtomicU64::new(0),
            deliveries: AtomicU64::new(0),
            bytes_out: AtomicU64::new(0),
            recent: Mutex::default(),
        }
    }

    pub(crate) fn key(&self) -> &Arc<str> {
        &self.key
    }

    /// Applies these settings from now on. Sockets that are open stay so.
    fn configure(&self, settings: ApplicationSettings) {
        *self.settings.write() = settings;
        self.usage.events_per_second.store(settings.events_per_second, Ordering::Relaxed);
        self.usage.events_per_socket.store(settings.events_per_socket, Ordering::Relaxed);
    }

    /// Counts a log of one of its topics that goes to so many members.
    pub(crate) fn add_tally(&self, tally: &Tally, members: usize) {
        self.events_in.fetch_add(tally.pushed + tally.published, Ordering::Relaxed);
        self.deliveries.fetch_add(tally.deliveries, Ordering::Relaxed);
        self.bytes_out.fetch_add(tally.bytes, Ordering::Relaxed);
        self.counters.add_tally(tally, members);
    }

    /// Returns true if one of its sockets may push an event now. `bucket` is that socket's, `now` is in nanoseconds
    /// since the start.
    pub(crate) fn may_push(&self, bucket: &mut Bucket, now: impl FnOnce() -> u64) -> bool {
        let socket = per_second(&self.usage.events_per_socket);
        let all = per_second(&self.usage.events_per_second);
        if socket.per_second == 0 && all.per_second == 0 {
            return true;
        }
        let now = now();
        bucket.take(socket, now) && self.usage.events.take(all, now)
    }

    /// Returns true if REST may publish an event to it now, in nanoseconds since the start.
    pub(crate) fn may_publish(&self, now: u64) -> bool {
        self.usage.events.take(per_second(&self.usage.events_per_second), now)
    }

    /// Charges for an answer beyond the bytes that one event pays for.
    pub(crate) fn charge_bytes(&self, bytes: usize, now: u64) {
        let events = (bytes / BYTES_PER_EVENT) as u64;
        if events > 0 {
            self.usage.events.charge(per_second(&self.usage.events_per_second), events, now);
        }
    }

    /// Takes a place for one more socket. Returns false if there is none.
    pub(crate) fn take_place(&self) -> bool {
        increment(&self.usage.places, self.settings.read().sockets)
    }

    pub(crate) fn give_place_back(&self) {
        self.usage.places.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn socket_opened(&self) {
        self.sockets.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn socket_gone(&self) {
        self.sockets.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn topic_opened(&self) {
        self.topics.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn topic_gone(&self) {
        self.topics.fetch_sub(1, Ordering::Relaxed);
    }

    fn stats(&self) -> ApplicationStats {
        let recent = self.recent.lock();
        let events_in = self.events_in.load(Ordering::Relaxed);
        ApplicationStats {
            app_key: Arc::clone(&self.key),
            sockets: self.sockets.load(Ordering::Relaxed),
            topics: self.topics.load(Ordering::Relaxed),
            events_in,
            deliveries: self.deliveries.load(Ordering::Relaxed),
            bytes_out: self.bytes_out.load(Ordering::Relaxed),
            // The events of the unfinished step, and of the complete ones before it except the oldest.
            recent_events_in: events_in - recent.total + recent.steps.iter().sum::<u64>() - recent.oldest(),
        }
    }

    fn end_step(&self) {
        let mut recent = self.recent.lock();
        let total = self.events_in.load(Ordering::Relaxed);
        let at = recent.next;
        recent.steps[at] = total - recent.total;
        recent.total = total;
        recent.next = (at + 1) % RECENT_STEPS;
    }
}

/// Makes a rate with a burst of one second's worth.
fn per_second(rate: &AtomicU32) -> Rate {
    Rate { per_second: rate.load(Ordering::Relaxed), burst_seconds: 1 }
}

impl Recent {
    /// Returns the events of the step that the next one replaces.
    fn oldest(&self) -> u64 {
        self.steps[self.next]
    }
}

/// Adds one unless the count has reached `most`; zero means no limit. Returns true if it did.
pub(crate) fn increment(count: &AtomicU32, most: u32) -> bool {
    let next = |count| (most == 0 || count < most).then_some(count + 1);
    count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recent_are_the_events_of_the_last_minute() {
        let applications = Applications::default();
        let application = applications.get("key");
        let published = |published| Tally { published, ..Tally::default() };
        application.add_tally(&published(5), 1);
        assert_eq!(applications.stats()[0].recent_events_in, 5);
        for _ in 0..RECENT_STEPS - 1 {
            applications.end_step();
            assert_eq!(applications.stats()[0].recent_events_in, 5);
        }
        application.add_tally(&published(3), 1);
        applications.end_step();
        assert_eq!(applications.stats()[0].recent_events_in, 3);
        assert_eq!(applications.stats()[0].events_in, 8);
        assert!(Arc::ptr_eq(&application, &applications.get("key")));
    }
}
