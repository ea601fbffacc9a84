//! Whether the server runs, for those who start and watch it.

use super::Error;
use crate::{
    app::App,
    http::{Request, Response, StatusCode},
};

/// 200 while the process answers at all.
pub(super) async fn live(_app: App, _request: Request) -> Result<Response, Error> {
    Ok(Response::text(StatusCode::OK, "live\n"))
}

/// 200 while requests can be served, which needs the database. 503 else, and as soon as the server is asked to stop, so that
/// balancers send their next requests elsewhere.
pub(super) async fn ready(app: App, _request: Request) -> Result<Response, Error> {
    if app.stopping.is_cancelled() {
        return Ok(Response::text(StatusCode::SERVICE_UNAVAILABLE, "stopping\n"));
    }
    app.db.conn().await?;
    Ok(Response::text(StatusCode::OK, "ready\n"))
}
