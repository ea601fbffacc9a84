//! Says so when somebody sets the machine's clock. Timeouts and intervals do not depend on it; JWTs, sessions and mails do.

use std::time::{Duration, SystemTime};

use tokio::time::{Instant, sleep};

/// How soon it is noticed.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Less than that is a clock that is kept right.
const AT_LEAST: Duration = Duration::from_secs(5);

/// What happened to the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Set {
    Back(Duration),
    Forward(Duration),
}

/// Writes a line to the log whenever the clock was set. Runs for ever.
pub(super) async fn watch() {
    let mut seen = (SystemTime::now(), Instant::now());
    loop {
        sleep(LOOK_EVERY).await;
        let now = (SystemTime::now(), Instant::now());
        match set(seen.0, now.0, now.1 - seen.1) {
            Some(Set::Back(by)) => tracing::warn!(
                seconds = by.as_secs(),
                "The clock was set back: JWTs of what is now the future are refused, and mails wait, until it has come."
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

/// What happened to a clock that showed two times, when so much passed between them.
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
