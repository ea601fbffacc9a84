//! `/socket/longpoll`: a socket over plain requests, for where WebSockets are blocked.
//!
//! Answers are HTTP 200 with the status that counts in the JSON: 410 with a token for a new session, 200 and 204 with and
//! without messages, 403 for a refusal. A GET whose session is gone opens another one, a POST is told 410. Only for what no
//! proper client does is the HTTP status another.

use std::sync::Arc;

use pusher_lite_protocol::Vsn;
use serde::Serialize;
use serde_json::value::RawValue;

use super::{
    Error,
    admission::{Admitted, admit, confirm},
    batch::{self, BatchMessage},
};
use crate::{
    app::App,
    http::{
        Method, Request, Response, StatusCode, cors,
        header::{
            ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_MAX_AGE,
            ACCESS_CONTROL_REQUEST_HEADERS, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue,
        },
    },
    realtime::{LongPoll, OpenError, ReceiveError, Refusal, SessionId},
};

/// Where clients later than phoenix.js 1.8 put the session's token; others put it in the parameter `token`.
const TOKEN: HeaderName = HeaderName::from_static("x-phoenix-longpoll-token");

/// Where phoenix.js puts its `authToken`, in requests that may open a session.
const AUTH_TOKEN: HeaderName = HeaderName::from_static("x-phoenix-authtoken");

/// The exact type of a body that holds a batch: a message on each line.
const BATCH: &[u8] = b"application/x-ndjson";

/// What is answered, in JSON. Version 1 knows no `messages` in the answer that opens a session.
#[derive(Serialize)]
struct Answer<'a> {
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<&'a RawValue>,
    /// For whoever debugs a client.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

/// Why a message was not carried out.
enum Undelivered {
    Ended,
    Unreadable(String),
}

/// Answers every method.
pub(super) async fn respond(app: App, mut request: Request) -> Result<Response, Error> {
    let answer = match *request.method() {
        Method::GET => poll(&app, &request).await,
        Method::POST => publish(&app, &mut request).await,
        Method::OPTIONS => Ok(preflight(&request)),
        _ => Ok(Response::empty(StatusCode::BAD_REQUEST)),
    };
    let answer = answer.unwrap_or_else(|error| failure(&app, &error, request.id()));
    Ok(cors::allow(answer, true))
}

/// Waits for messages, or opens a session.
async fn poll(app: &App, request: &Request) -> Result<Response, Error> {
    let Some((token, session)) = session(app, request) else { return open(app, request).await };
    let Ok(messages) = session.poll().await else { return open(app, request).await };
    // The session ends with the server. Versions of phoenix.js before 1.8.4 join their topics again after an error only,
    // not when a new server gives them another session.
    if messages.is_none() && app.hub.is_stopping() {
        return Ok(try_again(StatusCode::SERVICE_UNAVAILABLE));
    }
    let status = if messages.is_some() { StatusCode::OK } else { StatusCode::NO_CONTENT };
    let messages = messages.unwrap_or_else(no_messages);
    let answer = Answer::new(status).with_token(&token).with_messages(&messages).respond();
    // The token is not in the URL, so that caches cannot tell sessions apart.
    let is_anonymous = request.headers().contains_key(TOKEN);
    Ok(if is_anonymous { answer.header(CACHE_CONTROL, HeaderValue::from_static("no-store")) } else { answer })
}

async fn open(app: &App, request: &Request) -> Result<Response, Error> {
    if app.hub.is_stopping() {
        return Err(Error::Stopping);
    }
    let jwt = request.header(AUTH_TOKEN);
    let Admitted { vsn, identity, place } = admit(app, request, jwt).await?;
    let session = match app.hub.open_longpoll(identity.clone(), vsn) {
        Ok(session) => session,
        Err(OpenError::Stopping) => return Err(Error::Stopping),
        Err(error @ OpenError::TooMany) => {
            tracing::info!(request_id = request.id(), %error, "A long-poll session was not opened.");
            app.hub.refused(Refusal::ConnectServerFull);
            return Ok(try_again(StatusCode::SERVICE_UNAVAILABLE));
        }
    };
    session.keep(place);
    confirm(app, &identity).await.inspect_err(|_| session.revoke())?;
    let (token, messages) = (app.session_tokens.issue(session.id().0), no_messages());
    let answer = Answer::new(StatusCode::GONE).with_token(&token);
    Ok(match vsn {
        Vsn::V1 => answer.respond(),
        Vsn::V2 => answer.with_messages(&messages).respond(),
    })
}

