//! Body of a long-poll POST that brings several messages, one on each line.

use base64::{DecodeError, Engine, prelude::BASE64_STANDARD};

/// The message on one line.
#[derive(Debug)]
pub(super) enum BatchMessage<'a> {
    Text(&'a str),
    Binary(Vec<u8>),
}

/// Returns the messages of a batch, without a limit on their number (D27): the body is limited, and phoenix.js sends
/// all messages that it gathered while disconnected, before 1.8.6 in one batch. A line that does not begin like a text
/// message of version 2 is a binary one in base64.
pub(super) fn messages(body: &str) -> impl Iterator<Item = Result<BatchMessage<'_>, DecodeError>> {
    body.lines().filter(|line| !line.is_empty()).map(|line| {
        if line.starts_with('[') {
            return Ok(BatchMessage::Text(line));
        }
        BASE64_STANDARD.decode(line).map(BatchMessage::Binary)
    })
}
