//! Whether the database answers. While it does not, whoever needs it is told so at once, and now and then one is let through
//! to try again.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{sync::Notify, time::Instant};

use super::{Error, Result};

/// How long nobody tries after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// What is known of the database's health.
#[derive(Debug, Default)]
pub(super) struct Outage {
    /// Whether there is something in `state`, to be looked at without a lock.
    is_down: AtomicBool,
    state: Mutex<Option<Down>>,
    /// Told when no connection can be opened.
    refused: Notify,
}

#[derive(Debug, Clone, Copy)]
struct Down {
    kind: Kind,
    next_try: Instant,
}

/// What does not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// No connection can be opened. Those that are open may still do.
    Refused,
    /// A connection that is open does not answer.
    Silent,
}

impl Outage {
    /// Whether to try. `has_idle`: whether there is a connection that nobody uses; `patience`: how long a try may take.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if it did not work a moment ago, or somebody else is trying.
    pub(super) fn check(&self, has_idle: impl FnOnce() -> bool, patience: Duration) -> Result<()> {
        if !self.is_down.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut state = self.state.lock();
        let Some(down) = state.as_mut() else { return Ok(()) };
        if down.kind == Kind::Refused && has_idle() {
            return Ok(());
        }
        let now = Instant::now();
        if now < down.next_try {
            return Err(Error::Unavailable("it did not answer a moment ago".to_owned()));
        }
        down.next_try = now + patience + PAUSE;
        Ok(())
    }

    /// It does not work.
    pub(super) fn failed(&self, kind: Kind) {
        let next_try = Instant::now() + PAUSE;
        let before = self.state.lock().replace(Down { kind, next_try });
        self.is_down.store(true, Ordering::Release);
        if before.is_none() {
            tracing::error!(?kind, "The database does not answer; what needs it is refused until it does again.");
        }
        if kind == Kind::Refused {
            self.refused.notify_waiters();
        }
    }

    /// It works.
    pub(super) fn answered(&self) {
        if self.is_down.load(Ordering::Acquire) {
            let before = self.state.lock().take();
            self.is_down.store(false, Ordering::Release);
            if before.is_some() {
                tracing::info!("The database answers again.");
            }
        }
    }

    /// Done when the next connection cannot be opened.
    pub(super) fn refused(&self) -> impl Future<Output = ()> + '_ {
        self.refused.notified()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);

    #[tokio::test(start_paused = true)]
    async fn one_at_a_time_tries_whether_it_works_again() {
        let outage = Outage::default();
        let may_try = |idle: bool| outage.check(|| idle, PATIENCE).is_ok();
        assert!(may_try(false) && may_try(false));
        outage.failed(Kind::Silent);
        assert!(!may_try(true), "an idle connection does not answer either");
        tokio::time::advance(PAUSE).await;
        assert!(may_try(false) && !may_try(false));
        tokio::time::advance(PATIENCE).await;
        assert!(!may_try(false), "the one who tries may still be waiting");
        outage.failed(Kind::Refused);
        assert!(!may_try(false) && may_try(true));
        tokio::time::advance(PAUSE).await;
        assert!(may_try(false));
        outage.answered();
        assert!(may_try(false) && may_try(false));
    }

    #[tokio::test]
    async fn those_who_wait_for_a_connection_are_told() {
        let outage = Outage::default();
        let refused = outage.refused();
        outage.failed(Kind::Refused);
        refused.await;
    }
}
