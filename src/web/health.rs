//! Whether the server runs, for those who start and watch it.

use super::Error;
use crate::{
    app::App,
    http::{Request, Response, StatusCode},
    store,
};

/// 200 while the process answers at all.
pub(super) async fn live(_app: App, _request: Request) -> Result<Response, Error> {
    Ok(Response::text(StatusCode::OK, "live\n"))
}

/// 200 while requests can be served: the database answers, its schema is this server's, and the server does not stop. 503
/// else, with the reason.
pub(super) async fn ready(app: App, _request: Request) -> Result<Response, Error> {
    let reason = match app.db.check().await {
        _ if app.stopping.is_cancelled() => "the server stops",
        Ok(()) => return Ok(Response::text(StatusCode::OK, "ready\n")),
        Err(store::Error::Unusable(_)) => "the database lacks migrations of this server",
        Err(_) => "the database does not answer",
    };
    Ok(Response::text(StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {reason}\n")))
}
