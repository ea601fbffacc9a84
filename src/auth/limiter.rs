//! The rate limiter of attempts and changes, and the clock of all limits of this module.

use std::{
    hash::Hash,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use governor::{Quota, RateLimiter, clock::Clock, middleware::NoOpMiddleware, state::keyed::DashMapStateStore};
use tokio::time::Instant;

/// Number of checks after which expired counts are removed.
pub(super) const SWEEP: u32 = 4096;

/// Error: too many attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts")]
pub struct TooMany {
    /// Time until another attempt is allowed.
    pub retry_after: Duration,
}

/// The clock of the limits on attempts, changes and wrong tokens. Clones are the same clock.
#[derive(Clone, Debug)]
pub struct LimitClock {
    started: Instant,
    stopped_at: Arc<OnceLock<Duration>>,
}

impl LimitClock {
    /// Starts a clock at zero.
    pub fn start() -> Self {
        Self { started: Instant::now(), stopped_at: Arc::default() }
    }

    /// Stops the clock: what is used up stays used up, so that tests do not depend on how fast they are.
    pub fn stop(&self) {
        self.stopped_at.get_or_init(|| self.started.elapsed());
    }
}

impl Clock for LimitClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.stopped_at.get().copied().unwrap_or_else(|| self.started.elapsed())
    }
}

/// Limits the rate of each key.
pub(super) struct Limiter<K: Clone + Hash + Eq> {
    limiter: RateLimiter<K, DashMapStateStore<K>, LimitClock, NoOpMiddleware<Duration>>,
    clock: LimitClock,
    since_sweep: AtomicU32,
}

impl<K: Clone + Hash + Eq> Limiter<K> {
    pub(super) fn new(quota: Quota, clock: &LimitClock) -> Self {
        let limiter = RateLimiter::new(quota, DashMapStateStore::default(), clock.clone());
        Self { limiter, clock: clock.clone(), since_sweep: AtomicU32::new(0) }
    }

    /// Counts one of this key.
    ///
    /// # Errors
    ///
    /// [`TooMany`] when there were too many; this one is not counted then.
    pub(super) fn check(&self, key: &K) -> Result<(), TooMany> {
        if self.since_sweep.fetch_add(1, Ordering::Relaxed) >= SWEEP {
            self.since_sweep.store(0, Ordering::Relaxed);
            self.limiter.retain_recent();
        }
        self.limiter.check_key(key).map_err(|until| TooMany { retry_after: until.wait_time_from(self.clock.now()) })
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.limiter.len()
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_over_is_forgotten() {
        let limiter = Limiter::new(Quota::per_minute(NonZeroU32::MIN), &LimitClock::start());
        for key in 0..SWEEP {
            limiter.check(&key).unwrap();
        }
        assert_eq!(limiter.len(), SWEEP as usize);
        advance(Duration::from_secs(3600)).await;
        limiter.check(&0).unwrap();
        assert_eq!(limiter.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stopped_clock_gives_nothing_back() {
        let clock = LimitClock::start();
        let limiter = Limiter::new(Quota::per_minute(NonZeroU32::MIN), &clock);
        limiter.check(&1).unwrap();
        clock.clone().stop();
        advance(Duration::from_secs(3600)).await;
        limiter.check(&1).unwrap_err();
    }
}
