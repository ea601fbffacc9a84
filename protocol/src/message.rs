//! What goes over the wire, in both directions, as raw JSON.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::{BinaryPush, DecodeError, json};

/// The JSON text of an absent `ref` or `join_ref`.
pub const NULL: &str = "null";

/// What a client sent. It borrows from the frame that it came in.
#[derive(Debug, PartialEq)]
pub struct Message<'a> {
    /// The `ref` of the join that this message belongs to, as JSON text; `null` in version 1, which has none.
    pub join_ref: Cow<'a, str>,
    /// The client's number for this message, as JSON text: any JSON value, and the reply repeats it as it was.
    pub r#ref: Cow<'a, str>,
    /// The topic.
    pub topic: Name<'a>,
    /// The event.
    pub event: Name<'a>,
    /// The payload.
    pub payload: Payload<'a>,
}

/// A topic or an event: a string, if the client did as it should.
#[derive(Debug, PartialEq)]
pub struct Name<'a> {
    /// The JSON text, as it was sent.
    pub json: Cow<'a, str>,
    /// The string that it stands for; `None` if it is some other JSON value.
    pub text: Option<Cow<'a, str>>,
}

impl<'a> Name<'a> {
    /// Reads a JSON value that is meant to be a name.
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

    /// A name that did not come as JSON.
    pub(crate) fn from_text(text: Cow<'a, str>) -> Name<'a> {
        Name { json: Cow::Owned(json::quote(&text)), text: Some(text) }
    }
}

/// The payload of a client's message.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Payload<'a> {
    /// JSON text, known to be well-formed, without white space around it.
    Json(&'a str),
    /// A binary push of version 2.
    Binary(BinaryPush<'a>),
}

/// What the server sends, every field as JSON text.
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
    /// What everyone in the topic gets. Another client's `join_ref` would make receivers drop it, so it has none.
    pub fn broadcast(topic: &'a str, event: &'a str, payload: &'a str) -> Outgoing<'a> {
        Outgoing { join_ref: NULL, r#ref: NULL, topic, event, payload }
    }

    /// The answer to the message that was sent with `ref`.
    pub fn reply(join_ref: &'a str, r#ref: &'a str, topic: &'a str, payload: &'a str) -> Outgoing<'a> {
        Outgoing { join_ref, r#ref, topic, event: r#""phx_reply""#, payload }
    }

    /// The end of a channel. Both fields carry the `join_ref` (in version 1 the `ref`) of the join, which clients
    /// compare with that of their channel, so that a late close does not end the next one.
    pub fn close(join_ref: &'a str, topic: &'a str) -> Outgoing<'a> {
        Outgoing { join_ref, r#ref: join_ref, topic, event: r#""phx_close""#, payload: "{}" }
    }
}
