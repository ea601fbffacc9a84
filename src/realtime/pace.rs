//! How soon a topic's members are told of changes in its presence.

use std::time::Duration;

use tokio::time::Instant;

/// With so many members and more, changes are gathered for the whole window.
const MANY: u32 = 1000;

/// With so many members and less, changes are gathered for a tenth of it.
const FEW: u32 = 100;

/// When a topic's members are told of changes. Telling costs a write for each member, which is to be paid with time
/// before the next: the more members, the more, up to the window. Up to a window may be owed, so that a few changes in
/// a small topic, and one in a large topic, are told at once.
#[derive(Debug, Default)]
pub(super) struct Pace {
    paid_by: Option<Instant>,
}

impl Pace {
    /// When so many members may be told: at the latest one window from now.
    pub(super) fn next(&self, members: usize, window: Duration, now: Instant) -> Instant {
        match self.paid_by {
            Some(paid_by) if paid_by > now => {
                (paid_by + cost(members, window)).checked_sub(window).unwrap_or(now).max(now)
            }
            _ => now,
        }
    }

    /// So many members are told.
    pub(super) fn told(&mut self, members: usize, window: Duration, now: Instant) {
        self.paid_by = Some(self.paid_by.map_or(now, |paid_by| paid_by.max(now)) + cost(members, window));
    }
}

fn cost(members: usize, window: Duration) -> Duration {
    let members = u32::try_from(members).unwrap_or(u32::MAX).clamp(FEW, MANY);
    window * members / MANY
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_millis(100);

    /// After how many milliseconds members are told if there is something to tell in each.
    fn told(members: usize, for_ms: u64) -> Vec<u64> {
        let (begin, mut pace) = (Instant::now(), Pace::default());
        let mut told = Vec::new();
        for at in 0..for_ms {
            let now = begin + Duration::from_millis(at);
            assert!(pace.next(members, WINDOW, now) <= now + WINDOW);
            if pace.next(members, WINDOW, now) == now {
                pace.told(members, WINDOW, now);
                told.push(at);
            }
        }
        told
    }

    #[test]
    fn members_are_told_the_less_often_the_more_they_are() {
        assert_eq!(told(20_000, 400), [0, 100, 200, 300]);
        assert_eq!(told(1000, 400), [0, 100, 200, 300]);
        assert_eq!(told(500, 200), [0, 1, 50, 100, 150]);
        assert_eq!(told(1, 31), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 30]);
    }

    #[test]
    fn a_few_changes_at_the_same_instant_are_told_at_once() {
        let (now, mut pace) = (Instant::now(), Pace::default());
        for _ in 0..10 {
            assert_eq!(pace.next(3, WINDOW, now), now);
            pace.told(3, WINDOW, now);
        }
        assert_eq!(pace.next(3, WINDOW, now), now + WINDOW / 10);
    }

    #[test]
    fn without_a_window_all_are_told_of_everything_at_once() {
        let (now, mut pace) = (Instant::now(), Pace::default());
        for _ in 0..100 {
            assert_eq!(pace.next(5000, Duration::ZERO, now), now);
            pace.told(5000, Duration::ZERO, now);
        }
    }
}
