//! Rate limits.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

const SECOND: u64 = 1_000_000_000;

/// The longest debt that a charge can cause, in seconds: shorter than the 30 s between two heartbeats, after which
/// phoenix.js gives up a connection.
const MOST_DEBT: u64 = 10;

/// A rate: so many times a second, with a burst after a pause.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    /// Times a second; zero means no limit.
    pub(crate) per_second: u32,
    /// The burst, in seconds' worth.
    pub(crate) burst_seconds: u32,
}

/// Used part of a rate: the time at which all of it is available again, in nanoseconds since some start. This is the
/// generic cell rate algorithm: a token bucket that needs no refilling.
#[derive(Debug, Default)]
pub(crate) struct Bucket {
    paid_until: u64,
}

/// A [`Bucket`] for several threads.
#[derive(Debug, Default)]
pub(crate) struct SharedBucket {
    paid_until: AtomicU64,
}

impl Rate {
    /// Returns the new `paid_until` after one use now; `None` if that would be over the rate.
    fn pay(self, paid_until: u64, now: u64) -> Option<u64> {
        let paid_until = paid_until.max(now) + SECOND / u64::from(self.per_second.max(1));
        (paid_until <= self.burst_until(now)).then_some(paid_until)
    }

    /// Returns the new `paid_until` after so many uses now, over the rate or not. The rate must not be zero.
    fn overdraw(self, paid_until: u64, times: u64, now: u64) -> u64 {
        let price = times.saturating_mul(SECOND) / u64::from(self.per_second);
        let most = self.burst_until(now) + MOST_DEBT * SECOND;
        paid_until.max(now).saturating_add(price).min(most)
    }

    fn burst_until(self, now: u64) -> u64 {
        now + SECOND * u64::from(self.burst_seconds)
    }
}

impl Bucket {
    /// Returns true and charges for one use, if that is within the rate.
    pub(crate) fn take(&mut self, rate: Rate, now: u64) -> bool {
        if rate.per_second == 0 {
            return true;
        }
        match rate.pay(self.paid_until, now) {
            Some(paid_until) => self.paid_until = paid_until,
            None => return false,
        }
        true
    }

    /// Charges for so many uses that have happened. Returns the time of the next allowed use, if that is not now.
    pub(crate) fn charge(&mut self, rate: Rate, times: u64, now: u64) -> Option<u64> {
        if rate.per_second == 0 {
            return None;
        }
        self.paid_until = rate.overdraw(self.paid_until, times, now);
        let debt = self.paid_until.saturating_sub(rate.burst_until(now));
        (debt > 0).then_some(now + debt)
    }

    /// Returns true if nothing of the rate is used up.
    pub(crate) fn is_full(&self, now: u64) -> bool {
        self.paid_until <= now
    }
}

impl SharedBucket {
    /// Returns true and charges for one use, if that is within the rate.
    pub(crate) fn take(&self, rate: Rate, now: u64) -> bool {
        let pay = |paid_until| rate.pay(paid_until, now);
        rate.per_second == 0 || self.paid_until.fetch_update(Ordering::Relaxed, Ordering::Relaxed, pay).is_ok()
    }

    /// Charges for so many uses that have happened.
    pub(crate) fn charge(&self, rate: Rate, times: u64, now: u64) {
        if rate.per_second > 0 {
            let overdraw = |paid_until| Some(rate.overdraw(paid_until, times, now));
            let _ = self.paid_until.fetch_update(Ordering::Relaxed, Ordering::Relaxed, overdraw);
        }
    }
}

/// Converts a duration to the nanoseconds that buckets use.
pub(crate) fn nanoseconds(since_start: Duration) -> u64 {
    since_start.as_nanos().try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the number of allowed uses, at so many tries a second.
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

    #[test]
    fn a_charge_beyond_the_burst_is_a_debt_with_an_end() {
        let (mut bucket, rate) = (Bucket::default(), Rate { per_second: 1000, burst_seconds: 10 });
        assert_eq!(bucket.charge(rate, 10_000, 7), None);
        assert_eq!(bucket.charge(rate, 500, 7), Some(7 + SECOND / 2));
        assert_eq!(bucket.charge(rate, 500, 7 + SECOND), None, "the debt was paid meanwhile");
        assert_eq!(bucket.charge(rate, u64::MAX, 7), Some(7 + 10 * SECOND), "however much it is");
        assert_eq!(bucket.charge(Rate { per_second: 0, ..rate }, u64::MAX, 7), None);

        let shared = SharedBucket::default();
        shared.charge(rate, 10_500, 7);
        assert!(!shared.take(rate, 7) && shared.take(rate, 7 + SECOND));
    }
}
