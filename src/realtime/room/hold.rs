//! Back-pressure on a publisher: one type, from the room to the pump that stops to read.

use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll},
};

use super::{log::Log, room::Room, waiters::Waiting};

/// With more bytes than this in the log, the server does not read from sockets that publish to the topic until the flusher
/// has taken the log, so that a publisher cannot outrun the server's writing.
const HELD_FROM: usize = 256 << 10;

/// A room that holds back a publisher until the flusher has taken the room's log.
#[derive(Debug)]
#[must_use = "the publisher has to wait for it"]
pub(crate) struct Hold {
    room: Arc<Room>,
    /// The publisher's place among those that wait, if it has one.
    waiting: Option<Waiting>,
}

impl Hold {
    /// Returns the hold of a room whose log is long. The caller has the room locked.
    pub(super) fn new_if_behind(room: &Arc<Room>, log: &Log) -> Option<Hold> {
        is_long(log).then(|| Hold { room: Arc::clone(room), waiting: None })
    }

    /// Ready when the publisher may go on. Until then its task is woken once the log is taken.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.room.lock();
        if !is_long(&state.log) {
            return Poll::Ready(());
        }
        state.held.add(&mut self.waiting, cx.waker());
        Poll::Pending
    }

    /// Waits until the publisher may go on.
    pub(crate) async fn released(mut self) {
        poll_fn(|cx| self.poll(cx)).await;
    }
}

impl Room {
    /// Returns the wait of a publisher that has just joined, if the log is long.
    pub(crate) fn hold(self: &Arc<Self>) -> Option<Hold> {
        Hold::new_if_behind(self, &self.lock().log)
    }
}

fn is_long(log: &Log) -> bool {
    log.size() >= HELD_FROM
}
