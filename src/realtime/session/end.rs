//! The end of a session, in the order in which it happens. It has two halves. Between them the client reads what waits for
//! it, for no longer than [`Limits::linger`](crate::realtime::Limits::linger).
//!
//! [`Session::close`], when the server knows why the session ends and the client may still be there:
//!
//! 1. The session leaves its rooms. The log of each gets a mark, so that the client gets all that was sent there before, and
//!    nothing from behind.
//! 2. When the last of these logs has been drained, the close frame goes out, behind everything else. Each mark shares the
//!    [`FinalFrame`], which is sent when the last of them drops it.
//! 3. When the last of the sockets that are closed together has come to step 1, the presence of all of them ends, and those
//!    who stay are told. They share a `GroupClose`, which does it
//!    when the last of them drops it. When the server stops, no member stays, and presence is left alone.
//!
//! [`Session::end`], when nothing can be sent any more, because all was read or the client is gone:
//!
//! 4. The outbox drops what waits, and the memory of unfinished input is given back.
//! 5. A client that went without a word leaves its rooms, as in 1 and 3.
//! 6. The end is counted and logged, with its reason.
//! 7. The hub forgets the socket. A stop that waits for the last one goes on, so that everything must be counted by now.
//! 8. The transport drops the [`Reservation`](crate::realtime::Reservation). A long-poll session's is given back after step
//!    1, since a client with another session must not wait for one that it no longer polls.
//!
//! The second half is the session's destructor: a transport is a future, which may be dropped at any point.

use std::sync::Arc;

use tracing::field;

use super::session::{Ending, Session};
use crate::realtime::{
    close::Close,
    connection::{connection::Connection, final_frame::FinalFrame},
};

impl Session {
    /// The first half of the end: leaves all topics, and then closes.
    pub(crate) fn close(&mut self, close: Close) {
        self.ending.closed.get_or_insert(close);
        let final_frame = Arc::new(FinalFrame::new(Arc::clone(self.connection()), close.frame()));
        self.leave_all(Some(&final_frame));
    }

    /// Notes a panic that ends this socket. Returns true if there was one before.
    pub(crate) fn panicked(&mut self) -> bool {
        self.shared().supervision.panicked("socket");
        std::mem::replace(&mut self.ending.has_panicked, true)
    }

    /// The second half of the end.
    fn end(&mut self) {
        self.connection().outbox.abandon();
        self.set_partial(0);
        self.leave_all(None);
        self.log_end(self.reason());
        self.shared().sockets.remove(self.connection());
    }

    /// Returns the reason of the end; `None` when the client just went away. A connection may break before it could be
    /// closed as asked.
    fn reason(&self) -> Option<Close> {
        let Ending { closed, has_panicked } = self.ending;
        let reason = closed.or(has_panicked.then_some(Close::Fault));
        reason.or_else(|| self.connection().outbox.evicted())
    }

    fn log_end(&self, close: Option<Close>) {
        let counters = &self.shared().counters;
        counters.closed(close);
        let Connection { id, dialect, identity, outbox, .. } = &**self.connection();
        let duration_ms = self.connection().age(counters.uptime_ms()).as_millis() as u64;
        tracing::info!(
            socket = id,
            transport = if outbox.is_polled() { "longpoll" } else { "websocket" },
            vsn = dialect.vsn().map(field::debug),
            app_key = &*identity.app_key,
            user_id = identity.principal.user_id(),
            duration_ms,
            messages = self.messages,
            bytes = self.bytes,
            reason = close.map_or("gone", |close| Close::KINDS[close.kind()]),
            code = close.and_then(|close| close.code_and_reason().0),
            "A socket was closed."
        );
    }

    fn leave_all(&mut self, final_frame: Option<&Arc<FinalFrame>>) {
        self.executor.leave_all(self.conversation.take_memberships(), final_frame);
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.end();
    }
}
