//! Activity of a connection that can carry several requests at the same time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

/// The running requests of one connection. The clones share the count.
#[derive(Clone, Debug, Default)]
pub(super) struct Activity {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    running: AtomicUsize,
    /// Notified at every beginning and end of a request.
    changed: Notify,
}

/// A request that runs until this is dropped.
#[derive(Debug)]
pub(super) struct Running(Arc<Shared>);

impl Activity {
    /// Counts a request.
    pub(super) fn begin(&self) -> Running {
        self.shared.running.fetch_add(1, Ordering::Relaxed);
        self.shared.changed.notify_one();
        Running(Arc::clone(&self.shared))
    }

    /// Completes when no request has run for `time`, which is evaluated again after each change. At most one caller may
    /// wait for it.
    pub(super) async fn idle_for(&self, time: impl Fn() -> Duration) {
        loop {
            let deadline = Instant::now() + time();
            if self.shared.running.load(Ordering::Relaxed) > 0 {
                self.shared.changed.notified().await;
            } else if timeout_at(deadline, self.shared.changed.notified()).await.is_err() {
                return;
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::Relaxed);
        self.0.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep_until;

    use super::*;

    const IDLE: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn idle_is_what_carries_nothing_for_long() {
        let (activity, start) = (Activity::default(), Instant::now());
        let requests = async {
            sleep_until(start + IDLE / 2).await;
            let (long, short) = (activity.begin(), activity.begin());
            sleep_until(start + IDLE).await;
            drop(short);
            sleep_until(start + IDLE * 5).await;
            drop(long);
        };
        tokio::join!(requests, async {
            activity.idle_for(|| IDLE).await;
            assert_eq!(start.elapsed(), IDLE * 6);
        });
    }
}
