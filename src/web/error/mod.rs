//! All errors of answering a request, and their answers.

mod answer;

use std::time::Duration;

use serde_json::{Value, json};

pub(in crate::web) use self::answer::Audience;

use super::Forbidden;
use crate::{
    auth::{TooMany, jwt::NoUser},
    http::{self, Methods, Response, StatusCode},
    realtime::{PublishError, Refusal},
    store::{
        self,
        token_scope::{Capability, TokenScope},
    },
};

/// Reason why a request is not answered as asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request itself is invalid.
    #[error(transparent)]
    Request(#[from] http::Error),
    /// No valid JWT: 401, as Guardian answers it.
    #[error("Unauthenticated")]
    Unauthenticated,
    /// A valid JWT that does not permit this: 401.
    #[error("the JWT does not permit this")]
    Forbidden,
    /// A JWT from a token whose scope does not include this: 403. Not 401, which clients take for a JWT that has ended.
    #[error("this needs a token with the scope {}; the scope of yours is {}", needs.scopes(), scope.name())]
    OutOfScope {
        /// The scope of the token.
        scope: TokenScope,
        /// The use that is refused.
        needs: Capability,
    },
    /// No route at this path, or not for this method: 404.
    #[error("nothing is here for this method and path")]
    NoRoute,
    /// The path accepts other methods: 405, under `/api` 404 as in the original.
    #[error("{}", if *is_api { "nothing is here for this method and path".to_owned() } else { format!("this path is for {methods} alone") })]
    WrongMethod {
        /// The accepted methods.
        methods: Methods,
        /// True if the path is under `/api`.
        is_api: bool,
    },
    /// The path is valid, but the row that it names does not exist: 404.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// Invalid values: 422. Holds the content of `errors`, messages by field.
    #[error("some values are not valid")]
    Invalid(Value),
    /// An event whose payload is larger than the server can send to sockets: 413.
    #[error("the event's payload is larger than {limit} bytes")]
    EventTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// A form that did not come from a page of this browser, such as another site would send: 403.
    #[error("this form is too old, or another site sent it; go back, reload the page, and send it again")]
    Forgery,
    /// A client with too many attempts: 429, with the time to try again.
    #[error("too many attempts; try again in {}", wait(*retry_after))]
    TooManyAttempts {
        /// Time until another attempt is allowed.
        retry_after: Duration,
    },
    /// An address that sent too many wrong tokens: 429, with the time to try again.
    #[error("too many wrong tokens came from your address; try again in {}", wait(.0.retry_after))]
    TooManyWrongTokens(TooMany),
    /// A user who changed more than the settings allow: 429, with the time to go on.
    #[error(
        "more was changed within an hour than this server allows (PUSHER_LITE_CHANGES_PER_USER); try again in {}",
        wait(*retry_after)
    )]
    TooManyChanges {
        /// Time until another change is allowed.
        retry_after: Duration,
    },
    /// A visitor who has to go to another page first, or send a form again; the answer is a redirect or the form.
    #[error("this is not for everyone")]
    Elsewhere(Box<Response>),
    /// A socket that may not be opened: 403, as in the original without the reason for those who ask for a WebSocket.
    #[error("the socket may not be opened")]
    Refused(Forbidden),
    /// A limit is reached: 429, or 503 for a limit of the whole server.
    #[error("{}", .0.reason())]
    Limited(Refusal),
    /// The database, or a topic, cannot take more now: 503.
    #[error("the server cannot answer right now; try again soon")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A change whose commit the database did not confirm: 503 without a time to try again, since the change may have
    /// been made.
    #[error("the database did not answer in time; the change may have been made, so look before you make it again")]
    Uncertain(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A socket that would close soon, since the server stops: 503.
    #[error("the server is stopping; try again soon")]
    Stopping,
    /// A fault of this server: 500. The source is for the log alone.
    #[error("the server failed; its log says more")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Creates the error for a request that is malformed beyond the level of HTTP.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::Request(http::Error::BadRequest(message.into()))
    }

    /// Creates a fault of this server.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(source.into())
    }

    /// The answer's code panicked.
    pub(super) fn panicked() -> Self {
        Self::internal("the code for this request panicked")
    }

    /// Answers with this, which sends the browser elsewhere or has it send a form again.
    pub(super) fn elsewhere(answer: Response) -> Self {
        Self::Elsewhere(Box::new(answer))
    }

    /// Creates the error for one invalid value: `{"errors":{field:[message]}}`.
    pub fn invalid(field: &str, message: &str) -> Self {
        Self::Invalid(json!({ field: [message] }))
    }

    /// Returns the status that answers the error.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Request(error) => error.status(),
            Self::Unauthenticated | Self::Forbidden => StatusCode::UNAUTHORIZED,
            Self::NoRoute | Self::NotFound(_) | Self::WrongMethod { is_api: true, .. } => StatusCode::NOT_FOUND,
            Self::WrongMethod { is_api: false, .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::EventTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Refused(_) | Self::Forgery | Self::OutOfScope { .. } => StatusCode::FORBIDDEN,
            Self::TooManyAttempts { .. } | Self::TooManyChanges { .. } | Self::TooManyWrongTokens(_) => {
                StatusCode::TOO_MANY_REQUESTS
            }
            Self::Elsewhere(response) => response.status(),
            Self::Limited(Refusal::ConnectServerFull) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Limited(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable(_) | Self::Uncertain(_) | Self::Stopping => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Returns the message for people.
    pub(super) fn in_words(&self) -> String {
        match self {
            Self::NoRoute | Self::WrongMethod { is_api: true, .. } => "There is no page at this address.".to_owned(),
            Self::Invalid(errors) => {
                let messages = |field: &str, messages: &Value| {
                    let messages = messages.as_array().into_iter().flatten().filter_map(Value::as_str);
                    messages.map(|message| format!("{field} {message}")).collect::<Vec<_>>()
                };
                let errors = errors.as_object().into_iter().flatten();
                sentence(&errors.flat_map(|(field, said)| messages(field, said)).collect::<Vec<_>>().join(", "))
            }
            _ => sentence(&self.to_string()),
        }
    }

    /// Logs the details that the answer does not contain.
    pub(super) fn log(&self, request_id: &str) {
        match self {
            Self::Unavailable(source) => {
                tracing::error!(request_id, error = chain(&**source), "A request could not be answered for now.")
            }
            Self::Uncertain(source) => {
                tracing::error!(request_id, error = chain(&**source), "It is unknown whether a change was committed.")
            }
            Self::Limited(refusal) => {
                let (what, reason) = (refusal.what(), refusal.reason());
                tracing::info!(request_id, what, reason, "A request was refused, because a limit is reached.")
            }
            Self::Refused(forbidden) => {
                tracing::info!(request_id, reason = %forbidden, "A socket was refused.")
            }
            Self::Internal(source) => {
                tracing::error!(request_id, error = chain(&**source), "A request failed with an internal error.")
            }
            _ => {}
        }
    }
}

/// Conversion of database errors that a handler did not expect. A handler that looks up what the request names reports
/// itself that it does not exist.
impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::NotFound => Self::NotFound("record"),
            store::Error::Duplicate { field } => Self::invalid(field, "has already been taken"),
            store::Error::QuotaUsedUp { field, .. } => Self::invalid(field, &error.to_string()),
            store::Error::Unavailable(_) | store::Error::Conflict => Self::Unavailable(error.into()),
            store::Error::Uncertain(_) => Self::Uncertain(error.into()),
            store::Error::Unusable(_) | store::Error::Query(_) => Self::internal(error),
        }
    }
}

