//! What a message of a client asks of the server, in no protocol: conversations answer a message with an [`Action`], and
//! the [`executor`](super::executor) carries it out.

use std::sync::Arc;

use pusher_lite_protocol::presence::MetaInfo;

use super::{
    connection::frame::Gapped,
    identity::Identity,
    room::{presence::PresenceKey, publication::Publication, room::Room},
    topic::Topic,
};

/// The server's next step, as a message asks for it. What the client gets immediately, without a place among the messages
/// of its topics, the conversation writes by itself.
#[derive(Debug)]
pub(crate) enum Action<'a> {
    /// Nothing more: a late message that needs no answer, or one that was answered immediately.
    Done,
    /// Send frames, behind what was sent in the room before.
    ReplyInOrder { room: &'a Arc<Room>, frames: Vec<u8> },
    /// Pass an event on to the room's members.
    Publish { room: &'a Arc<Room>, publication: Publication<'a> },
    /// Join a topic.
    Join(Join),
    /// Leave a room. The client gets `frames` behind all that was sent there before.
    Leave { membership: Membership, frames: Vec<u8> },
}

/// The join of a topic.
#[derive(Debug)]
pub(crate) struct Join {
    pub(crate) topic: Topic,
    /// The user that the others see come. Without one, the client is a member that nobody sees.
    pub(crate) appearance: Option<Appearance>,
    /// Frames that the client gets first.
    pub(crate) lead: Vec<u8>,
    /// The message that tells the client who is there, if it is told.
    pub(crate) state: Option<Gapped>,
    /// The membership that ends by this join.
    pub(crate) replaced: Option<Membership>,
    /// The client is not charged for the join.
    pub(crate) is_free: bool,
}

/// A user in the presence of a topic, as one client brings it there.
#[derive(Debug)]
pub(crate) struct Appearance {
    pub(crate) user: Arc<str>,
    pub(crate) info: Option<MetaInfo>,
}

impl Appearance {
    /// Returns the appearance of a socket, by its own name.
    pub(crate) fn of(identity: &Identity) -> Appearance {
        let info = identity.restrictions.as_ref().and_then(|restrictions| restrictions.info.clone());
        Appearance { user: Arc::clone(&identity.unique_identifier), info }
    }
}

/// A client's place in a room.
#[derive(Debug)]
pub(crate) struct Membership {
    pub(crate) room: Arc<Room>,
    /// `None` for a member that is not in the room's presence.
    pub(crate) presence: Option<PresenceKey>,
}
