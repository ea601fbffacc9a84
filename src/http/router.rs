//! Which handler answers which method and path.

use std::{collections::HashMap, fmt, pin::Pin};

use hyper::Method;

use super::{Request, Response};

type Answer<E> = Pin<Box<dyn Future<Output = Result<Response, E>> + Send>>;
type Handler<S, E> = Box<dyn Fn(S, Request) -> Answer<E> + Send + Sync>;

/// A table of routes over a state `S`, whose handlers fail with `E`.
///
/// A handler is `async fn(S, Request) -> Result<Response, E>`. In a pattern, `{name}` stands for one segment of the path;
/// it becomes a parameter of that name. Doubled slashes and one at the end make no difference; case does. HEAD is
/// answered by the handler of GET: hyper leaves the body out.
pub struct Router<S, E> {
    index: matchit::Router<usize>,
    positions: HashMap<&'static str, usize>,
    paths: Vec<Path<S, E>>,
}

struct Path<S, E> {
    pattern: &'static str,
    /// Without a method, for those that have no other one.
    handlers: Vec<(Option<Method>, Handler<S, E>)>,
}

impl<S, E> Default for Router<S, E> {
    fn default() -> Self {
        Self { index: matchit::Router::new(), positions: HashMap::new(), paths: Vec::new() }
    }
}

impl<S, E> Router<S, E> {
    /// Adds a route.
    ///
    /// # Panics
    ///
    /// When the pattern is malformed or contradicts another one.
    #[must_use]
    pub fn route<F, A>(self, method: Method, pattern: &'static str, handler: F) -> Self
    where
        F: Fn(S, Request) -> A + Send + Sync + 'static,
        A: Future<Output = Result<Response, E>> + Send + 'static,
    {
        self.add(Some(method), pattern, handler)
    }

    /// Adds a route for whatever method has no other one there. Panics as [`Router::route`] does.
    #[must_use]
    pub fn any<F, A>(self, pattern: &'static str, handler: F) -> Self
    where
        F: Fn(S, Request) -> A + Send + Sync + 'static,
        A: Future<Output = Result<Response, E>> + Send + 'static,
    {
        self.add(None, pattern, handler)
    }

    fn add<F, A>(mut self, method: Option<Method>, pattern: &'static str, handler: F) -> Self
    where
        F: Fn(S, Request) -> A + Send + Sync + 'static,
        A: Future<Output = Result<Response, E>> + Send + 'static,
    {
        let position = *self.positions.entry(pattern).or_insert_with(|| {
            self.index.insert(pattern, self.paths.len()).expect("the patterns of a table of routes agree");
            self.paths.push(Path { pattern, handlers: Vec::new() });
            self.paths.len() - 1
        });
        let handler: Handler<S, E> = Box::new(move |state, request| Box::pin(handler(state, request)));
        self.paths[position].handlers.push((method, handler));
        self
    }

    /// The handler for a request. None when no pattern has its path, or that pattern another method.
    pub fn find(&self, request: &mut Request) -> Option<Found<'_, S, E>> {
        let canonical = request.canonical_path();
        let matched = self.index.at(&canonical).ok()?;
        let path = &self.paths[*matched.value];
        let wanted = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
        let of = |wanted: Option<&Method>| path.handlers.iter().find(|(method, _)| method.as_ref() == wanted);
        let (_, handler) = of(Some(wanted)).or_else(|| of(None))?;
        request.set_path_params(matched.params.iter());
        Some(Found { pattern: path.pattern, handler })
    }
}

impl<S, E> fmt::Debug for Router<S, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.paths.iter().map(|path| path.pattern)).finish()
    }
}

/// A route that a request was found to be for.
pub struct Found<'a, S, E> {
    pattern: &'static str,
    handler: &'a Handler<S, E>,
}

impl<S, E> Found<'_, S, E> {
    /// The pattern of the route. Unlike the path, it holds nothing secret and can be logged.
    pub fn pattern(&self) -> &'static str {
        self.pattern
    }

    /// Lets the handler answer.
    pub fn call(&self, state: S, request: Request) -> impl Future<Output = Result<Response, E>> + Send + use<S, E> {
        (self.handler)(state, request)
    }
}

impl<S, E> fmt::Debug for Found<'_, S, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Found").field(&self.pattern).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::StatusCode;

    async fn say(what: &'static str, request: Request) -> Result<Response, ()> {
        let id = request.params().text("id").unwrap_or_default();
        Ok(Response::text(StatusCode::OK, format!("{what} {id}")))
    }

    fn table() -> Router<&'static str, ()> {
        Router::default()
            .route(Method::GET, "/", say)
            .route(Method::GET, "/things", say)
            .route(Method::GET, "/things/{id}", say)
            .route(Method::PUT, "/things/{id}", say)
            .route(Method::POST, "/things/{thing_id}/parts/{id}", say)
            .any("/any", say)
    }

    fn found(method: &str, path: &str) -> Option<&'static str> {
        table().find(&mut Request::test(method, path, &[])).map(|found| found.pattern())
    }

    #[test]
    fn finds_by_method_and_path() {
        for (method, path, pattern) in [
            ("GET", "/", Some("/")),
            ("GET", "//things/", Some("/things")),
            ("HEAD", "/things", Some("/things")),
            ("GET", "/th%69ngs", Some("/things")),
            ("PUT", "/things/1", Some("/things/{id}")),
            ("GET", "/things/a%2Fb", Some("/things/{id}")),
            ("POST", "/things/1/parts/2", Some("/things/{thing_id}/parts/{id}")),
            ("GET", "/any", Some("/any")),
            ("FOO", "/any", Some("/any")),
            ("GET", "/THINGS", None),
            ("POST", "/things", None),
            ("OPTIONS", "/things", None),
            ("FOO", "/things", None),
            ("GET", "/things/1/parts", None),
            ("GET", "/things/1/parts/2", None),
            ("GET", "/nope", None),
        ] {
            assert_eq!(found(method, path), pattern, "{method} {path}");
        }
    }

    #[tokio::test]
    async fn parameters_of_the_path_are_decoded_and_win_over_the_query() {
        let table = table();
        let mut request = Request::test("GET", "/things/a%2Fb%25%20%E2%98%83?id=query", &[]);
        let found = table.find(&mut request).unwrap();
        assert_eq!(request.path_param("id"), "a/b% \u{2603}");
        assert_eq!(found.call("state", request).await.unwrap().status(), StatusCode::OK);
    }
}
