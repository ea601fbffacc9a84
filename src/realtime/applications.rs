//! The applications that sockets belong to, and what is counted of each.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

use dashmap::DashMap;
use parking_lot::Mutex;

use super::bucket::{Bucket, Rate, SharedBucket};
use super::counters::{Counters, Tally};
use super::places::increment;
use super::quotas::{ApplicationQuota, QuotaOverride};

/// Steps of [`history`](super::history) that "recent" spans: a minute.
const RECENT_STEPS: usize = 12;

/// What is counted of one application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationStats {
    /// Its key.
    pub app_key: Arc<str>,
    /// Its sockets that are open, long-poll sessions included.
    pub sockets: usize,
    /// Its topics that somebody is in.
    pub topics: usize,
    /// Events in since the start of the server, however they came.
    pub events_in: u64,
    /// Events that went to members since the start: one that three hear counts three times.
    pub deliveries: u64,
    /// Bytes that went to members since the start, or wait for them.
    pub bytes_out: u64,
    /// Events in during the last minute.
    pub recent_events_in: u64,
}

/// All applications that were used since the start, or since they were closed.
#[derive(Debug, Default)]
pub(super) struct Applications {
    by_key: DashMap<Arc<str>, Arc<Application>>,
    counters: Arc<Counters>,
    quota: ApplicationQuota,
    /// What is different for some of them, by key; also for those that nobody uses yet.
    overrides: Mutex<HashMap<Arc<str>, QuotaOverride>>,
}

/// What all sockets and topics of one application share.
#[derive(Debug)]
pub(super) struct Application {
    key: Arc<str>,
    counters: Arc<Counters>,
    usage: Usage,
    sockets: AtomicUsize,
    topics: AtomicUsize,
    events_in: AtomicU64,
    deliveries: AtomicU64,
    bytes_out: AtomicU64,
    recent: Mutex<Recent>,
}

/// What an application may use, and what it does use.
#[derive(Debug, Default)]
struct Usage {
    most_places: AtomicU32,
    places: AtomicU32,
    events_per_second: AtomicU32,
    events: SharedBucket,
    socket_events_per_second: AtomicU32,
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
    /// `quota` is what each may use.
    pub(super) fn new(counters: Arc<Counters>, quota: ApplicationQuota) -> Applications {
        Applications { by_key: DashMap::new(), counters, quota, overrides: Mutex::default() }
    }

    /// From now on these are different, and no others.
    pub(super) fn set_overrides(&self, new: HashMap<Arc<str>, QuotaOverride>) {
        let mut overrides = self.overrides.lock();
        if *overrides != new {
            *overrides = new;
            for application in &self.by_key {
                application.usage.set(self.quota.with(overrides.get(application.key()).copied().unwrap_or_default()));
            }
        }
    }

    /// The application with this key. There are no more of them than the callers know of, since they let in only those
    /// that exist.
    pub(super) fn get(&self, key: &str) -> Arc<Application> {
        if let Some(application) = self.by_key.get(key) {
            return Arc::clone(&application);
        }
        let key: Arc<str> = key.into();
        let application = Application::new(Arc::clone(&key), Arc::clone(&self.counters));
        // Held until it is in the table, so that a change of the overrides does not miss it.
        let overrides = self.overrides.lock();
        application.usage.set(self.quota.with(overrides.get(&key).copied().unwrap_or_default()));
        Arc::clone(&self.by_key.entry(key).or_insert_with(|| Arc::new(application)))
    }

    /// Forgets an application that is no more. What is still open of it counts no longer.
    pub(super) fn remove(&self, key: &str) {
        self.by_key.remove(key);
    }

    pub(super) fn stats(&self) -> Vec<ApplicationStats> {
        self.by_key.iter().map(|application| application.stats()).collect()
    }

    /// Ends a step of the history.
    pub(super) fn end_step(&self) {
        self.by_key.iter().for_each(|application| application.end_step());
    }
}

impl Application {
    pub(super) fn new(key: Arc<str>, counters: Arc<Counters>) -> Application {
        Application {
            key,
            counters,
            usage: Usage::default(),
            sockets: AtomicUsize::new(0),
            topics: AtomicUsize::new(0),
            events_in: AtomicU64::new(0),
            deliveries: AtomicU64::new(0),
            bytes_out: AtomicU64::new(0),
            recent: Mutex::default(),
        }
    }

    pub(super) fn key(&self) -> &Arc<str> {
        &self.key
    }

    /// A log of one of its topics goes to so many members.
    pub(super) fn add_tally(&self, tally: &Tally, members: usize) {
        self.events_in.fetch_add(tally.pushed + tally.published, Ordering::Relaxed);
        self.deliveries.fetch_add(tally.deliveries, Ordering::Relaxed);
        self.bytes_out.fetch_add(tally.bytes, Ordering::Relaxed);
        self.counters.add_tally(tally, members);
    }

    /// Whether one of its sockets may push an event now. `bucket` is that socket's, `now` in nanoseconds since the start.
    pub(super) fn may_push(&self, bucket: &mut Bucket, now: impl FnOnce() -> u64) -> bool {
        let socket = per_second(&self.usage.socket_events_per_second);
        let all = per_second(&self.usage.events_per_second);
        if socket.per_second == 0 && all.per_second == 0 {
            return true;
        }
        let now = now();
        bucket.take(socket, now) && self.usage.events.take(all, now)
    }

    /// Whether an event may be published to it now, in nanoseconds since the start.
    pub(super) fn may_publish(&self, now: u64) -> bool {
        self.usage.events.take(per_second(&self.usage.events_per_second), now)
    }

    /// Whether it may have one more socket, which it has then.
    pub(super) fn take_place(&self) -> bool {
        increment(&self.usage.places, self.usage.most_places.load(Ordering::Relaxed))
    }

    pub(super) fn give_place_back(&self) {
        self.usage.places.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn socket_opened(&self) {
        self.sockets.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn socket_gone(&self) {
        self.sockets.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn topic_opened(&self) {
        self.topics.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn topic_gone(&self) {
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
            // Those of the step that is not over yet, and of the full ones before it but for the oldest.
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

impl Usage {
    fn set(&self, quota: ApplicationQuota) {
        self.most_places.store(quota.sockets, Ordering::Relaxed);
        self.events_per_second.store(quota.events_per_second, Ordering::Relaxed);
        self.socket_events_per_second.store(quota.socket_events_per_second, Ordering::Relaxed);
    }
}

/// A rate of which a second's worth may come at once.
fn per_second(rate: &AtomicU32) -> Rate {
    Rate { per_second: rate.load(Ordering::Relaxed), burst_seconds: 1 }
}

impl Recent {
    /// The events of the step that the next one takes the place of.
    fn oldest(&self) -> u64 {
        self.steps[self.next]
    }
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
