//! The rules of one joined topic.

use std::sync::Arc;

use pusher_lite_protocol::presence::PhxRef;
use pusher_lite_protocol::{Message, Outgoing, Payload, Vsn, event, message, reply};

use super::identity::Identity;
use super::limits::Limits;
use super::room::Room;

/// A topic that a socket has joined.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) room: Arc<Room>,
    pub(super) refs: Refs,
    /// Its meta in the topic's presence.
    pub(super) phx_ref: PhxRef,
}

/// What the client called its join, as JSON text.
#[derive(Debug)]
pub(super) struct Refs {
    /// What `phx_close` carries: the join's `join_ref`, in version 1 its `ref`.
    closing: Box<str>,
    /// What replies and `presence_state` carry as `join_ref`, if it is another: version 2 puts the join's `ref` in the
    /// place of a `join_ref` of `null`.
    own: Option<Box<str>>,
}

impl Refs {
    pub(super) fn of_join(vsn: Vsn, join: &Message<'_>) -> Refs {
        match vsn {
            Vsn::V1 => Refs { closing: join.r#ref.as_ref().into(), own: None },
            Vsn::V2 => Refs {
                closing: join.join_ref.as_ref().into(),
                own: (join.join_ref == message::NULL).then(|| join.r#ref.as_ref().into()),
            },
        }
    }

    pub(super) fn own(&self) -> &str {
        self.own.as_ref().unwrap_or(&self.closing)
    }

    /// The bytes that are kept.
    pub(super) fn len(&self) -> usize {
        self.closing.len() + self.own.as_ref().map_or(0, |own| own.len())
    }
}

impl Channel {
    /// Whether a leave is meant for an earlier join of this topic. Version 1 cannot tell. Only leaves are looked at: a
    /// push counts whatever its `join_ref`, as in Phoenix 1.7.
    pub(super) fn is_stale(&self, vsn: Vsn, leave: &Message<'_>) -> bool {
        vsn == Vsn::V2 && leave.join_ref != *self.refs.closing
    }

    /// The message that ends the channel for the client.
    pub(super) fn close<'a>(&'a self, topic: &'a str) -> Outgoing<'a> {
        Outgoing::close(&self.refs.closing, topic)
    }

    /// Whether a message may be passed on to the topic's members; if not, the payload of the reply that says why.
    pub(super) fn check_push(
        &self,
        identity: &Identity,
        limits: &Limits,
        push: &Message<'_>,
    ) -> Result<(), &'static str> {
        let Some(name) = &push.event.text else {
            return Err(reply::EVENT_NOT_STRING);
        };
        if !identity.may_send {
            return Err(reply::FORBIDDEN);
        }
        if event::is_reserved(name) {
            return Err(reply::RESERVED_EVENT);
        }
        if name.len() > limits.name_bytes {
            return Err(reply::EVENT_TOO_LONG);
        }
        match push.payload {
            Payload::Json(json) if !json.starts_with('{') => Err(reply::PAYLOAD_NOT_OBJECT),
            _ => Ok(()),
        }
    }
}
