//! The hub's view of the process that it runs in.

use std::{
    fmt::Debug,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
};

use tokio::task::AbortHandle;

/// The party that runs the hub's own tasks, and learns of panics that end no more than a topic or a socket.
pub trait Supervisor: Debug + Send + Sync {
    /// Spawns a task that the hub cannot work without. The task neither ends nor panics, unless this server has a
    /// fault.
    fn spawn(&self, name: &'static str, task: Pin<Box<dyn Future<Output = ()> + Send>>) -> AbortHandle;

    /// Notes a panic that ended a `what`: a topic or a socket.
    fn panicked(&self, what: &'static str);
}

/// A supervisor that spawns tasks and does not watch them: for a hub alone, as in tests.
#[derive(Debug)]
struct Nobody;

impl Supervisor for Nobody {
    fn spawn(&self, _: &'static str, task: Pin<Box<dyn Future<Output = ()> + Send>>) -> AbortHandle {
        tokio::spawn(task).abort_handle()
    }

    fn panicked(&self, _: &'static str) {}
}

/// The supervisor, with the hub's use of it. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Supervision(Arc<dyn Supervisor>);

impl Supervision {
    pub(crate) fn new(supervisor: Arc<dyn Supervisor>) -> Supervision {
        Supervision(supervisor)
    }

    pub(crate) fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        self.0.spawn(name, Box::pin(task))
    }

    /// Does this work on a topic or a socket; `what` names which. Returns `None` after a panic, which is noted; the
    /// caller closes the topic or the socket.
    pub(crate) fn survive<T>(&self, what: &'static str, work: impl FnOnce() -> T) -> Option<T> {
        catch_unwind(AssertUnwindSafe(work)).map_err(|_| self.panicked(what)).ok()
    }

    /// See [`Supervisor::panicked`].
    #[cold]
    pub(crate) fn panicked(&self, what: &'static str) {
        self.0.panicked(what);
    }
}

impl Default for Supervision {
    fn default() -> Supervision {
        Supervision(Arc::new(Nobody))
    }
}
