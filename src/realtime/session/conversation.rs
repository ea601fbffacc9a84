//! The protocols that a client may speak.

use pusher_lite_protocol::{DecodeError, Dialect};

use crate::realtime::{
    action::Membership, executor::Executor, phoenix::conversation::PhoenixConversation, room::hold::Hold,
};

/// The protocol state of one client. It reads a message, decides on an [`Action`](crate::realtime::action::Action), and has
/// an [`Executor`] carry it out.
#[derive(Debug)]
pub(super) enum Conversation {
    Phoenix(PhoenixConversation),
}

impl Conversation {
    pub(super) fn new(dialect: Dialect) -> Conversation {
        match dialect {
            Dialect::Phoenix(vsn) => Conversation::Phoenix(PhoenixConversation::new(vsn)),
        }
    }

    /// Carries out a message that came as text. Appends frames to `replies` that the client gets immediately. Returns the
    /// wait before more may be read from the client.
    pub(super) fn receive_text(
        &mut self,
        text: &str,
        executor: &mut Executor,
        replies: &mut Vec<u8>,
    ) -> Result<Option<Hold>, DecodeError> {
        match self {
            Conversation::Phoenix(phoenix) => phoenix.receive_text(text, executor, replies),
        }
    }

    /// As [`Conversation::receive_text`], for a message that came in a binary frame.
    pub(super) fn receive_binary(
        &mut self,
        frame: &[u8],
        executor: &mut Executor,
        replies: &mut Vec<u8>,
    ) -> Result<Option<Hold>, DecodeError> {
        match self {
            Conversation::Phoenix(phoenix) => phoenix.receive_binary(frame, executor, replies),
        }
    }

    /// Takes all memberships away, at the end of the connection.
    pub(super) fn take_memberships(&mut self) -> Vec<Membership> {
        match self {
            Conversation::Phoenix(phoenix) => phoenix.take_memberships(),
        }
    }
}
