//! Long-poll batches: one message for each line, unchanged.

#[path = "../../src/web/batch.rs"]
mod source;

use base64::{Engine, prelude::BASE64_STANDARD};

use self::source::{BatchMessage, messages};
use crate::{binary, text};

/// Runs the target `batch`.
pub fn check(body: &[u8]) {
    check_binary(body);
    let Ok(body) = std::str::from_utf8(body) else { return };
    let mut lines = body.split_inclusive('\n').map(without_end);
    for message in messages(body) {
        let line = lines.find(|line| !line.is_empty()).expect("a message has a line");
        match message {
            Ok(BatchMessage::Text(message)) => {
                assert_eq!(message, line);
                text::check_v2(message.as_bytes());
            }
            Ok(BatchMessage::Binary(frame)) => {
                assert_eq!(BASE64_STANDARD.encode(&frame), line);
                binary::check(&frame);
            }
            Err(error) => {
                assert!(!line.starts_with('['));
                assert!(error.to_string().len() < 100, "an error that may quote the message: {error}");
            }
        }
    }
    assert!(lines.all(str::is_empty), "a line was left out");
}

/// Returns a line without its end. A carriage return is part of the end of a line, but not one by itself.
fn without_end(line: &str) -> &str {
    line.strip_suffix("\r\n").or_else(|| line.strip_suffix('\n')).unwrap_or(line)
}

/// Checks that a frame that a client encodes comes back the same, among other messages.
fn check_binary(frame: &[u8]) {
    let batch = format!("[1]\n{}\n\r\n[2]\r\n", BASE64_STANDARD.encode(frame));
    let mut messages = messages(&batch);
    assert!(matches!(messages.next(), Some(Ok(BatchMessage::Text("[1]")))));
    if !frame.is_empty() {
        assert!(matches!(messages.next(), Some(Ok(BatchMessage::Binary(data))) if data == frame));
    }
    assert!(matches!(messages.next(), Some(Ok(BatchMessage::Text("[2]")))));
    assert!(messages.next().is_none());
}
