//! Answers on their way to a client, limited in memory over all connections, and in time.

use hyper::{
    Response, StatusCode,
    header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER},
};
use tokio::sync::OwnedSemaphorePermit;

use crate::http::{self, Body, Budget, NoRoom, Payer, Progress, Refusal, Refusals, X_REQUEST_ID};

const DETAIL: &str = r#"{"errors":{"detail":"too many large answers wait for slow clients; try again soon"}}"#;

/// Sends the answers of one connection.
#[derive(Clone, Debug)]
pub(super) struct Sending {
    pub(super) progress: Progress,
    pub(super) answers: Budget,
    pub(super) payer: Payer,
    pub(super) refusals: Refusals,
}

impl Sending {
    /// Returns the answer for hyper. It keeps its turn until it is sent.
    pub(super) fn send(&self, response: Response<Body>, turn: Option<OwnedSemaphorePermit>) -> Response<Body> {
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            self.progress.switch();
        }
        let (head, body) = response.into_parts();
        match body.send_on(&self.progress, &self.answers, self.payer, turn) {
            Ok(body) => Response::from_parts(head, body),
            Err(NoRoom) => self.no_room(head.headers.get(X_REQUEST_ID)),
        }
    }

    fn no_room(&self, request_id: Option<&HeaderValue>) -> Response<Body> {
        self.refusals.count(Refusal::AnswersFull);
        let id = request_id.and_then(|id| id.to_str().ok());
        tracing::info!(
            request_id = id,
            "Replaced an answer by 503, because answers to slow clients use up their memory."
        );
        let response = http::Response::bytes(StatusCode::SERVICE_UNAVAILABLE, DETAIL)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"))
            .header(RETRY_AFTER, HeaderValue::from_static("5"));
        let response = match request_id {
            Some(id) => response.header(X_REQUEST_ID, id.clone()),
            None => response,
        };
        let (head, body) = response.into_hyper().into_parts();
        let sent = body.send_on(&self.progress, &self.answers, self.payer, None);
        Response::from_parts(head, sent.unwrap_or_default())
    }
}

/// Records, when it is dropped, that nothing more is written on a connection.
#[derive(Debug)]
pub(super) struct LastWritten(pub(super) Progress);

impl Drop for LastWritten {
    fn drop(&mut self) {
        self.0.fail();
    }
}
