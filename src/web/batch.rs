//! The body of a long-poll POST that brings several messages, one on each line.

use base64::{DecodeError, Engine, prelude::BASE64_STANDARD};

/// The messages of a batch that are carried out; Phoenix drops the others, too, and clients send no more.
const MAX_MESSAGES: usize = 100;

/// What one line holds.
#[derive(Debug)]
pub(super) enum BatchMessage<'a> {
    Text(&'a str),
    Binary(Vec<u8>),
}

/// The messages of a batch. What does not begin as a text message of version 2 does is a binary one in base64.
pub(super) fn messages(body: &str) -> impl Iterator<Item = Result<BatchMessage<'_>, DecodeError>> {
    body.lines().take(MAX_MESSAGES).filter(|line| !line.is_empty()).map(|line| {
        if line.starts_with('[') {
            return Ok(BatchMessage::Text(line));
        }
        BASE64_STANDARD.decode(line).map(BatchMessage::Binary)
    })
}
