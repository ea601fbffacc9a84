//! State of the database. During an outage, callers fail immediately, and now and then one caller is allowed to try
//! again.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{sync::Notify, time::Instant};

use super::{Error, Result};

/// Time without attempts after a failure.
const PAUSE: Duration = Duration::from_secs(1);

/// Known state of the database.
#[derive(Debug, Default)]
pub(super) struct Outage {
    /// True if `state` is set; readable without a lock.
    is_down: AtomicBool,
    state: Mutex<Option<Down>>,
    /// Notified when no connection can be opened.
    refused: Notify,
}

#[derive(Debug, Clone, Copy)]
struct Down {
    kind: Kind,
    next_try: Instant,
}

/// Kind of outage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// No connection can be opened. Open ones may still work.
    Refused,
    /// An open connection does not answer.
    Silent,
}

impl Outage {
    /// Checks whether the caller may try. `has_idle` tells whether the pool has an idle connection; `patience` is the
    /// maximum duration of a try.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the last try failed a moment ago, or another caller is trying.
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

    /// Records a failure.
    pub(super) fn failed(&self, kind: Kind) {
        let next_try = Instant::now() + PAUSE;
        let before = self.state.lock().replace(Down { kind, next_try });
        self.is_down.store(true, Ordering::Release);
        if before.is_none() {
            tracing::error!(?kind, "The database does not answer; requests that need it are refused until it does.");
        }
        if kind == Kind::Refused {
            self.refused.notify_waiters();
        }
    }

    /// Records an answer.
    pub(super) fn answered(&self) {
        if self.is_down.load(Ordering::Acquire) {
            let before = self.state.lock().take();
            self.is_down.store(false, Ordering::Release);
            if before.is_some() {
                tracing::info!("The database answers again.");
            }
        }
    }

    /// Completes when the next attempt to open a connection fails.
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
