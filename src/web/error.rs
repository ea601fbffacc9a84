//! Everything that can go wrong while a request is answered, and the answer to it.

use std::time::Duration;

use minijinja::{Value as Shown, context};
use serde_json::{Value, json};

use super::{Views, visits::Reader};
use crate::{
    app::App,
    auth::{attempts::TooMany, jwt::NoUser},
    http::{self, Request, Response, StatusCode, accept, header::RETRY_AFTER},
    realtime::{PublishError, Refusal},
    store,
};

/// Why a request is not answered with what it asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request itself is not right.
    #[error(transparent)]
    Request(#[from] http::Error),
    /// No valid JWT: 401, as Guardian answers it.
    #[error("Unauthenticated")]
    Unauthenticated,
    /// A valid JWT that does not permit this: 401.
    #[error("the JWT does not permit this")]
    Forbidden,
    /// Nothing is at this path, or not for this method: 404.
    #[error("nothing is here for this method and path")]
    NoRoute,
    /// The path is right, but what it names is not there: 404.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// Values that cannot be taken: 422. Holds what is under `errors`, messages by field.
    #[error("some values are not valid")]
    Invalid(Value),
    /// A form that this browser was not given, as another site would send it: 403.
    #[error("this form is too old, or another site sent it; go back, reload the page, and send it again")]
    Forgery,
    /// Somebody who tried too often: 429, and when to try again.
    #[error("too many attempts; try again in {}", wait(*retry_after))]
    TooManyAttempts {
        /// When another attempt is allowed.
        retry_after: Duration,
    },
    /// Somebody who has to go elsewhere first, or send a form again; the answer says where, or holds the form.
    #[error("this is not for everyone")]
    Elsewhere(Box<Response>),
    /// A socket that may not be opened: 403 and no word about the reason.
    #[error("the socket may not be opened")]
    Refused,
    /// A limit is reached: 429, or 503 when it is that of the whole server.
    #[error("{}", .0.reason())]
    Limited(Refusal),
    /// The database, or a topic, cannot take more now: 503.
    #[error("the server cannot answer right now; try again soon")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A socket that would not live long, since the server stops: 503.
    #[error("the server is stopping; try again soon")]
    Stopping,
    /// A fault of this server: 500. The source is for the log alone.
    #[error("the server failed; its log says more")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// A request that is malformed in a way that HTTP does not know of.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::Request(http::Error::BadRequest(message.into()))
    }

    /// A fault of this server.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(source.into())
    }

    /// Answers with this, which sends the browser elsewhere or has it send a form again.
    pub(super) fn elsewhere(answer: Response) -> Self {
        Self::Elsewhere(Box::new(answer))
    }

    /// One value that cannot be taken: `{"errors":{field:[message]}}`.
    pub fn invalid(field: &str, message: &str) -> Self {
        Self::Invalid(json!({ field: [message] }))
    }

    /// What the navigation of the error's page shows, where people get one. The database is asked who they are, unless it
    /// may be the reason of it all.
    pub(super) async fn navigation(&self, audience: &Audience, app: &App) -> Shown {
        let is_known = !matches!(self, Self::Unavailable(_) | Self::Internal(_));
        match audience.reader.as_ref().filter(|_| is_known && self.has_page()) {
            // In a box: what asks the database is large, and is in the future of every answer otherwise.
            Some(reader) => Box::pin(reader.navigation(app)).await,
            None => context! {},
        }
    }

    /// The answer, in the form that `audience` wants it.
    pub(super) fn into_response(
        self,
        audience: &Audience,
        views: &Views,
        navigation: Shown,
        request_id: &str,
    ) -> Response {
        self.log(request_id);
        let error = match self {
            Self::Elsewhere(response) => return *response,
            error => error,
        };
        error.with_retry_after(error.message(audience, views, navigation))
    }

    fn message(&self, audience: &Audience, views: &Views, navigation: Shown) -> Response {
        match self {
            _ if self.has_page() && audience.reader.is_some() => self.page(views, navigation),
            Self::Refused => Response::empty(StatusCode::FORBIDDEN),
            Self::Unauthenticated if audience.mentions_json => self.json(&json!(["Unauthenticated"])),
            Self::Unauthenticated => Response::text(self.status(), self.to_string()),
            Self::Forbidden => self.json(&json!({ "token": ["forbidden"] })),
            Self::Invalid(errors) => self.json(errors),
            _ => self.json(&json!({ "detail": self.to_string() })),
        }
    }

    /// Whether people are told by a page: not of what only programs run into.
    fn has_page(&self) -> bool {
        !matches!(self, Self::Refused | Self::Unauthenticated | Self::Forbidden | Self::Elsewhere(_))
    }

    /// Says when it may be tried again, if that can help.
    pub(super) fn with_retry_after(&self, response: Response) -> Response {
        let wait = match self {
            Self::TooManyAttempts { retry_after } => *retry_after,
            Self::Limited(Refusal::PublishRateLimited) => Duration::from_secs(1),
            Self::Limited(_) | Self::Unavailable(_) | Self::Stopping | Self::Request(http::Error::BodiesFull) => {
                Duration::from_secs(5)
            }
            _ => return response,
        };
        response.with_text(RETRY_AFTER, &seconds(wait).to_string())
    }

    /// The answer in plain text, for where nobody looks but programs that watch.
    pub(super) fn into_text(self, request_id: &str) -> Response {
        self.log(request_id);
        self.with_retry_after(Response::text(self.status(), format!("{self}\n")))
    }

    /// The status that answers it.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Request(error) => error.status(),
            Self::Unauthenticated | Self::Forbidden => StatusCode::UNAUTHORIZED,
            Self::NoRoute | Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Refused | Self::Forgery => StatusCode::FORBIDDEN,
            Self::TooManyAttempts { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Elsewhere(response) => response.status(),
            Self::Limited(Refusal::ConnectServerFull) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Limited(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable(_) | Self::Stopping => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn json(&self, errors: &Value) -> Response {
        Response::json(self.status(), &json!({ "errors": errors }))
    }

    fn page(&self, views: &Views, navigation: Shown) -> Response {
        let status = self.status();
        let reason = status.canonical_reason().unwrap_or("Error");
        let title = format!("{reason} · pusher-lite");
        let context = context! { title, status => status.as_u16(), reason, message => self.in_words(), ..navigation };
        views.page(status, "error", context).unwrap_or_else(|error| {
            tracing::error!(%error, "The page for errors cannot be rendered.");
            Response::text(status, self.to_string())
        })
    }

    /// What people are told.
    pub(super) fn in_words(&self) -> String {
        match self {
            Self::NoRoute => "There is no page at this address.".to_owned(),
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

    /// Writes down what its answer does not say.
    pub(super) fn log(&self, request_id: &str) {
        match self {
            Self::Unavailable(source) => {
                tracing::error!(request_id, error = chain(&**source), "A request could not be answered for now.")
            }
            Self::Limited(refusal) => {
                let (what, reason) = (refusal.what(), refusal.reason());
                tracing::info!(request_id, what, reason, "A request was refused, because a limit is reached.")
            }
            Self::Internal(source) => {
                tracing::error!(request_id, error = chain(&**source), "A request failed by a fault here.")
            }
            _ => {}
        }
    }
}

/// What a handler did not see coming. One that looks up what the request names says itself what is not there.
impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::NotFound => Self::NotFound("record"),
            store::Error::Duplicate { field } => Self::invalid(field, "has already been taken"),
            store::Error::Unavailable(_) => Self::Unavailable(error.into()),
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
            PublishError::PayloadNotObject => Self::invalid("payload", "payload must be an object"),
            PublishError::TopicTooLong => Self::invalid("topic", "is too long"),
            PublishError::EventTooLong => Self::invalid("event", "is too long"),
            PublishError::RateLimited => Self::Limited(Refusal::PublishRateLimited),
            PublishError::Overloaded => Self::Unavailable(error.into()),
        }
    }
}