/// Carries out a message, or a batch of them.
async fn publish(app: &App, request: &mut Request) -> Result<Response, Error> {
    let Some((_, session)) = session(app, request) else {
        request.discard_body(&app.bodies).await;
        return Ok(Answer::new(StatusCode::GONE).respond());
    };
    let body = request.read_body(&app.bodies).await?;
    let is_batch = request.headers().get(CONTENT_TYPE).is_some_and(|value| value.as_bytes() == BATCH);
    Ok(match deliver(&session, is_batch, &body).await {
        Ok(()) => Answer::new(StatusCode::OK).respond(),
        Err(Undelivered::Ended) => Answer::new(StatusCode::GONE).respond(),
        Err(Undelivered::Unreadable(reason)) => refusal(StatusCode::BAD_REQUEST, &reason),
    })
}

/// Up to the first message that cannot be read.
async fn deliver(session: &LongPoll, is_batch: bool, body: &[u8]) -> Result<(), Undelivered> {
    let text = std::str::from_utf8(body).map_err(|_| Undelivered::Unreadable("the body is not UTF-8".to_owned()))?;
    if !is_batch {
        return Ok(session.receive_text(text).await?);
    }
    for message in batch::messages(text) {
        match message.map_err(|error| Undelivered::Unreadable(format!("no text and no base64: {error}")))? {
            BatchMessage::Text(text) => session.receive_text(text).await?,
            BatchMessage::Binary(frame) => session.receive_binary(&frame).await?,
        }
    }
    Ok(())
}

/// Every origin may ask with whatever headers; the session's token decides.
fn preflight(request: &Request) -> Response {
    let wanted = request.headers().get_all(ACCESS_CONTROL_REQUEST_HEADERS).iter();
    let wanted = wanted.map(HeaderValue::as_bytes).collect::<Vec<_>>().join(&b", "[..]);
    Response::empty(StatusCode::OK)
        .header(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_bytes(&wanted).expect("it is made of header values"))
        .header(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("get, post, options"))
        .header(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"))
}

/// The session that a request belongs to, while it lives, with its token.
fn session(app: &App, request: &Request) -> Option<(String, Arc<LongPoll>)> {
    let token = match request.header(TOKEN) {
        Some(token) => token.to_owned(),
        None => request.params().text("token")?,
    };
    let id = app.session_tokens.verify(&token)?;
    Some((token, app.hub.longpoll(SessionId(id))?))
}

fn failure(app: &App, error: &Error, request_id: &str) -> Response {
    app.metrics.failed(error);
    error.log(request_id);
    let answer = match error {
        Error::Refused => Answer::new(StatusCode::FORBIDDEN).respond(),
        Error::Limited(_) => try_again(error.status()),
        error if error.status().is_server_error() => try_again(error.status()),
        error => refusal(error.status(), &error.to_string()),
    };
    error.with_retry_after(answer)
}

fn refusal(status: StatusCode, reason: &str) -> Response {
    Response::json(status, &Answer { reason: Some(reason), ..Answer::new(status) })
}

/// phoenix.js comes back after a while when it reads 500, and gives up when it reads anything else that it does not know.
fn try_again(status: StatusCode) -> Response {
    Response::json(status, &Answer::new(StatusCode::INTERNAL_SERVER_ERROR))
}

fn no_messages() -> Box<RawValue> {
    RawValue::from_string("[]".to_owned()).expect("an empty array is JSON")
}

impl<'a> Answer<'a> {
    fn new(status: StatusCode) -> Self {
        Self { status: status.as_u16(), token: None, messages: None, reason: None }
    }

    fn with_token(self, token: &'a str) -> Self {
        Self { token: Some(token), ..self }
    }

    fn with_messages(self, messages: &'a RawValue) -> Self {
        Self { messages: Some(messages), ..self }
    }

    fn respond(&self) -> Response {
        Response::json(StatusCode::OK, self)
    }
}

impl From<ReceiveError> for Undelivered {
    fn from(error: ReceiveError) -> Self {
        match error {
            ReceiveError::Ended(_) => Self::Ended,
            ReceiveError::Unreadable(error) => Self::Unreadable(error.to_string()),
        }
    }
}
