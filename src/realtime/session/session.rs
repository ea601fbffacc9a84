//! A socket with its rooms and its outbox: what comes from the client.

use std::{sync::Arc, time::Duration};

use pusher_lite_protocol::DecodeError;

use super::conversation::Conversation;
use crate::realtime::{
    close::Close, connection::connection::Connection, executor::Executor, room::hold::Hold, shared::Shared,
    usage::counters::Count,
};

/// A client's presence on this server. When it is dropped, the client has left all its topics; see
/// [`end`](super::end).
#[derive(Debug)]
pub(crate) struct Session {
    pub(super) conversation: Conversation,
    pub(super) executor: Executor,
    pub(super) ending: Ending,
    /// The messages that were received, those included that could not be read.
    pub(super) messages: u32,
    /// The bytes that were received.
    pub(super) bytes: u64,
}

/// What is known of a session's end while it lives.
#[derive(Debug, Default)]
pub(super) struct Ending {
    /// The reason for which the server closed it.
    pub(super) closed: Option<Close>,
    pub(super) has_panicked: bool,
}

impl Session {
    pub(crate) fn new(shared: Arc<Shared>, connection: Arc<Connection>) -> Session {
        let conversation = Conversation::new(connection.dialect);
        let executor = Executor::new(shared, connection);
        Session { conversation, executor, ending: Ending::default(), messages: 0, bytes: 0 }
    }

    pub(crate) fn connection(&self) -> &Arc<Connection> {
        self.executor.connection()
    }

    pub(super) fn shared(&self) -> &Shared {
        self.executor.shared()
    }

    /// Counts bytes that were written to the client outside of its topics.
    pub(crate) fn count_out(&self, bytes: usize) {
        if bytes > 0 {
            self.shared().counters.add(Count::ByteOut, bytes as u64);
        }
    }

    /// Counts received bytes, whether or not they make a whole message.
    pub(crate) fn received(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        self.shared().counters.add(Count::ByteIn, bytes as u64);
        self.shared().sockets.received(self.connection());
    }

    /// Notes the memory, in bytes, of input that has come and is not carried out.
    pub(crate) fn set_partial(&self, memory: usize) {
        let before = self.connection().set_partial(memory, || self.shared().counters.uptime_ms());
        self.shared().budgets.incoming.recharge(before, memory);
    }

    /// Carries out a message that came as text. Appends frames to `replies` that the client gets immediately. Returns the wait
    /// before the transport may read more from the client, if a room's log is long.
    pub(crate) fn receive_text(&mut self, text: &str, replies: &mut Vec<u8>) -> Result<Option<Hold>, DecodeError> {
        #[cfg(test)]
        assert!(!text.contains("a fault on purpose"));
        self.messages = self.messages.wrapping_add(1);
        self.conversation.receive_text(text, &mut self.executor, replies)
    }

    /// As [`Session::receive_text`], for a message that came in a binary frame.
    pub(crate) fn receive_binary(&mut self, frame: &[u8], replies: &mut Vec<u8>) -> Result<Option<Hold>, DecodeError> {
        self.messages = self.messages.wrapping_add(1);
        self.conversation.receive_binary(frame, &mut self.executor, replies)
    }

    /// Charges for a WebSocket ping or the like, which the transport answers by itself.
    pub(crate) fn receive_control(&mut self) {
        self.executor.charge(0, 0);
    }

    /// See [`Executor::is_overdrawn`].
    pub(crate) fn is_overdrawn(&self) -> bool {
        self.executor.is_overdrawn()
    }

    /// See [`Executor::pause`].
    pub(crate) fn pause(&mut self) -> Option<Duration> {
        self.executor.pause()
    }
}
