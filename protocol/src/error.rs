//! Errors of reading a message or a connect parameter.

use pusher_lite_json_text::LoneSurrogate;
use serde_json::error::Category;

/// Maximum length of `ref` and `join_ref`, as JSON text in bytes. Clients count from 1; replies repeat a `ref`, and the
/// server keeps those of a join as long as the topic is joined.
pub const REF_MAX: usize = 4096;

/// A message that cannot be read. Over a WebSocket it closes the connection with 1011.
///
/// Errors are short and repeat no part of the message, so that they may be logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Malformed JSON at this position: both numbers start at 1, and columns are bytes.
    #[error("the message is no well-formed JSON, line {line}, column {column}")]
    Syntax {
        /// The line.
        line: usize,
        /// The byte in the line.
        column: usize,
    },
    /// Well-formed JSON of another shape than the version prescribes, which is named here.
    #[error("the message is not {0}")]
    Shape(&'static str),
    /// A `\u` escape names half of a surrogate pair; no client could make a string of it.
    #[error("the message escapes a lone surrogate")]
    LoneSurrogate,
    /// Not UTF-8 where text is prescribed.
    #[error("the message is not UTF-8")]
    Utf8(#[from] std::str::Utf8Error),
    /// A `ref` or `join_ref` longer than [`REF_MAX`].
    #[error("the ref or join_ref is longer than {REF_MAX} bytes")]
    RefTooLong,
    /// A binary frame of a kind that clients do not send.
    #[error("binary frames of kind {0} are not sent by clients")]
    Kind(u8),
    /// A binary frame that ends before its header says.
    #[error("the binary frame is cut short")]
    Truncated,
}

impl DecodeError {
    /// Converts an error of JSON that should have been as `expected`. Does not use the text of `serde_json`, which
    /// quotes the message.
    pub(crate) fn from_json(error: &serde_json::Error, expected: &'static str) -> DecodeError {
        match error.classify() {
            Category::Data => DecodeError::Shape(expected),
            Category::Syntax | Category::Eof | Category::Io => {
                DecodeError::Syntax { line: error.line(), column: error.column() }
            }
        }
    }
}

impl From<LoneSurrogate> for DecodeError {
    fn from(_: LoneSurrogate) -> DecodeError {
        DecodeError::LoneSurrogate
    }
}

/// The `vsn` parameter names no supported version; connecting is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("vsn must be a stable 1.x.y or 2.0.x")]
pub struct VsnError;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Vsn;

    #[test]
    fn errors_say_what_was_expected_and_where() {
        let text = "{\"topic\":\"t\",\n\"ref\":?}";
        let error = Vsn::V1.decode_text(text).unwrap_err();
        assert_eq!(error, DecodeError::Syntax { line: 2, column: 7 });
        assert_eq!(error.to_string(), "the message is no well-formed JSON, line 2, column 7");
        assert_eq!(
            Vsn::V1.decode_text(r#"{"topic":"t"}"#).unwrap_err().to_string(),
            "the message is not an object with topic, event, payload and ref"
        );
        assert_eq!(
            Vsn::V2.decode_text("[]").unwrap_err().to_string(),
            "the message is not an array of join_ref, ref, topic, event and payload"
        );
    }

    #[test]
    fn errors_repeat_nothing_of_the_message() {
        for vsn in [Vsn::V1, Vsn::V2] {
            for text in [r#""hunter2""#, r#"{"hunter2":1}"#, r#"["hunter2"]"#, "hunter2", r#"["\ud800hunter2"]"#] {
                let error = vsn.decode_text(text).unwrap_err();
                assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
            }
        }
    }
}
