//! Messages in both directions, as raw JSON.

use std::borrow::Cow;

use pusher_lite_json_text as json;
use serde_json::value::RawValue;

use super::payload::Payload;
use crate::{DecodeError, error::REF_MAX};

/// The JSON text of an absent `ref` or `join_ref`.
pub const NULL: &str = "null";

/// A message of a client. It borrows from the frame that it came in.
#[derive(Debug, PartialEq)]
pub struct Message<'a> {
    /// The `ref` of the join that this message belongs to, as JSON text; `null` in version 1, which has none.
    pub join_ref: Cow<'a, str>,
    /// The client's number for this message, as JSON text: any JSON value, which the reply repeats unchanged.
    pub r#ref: Cow<'a, str>,
    /// The topic.
    pub topic: Name<'a>,
    /// The event.
    pub event: Name<'a>,
    /// The payload.
    pub payload: Payload<'a>,
}

impl<'a> Message<'a> {
    /// Returns the message, if its refs are not too long.
    pub(crate) fn with_short_refs(self) -> Result<Message<'a>, DecodeError> {
        if self.join_ref.len().max(self.r#ref.len()) > REF_MAX { Err(DecodeError::RefTooLong) } else { Ok(self) }
    }
}

/// A topic or an event: a string, unless the client made a mistake.
#[derive(Debug, PartialEq)]
pub struct Name<'a> {
    /// The JSON text, as it was sent.
    pub json: Cow<'a, str>,
    /// The value of the string; `None` if it is some other JSON value.
    pub text: Option<Cow<'a, str>>,
}

impl<'a> Name<'a> {
    /// Reads a JSON value that should be a name.
    pub(crate) fn from_json(value: &'a RawValue) -> Result<Name<'a>, DecodeError> {
        let json = value.get();
        let text = match json::unquoted(json) {
            Some(inner) => Some(Cow::Borrowed(inner)),
            None if json.starts_with('"') => {
                Some(serde_json::from_str(json).map_err(|error| DecodeError::from_json(&error, "a string"))?)
            }
            None => None,
        };
        Ok(Name { json: Cow::Borrowed(json), text })
    }

    /// Creates a name from bytes that need not be text. Bytes that are not UTF-8 are not a string, as in JSON: half
    /// surrogates least of all.
    pub(crate) fn from_bytes(bytes: &'a [u8]) -> Name<'a> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Name::from_text(Cow::Borrowed(text)),
            Err(_) => Name { json: Cow::Owned(json::quote(&String::from_utf8_lossy(bytes))), text: None },
        }
    }

    /// Creates a name that did not come as JSON.
    pub(crate) fn from_text(text: Cow<'a, str>) -> Name<'a> {
        Name { json: Cow::Owned(json::quote(&text)), text: Some(text) }
    }
}

/// A message of the server, every field as JSON text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outgoing<'a> {
    /// The join that the message belongs to: `null` in broadcasts, left out in version 1.
    pub join_ref: &'a str,
    /// The message that this one answers, or `null`.
    pub r#ref: &'a str,
    /// The topic.
    pub topic: &'a str,
    /// The event.
    pub event: &'a str,
    /// The payload.
    pub payload: &'a str,
}

impl<'a> Outgoing<'a> {
    /// Creates the server's own message to all members of a topic. It has no `join_ref`: another client's would make
    /// receivers drop it.
    pub fn broadcast(topic: &'a str, event: &'a str, payload: &'a str) -> Outgoing<'a> {
        Outgoing { join_ref: NULL, r#ref: NULL, topic, event, payload }
    }

    /// Creates the answer to the message that was sent with `ref`.
    pub fn reply(join_ref: &'a str, r#ref: &'a str, topic: &'a str, payload: &'a str) -> Outgoing<'a> {
        Outgoing { join_ref, r#ref, topic, event: r#""phx_reply""#, payload }
    }

    /// Creates the end of a channel. Both fields carry the `join_ref` (in version 1 the `ref`) of the join. Clients
    /// compare it with that of their channel, so that a late close does not end the next one.
    pub fn close(join_ref: &'a str, topic: &'a str) -> Outgoing<'a> {
        Outgoing { join_ref, r#ref: join_ref, topic, event: r#""phx_close""#, payload: "{}" }
    }
}
