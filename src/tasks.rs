//! Supervision of the background tasks that the server cannot be without.
//!
//! A task that brings topics to their members, sends mail or looks for silent sockets must not end while the server
//! runs: the health check would stay green while that work is left undone. [`Tasks::watch`] notices. From then on the
//! server is not ready, and the process exits with code 1, so that its supervisor starts it again.
//!
//! A panic that belongs to one topic or one socket ends that one ([`Supervisor::panicked`]). It ends the process only
//! if there are many such panics. A panic that belongs to one request ends only that request, however often it happens
//! ([`Tasks::survive`]).

use std::{
    collections::VecDeque,
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::FutureExt;
use parking_lot::Mutex;
use tokio::{task::AbortHandle, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::realtime::Supervisor;

/// Panics of topics and sockets that the process survives within [`WITHIN`]. With more, the fault is the whole
/// process's.
const MOST_PANICS: usize = 10;
const WITHIN: Duration = Duration::from_secs(60);

/// The tasks of one server. Cheap to clone: clones share the state.
#[derive(Clone, Debug, Default)]
pub struct Tasks(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// The name of the first task that ended.
    failed: OnceLock<&'static str>,
    has_failed: CancellationToken,
    /// Tasks may end once it is cancelled.
    stopping: CancellationToken,
    panics: AtomicU64,
    /// Times of the latest panics of topics and sockets.
    latest: Mutex<VecDeque<Instant>>,
}

impl Tasks {
    /// Returns a token that is cancelled when the server is asked to stop. Tasks may end from then on.
    pub fn stopping(&self) -> &CancellationToken {
        &self.0.stopping
    }

    /// Returns the same task, watched: if it ends or panics before the server stops, the server fails. A task that is
    /// aborted or dropped does not count as ended.
    pub fn watch<F>(&self, name: &'static str, task: F) -> impl Future<Output = ()> + Send + use<F>
    where
        F: Future<Output = ()> + Send,
    {
        let tasks = self.clone();
        self.guard(name, task).map(move |ended| {
            if ended.is_some() && !tasks.0.stopping.is_cancelled() {
                tracing::error!(task = name, "A task that the server needs ended: the process exits.");
                tasks.fail(name);
            }
        })
    }

    /// Returns the output of a task that may end, but not panic; `None` after a panic, which is the end of the server.
    pub fn guard<F: Future>(&self, name: &'static str, task: F) -> impl Future<Output = Option<F::Output>> + use<F> {
        #[cfg(test)]
        let task = async move { (injected::panic_if_told(name), task.await).1 };
        let tasks = self.clone();
        AssertUnwindSafe(task).catch_unwind().map(move |output| {
            if output.is_err() {
                tasks.count();
                tracing::error!(task = name, "A task that the server needs panicked: the process exits.");
                tasks.fail(name);
            }
            output.ok()
        })
    }

    /// Returns the output of work for one request or connection; `what` is a word for the log. `None` after a panic,
    /// which is counted and logged. Any number of these may panic: they share nothing that a panic would leave half
    /// changed, and clients must not be able to end the process by repeating one.
    pub fn survive<F: Future>(&self, what: &'static str, task: F) -> impl Future<Output = Option<F::Output>> + use<F> {
        let tasks = self.clone();
        // No `async` block, which would keep the task's memory twice.
        AssertUnwindSafe(task).catch_unwind().map(move |output| {
            if output.is_err() {
                tasks.count();
                tracing::error!("A fault of this server ended a {what}; everything else goes on.");
            }
            output.ok()
        })
    }

    /// Returns the name of the task that ended although it must not, if there is one.
    pub fn failed(&self) -> Option<&'static str> {
        self.0.failed.get().copied()
    }

    /// Waits until a task ends that must not; returns its name.
    pub async fn failure(&self) -> &'static str {
        self.0.has_failed.cancelled().await;
        self.failed().expect("the name is set before the token is cancelled")
    }

    /// Returns the number of panics since the start.
    pub fn panics(&self) -> u64 {
        self.0.panics.load(Ordering::Relaxed)
    }

    fn count(&self) {
        self.0.panics.fetch_add(1, Ordering::Relaxed);
    }

    fn fail(&self, name: &'static str) {
        // Only the first one is the reason.
        let _ = self.0.failed.set(name);
        self.0.has_failed.cancel();
    }
}

impl Supervisor for Tasks {
    fn spawn(&self, name: &'static str, task: Pin<Box<dyn Future<Output = ()> + Send>>) -> AbortHandle {
        tokio::spawn(self.watch(name, task)).abort_handle()
    }

    fn panicked(&self, what: &'static str) {
        self.count();
        let now = Instant::now();
        let count = {
            let mut latest = self.0.latest.lock();
            latest.push_back(now);
            while latest.len() > MOST_PANICS + 1 || latest.front().is_some_and(|at| now.duration_since(*at) > WITHIN) {
                latest.pop_front();
            }
            latest.len()
        };
        tracing::error!("A fault of this server ended a {what}; the others go on.");
        if count > MOST_PANICS {
            tracing::error!(within_seconds = WITHIN.as_secs(), "More than {MOST_PANICS} faults: the process exits.");
            self.fail("too many faults of topics and sockets");
        }
    }
}

/// A panic that a test asks for.
#[cfg(test)]
pub(crate) mod injected {
    /// Holds the name of the task that panics, in a process that a test starts.
    pub(crate) const VARIABLE: &str = "TASK_THAT_PANICS";

    pub(super) fn panic_if_told(name: &'static str) {
        assert!(std::env::var(VARIABLE).as_deref() != Ok(name), "on purpose");
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test]
    async fn a_task_that_ends_or_panics_is_the_end_of_the_server() {
        for panics in [false, true] {
            let tasks = Tasks::default();
            let running = tokio::spawn(tasks.watch("one that runs", pending()));
            assert_eq!(tasks.failed(), None);
            let ends = async move { assert!(!panics, "on purpose") };
            tasks.watch("one that ends", ends).await;
            assert_eq!((tasks.failure().await, tasks.failed()), ("one that ends", Some("one that ends")));
            tasks.watch("another", ready(())).await;
            assert_eq!(tasks.failed(), Some("one that ends"), "the first one is the reason");
            assert_eq!(tasks.panics(), u64::from(panics));
            running.abort();
        }
    }

    #[tokio::test]
    async fn when_the_server_stops_tasks_may_end_but_not_panic() {
        let tasks = Tasks::default();
        tasks.stopping().cancel();
        tasks.watch("one that ends", ready(())).await;
        assert_eq!(tasks.failed(), None);
        tasks.watch("one that panics", async { panic!("on purpose") }).await;
        assert_eq!(tasks.failed(), Some("one that panics"));
    }

    #[tokio::test]
    async fn a_guarded_task_may_end_but_not_panic() {
        let tasks = Tasks::default();
        assert_eq!(tasks.guard("one that ends", ready(7)).await, Some(7));
        assert_eq!(tasks.failed(), None);
        assert_eq!(tasks.guard("one that panics", async { panic!("on purpose") }).await, None::<u8>);
        assert_eq!(tasks.failed(), Some("one that panics"));
    }

    #[tokio::test]
    async fn an_aborted_task_has_not_failed() {
        let tasks = Tasks::default();
        let task = tokio::spawn(tasks.watch("aborted", pending()));
        tokio::task::yield_now().await;
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(tasks.failed(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn eleven_panics_of_topics_and_sockets_within_a_minute_are_the_end() {
        let tasks = Tasks::default();
        for _ in 0..3 {
            (0..MOST_PANICS).for_each(|_| tasks.panicked("topic"));
            assert_eq!(tasks.failed(), None);
            tokio::time::advance(WITHIN + Duration::from_secs(1)).await;
        }
        (0..MOST_PANICS).for_each(|_| tasks.panicked("socket"));
        assert_eq!((tasks.failed(), tasks.panics()), (None, 4 * MOST_PANICS as u64));
        tokio::time::advance(WITHIN - Duration::from_secs(1)).await;
        tasks.panicked("topic");
        assert_eq!(tasks.failed(), Some("too many faults of topics and sockets"));
    }

    #[tokio::test]
    async fn panics_of_requests_are_counted_and_never_the_end() {
        let tasks = Tasks::default();
        assert_eq!(tasks.survive("request", ready(7)).await, Some(7));
        for _ in 0..=MOST_PANICS {
            assert_eq!(tasks.survive("request", async { panic!("on purpose") }).await, None::<u8>);
        }
        assert_eq!((tasks.failed(), tasks.panics()), (None, MOST_PANICS as u64 + 1));
    }
}
