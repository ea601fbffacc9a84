//! The endpoints. HTTP, accounts, database and sockets meet only here.
//!
//! [`Endpoint::answer`] is what happens to every request, in order; `routes` has every path in one table; [`Error`] turns
//! whatever went wrong into an answer.

mod account;
mod accounts;
mod admin;
mod admission;
mod api;
mod batch;
mod connect;
mod demo;
mod embedded;
mod error;
mod health;
mod invitations;
mod longpoll;
mod mailbox;
mod metrics;
mod pages;
pub mod quotas;
mod redirect;
mod revocation;
mod routes;
mod slug;
mod socket;
mod token_uses;
mod views;
mod visits;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    body::Incoming,
    header::{HeaderValue, ORIGIN, STRICT_TRANSPORT_SECURITY},
};

pub use self::{
    embedded::assets,
    error::Error,
    metrics::{Metrics, MetricsEndpoint},
    redirect::Redirect,
    token_uses::TokenUses,
    views::Views,
};
use self::{error::Audience, routes::Routes};
use crate::{
    app::App,
    http::{Connection, Request, Response, X_REQUEST_ID, accept, cors},
};

/// Everything behind the listener. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Endpoint {
    app: App,
    transports: Arc<Routes>,
    routes: Arc<Routes>,
    strict_transport: Option<HeaderValue>,
}

impl Endpoint {
    /// The endpoint of an application.
    pub fn new(app: App) -> Self {
        let (transports, routes) = (Arc::new(routes::transports()), Arc::new(routes::table()));
        Self { app, transports, routes, strict_transport: None }
    }

    /// Has browsers that come by https come by nothing else for so long; zero says nothing to them.
    #[must_use]
    pub fn with_strict_transport(self, lifetime: Duration) -> Self {
        let value = format!("max-age={}", lifetime.as_secs());
        let value = HeaderValue::try_from(value).expect("a number may stand in a header");
        Self { strict_transport: Some(value).filter(|_| !lifetime.is_zero()), ..self }
    }

    /// Answers one request, whatever is wrong with it.
    pub async fn answer(
        self,
        request: hyper::Request<Incoming>,
        connection: Connection,
    ) -> hyper::Response<Full<Bytes>> {
        let began = Instant::now();
        let request = Request::new(request, connection);
        let (method, client) = (request.method().clone(), request.client_addr());
        let id = request.id().to_owned();
        // What a preflight is answered says itself what is allowed.
        let cross_origin = request.headers().contains_key(ORIGIN) && !cors::is_preflight(&request);
        let (audience, is_secure) = (Audience::of(&request), request.is_secure());

        let mut route = "-";
        let response = match self.respond(request, &mut route).await {
            Ok(response) => response,
            Err(error) => {
                self.app.metrics.failed(&error);
                let navigation = error.navigation(&audience, &self.app).await;
                error.into_response(&audience, &self.app.pages.views, navigation, &id)
            }
        };
        // The route and not the path, which can hold a token; never the query.
        let (status, took) = (response.status(), began.elapsed());
        self.app.metrics.answered(&method, route, status, took);
        let (status, duration_ms) = (status.as_u16(), took.as_micros() as f64 / 1000.0);
        tracing::info!(request_id = id, %client, %method, route, status, duration_ms, "Answered a request.");
        let response = match &self.strict_transport {
            Some(value) if is_secure => response.header(STRICT_TRANSPORT_SECURITY, value.clone()),
            _ => response,
        };
        cors::allow(response, cross_origin).with_text(X_REQUEST_ID, &id).into_hyper()
    }

    /// The order is that of the original: long-polling, files, then the body, then the route, then `Accept`.
    async fn respond(&self, mut request: Request, route: &mut &'static str) -> Result<Response, Error> {
        request.check_head()?;
        if let Some(found) = self.transports.find(&mut request) {
            *route = found.pattern();
            return found.call(self.app.clone(), request).await;
        }
        if let Some(decision) = cors::preflight(&request) {
            return Ok(decision);
        }
        if let Some(file) = self.app.pages.assets.respond(&request) {
            *route = "(asset)";
            return Ok(file);
        }
        request.read_params(&self.app.bodies).await?;
        let found = self.routes.find(&mut request).ok_or(Error::NoRoute)?;
        *route = found.pattern();
        if found.pattern().starts_with("/api/") {
            accept::json(&request)?;
        }
        found.call(self.app.clone(), request).await
    }
}
