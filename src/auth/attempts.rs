//! Limits on attempts to sign in and the like: by IP address, and by the account that the attempts are about.
//!
//! A client that is known for the account, by a browser or an address from before, has a budget of its own, which
//! strangers cannot use up.
//!
//! Every attempt counts, whether it succeeds or not, and whether the account exists or not. The counts are in memory:
//! they start from zero with the server, and each server counts for itself.

use std::{
    fmt,
    hash::{BuildHasher, Hash, RandomState},
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    time::Duration,
};

use governor::Quota;

use super::limiter::{LimitClock, Limiter, TooMany};

/// Number of places that keys share: memory stays under some 10 MB, whatever clients send. Two keys in one place are
/// counted as one; no client can cause that on purpose.
const PLACES: u64 = 1 << 17;

/// Kind of attempt. Different kinds are counted separately.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Attempt {
    /// A password to sign in.
    SignIn,
    /// The own password, entered again while signed in.
    OwnPassword,
    /// Creation of an account.
    SignUp,
    /// A request for a link that sets a password.
    Reset,
    /// A request for a link that confirms an address.
    Confirmation,
    /// A request for a link that unlocks an account.
    Unlock,
    /// An invitation by mail.
    Invitation,
    /// Opening of such a link.
    Link,
}

impl Attempt {
    /// Returns true if the attempt may send a mail to a person who did not ask for it.
    fn mails(self) -> bool {
        !matches!(self, Self::SignIn | Self::OwnPassword | Self::Link)
    }
}

/// Counts attempts.
pub struct Attempts {
    guesses: Limits,
    mails: Limits,
    /// Hash keys; secret, so that clients cannot predict the place of a key.
    places: RandomState,
}

struct Limits {
    of_client: Limiter<u32>,
    of_account: Limiter<u32>,
    /// Limit of a known browser or address at one account.
    of_known: Limiter<u32>,
}

/// A client that signed in to the account before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Familiar<'a> {
    /// A browser, by the id in its signed cookie.
    Browser(&'a str),
    /// An IP address.
    Address(&'a str),
}

impl Attempts {
    /// Creates counters without any attempts.
    pub fn new(clock: &LimitClock) -> Self {
        let limiter = |burst, seconds| {
            let burst = NonZeroU32::new(burst).expect("no limit is zero");
            let quota = Quota::with_period(Duration::from_secs(seconds)).expect("no period is zero");
            Limiter::new(quota.allow_burst(burst), clock)
        };
        Self {
            // An office behind one address signs in on Monday morning; one account has one owner. A known client has as
            // many guesses as the lock allows strangers: five times, and then 15 an hour.
            guesses: Limits { of_client: limiter(50, 10), of_account: limiter(20, 30), of_known: limiter(5, 240) },
            mails: Limits { of_client: limiter(20, 60), of_account: limiter(5, 300), of_known: limiter(3, 600) },
            places: RandomState::new(),
        }
    }

    /// Counts an attempt from this IP address; an IPv6 address counts as its /64 network, which one customer has.
    ///
    /// # Errors
    ///
    /// [`TooMany`] when there were too many.
    pub fn check_client(&self, attempt: Attempt, ip: &str) -> Result<(), TooMany> {
        self.check(&self.limits(attempt).of_client, (attempt, client(ip)))
    }

    /// Counts an attempt on the account with this mail address, whether the account exists or not.
    ///
    /// # Errors
    ///
    /// [`TooMany`] when there were too many.
    pub fn check_account(&self, attempt: Attempt, email: &str) -> Result<(), TooMany> {
        self.check(&self.limits(attempt).of_account, (attempt, email.trim().to_lowercase()))
    }

    /// Counts an attempt of a known browser or address, on the account with this mail address if the attempt is about
    /// one.
    ///
    /// # Errors
    ///
    /// [`TooMany`] when there were too many. The attempt may then still count as one of a stranger.
    pub fn check_known(&self, attempt: Attempt, from: Familiar<'_>, email: Option<&str>) -> Result<(), TooMany> {
        let email = email.map(|email| email.trim().to_lowercase());
        self.check(&self.limits(attempt).of_known, (attempt, from, email))
    }

    /// Counts an attempt within a session, by the session's id.
    ///
    /// # Errors
    ///
    /// [`TooMany`] when there were too many.
    pub fn check_session(&self, attempt: Attempt, id: &str) -> Result<(), TooMany> {
        self.check(&self.limits(attempt).of_account, (attempt, id))
    }

    fn limits(&self, attempt: Attempt) -> &Limits {
        if attempt.mails() { &self.mails } else { &self.guesses }
    }

    fn check(&self, limiter: &Limiter<u32>, key: impl Hash) -> Result<(), TooMany> {
        let place = u32::try_from(self.places.hash_one(key) % PLACES).expect("there are fewer places");
        limiter.check(&place)
    }
}

impl fmt::Debug for Attempts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Attempts").finish_non_exhaustive()
    }
}

/// Returns the key of a client: the address itself, or the /64 network of an IPv6 address.
pub(crate) fn client(ip: &str) -> String {
    match ip.parse::<IpAddr>().map(|ip| ip.to_canonical()) {
        Ok(IpAddr::V6(ip)) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).to_string(),
        Ok(ip) => ip.to_string(),
        Err(_) => ip.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_account_is_tried_so_often_and_later_again() {
        let attempts = Attempts::new(&LimitClock::start());
        for _ in 0..5 {
            attempts.check_account(Attempt::Reset, "ann@example.com").unwrap();
        }
        let refused = attempts.check_account(Attempt::Reset, " Ann@example.com").unwrap_err();
        assert_eq!(refused.retry_after, Duration::from_secs(300));
        attempts.check_account(Attempt::Reset, "bob@example.com").unwrap();
        attempts.check_account(Attempt::Unlock, "ann@example.com").unwrap();
        advance(Duration::from_secs(300)).await;
        attempts.check_account(Attempt::Reset, "ann@example.com").unwrap();
        assert!(attempts.check_account(Attempt::Reset, "ann@example.com").is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_known_has_a_budget_of_its_own() {
        let attempts = Attempts::new(&LimitClock::start());
        while attempts.check_account(Attempt::SignIn, "ann@example.com").is_ok() {}
        for from in [Familiar::Browser("1"), Familiar::Browser("2"), Familiar::Address("1")] {
            let check = |email| attempts.check_known(Attempt::SignIn, from, Some(email));
            for _ in 0..5 {
                check(" Ann@example.com").unwrap();
            }
            assert!(check("ann@example.com").is_err());
            check("bob@example.com").unwrap();
        }
        advance(Duration::from_secs(240)).await;
        attempts.check_known(Attempt::SignIn, Familiar::Browser("1"), Some("ann@example.com")).unwrap();
        attempts.check_session(Attempt::OwnPassword, "a session").unwrap();
    }

    #[test]
    fn networks_of_ipv6_count_as_one_client() {
        let attempts = Attempts::new(&LimitClock::start());
        for host in 0..50 {
            attempts.check_client(Attempt::SignIn, &format!("2001:db8::{host:x}")).unwrap();
        }
        assert!(attempts.check_client(Attempt::SignIn, "2001:db8::ffff:1:2").is_err());
        attempts.check_client(Attempt::SignIn, "2001:db8:0:1::1").unwrap();
        assert_eq!(client("::ffff:192.0.2.1"), client("192.0.2.1"));
        assert_ne!(client("192.0.2.1"), client("192.0.2.2"));
        assert_eq!(client("unknown"), "unknown");
    }
}
