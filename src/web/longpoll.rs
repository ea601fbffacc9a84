//! `/socket/longpoll`: a socket over plain requests, for where WebSockets are blocked.
//!
//! Answers are HTTP 200; the actual status is in the JSON: 410 with a token for a new session, 200 and 204 with and
//! without messages, 403 for a refusal. A GET whose session is gone opens another one, a POST gets 410. The HTTP status
//! differs only for requests that no correct client sends.

use std::sync::Arc;

use pusher_lite_protocol::Vsn;
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::{task::yield_now, time::timeout};

use super::{
    Error,
    admission::{Admitted, admit, confirm},
    batch::{self, BatchMessage},
};
use crate::{
    http::{
        Method, Request, Response, StatusCode, cors,
        header::{
            ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_MAX_AGE,
            ACCESS_CONTROL_REQUEST_HEADERS, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue,
        },
    },
    realtime::{LongPoll, OpenError, ReceiveError, Refusal, SessionId},
    web::App,
};

/// Header in which clients later than phoenix.js 1.8 send the session's token; others use the parameter `token`.
const TOKEN: HeaderName = HeaderName::from_static("x-phoenix-longpoll-token");

/// Header in which phoenix.js sends its `authToken`, in requests that may open a session.
pub(super) const AUTH_TOKEN: HeaderName = HeaderName::from_static("x-phoenix-authtoken");

/// The exact type of a body that holds a batch: a message on each line.
const BATCH: &[u8] = b"application/x-ndjson";

/// Maximum time to carry out a client's messages, in windows of a poll; the server delays them when the client has
/// asked for too much. 30 s, longer than the 20 s for which phoenix.js waits for the answer. The body takes up memory
/// for that time.
const DELIVERY_WINDOWS: u32 = 3;

/// Number of messages of a batch after which other tasks have their turn.
const MESSAGES_PER_TURN: usize = 32;

/// The JSON of an answer. Version 1 has no `messages` in the answer that opens a session.
#[derive(Serialize)]
struct Answer<'a> {
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<&'a RawValue>,
    /// For developers who debug a client.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

/// Reason why a message was not carried out.
enum Undelivered {
    Ended,
    Unreadable(String),
    /// It took longer than [`DELIVERY_WINDOWS`].
    Late,
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
    request.connection().wait_with_peer();
    let Ok(batch) = session.poll().await else { return open(app, request).await };
    // The session ends with the server. Versions of phoenix.js before 1.8.4 join their topics again only after an
    // error, not when a new server gives them another session.
    if batch.is_none() && app.hub.is_stopping() {
        return Ok(try_again(StatusCode::SERVICE_UNAVAILABLE));
    }
    let answer = match batch {
        Some(batch) => {
            let answer = Answer::new(StatusCode::OK).with_token(&token).with_messages(batch.messages()).respond();
            // Messages that cannot be written to this client are kept for its next poll.
            answer.when_sent(move || batch.delivered())
        }
        None => Answer::new(StatusCode::NO_CONTENT).with_token(&token).with_messages(&no_messages()).respond(),
    };
    // The token is not in the URL, so that caches cannot tell sessions apart.
    let is_anonymous = request.headers().contains_key(TOKEN);
    Ok(if is_anonymous { answer.header(CACHE_CONTROL, HeaderValue::from_static("no-store")) } else { answer })
}

async fn open(app: &App, request: &Request) -> Result<Response, Error> {
    if app.hub.is_stopping() {
        return Err(Error::Stopping);
    }
    let jwt = request.header(AUTH_TOKEN);
    let Admitted { vsn, identity, reservation } = admit(app, request, jwt).await?;
    let session = match app.hub.open_longpoll(identity.clone(), vsn) {
        Ok(session) => session,
        Err(OpenError::Stopping) => return Err(Error::Stopping),
        Err(error @ OpenError::TooMany) => {
            tracing::info!(request_id = request.id(), %error, "A long-poll session was not opened.");
            app.hub.refused(Refusal::ConnectServerFull);
            return Ok(try_again(StatusCode::SERVICE_UNAVAILABLE));
        }
    };
    session.keep(reservation);
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
    let patience = app.hub.limits().longpoll_window * DELIVERY_WINDOWS;
    let delivered = timeout(patience, deliver(&session, is_batch, &body)).await;
    Ok(match delivered.unwrap_or(Err(Undelivered::Late)) {
        Ok(()) => Answer::new(StatusCode::OK).respond(),
        Err(Undelivered::Ended) => Answer::new(StatusCode::GONE).respond(),
        // As Phoenix answers when a session does not take a message in time; phoenix.js treats it as an error.
        Err(Undelivered::Late) => Answer {
            reason: Some("not all messages were carried out in time: send fewer, or less often"),
            ..Answer::new(StatusCode::REQUEST_TIMEOUT)
        }
        .respond(),
        Err(Undelivered::Unreadable(reason)) => refusal(StatusCode::BAD_REQUEST, &reason),
    })
}

/// Delivers the messages, up to the first one that cannot be read.
async fn deliver(session: &LongPoll, is_batch: bool, body: &[u8]) -> Result<(), Undelivered> {
    let text = std::str::from_utf8(body).map_err(|_| Undelivered::Unreadable("the body is not UTF-8".to_owned()))?;
    if !is_batch {
        return Ok(session.receive_text(text).await?);
    }
    for (at, message) in batch::messages(text).enumerate() {
        if at % MESSAGES_PER_TURN == MESSAGES_PER_TURN - 1 {
            yield_now().await;
        }
        match message.map_err(|error| Undelivered::Unreadable(format!("no text and no base64: {error}")))? {
            BatchMessage::Text(text) => session.receive_text(text).await?,
            BatchMessage::Binary(frame) => session.receive_binary(&frame).await?,
        }
    }
    Ok(())
}

/// Answers a preflight. Every origin may ask with any headers; the session's token decides.
pub(super) fn preflight(request: &Request) -> Response {
    let wanted = request.headers().get_all(ACCESS_CONTROL_REQUEST_HEADERS).iter();
    let wanted = wanted.map(HeaderValue::as_bytes).collect::<Vec<_>>().join(&b", "[..]);
    Response::empty(StatusCode::OK)
        .header(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_bytes(&wanted).expect("it is made of header values"))
        .header(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("get, post, options"))
        .header(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"))
}

/// Returns the session that a request belongs to, while it lives, with its token.
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
        Error::Refused(forbidden) => {
            Answer { reason: Some(&forbidden.to_string()), ..Answer::new(StatusCode::FORBIDDEN) }.respond()
        }
        Error::Limited(_) => try_again(error.status()),
        error if error.status().is_server_error() => try_again(error.status()),
        error => refusal(error.status(), &error.to_string()),
    };
    error.with_retry_after(answer)
}

fn refusal(status: StatusCode, reason: &str) -> Response {
    Response::json(status, &Answer { reason: Some(reason), ..Answer::new(status) })
}

/// Returns an answer with 500 in its JSON, after which phoenix.js retries later; it gives up on any other status that
/// it does not know.
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
