//! Limit on wrong tokens, by the IP address that sends them.
//!
//! Unlike in [`Attempts`](super::Attempts), only failures count: a backend may exchange its token as often as it likes.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use governor::clock::Clock;

use super::{
    attempts::client,
    limiter::{LimitClock, TooMany},
};

/// Maximum failures of an address in [`WINDOW`].
const MOST: u32 = 100;
/// Length of a window, after which the counts begin again from zero.
const WINDOW: Duration = Duration::from_secs(60);
/// Number of places that addresses share, of 8 bytes each. Two addresses in one place are counted as one; no client can
/// cause that on purpose.
const PLACES: usize = 1 << 14;

/// Counts of failures.
pub struct Failures {
    clock: LimitClock,
    /// One entry a place: the number of its window in the upper half, the failures in that window in the lower half.
    counts: Box<[AtomicU64]>,
    places: RandomState,
}

impl Failures {
    /// Creates counters without failures.
    pub fn new(clock: &LimitClock) -> Self {
        let counts = std::iter::repeat_with(AtomicU64::default).take(PLACES).collect();
        Self { clock: clock.clone(), counts, places: RandomState::new() }
    }

    /// Checks whether an address may try again. An IPv6 address counts as its /64 network.
    ///
    /// # Errors
    ///
    /// [`TooMany`] when it failed too often.
    pub fn check(&self, address: IpAddr) -> Result<(), TooMany> {
        let (window, rest) = self.window();
        match unpack(self.place(address).load(Ordering::Relaxed)) {
            (of, failures) if of == window && failures >= MOST => Err(TooMany { retry_after: rest }),
            _ => Ok(()),
        }
    }

    /// Counts a failure.
    pub fn note(&self, address: IpAddr) {
        let (window, _) = self.window();
        let next = |count| match unpack(count) {
            (of, failures) if of == window => Some(pack(window, failures.saturating_add(1))),
            _ => Some(pack(window, 1)),
        };
        // The closure never returns `None`.
        let _ = self.place(address).fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
    }

    /// Returns the number of the current window, from 1 on, and the time until its end.
    fn window(&self) -> (u32, Duration) {
        let elapsed = self.clock.now();
        let passed = elapsed.as_secs() / WINDOW.as_secs();
        let end = WINDOW * u32::try_from(passed).unwrap_or(u32::MAX).saturating_add(1);
        // After 8,000 years, all windows have the same number.
        (u32::try_from(passed + 1).unwrap_or(u32::MAX), end.saturating_sub(elapsed))
    }

    fn place(&self, address: IpAddr) -> &AtomicU64 {
        let place = self.places.hash_one(client(&address.to_string())) % PLACES as u64;
        &self.counts[usize::try_from(place).expect("there are fewer places")]
    }
}

impl fmt::Debug for Failures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Failures").finish_non_exhaustive()
    }
}

fn pack(window: u32, failures: u32) -> u64 {
    u64::from(window) << 32 | u64::from(failures)
}

fn unpack(count: u64) -> (u32, u32) {
    ((count >> 32) as u32, (count & u64::from(u32::MAX)) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_address_fails_a_hundred_times_a_minute() {
        let failures = Failures::new(&LimitClock::start());
        let (one, other) = ("2001:db8::1".parse().unwrap(), "2001:db8:1::1".parse().unwrap());
        tokio::time::advance(Duration::from_secs(20)).await;
        for _ in 0..MOST {
            failures.check(one).unwrap();
            failures.note(one);
        }
        let refused = failures.check("2001:db8::2".parse().unwrap()).unwrap_err();
        assert_eq!(refused.retry_after, Duration::from_secs(40));
        failures.check(other).unwrap();
        tokio::time::advance(Duration::from_secs(40)).await;
        failures.check(one).unwrap();
        failures.note(one);
        failures.check(one).unwrap();
    }
}
