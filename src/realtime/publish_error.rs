//! Reasons why an event is not published.

use pusher_lite_protocol::{PayloadError, name::NameError};

use super::usage::refusal::Refusal;

/// Reason why nothing was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// Only the server may send events of this name.
    #[error("reserved event")]
    ReservedEvent,
    /// It is no payload of an event.
    #[error(transparent)]
    Payload(#[from] PayloadError),
    /// The topic's name is longer than [`Limits::name_bytes`](super::Limits::name_bytes).
    #[error("the topic is too long")]
    TopicTooLong,
    /// The event's name is longer than [`Limits::name_bytes`](super::Limits::name_bytes).
    #[error("the event is too long")]
    EventTooLong,
    /// The payload is larger than [`Limits::event_bytes`](super::Limits::event_bytes), so many bytes.
    #[error("the event is larger than {0} bytes")]
    TooLarge(usize),
    /// More than the application may have; see [`ApplicationSettings`](super::ApplicationSettings). Try again in a second.
    #[error("rate limited")]
    RateLimited,
    /// Much more was published to the topic than can be written to its members. Try again a little later.
    #[error("the topic has too much to send")]
    Overloaded,
}

impl From<NameError> for PublishError {
    fn from(error: NameError) -> PublishError {
        match error {
            NameError::Reserved => PublishError::ReservedEvent,
            NameError::TooLong => PublishError::EventTooLong,
        }
    }
}

impl PublishError {
    pub(super) fn refusal(self) -> Refusal {
        match self {
            PublishError::ReservedEvent => Refusal::PublishReserved,
            PublishError::Payload(_) => Refusal::PublishMalformed,
            PublishError::TopicTooLong | PublishError::EventTooLong => Refusal::PublishTooLong,
            PublishError::TooLarge(_) => Refusal::PublishTooLarge,
            PublishError::RateLimited => Refusal::PublishRateLimited,
            PublishError::Overloaded => Refusal::PublishOverloaded,
        }
    }
}
