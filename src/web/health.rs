//! Health checks, for supervisors and monitoring.

use super::Error;
use crate::{
    http::{Request, Response, StatusCode},
    store,
    web::App,
};

/// Answers 200 while the process answers at all.
pub(super) async fn live(_app: App, _request: Request) -> Result<Response, Error> {
    Ok(Response::text(StatusCode::OK, "live\n"))
}

/// Answers 200 while requests can be served: the database answers, its schema is this server's, and the server is not
/// stopping. Otherwise 503, with the reason.
pub(super) async fn ready(app: App, _request: Request) -> Result<Response, Error> {
    let reason = match app.db.check().await {
        _ if app.tasks.failed().is_some() => "a task of the server failed",
        _ if app.stopping.is_cancelled() => "the server stops",
        Ok(()) => return Ok(Response::text(StatusCode::OK, "ready\n")),
        Err(store::Error::Unusable(_)) => "the database lacks migrations of this server",
        Err(_) => "the database does not answer",
    };
    Ok(Response::text(StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}\n")))
}
