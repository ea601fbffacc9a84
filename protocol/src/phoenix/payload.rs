//! The payloads of clients' messages.

use serde_json::value::RawValue;

use crate::EventPayload;

/// Server to client: kind, the lengths of topic and event, then those and the data.
const BROADCAST: u8 = 2;
const BROADCAST_HEADER: usize = 3;

/// The payload of a client's message.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Payload<'a> {
    /// A valid payload of an event, as text.
    Event(EventPayload<'a>),
    /// Any other JSON: well-formed, and not an object.
    Other(&'a str),
    /// A binary push of version 2.
    Binary(BinaryPush<'a>),
}

/// The part of a binary push that its receivers get: topic, event and data, unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BinaryPush<'a> {
    pub(crate) topic_len: u8,
    pub(crate) event_len: u8,
    /// Topic, event and data, one after the other.
    pub(crate) names_and_data: &'a [u8],
}

impl BinaryPush<'_> {
    /// Returns the number of bytes that [`BinaryPush::encode_broadcast`] will append.
    pub fn broadcast_len(&self) -> usize {
        BROADCAST_HEADER + self.names_and_data.len()
    }

    /// Appends the frame for all members of the topic.
    pub fn encode_broadcast(&self, buffer: &mut Vec<u8>) {
        buffer.extend_from_slice(&[BROADCAST, self.topic_len, self.event_len]);
        buffer.extend_from_slice(self.names_and_data);
    }
}

impl<'a> Payload<'a> {
    /// Returns the payload of a message that was checked for half surrogates as a whole.
    pub(crate) fn of_checked(json: &'a RawValue) -> Payload<'a> {
        let json = json.get();
        EventPayload::of_checked(json).map_or(Payload::Other(json), Payload::Event)
    }

    /// Returns the JSON text, with its spelling; `None` for a binary push.
    pub fn json(&self) -> Option<&'a str> {
        match self {
            Payload::Event(payload) => Some(payload.as_str()),
            Payload::Other(json) => Some(json),
            Payload::Binary(_) => None,
        }
    }
}
