//! The endpoints. HTTP, accounts, database and sockets meet only here.
//!
//! [`Endpoint::answer`] has the steps of every request, in order; `routes` has every path in one table; [`Error`] turns
//! every failure into an answer.

mod admin;
mod admission;
mod api;
mod app;
mod batch;
mod connect;
mod demo;
mod diagnose;
mod effects;
mod embedded;
mod error;
mod forbidden;
mod health;
mod invitations;
mod longpoll;
mod mailbox;
mod metrics;
mod pages;
mod password_changed;
mod portal;
mod recent_refusals;
mod redirect;
mod restrictions;
mod routes;
mod session;
mod sign_in;
mod socket;
pub mod sweep;
mod table;
mod token_form;
mod views;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

pub(crate) use self::effects::carry_out;
pub use self::{
    app::{Accounts, App, Pages, Site, UserQuotas},
    embedded::assets,
    error::Error,
    forbidden::Forbidden,
    metrics::{Metrics, MetricsEndpoint},
    recent_refusals::{RecentRefusal, RecentRefusals},
    redirect::Redirect,
    views::Views,
};
use self::{error::Audience, routes::Routes};
use crate::http::{
    Connection, Method, Methods, RawRequest, RawResponse, Request, Response, X_REQUEST_ID, accept, cors,
    header::{ALLOW, HeaderValue, ORIGIN, STRICT_TRANSPORT_SECURITY},
};

/// The service behind the listener. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Endpoint {
    app: App,
    transports: Arc<Routes>,
    routes: Arc<Routes>,
    strict_transport: Option<HeaderValue>,
}

impl Endpoint {
    /// Creates the endpoint of an application.
    pub fn new(app: App) -> Self {
        let (transports, routes) = (Arc::new(routes::transports()), Arc::new(routes::table()));
        Self { app, transports, routes, strict_transport: None }
    }

    /// Returns every route that answers after the body was read: its pattern and its method, none for one of all
    /// methods.
    pub fn routes(&self) -> impl Iterator<Item = (&'static str, Option<&Method>)> {
        self.routes.iter()
    }

    /// Tells browsers that come by https to use nothing else for this time; zero sends no such header.
    #[must_use]
    pub fn with_strict_transport(self, lifetime: Duration) -> Self {
        let value = format!("max-age={}", lifetime.as_secs());
        let value = HeaderValue::try_from(value).expect("a number may stand in a header");
        Self { strict_transport: Some(value).filter(|_| !lifetime.is_zero()), ..self }
    }

    /// Answers one request, also an invalid one.
    pub async fn answer(self, request: RawRequest, connection: Connection) -> RawResponse {
        let began = Instant::now();
        let request = Request::new(request, connection);
        let (method, client) = (request.method().clone(), request.client_addr());
        let id = request.id().to_owned();
        // The answers to preflights and of files set their own permissions.
        let cross_origin =
            request.headers().contains_key(ORIGIN) && !cors::is_preflight(&request) && is_for_programs(&request);
        let (audience, is_secure) = (Audience::of(&request), request.is_secure());

        let mut route = "-";
        let responding = self.app.tasks.survive("request", self.respond(request, &mut route)).await;
        let response = match responding.unwrap_or_else(|| Err(Error::panicked())) {
            Ok(response) => response,
            Err(error) => {
                self.app.metrics.failed(&error);
                let navigation = error.navigation(&audience, &self.app).await;
                error.into_response(&audience, &self.app.pages.views, navigation, &id)
            }
        };
        // Logs the route and not the path, which can hold a token; never the query.
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

    /// Answers in the order of the original: long-polling, files, then the route and `Accept`. A request without a
    /// route is refused before its body is read (D38).
    async fn respond(&self, mut request: Request, route: &mut &'static str) -> Result<Response, Error> {
        #[cfg(test)]
        assert!(request.path() != "/a/panic/on/purpose");
        request.check_head()?;
        if let Some(found) = self.transports.find(&mut request) {
            *route = found.pattern();
            return found.call(self.app.clone(), request).await;
        }
        if is_for_programs(&request)
            && let Some(decision) = cors::preflight(&request)
        {
            return Ok(decision);
        }
        let Some(at) = self.routes.at(&request) else {
            if let Some(file) = self.app.pages.assets.respond(&request) {
                *route = "(asset)";
                return Ok(file);
            }
            let error = self.no_route(&request);
            request.discard_body(&self.app.bodies).await;
            return error;
        };
        if !at.may_have(request.method()) {
            request.discard_body(&self.app.bodies).await;
            return refuse(at.methods(), &request);
        }
        request.read_params(&self.app.bodies).await?;
        let found = match at.find(&mut request) {
            Ok(found) => found,
            Err(methods) => return refuse(methods, &request),
        };
        *route = found.pattern();
        if found.pattern().starts_with("/api/") {
            accept::json(&request)?;
        }
        found.call(self.app.clone(), request).await
    }

    /// Answers a path that no route has. It may be that of a file, with a method that files do not have.
    fn no_route(&self, request: &Request) -> Result<Response, Error> {
        if self.app.pages.assets.has(request) {
            return refuse(Methods::of([Method::GET, Method::HEAD]), request);
        }
        Err(Error::NoRoute)
    }
}

/// Answers a method that a path does not accept. Under `/api` that is 404, as in the original, also to OPTIONS.
fn refuse(methods: Methods, request: &Request) -> Result<Response, Error> {
    let is_api = request.is_below("api");
    if request.method() == Method::OPTIONS && !is_api {
        return Ok(Response::no_content().with_text(ALLOW, &format!("{methods}, OPTIONS")));
    }
    Err(Error::WrongMethod { methods, is_api })
}

/// Returns true if pages of other origins may use this path.
fn is_for_programs(request: &Request) -> bool {
    request.is_below("api") || request.is_below("socket")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_has_the_path_of_a_route() {
        let (routes, assets) = (routes::table(), assets());
        let paths: Vec<String> = assets.paths().map(|path| format!("/{path}")).collect();
        assert!(!paths.is_empty());
        for path in paths {
            assert!(routes.at(&Request::test("GET", &path, &[])).is_none(), "{path}");
        }
    }
}
