//! `/socket/diagnose`: the reason why a socket with the same parameters is refused, for clients that cannot read it.
//!
//! A browser hides the answer to a refused WebSocket from its page. The client asks here then. The answer is the one that
//! `/socket/longpoll` gives anyway, with advice; no socket is opened, and no quota of sockets is used up. The rate of an address
//! counts both.

use serde::Serialize;

use super::{
    Error, admission,
    longpoll::{self, AUTH_TOKEN},
};
use crate::{
    http::{Method, Methods, Request, Response, StatusCode, cors},
    web::App,
};

/// The JSON of an answer.
#[derive(Serialize)]
struct Answer<'a> {
    /// Status that answers an attempt to connect: 200 for a socket that would be opened.
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<&'a str>,
}

/// Answers a GET with the parameters of a connect, the JWT in the header of phoenix.js's `authToken` or as parameter.
pub(super) async fn respond(app: App, request: Request) -> Result<Response, Error> {
    let answer = match *request.method() {
        Method::GET => diagnose(&app, &request).await,
        Method::OPTIONS => Ok(longpoll::preflight(&request)),
        _ => Err(Error::WrongMethod { methods: Methods::of([Method::GET]), is_api: false }),
    };
    Ok(cors::allow(answer?, true))
}

async fn diagnose(app: &App, request: &Request) -> Result<Response, Error> {
    let answer = |status: StatusCode, reason, advice| {
        Response::json(StatusCode::OK, &Answer { status: status.as_u16(), reason, advice })
    };
    match admission::examine(app, request, request.header(AUTH_TOKEN)).await {
        Ok(_) => Ok(answer(StatusCode::OK, None, None)),
        Err(error @ Error::Refused(forbidden)) => {
            app.metrics.failed(&error);
            error.log(request.id());
            Ok(answer(StatusCode::FORBIDDEN, Some(&forbidden.to_string()), Some(forbidden.advice())))
        }
        Err(error @ Error::Limited(_)) => {
            Ok(answer(error.status(), Some(&error.to_string()), Some(admission::LIMIT_ADVICE)))
        }
        Err(error) => Err(error),
    }
}
