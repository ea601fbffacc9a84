//! The messages of a topic to its members.

use std::borrow::Cow;

use super::{event, message::Outgoing, payload::BinaryPush, presence, topic, vsn::Vsn};
use crate::{Notice, Spelling, TopicName};

/// A notice as Phoenix clients get it.
#[derive(Debug)]
pub(crate) enum Written<'a> {
    /// A message with these fields as JSON text.
    Text { vsn: Vsn, topic: Cow<'a, str>, event: &'a str, payload: Cow<'a, str> },
    /// A binary frame, which repeats topic and event byte for byte as the publisher sent them.
    Binary(BinaryPush<'a>),
}

/// Encodes a notice. The first version has no form for binary pushes (D21).
#[inline]
pub(crate) fn encoding<'a>(vsn: Vsn, topic: TopicName<'a>, notice: &Notice<'a>) -> Option<Written<'a>> {
    let (event, payload) = match *notice {
        Notice::Event { event, payload } => (event, Cow::Borrowed(payload.as_str())),
        Notice::PresenceDiff(diff) => (event::PRESENCE_DIFF_JSON, Cow::Owned(presence::diff(diff))),
        Notice::Binary(_) if vsn == Vsn::V1 => return None,
        Notice::Binary(push) => return Some(Written::Binary(push)),
    };
    let topic = match topic.spelling {
        Spelling::Phoenix(json) => Cow::Borrowed(json),
        Spelling::Own => Cow::Owned(topic::quoted(topic.app_key, topic.name)),
    };
    Some(Written::Text { vsn, topic, event, payload })
}

impl Written<'_> {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        match self {
            Written::Text { vsn, topic, event, payload } => {
                vsn.encoded_len(&Outgoing::broadcast(topic, event, payload))
            }
            Written::Binary(push) => push.broadcast_len(),
        }
    }

    #[inline]
    pub(crate) fn write(&self, buffer: &mut Vec<u8>) {
        match self {
            Written::Text { vsn, topic, event, payload } => {
                vsn.encode(&Outgoing::broadcast(topic, event, payload), buffer);
            }
            Written::Binary(push) => push.encode_broadcast(buffer),
        }
    }
}
