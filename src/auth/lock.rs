//! Locks of accounts, which stop attempts to guess a password.

use chrono::{NaiveDateTime, TimeDelta};

/// Number of wrong passwords in a row that locks an account.
pub const MAX_FAILURES: i32 = 5;
/// Duration of a lock, unless the account is unlocked by mail.
pub const DURATION: TimeDelta = TimeDelta::minutes(20);

/// Returns true if an account that was locked at this time still is.
pub fn is_locked(locked_at: Option<NaiveDateTime>, now: NaiveDateTime) -> bool {
    locked_at.is_some_and(|locked_at| now < locked_at + DURATION)
}

/// Returns true if a lock has run out: failures are then counted from zero.
pub fn is_over(locked_at: Option<NaiveDateTime>, now: NaiveDateTime) -> bool {
    locked_at.is_some() && !is_locked(locked_at, now)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn a_lock_lasts_for_twenty_minutes() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap().naive_utc();
        for (locked_at, now, locked, over) in [
            (None, 0, false, false),
            (Some(0), 0, true, false),
            (Some(0), 1199, true, false),
            (Some(0), 1200, false, true),
            // The clock was set back.
            (Some(10), 0, true, false),
        ] {
            let locked_at = locked_at.map(at);
            assert_eq!((is_locked(locked_at, at(now)), is_over(locked_at, at(now))), (locked, over), "{now}");
        }
    }
}
