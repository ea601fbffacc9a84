//! All long-poll sessions, by the id that their clients use.

use std::sync::{Arc, Weak};

use dashmap::DashMap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use pusher_lite_protocol::Vsn;

use super::longpoll::{LongPoll, OpenError, SessionId};
use crate::realtime::{identity::Identity, shared::Shared};

#[derive(Debug)]
pub(crate) struct LongPolls {
    /// Long-poll sessions. Each lives by its own task; the table does not keep it alive.
    sessions: DashMap<SessionId, Weak<LongPoll>>,
    permits: Arc<Semaphore>,
}

impl LongPolls {
    pub(crate) fn new(limit: usize) -> LongPolls {
        let permits = Arc::new(Semaphore::new(limit.min(Semaphore::MAX_PERMITS)));
        LongPolls { sessions: DashMap::new(), permits }
    }

    /// Opens a session, which lives by a task of its own.
    pub(crate) fn open(
        self: &Arc<Self>,
        shared: &Arc<Shared>,
        identity: Identity,
        vsn: Vsn,
    ) -> Result<Arc<LongPoll>, OpenError> {
        let permit = self.permit()?;
        let longpoll = LongPoll::open(shared, identity, vsn)?;
        self.sessions.insert(longpoll.id(), Arc::downgrade(&longpoll));
        let (all, session, shared) = (Arc::clone(self), Arc::clone(&longpoll), Arc::clone(shared));
        tokio::spawn(async move {
            let id = session.id();
            session.run(shared, || drop(all.sessions.remove(&id))).await;
            drop(permit);
        });
        Ok(longpoll)
    }

    pub(crate) fn get(&self, id: SessionId) -> Option<Arc<LongPoll>> {
        self.sessions.get(&id)?.upgrade()
    }

    fn permit(&self) -> Result<OwnedSemaphorePermit, OpenError> {
        Arc::clone(&self.permits).try_acquire_owned().map_err(|_| OpenError::TooMany)
    }
}
