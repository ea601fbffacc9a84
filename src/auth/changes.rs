//! Limit on the changes that one user may make within an hour.

use std::{fmt, num::NonZeroU32};

use governor::Quota;

use super::limiter::{LimitClock, Limiter, TooMany};

/// Counts the changes of each user, in memory: each server counts for itself.
pub struct Changes(Option<Limiter<i32>>);

impl Changes {
    /// Creates a limit of this many changes an hour, all of which may come in one burst; 0 for no limit.
    pub fn new(per_hour: u32, clock: &LimitClock) -> Self {
        Self(NonZeroU32::new(per_hour).map(|per_hour| Limiter::new(Quota::per_hour(per_hour), clock)))
    }

    /// Counts a change of the user with this id.
    ///
    /// # Errors
    ///
    /// [`TooMany`] when there were too many; this change is not counted then.
    pub fn count(&self, user_id: i32) -> Result<(), TooMany> {
        self.0.as_ref().map_or(Ok(()), |limiter| limiter.check(&user_id))
    }
}

impl fmt::Debug for Changes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Changes").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_user_has_so_many_an_hour() {
        let changes = Changes::new(60, &LimitClock::start());
        for _ in 0..60 {
            changes.count(1).unwrap();
        }
        assert_eq!(changes.count(1).unwrap_err().retry_after, Duration::from_secs(60));
        changes.count(2).unwrap();
        advance(Duration::from_secs(60)).await;
        changes.count(1).unwrap();
        changes.count(1).unwrap_err();
    }

    #[test]
    fn zero_is_no_limit() {
        let changes = Changes::new(0, &LimitClock::start());
        assert!((0..10_000).all(|_| changes.count(1).is_ok()));
    }
}
