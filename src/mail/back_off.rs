//! Delays between attempts to send a mail.

use chrono::TimeDelta;

/// Delay after the first failure; each later failure doubles it.
const FIRST: TimeDelta = TimeDelta::minutes(1);
/// Maximum delay.
const LONGEST: TimeDelta = TimeDelta::hours(4);
/// Number of failures, about three days after the first, after which the mail is given up.
const MOST_ATTEMPTS: i32 = 25;

/// Returns the delay after this many failed attempts; `None` gives up. A random part of up to a quarter is subtracted,
/// so that mails which failed together do not all come back together.
pub(super) fn after(attempts: i32) -> Option<TimeDelta> {
    if attempts >= MOST_ATTEMPTS {
        return None;
    }
    let doublings = u32::try_from(attempts - 1).unwrap_or(0).min(16);
    let delay = (FIRST * (1 << doublings)).min(LONGEST);
    let chance = getrandom::u32().unwrap_or(0) % 1000;
    Some(delay - delay / 4000 * i32::try_from(chance).expect("it is below 1000"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_from_a_minute_to_hours_and_end_after_three_days() {
        for (attempts, longest) in [(1, 1), (2, 2), (3, 4), (8, 128), (9, 240), (24, 240)] {
            for _ in 0..100 {
                let delay = after(attempts).unwrap();
                let longest = TimeDelta::minutes(longest);
                assert!(delay <= longest && delay >= longest * 3 / 4, "{attempts}: {delay}");
            }
        }
        assert_eq!((after(25), after(1000)), (None, None));
        let total: TimeDelta = (1..25).filter_map(after).fold(TimeDelta::zero(), |total, delay| total + delay);
        assert!(total > TimeDelta::days(2) && total < TimeDelta::days(3), "{total}");
    }

    #[test]
    fn a_number_that_no_claim_gives_is_taken_for_the_first_failure() {
        assert!(after(0).unwrap() <= FIRST && after(i32::MIN + 1).unwrap() <= FIRST);
    }
}