/// A message as people read it: with a capital and a full stop.
fn sentence(message: &str) -> String {
    let mut characters = message.chars();
    let first = characters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(characters).chain(['.']).collect()
}

/// In whole seconds, of which the last one is over then.
fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// How long to wait, for people.
fn wait(wait: Duration) -> String {
    match seconds(wait) {
        0 | 1 => "a second".to_owned(),
        seconds @ 2..=90 => format!("{seconds} seconds"),
        seconds => format!("{} minutes", seconds.div_ceil(60)),
    }
}

/// An error with what caused it.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Who reads an error: people get a page, programs JSON.
#[derive(Debug)]
pub(super) struct Audience {
    /// The person, if it is one.
    reader: Option<Reader>,
    /// `Accept` mentions JSON, which an answer of the original depends on.
    mentions_json: bool,
}

impl Audience {
    /// Under `/api` programs, unless they ask for pages only; elsewhere people, unless they name JSON.
    pub(super) fn of(request: &Request) -> Self {
        let in_api = request.path().split('/').find(|segment| !segment.is_empty()) == Some("api");
        let is_people = if in_api { accept::html_only(request) } else { !accept::names_json(request) };
        let reader = is_people.then(|| Reader::of(request));
        Self { reader, mentions_json: accept::mentions_json(request) }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use hyper::header::HeaderValue;

    use super::*;
    use crate::web;

    fn answer(error: Error, path: &str, accept: &str) -> (u16, String) {
        let audience = Audience::of(&Request::test("GET", path, &[("accept", accept)]));
        let views = Views::new(&Arc::new(web::assets()));
        let response = error.into_response(&audience, &views, context! {}, "id");
        let content_type = response.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), content_type.unwrap_or_default())
    }

    const JSON: &str = "application/json; charset=utf-8";
    const HTML: &str = "text/html; charset=utf-8";
    const TEXT: &str = "text/plain; charset=utf-8";

    #[test]
    fn programs_get_json_and_people_a_page() {
        for (path, accept, content_type) in [
            ("/api/nope", "*/*", JSON),
            ("//api", "garbage", JSON),
            ("/api/nope", "text/html", HTML),
            ("/api/nope", "text/html, application/json", JSON),
            ("/nope", "*/*", HTML),
            ("/apidocs", "*/*", HTML),
            ("/nope", "application/json", JSON),
        ] {
            assert_eq!(answer(Error::NoRoute, path, accept), (404, content_type.to_owned()), "{path} {accept}");
        }
    }

    #[test]
    fn whoever_tries_too_often_is_told_when_to_try_again() {
        for (millis, header, words) in
            [(20, "1", "a second"), (30_000, "30", "30 seconds"), (299_500, "300", "5 minutes")]
        {
            let error = Error::from(TooMany { retry_after: Duration::from_millis(millis) });
            let views = Views::new(&Arc::new(web::assets()));
            assert_eq!(error.to_string(), format!("too many attempts; try again in {words}"));
            let audience = Audience::of(&Request::test("GET", "/sessions/new", &[]));
            let response = error.into_response(&audience, &views, context! {}, "id");
            assert_eq!(
                (response.status().as_u16(), &response.headers()["retry-after"]),
                (429, &HeaderValue::from_static(header))
            );
        }
    }

    #[test]
    fn refusals_are_worded_as_the_original_does() {
        assert_eq!(answer(Error::Unauthenticated, "/api", "*/*"), (401, TEXT.to_owned()));
        assert_eq!(answer(Error::Unauthenticated, "/api", "application/json"), (401, JSON.to_owned()));
        assert_eq!(answer(Error::Unauthenticated, "/api", "text/x, application/vnd.api+json"), (401, JSON.to_owned()));
        assert_eq!(answer(Error::Unauthenticated, "/api", "Application/JSON"), (401, TEXT.to_owned()));
        assert_eq!(answer(Error::Forbidden, "/api", "*/*"), (401, JSON.to_owned()));
        assert_eq!(answer(Error::Refused, "/socket/websocket", "*/*"), (403, String::new()));
        assert_eq!(answer(Error::invalid("name", "is invalid"), "/api", "*/*"), (422, JSON.to_owned()));
    }

    #[test]
    fn people_are_told_in_sentences() {
        assert_eq!(Error::NoRoute.in_words(), "There is no page at this address.");
        assert_eq!(Error::NotFound("user").in_words(), "There is no such user.");
        assert_eq!(Error::invalid("name", "is too long").in_words(), "Name is too long.");
        assert_eq!(answer(Error::invalid("name", "is invalid"), "/sessions", "*/*"), (422, HTML.to_owned()));
    }
}
