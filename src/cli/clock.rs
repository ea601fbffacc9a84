//! Logs when the machine's clock is set. Timeouts and intervals do not depend on the clock; JWTs, sessions and mails
//! do.

use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep};

/// Interval of the checks.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Minimum step that is logged. A smaller one is normal clock synchronization.
const AT_LEAST: Duration = Duration::from_secs(5);

/// Direction and size of a change of the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Set {
    Back(Duration),
    Forward(Duration),
}

/// Writes a line to the log whenever the clock was set. Runs forever.
pub(super) async fn watch() {
    let mut seen = (SystemTime::now(), Instant::now());
    loop {
        sleep(LOOK_EVERY).await;
        let now = (SystemTime::now(), Instant::now());
        match set(seen.0, now.0, now.1 - seen.1) {
            Some(Set::Back(by)) => tracing::warn!(
                seconds = by.as_secs(),
                "The clock was set back: JWTs issued later than the new time are refused until then, and mails wait."
            ),
            Some(Set::Forward(by)) => tracing::warn!(
                seconds = by.as_secs(),
                "The clock was set forward, or the machine slept: JWTs, sessions and links of mails may have expired."
            ),
            None => {}
        }
        seen = now;
    }
}

/// Returns the change of a clock that showed these two times, if this much time passed between them.
fn set(before: SystemTime, after: SystemTime, passed: Duration) -> Option<Set> {
    let expected = before + passed;
    let set = match after.duration_since(expected) {
        Ok(ahead) => Set::Forward(ahead),
        Err(behind) => Set::Back(behind.duration()),
    };
    let (Set::Back(by) | Set::Forward(by)) = set;
    (by >= AT_LEAST).then_some(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_is_told_from_one_that_is_kept_right() {
        let noon = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let seconds = Duration::from_secs;
        for (after, passed, expected) in [
            (noon + seconds(1), seconds(1), None),
            (noon + seconds(5), seconds(1), None),
            (noon - seconds(3), seconds(1), None),
            (noon + seconds(60), seconds(60), None),
            (noon + seconds(3601), seconds(1), Some(Set::Forward(seconds(3600)))),
            (noon - seconds(3599), seconds(1), Some(Set::Back(seconds(3600)))),
        ] {
            assert_eq!(set(noon, after, passed), expected);
        }
    }
}