impl From<TooMany> for Error {
    fn from(TooMany { retry_after }: TooMany) -> Self {
        Self::TooManyAttempts { retry_after }
    }
}

impl From<NoUser> for Error {
    fn from(error: NoUser) -> Self {
        match error {
            NoUser::Unknown => Self::NotFound("user"),
            NoUser::Malformed => Self::bad_request(error.to_string()),
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Limited(refusal)
    }
}

impl From<PublishError> for Error {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::ReservedEvent => Self::invalid("event", "reserved event"),
            PublishError::Payload(error) => Self::invalid("payload", &error.to_string()),
            PublishError::TopicTooLong => Self::invalid("topic", "is too long"),
            PublishError::EventTooLong => Self::invalid("event", "is too long"),
            PublishError::TooLarge(limit) => Self::EventTooLarge { limit },
            PublishError::RateLimited => Self::Limited(Refusal::PublishRateLimited),
            PublishError::Overloaded => Self::Unavailable(error.into()),
        }
    }
}

/// Formats a message for people: with a capital and a full stop.
pub(super) fn sentence(message: &str) -> String {
    let mut characters = message.chars();
    let first = characters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(characters).chain(['.']).collect()
}

/// Returns the wait in whole seconds, rounded up.
fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// Formats the time to wait, for people.
fn wait(wait: Duration) -> String {
    match seconds(wait) {
        0 | 1 => "a second".to_owned(),
        seconds @ 2..=90 => format!("{seconds} seconds"),
        seconds => format!("{} minutes", seconds.div_ceil(60)),
    }
}

/// Formats an error with its causes.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
