//! The rules of one joined topic.

use std::sync::Arc;

use pusher_lite_protocol::{
    Message, Outgoing, Payload, Vsn,
    name::{self, NameError},
    phoenix::{message, reply},
};

use crate::realtime::{
    action::Membership,
    identity::Identity,
    limits::Limits,
    room::{publication::CheckedPayload, room::Room},
};

/// A topic that a socket has joined.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) membership: Membership,
    pub(crate) refs: Refs,
    /// The socket has the right to send on this topic.
    pub(crate) may_send: bool,
}

/// The client's refs of its join, as JSON text.
#[derive(Debug)]
pub(crate) struct Refs {
    /// The ref in `phx_close`: the join's `join_ref`, in version 1 its `ref`.
    closing: Box<str>,
    /// The `join_ref` of replies and `presence_state`, if it is another: version 2 puts the join's `ref` in the
    /// place of a `join_ref` of `null`.
    own: Option<Box<str>>,
}

impl Refs {
    pub(crate) fn of_join(vsn: Vsn, join: &Message<'_>) -> Refs {
        match vsn {
            Vsn::V1 => Refs { closing: join.r#ref.as_ref().into(), own: None },
            Vsn::V2 => Refs {
                closing: join.join_ref.as_ref().into(),
                own: (join.join_ref == message::NULL).then(|| join.r#ref.as_ref().into()),
            },
        }
    }

    pub(crate) fn own(&self) -> &str {
        self.own.as_ref().unwrap_or(&self.closing)
    }

    /// Returns the number of bytes kept.
    pub(crate) fn len(&self) -> usize {
        self.closing.len() + self.own.as_ref().map_or(0, |own| own.len())
    }
}

impl Channel {
    pub(crate) fn room(&self) -> &Arc<Room> {
        &self.membership.room
    }

    /// Returns true if a leave is meant for an earlier join of this topic. Version 1 cannot tell, and neither can a client that
    /// sends no `join_ref` (D24). Only leaves are looked at: a push counts whatever its `join_ref`, as in Phoenix 1.7.
    pub(crate) fn is_stale(&self, vsn: Vsn, leave: &Message<'_>) -> bool {
        vsn == Vsn::V2 && leave.join_ref != message::NULL && leave.join_ref != *self.refs.closing
    }

    /// Makes the message that ends the channel for the client.
    pub(crate) fn close<'a>(&'a self, topic: &'a str) -> Outgoing<'a> {
        Outgoing::close(&self.refs.closing, topic)
    }

    /// Checks that a message may be passed on to the topic's members, and returns its payload. The error is the payload of the
    /// reply.
    pub(crate) fn check_push<'a>(
        &self,
        identity: &Identity,
        limits: &Limits,
        push: &Message<'a>,
    ) -> Result<CheckedPayload<'a>, &'static str> {
        let Some(name) = &push.event.text else {
            return Err(reply::EVENT_NOT_STRING);
        };
        if !identity.may_send {
            return Err(reply::FORBIDDEN);
        }
        if !self.may_send {
            return Err(reply::SENDING_NOT_IN_JWT);
        }
        name::check(name, limits.name_bytes).map_err(|error| match error {
            NameError::Reserved => reply::RESERVED_EVENT,
            NameError::TooLong => reply::EVENT_TOO_LONG,
        })?;
        match push.payload {
            Payload::Other(_) => Err(reply::PAYLOAD_NOT_OBJECT),
            Payload::Event(payload) => Ok(CheckedPayload::Text(payload)),
            Payload::Binary(push) => Ok(CheckedPayload::Binary(push)),
        }
    }
}
