//! Publishers that wait until a topic's log has been taken.

use std::task::Waker;

/// The publishers that a room holds back, until its log is taken.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    wakers: Vec<Waker>,
    /// Counts how often they were let go.
    round: u64,
}

/// A publisher's place among the [`Waiters`], so that it need not be looked for.
#[derive(Debug)]
pub(crate) struct Waiting {
    round: u64,
    waker: Waker,
}

impl Waiters {
    /// Has `waker` woken when they are let go, unless `waiting` says that it is among them already.
    pub(crate) fn add(&mut self, waiting: &mut Option<Waiting>, waker: &Waker) {
        let is_there =
            waiting.as_ref().is_some_and(|waiting| waiting.round == self.round && waiting.waker.will_wake(waker));
        if !is_there {
            self.wakers.push(waker.clone());
            *waiting = Some(Waiting { round: self.round, waker: waker.clone() });
        }
    }

    /// Lets them go: the caller wakes them.
    pub(crate) fn take(&mut self) -> Vec<Waker> {
        self.round += 1;
        std::mem::take(&mut self.wakers)
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, task::Wake};

    use super::*;

    struct Nothing;

    impl Wake for Nothing {
        fn wake(self: Arc<Self>) {}
    }

    /// A search among those who wait would be ten thousand million comparisons here.
    #[test]
    fn each_waits_once_and_is_not_looked_for() {
        let mut waiters = Waiters::default();
        let mut publishers: Vec<(Waker, Option<Waiting>)> =
            (0..100_000).map(|_| (Arc::new(Nothing).into(), None)).collect();
        for round in 0..2 {
            for _ in 0..2 {
                publishers.iter_mut().for_each(|(waker, waiting)| waiters.add(waiting, waker));
                assert_eq!(waiters.wakers.len(), publishers.len(), "{round}");
            }
            assert_eq!(waiters.take().len(), publishers.len());
        }
        let (waker, waiting) = &mut publishers[0];
        waiters.add(waiting, waker);
        waiters.add(waiting, &Arc::new(Nothing).into());
        assert_eq!(waiters.wakers.len(), 2, "a publisher that moved to another task is woken there");
    }
}
