//! The rule of the table of routes: a route under `/api` names its credential and what it needs of the token's scope, or is
//! marked as open.

use super::{Error, api::caller::Credential, routes::Routes};
use crate::{
    http::{Method, Request, Response},
    store::token_scope::Capability,
    web::App,
};

/// The prefix of the paths that need a credential.
const API: &str = "/api";

/// A table of routes under construction.
#[derive(Debug, Default)]
pub(super) struct Table(Routes);

impl Table {
    /// Adds a route outside of `/api`. Pages ask for a session themselves.
    ///
    /// # Panics
    ///
    /// For a path under `/api`, which needs [`Table::rest`] or [`Table::open`]; and as [`Router::route`] does.
    ///
    /// [`Router::route`]: crate::http::Router::route
    #[must_use]
    pub(super) fn route<F, A>(self, method: Method, pattern: &'static str, handler: F) -> Self
    where
        F: Fn(App, Request) -> A + Send + Sync + 'static,
        A: Future<Output = Result<Response, Error>> + Send + 'static,
    {
        assert!(!is_api(pattern), "{pattern} does not say which credential it needs");
        Self(self.0.route(method, pattern, handler))
    }

    /// Adds a route outside of `/api` for every method without one of its own. Panics as [`Table::route`] does.
    #[must_use]
    pub(super) fn any<F, A>(self, pattern: &'static str, handler: F) -> Self
    where
        F: Fn(App, Request) -> A + Send + Sync + 'static,
        A: Future<Output = Result<Response, Error>> + Send + 'static,
    {
        assert!(!is_api(pattern), "{pattern} does not say which credential it needs");
        Self(self.0.any(pattern, handler))
    }

    /// Adds a route under `/api` whose handler gets the credential `C`, and is not called without one. The scope of the
    /// caller's token has to permit what the route needs.
    ///
    /// # Panics
    ///
    /// For a route that needs no more than [`Capability::Read`] and is not a GET; and as [`Router::route`] does.
    ///
    /// [`Router::route`]: crate::http::Router::route
    #[must_use]
    pub(super) fn rest<C, F, A>(self, method: Method, pattern: &'static str, needs: Capability, handler: F) -> Self
    where
        C: Credential,
        F: Fn(App, Request, C) -> A + Copy + Send + Sync + 'static,
        A: Future<Output = Result<Response, Error>> + Send + 'static,
    {
        assert!(is_api(pattern), "{pattern} is not under {API}");
        assert!(needs != Capability::Read || method == Method::GET, "{method} {pattern} does more than to read");
        let recognized = move |app: App, request: Request| async move {
            let credential = C::recognize(&app, &request, needs).await?;
            handler(app, request, credential).await
        };
        Self(self.0.route(method, pattern, recognized))
    }

    /// Adds a route under `/api` that needs no credential.
    #[must_use]
    pub(super) fn open<F, A>(self, method: Method, pattern: &'static str, handler: F) -> Self
    where
        F: Fn(App, Request) -> A + Send + Sync + 'static,
        A: Future<Output = Result<Response, Error>> + Send + 'static,
    {
        assert!(is_api(pattern), "{pattern} is not under {API}");
        Self(self.0.route(method, pattern, handler))
    }

    /// Returns the table, for look-ups.
    pub(super) fn into_routes(self) -> Routes {
        self.0
    }
}

/// Returns true if requests for `/api` can match this pattern: also when its first segment is a parameter.
fn is_api(pattern: &str) -> bool {
    let first = pattern.split('/').find(|segment| !segment.is_empty()).unwrap_or_default();
    first == "api" || first.contains('{')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{http::StatusCode, web::api::caller::Caller};

    async fn to_caller(_: App, _: Request, _: Caller) -> Result<Response, Error> {
        Ok(Response::empty(StatusCode::OK))
    }

    async fn answer(_: App, _: Request) -> Result<Response, Error> {
        Ok(Response::empty(StatusCode::OK))
    }

    #[test]
    #[should_panic(expected = "does not say which credential it needs")]
    fn a_route_of_the_api_cannot_forget_its_credential() {
        drop(Table::default().route(Method::GET, "/api/secrets", answer));
    }

    #[test]
    #[should_panic(expected = "does not say which credential it needs")]
    fn nor_can_one_for_every_method() {
        drop(Table::default().any("/api", answer));
    }

    #[test]
    #[should_panic(expected = "does more than to read")]
    fn a_token_that_reads_changes_nothing() {
        drop(Table::default().rest(Method::DELETE, "/api/secrets", Capability::Read, to_caller));
    }

    #[test]
    #[should_panic(expected = "does not say which credential it needs")]
    fn a_parameter_at_the_root_would_take_requests_for_the_api() {
        drop(Table::default().route(Method::GET, "/{any}/secrets", answer));
    }
}
