//! Endpoints of the metrics: on the main listener with a token, on a separate one without.

use subtle::ConstantTimeEq;

use crate::{
    http::{
        Connection, Method, RawRequest, RawResponse, Request, Response, StatusCode,
        header::{CONTENT_TYPE, HeaderValue},
    },
    web::{App, Error, health},
};

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// Answers `GET /metrics` on the main listener, for clients with the token. Without a token in the settings it does not
/// exist.
pub(in crate::web) async fn show(app: App, request: Request) -> Result<Response, Error> {
    let expected = app.metrics.token.as_ref().ok_or(Error::NoRoute)?;
    let given = request.bearer_token().unwrap_or_default();
    if !bool::from(given.as_bytes().ct_eq(expected.as_bytes())) {
        return Err(Error::Unauthenticated);
    }
    respond(&app).await
}

/// Metrics and health on a separate listener, which only monitoring should be able to reach. Cheap to clone.
#[derive(Clone, Debug)]
pub struct MetricsEndpoint {
    app: App,
}

impl MetricsEndpoint {
    /// Creates the endpoint of an application.
    pub fn new(app: App) -> Self {
        Self { app }
    }

    /// Answers one request: `GET /metrics`, `/health/live` and `/health/ready`.
    pub async fn answer(self, request: RawRequest, connection: Connection) -> RawResponse {
        let request = Request::new(request, connection);
        let id = request.id().to_owned();
        let tasks = self.app.tasks.clone();
        let answering = async {
            match (request.method(), request.path()) {
                (&Method::GET | &Method::HEAD, "/metrics") => respond(&self.app).await,
                (&Method::GET | &Method::HEAD, "/health/live") => health::live(self.app, request).await,
                (&Method::GET | &Method::HEAD, "/health/ready") => health::ready(self.app, request).await,
                _ => Err(Error::NoRoute),
            }
        };
        let answer = tasks.survive("request", answering).await.unwrap_or_else(|| Err(Error::panicked()));
        answer.unwrap_or_else(|error| error.into_text(&id)).into_hyper()
    }
}

async fn respond(app: &App) -> Result<Response, Error> {
    let metrics = app.metrics.clone();
    let text = tokio::task::spawn_blocking(move || metrics.render()).await.map_err(Error::internal)?;
    Ok(Response::bytes(StatusCode::OK, text).header(CONTENT_TYPE, TEXT))
}
