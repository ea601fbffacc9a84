//! How often something may happen.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const SECOND: u64 = 1_000_000_000;

/// A rate: so many times a second, and so many at once after a while without any.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    /// Zero is no limit.
    pub(super) per_second: u32,
    /// The seconds' worth that may come at once.
    pub(super) burst_seconds: u32,
}

/// What of a rate is used up: until when, in nanoseconds since some start, it would take to have all of it again. (This is
/// the generic cell rate algorithm: a token bucket that needs no refilling.)
#[derive(Debug, Default)]
pub(super) struct Bucket {
    paid_until: u64,
}

/// As [`Bucket`], for several threads.
#[derive(Debug, Default)]
pub(super) struct SharedBucket {
    paid_until: AtomicU64,
}

impl Rate {
    /// Up to when it is used up once it has happened now, unless that would be too often.
    fn pay(self, paid_until: u64, now: u64) -> Option<u64> {
        let paid_until = paid_until.max(now) + SECOND / u64::from(self.per_second.max(1));
        (paid_until <= now + SECOND * u64::from(self.burst_seconds)).then_some(paid_until)
    }
}

impl Bucket {
    /// Whether it may happen now.
    pub(super) fn take(&mut self, rate: Rate, now: u64) -> bool {
        if rate.per_second == 0 {
            return true;
        }
        match rate.pay(self.paid_until, now) {
            Some(paid_until) => self.paid_until = paid_until,
            None => return false,
        }
        true
    }

    /// Whether nothing of the rate is used up.
    pub(super) fn is_full(&self, now: u64) -> bool {
        self.paid_until <= now
    }
}

impl SharedBucket {
    /// Whether it may happen now.
    pub(super) fn take(&self, rate: Rate, now: u64) -> bool {
        let pay = |paid_until| rate.pay(paid_until, now);
        rate.per_second == 0 || self.paid_until.fetch_update(Ordering::Relaxed, Ordering::Relaxed, pay).is_ok()
    }
}

/// A duration as buckets count it.
pub(super) fn nanoseconds(since_start: Duration) -> u64 {
    since_start.as_nanos().try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often it happens if it is tried so many times a second.
    fn happens(rate: Rate, tries_per_second: u64, seconds: u64) -> u64 {
        let (mut bucket, shared) = (Bucket::default(), SharedBucket::default());
        let mut count = 0;
        for at in 0..tries_per_second * seconds {
            let now = SECOND + at * SECOND / tries_per_second;
            let taken = bucket.take(rate, now);
            assert_eq!(taken, shared.take(rate, now));
            count += u64::from(taken);
        }
        count
    }

    #[test]
    fn it_happens_as_often_as_the_rate_says_and_once_the_burst() {
        let rate = |per_second, burst_seconds| Rate { per_second, burst_seconds };
        assert_eq!(happens(rate(10, 1), 9, 100), 900);
        assert!((1009..=1010).contains(&happens(rate(10, 1), 1000, 100)));
        assert!((149..=150).contains(&happens(rate(10, 5), 1000, 10)));
        assert_eq!(happens(rate(0, 1), 1000, 10), 10_000);
    }

    #[test]
    fn all_of_a_burst_may_come_at_once() {
        let (mut bucket, rate) = (Bucket::default(), Rate { per_second: 3, burst_seconds: 2 });
        let taken = (0..10).filter(|_| bucket.take(rate, 7)).count();
        assert_eq!(taken, 6);
        assert!(!bucket.is_full(7) && bucket.is_full(7 + 2 * SECOND));
    }
}
