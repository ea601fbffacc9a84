//! Why a message or a connect parameter could not be read.

/// A message that cannot be read. Over a WebSocket it closes the connection with 1011.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// No JSON, or not of the shape that the version prescribes.
    #[error("the message is malformed: {0}")]
    Json(#[from] serde_json::Error),
    /// A `\u` escape names half of a surrogate pair; no client could make a string of it.
    #[error("the message escapes a lone surrogate")]
    LoneSurrogate,
    /// Not UTF-8 where text is prescribed.
    #[error("the message is not UTF-8")]
    Utf8(#[from] std::str::Utf8Error),
    /// A binary frame of a kind that clients do not send.
    #[error("binary frames of kind {0} are not sent by clients")]
    Kind(u8),
    /// A binary frame that ends before its header says.
    #[error("the binary frame is cut short")]
    Truncated,
}

/// The `vsn` parameter names no version that is spoken here; connecting is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("vsn must be a stable 1.x.y or 2.0.x")]
pub struct VsnError;
