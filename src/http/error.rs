//! Errors of a peer at the level of HTTP.

use hyper::StatusCode;

use super::Refusal;

/// A request that cannot be processed. The message is for the peer: it never repeats a possible secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request is malformed: an escape in its path, its query, its body, or a missing parameter. 400.
    #[error("{0}")]
    BadRequest(String),
    /// None of the content types that `Accept` (or `_format`) asks for is on offer. 406.
    #[error("none of the content types asked for can be given; this path gives application/json")]
    NotAcceptable,
    /// The body did not arrive within its time limit. 408.
    #[error("the body did not arrive in time")]
    BodyTimeout,
    /// A form is not UTF-8. 415, as Plug answers it.
    #[error("the form body is not UTF-8")]
    BadEncoding,
    /// The body is larger than its limit. 413.
    #[error("the body is larger than {limit} bytes")]
    BodyTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The bodies that are being read use all the memory of their budget. 503.
    #[error("too many large bodies are being read; try again soon")]
    BodiesFull,
}

impl Error {
    /// Returns the error for a request that cannot be understood: 400, with this message.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::BadRequest(message.into())
    }

    /// Returns the refusal to count, if the error is about a limit.
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::BodyTimeout => Some(Refusal::BodyTooSlow),
            Self::BodyTooLarge { .. } => Some(Refusal::BodyTooLarge),
            Self::BodiesFull => Some(Refusal::BodiesFull),
            Self::BadRequest(_) | Self::NotAcceptable | Self::BadEncoding => None,
        }
    }

    /// Returns the status that answers this error.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::BadEncoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodiesFull => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}
