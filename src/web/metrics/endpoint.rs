//! Where metrics are read: on the main listener with a token, on one of their own without.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{body::Incoming, header::CONTENT_TYPE};
use subtle::ConstantTimeEq;

use crate::{
    app::App,
    http::{Connection, Method, Request, Response, StatusCode, header::HeaderValue},
    web::{Error, health},
};

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// `GET /metrics` on the main listener: for who has the token. Where there is none, there is nothing.
pub(in crate::web) async fn show(app: App, request: Request) -> Result<Response, Error> {
    let expected = app.metrics.token.as_ref().ok_or(Error::NoRoute)?;
    let given = request.bearer_token().unwrap_or_default();
    if !bool::from(given.as_bytes().ct_eq(expected.as_bytes())) {
        return Err(Error::Unauthenticated);
    }
    respond(&app).await
}

/// Metrics and health on a listener of their own, which only those should reach who watch the server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct MetricsEndpoint {
    app: App,
}

impl MetricsEndpoint {
    /// The endpoint of an application.
    pub fn new(app: App) -> Self {
        Self { app }
    }

    /// Answers one request: `GET /metrics`, `/health/live` and `/health/ready`.
    pub async fn answer(
        self,
        request: hyper::Request<Incoming>,
        connection: Connection,
    ) -> hyper::Response<Full<Bytes>> {
        let request = Request::new(request, connection);
        let id = request.id().to_owned();
        let answer = match (request.method(), request.path()) {
            (&Method::GET | &Method::HEAD, "/metrics") => respond(&self.app).await,
            (&Method::GET | &Method::HEAD, "/health/live") => health::live(self.app, request).await,
            (&Method::GET | &Method::HEAD, "/health/ready") => health::ready(self.app, request).await,
            _ => Err(Error::NoRoute),
        };
        answer.unwrap_or_else(|error| error.into_text(&id)).into_hyper()
    }
}

async fn respond(app: &App) -> Result<Response, Error> {
    let metrics = app.metrics.clone();
    let text = tokio::task::spawn_blocking(move || metrics.render()).await.map_err(Error::internal)?;
    Ok(Response::bytes(StatusCode::OK, text).header(CONTENT_TYPE, TEXT))
}
