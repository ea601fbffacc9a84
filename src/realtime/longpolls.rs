//! All long-poll sessions, by what their clients know them by.

use std::sync::{Arc, Weak};

use dashmap::DashMap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::longpoll::LongPoll;

/// What a long-poll session is found by: random, so that nobody finds another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId(pub u128);

/// Why no long-poll session can be opened now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// There are as many as may be; see [`Limits::longpoll_sessions`](super::Limits::longpoll_sessions).
    #[error("there are too many long-poll sessions")]
    TooMany,
    /// The server stops.
    #[error("the server stops")]
    Stopping,
}

#[derive(Debug)]
pub(super) struct LongPolls {
    /// Each lives by its own task and is not kept alive here.
    sessions: DashMap<SessionId, Weak<LongPoll>>,
    permits: Arc<Semaphore>,
}

impl SessionId {
    pub(super) fn random() -> SessionId {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("the system has random numbers");
        SessionId(u128::from_be_bytes(bytes))
    }
}

impl LongPolls {
    pub(super) fn new(limit: usize) -> LongPolls {
        let permits = Arc::new(Semaphore::new(limit.min(Semaphore::MAX_PERMITS)));
        LongPolls { sessions: DashMap::new(), permits }
    }

    /// A session's place among those that may be, to be kept until it ends.
    pub(super) fn permit(&self) -> Result<OwnedSemaphorePermit, OpenError> {
        Arc::clone(&self.permits).try_acquire_owned().map_err(|_| OpenError::TooMany)
    }

    pub(super) fn add(&self, session: &Arc<LongPoll>) {
        self.sessions.insert(session.id(), Arc::downgrade(session));
    }

    pub(super) fn get(&self, id: SessionId) -> Option<Arc<LongPoll>> {
        self.sessions.get(&id)?.upgrade()
    }

    pub(super) fn remove(&self, id: SessionId) {
        self.sessions.remove(&id);
    }
}
