//! How often somebody may try: by where they come from, and by the account they are after.
//!
//! Both count, whether an attempt succeeds or not, and whether there is such an account or not. The counts are in
//! memory: they start anew with the server, and each server counts for itself.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::NoOpMiddleware,
    state::keyed::DashMapStateStore,
};

/// Keys share so many places: what is remembered stays under some 10 MB, whoever tries whatever. Two keys in one place
/// are counted as one, which nobody can bring about on purpose.
const PLACES: u64 = 1 << 17;
/// After so many attempts, what needs no more remembering is forgotten.
const SWEEP: u32 = 4096;

/// What somebody attempts. Attempts of different kinds are counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Attempt {
    /// To give the right password.
    SignIn,
    /// To create an account.
    SignUp,
    /// To have a link mailed that sets a password.
    Reset,
    /// To have a link mailed that confirms an address.
    Confirmation,
    /// To have a link mailed that unlocks an account.
    Unlock,
    /// To invite somebody by mail.
    Invitation,
    /// To open such a link.
    Link,
}

impl Attempt {
    /// Whether it may send a mail to somebody who did not ask for it.
    fn mails(self) -> bool {
        !matches!(self, Self::SignIn | Self::Link)
    }
}

/// It was tried too often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts")]
pub struct TooMany {
    /// When another attempt is allowed.
    pub retry_after: Duration,
}

/// Counts attempts.
pub struct Attempts<C: Clock = DefaultClock> {
    guesses: Limits<C>,
    mails: Limits<C>,
    clock: C,
    /// Nobody outside knows which place a key has.
    places: RandomState,
    since_sweep: AtomicU32,
}

struct Limits<C: Clock> {
    of_client: Limiter<C>,
    of_account: Limiter<C>,
}

type Limiter<C> = RateLimiter<u32, DashMapStateStore<u32>, C, NoOpMiddleware<<C as Clock>::Instant>>;

impl Attempts {
    /// Nothing was tried yet.
    pub fn new() -> Self {
        Self::with_clock(DefaultClock::default())
    }
}

impl Default for Attempts {
    fn default() -> Self {
        Self::new()
    }
}

impl<C: Clock + Clone> Attempts<C> {
    fn with_clock(clock: C) -> Self {
        let limiter = |burst, seconds| {
            let burst = NonZeroU32::new(burst).expect("no limit is zero");
            let quota = Quota::with_period(Duration::from_secs(seconds)).expect("no period is zero");
            RateLimiter::new(quota.allow_burst(burst), DashMapStateStore::default(), clock.clone())
        };
        Self {
            // An office behind one address signs in on Monday morning; one account has one owner.
            guesses: Limits { of_client: limiter(50, 10), of_account: limiter(20, 30) },
            mails: Limits { of_client: limiter(20, 60), of_account: limiter(5, 300) },
            clock,
            places: RandomState::new(),
            since_sweep: AtomicU32::new(0),
        }
    }

    /// Counts an attempt from this IP address; IPv6 by the network of 64 bits that one customer has.
    ///
    /// # Errors
    ///
    /// [`TooMany`] when there were too many.
    pub fn check_client(&self, attempt: Attempt, ip: &str) -> Result<(), TooMany> {
        self.check(&self.limits(attempt).of_client, attempt, &client(ip))
    }

    /// Counts an attempt on the account with this mail address, whether there is one or not.
    ///
    /// # Errors
    ///
    /// [`TooMany`] when there were too many.
    pub fn check_account(&self, attempt: Attempt, email: &str) -> Result<(), TooMany> {
        self.check(&self.limits(attempt).of_account, attempt, &email.trim().to_lowercase())
    }

    fn limits(&self, attempt: Attempt) -> &Limits<C> {
        if attempt.mails() { &self.mails } else { &self.guesses }
    }

    fn check(&self, limiter: &Limiter<C>, attempt: Attempt, key: &str) -> Result<(), TooMany> {
        self.sweep();
        let place = u32::try_from(self.places.hash_one((attempt, key)) % PLACES).expect("there are fewer places");
        limiter.check_key(&place).map_err(|until| TooMany { retry_after: until.wait_time_from(self.clock.now()) })
    }

    fn sweep(&self) {
        if self.since_sweep.fetch_add(1, Ordering::Relaxed) < SWEEP {
            return;
        }
        self.since_sweep.store(0, Ordering::Relaxed);
        for Limits { of_client, of_account } in [&self.guesses, &self.mails] {
            of_client.retain_recent();
            of_account.retain_recent();
        }
    }
}

impl<C: Clock> fmt::Debug for Attempts<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Attempts").finish_non_exhaustive()
    }
}

/// Whom an address stands for.
fn client(ip: &str) -> String {
    match ip.parse::<IpAddr>().map(|ip| ip.to_canonical()) {
        Ok(IpAddr::V6(ip)) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).to_string(),
        Ok(ip) => ip.to_string(),
        Err(_) => ip.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    #[test]
    fn an_account_is_tried_so_often_and_later_again() {
        let clock = FakeRelativeClock::default();
        let attempts = Attempts::with_clock(clock.clone());
        for _ in 0..5 {
            attempts.check_account(Attempt::Reset, "ann@example.com").unwrap();
        }
        let refused = attempts.check_account(Attempt::Reset, " Ann@example.com").unwrap_err();
        assert_eq!(refused.retry_after, Duration::from_secs(300));
        attempts.check_account(Attempt::Reset, "bob@example.com").unwrap();
        attempts.check_account(Attempt::Unlock, "ann@example.com").unwrap();
        clock.advance(Duration::from_secs(300));
        attempts.check_account(Attempt::Reset, "ann@example.com").unwrap();
        assert!(attempts.check_account(Attempt::Reset, "ann@example.com").is_err());
    }

    #[test]
    fn networks_of_ipv6_count_as_one_client() {
        let attempts = Attempts::with_clock(FakeRelativeClock::default());
        for host in 0..50 {
            attempts.check_client(Attempt::SignIn, &format!("2001:db8::{host:x}")).unwrap();
        }
        assert!(attempts.check_client(Attempt::SignIn, "2001:db8::ffff:1:2").is_err());
        attempts.check_client(Attempt::SignIn, "2001:db8:0:1::1").unwrap();
        assert_eq!(client("::ffff:192.0.2.1"), client("192.0.2.1"));
        assert_ne!(client("192.0.2.1"), client("192.0.2.2"));
        assert_eq!(client("unknown"), "unknown");
    }

    #[test]
    fn what_is_over_is_forgotten() {
        let clock = FakeRelativeClock::default();
        let attempts = Attempts::with_clock(clock.clone());
        for round in 0..=SWEEP {
            let _ = attempts.check_client(Attempt::SignIn, &format!("192.0.2.{round}"));
        }
        assert!(attempts.guesses.of_client.len() > 1000);
        clock.advance(Duration::from_secs(3600));
        attempts.since_sweep.store(SWEEP, Ordering::Relaxed);
        attempts.check_client(Attempt::SignIn, "192.0.2.1").unwrap();
        assert_eq!(attempts.guesses.of_client.len(), 1);
    }
}
