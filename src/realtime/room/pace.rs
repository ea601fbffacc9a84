//! The delay between a change in a topic's presence and the message to its members.

use std::time::Duration;

use tokio::time::Instant;

/// Weight from which changes are gathered for the whole window.
const MANY: u32 = 1000;

/// Weight up to which changes are gathered for a tenth of the window.
const FEW: u32 = 100;

/// Usual bytes of presence per member.
const BYTES_PER_MEMBER: usize = 100;

/// Returns the cost of telling the members, including the presence state that has to be written again after each
/// time. It equals the number of members, unless their names are so long that it is more.
pub(crate) fn weight(members: usize, presence_bytes: usize) -> usize {
    members.max(presence_bytes / BYTES_PER_MEMBER)
}

/// Pace at which a topic's members are told of changes. Telling costs a write for each member, paid with time before
/// the next one: the higher the [`weight`], the longer, up to the window. The debt may reach one window, so that
/// members are told immediately of a few changes in a small topic, and of one in a large topic.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    paid_by: Option<Instant>,
}

impl Pace {
    /// Returns the time at which members of so much weight may be told: at the latest one window from now.
    pub(crate) fn next(&self, weight: usize, window: Duration, now: Instant) -> Instant {
        match self.paid_by {
            Some(paid_by) if paid_by > now => {
                (paid_by + cost(weight, window)).checked_sub(window).unwrap_or(now).max(now)
            }
            _ => now,
        }
    }

    /// Notes that members of so much weight are told.
    pub(crate) fn told(&mut self, weight: usize, window: Duration, now: Instant) {
        self.paid_by = Some(self.paid_by.map_or(now, |paid_by| paid_by.max(now)) + cost(weight, window));
    }
}

fn cost(weight: usize, window: Duration) -> Duration {
    let weight = u32::try_from(weight).unwrap_or(u32::MAX).clamp(FEW, MANY);
    window * weight / MANY
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_millis(100);

    /// Returns the milliseconds at which members are told, if there is a change in each millisecond.
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
    fn long_names_count_as_more_members() {
        assert_eq!(weight(420, 420 * 90), 420);
        assert_eq!(told(weight(420, 420 * 6200), 400), [0, 100, 200, 300]);
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
