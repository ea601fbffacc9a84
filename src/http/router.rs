//! Routing of requests to handlers, by method and path.

use std::{collections::HashMap, fmt, pin::Pin};

use hyper::Method;
use percent_encoding::percent_decode_str;

use super::{Request, Response};

type Answer<E> = Pin<Box<dyn Future<Output = Result<Response, E>> + Send>>;
type Handler<S, E> = Box<dyn Fn(S, Request) -> Answer<E> + Send + Sync>;

/// A table of routes over a state `S`, whose handlers fail with `E`.
///
/// A handler is `async fn(S, Request) -> Result<Response, E>`. In a pattern, `{name}` stands for one segment of the
/// path; it becomes a parameter of that name. Doubled slashes and one at the end make no difference; case does. The
/// handler of GET also answers HEAD: hyper leaves the body out.
pub struct Router<S, E> {
    index: matchit::Router<usize>,
    positions: HashMap<&'static str, usize>,
    paths: Vec<Path<S, E>>,
}

struct Path<S, E> {
    pattern: &'static str,
    /// No method for the handler of all methods without one of their own.
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
    /// Panics if the pattern is malformed or contradicts another one.
    #[must_use]
    pub fn route<F, A>(self, method: Method, pattern: &'static str, handler: F) -> Self
    where
        F: Fn(S, Request) -> A + Send + Sync + 'static,
        A: Future<Output = Result<Response, E>> + Send + 'static,
    {
        self.add(Some(method), pattern, handler)
    }

    /// Adds a route for all methods that have no other one there. Panics as [`Router::route`] does.
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

    /// Returns every route: its pattern and its method, none for one of all methods.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, Option<&Method>)> {
        self.paths.iter().flat_map(|path| path.handlers.iter().map(|(method, _)| (path.pattern, method.as_ref())))
    }

    /// The pattern that has the path of a request. None when no pattern has it.
    pub fn at(&self, request: &Request) -> Option<At<'_, S, E>> {
        let matched = self.index.at(request.canonical_path()).ok()?;
        let decoded = |canonical| percent_decode_str(canonical).decode_utf8_lossy().into_owned();
        let params = matched.params.iter().map(|(name, canonical)| (name, decoded(canonical))).collect();
        Some(At { path: &self.paths[*matched.value], params })
    }

    /// Returns the handler for a request. None when no pattern matches its path, or the pattern has only other methods.
    pub fn find(&self, request: &mut Request) -> Option<Found<'_, S, E>> {
        self.at(request)?.find(request).ok()
    }
}

impl<S, E> fmt::Debug for Router<S, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(self.paths.iter().map(|path| path.pattern)).finish()
    }
}

/// The pattern that has the path of a request, and what the path has in the places of its parameters.
pub struct At<'a, S, E> {
    path: &'a Path<S, E>,
    params: Vec<(&'a str, String)>,
}

impl<'a, S, E> At<'a, S, E> {
    /// Returns true if a request can be for one of the methods of the path, once its body is read: `_method` in a
    /// POST's body names another method.
    pub fn may_have(&self, method: &Method) -> bool {
        let by_form = [Method::PUT, Method::PATCH, Method::DELETE];
        let path = self.path;
        path.handler(method).is_some()
            || (*method == Method::POST && by_form.iter().any(|put| path.handler(put).is_some()))
    }

    /// The methods that the path is for, those that its handler of all methods takes not among them.
    pub fn methods(&self) -> Methods {
        self.path.methods()
    }

    /// The handler for a request of this path, which gets the parameters of the path.
    ///
    /// # Errors
    ///
    /// The methods that the path is for, when that of the request is none of them.
    pub fn find(self, request: &mut Request) -> Result<Found<'a, S, E>, Methods> {
        let Self { path, params } = self;
        let handler = path.handler(request.method()).ok_or_else(|| path.methods())?;
        request.set_path_params(params);
        Ok(Found { pattern: path.pattern, handler })
    }
}

impl<S, E> Path<S, E> {
    fn handler(&self, method: &Method) -> Option<&Handler<S, E>> {
        let wanted = if method == Method::HEAD { &Method::GET } else { method };
        let of = |wanted: Option<&Method>| self.handlers.iter().find(|(method, _)| method.as_ref() == wanted);
        of(Some(wanted)).or_else(|| of(None)).map(|(_, handler)| handler)
    }

    fn methods(&self) -> Methods {
        let mut methods = Methods { names: Vec::new() };
        self.handlers.iter().filter_map(|(method, _)| method.as_ref()).for_each(|method| methods.add(method));
        methods
    }
}

impl<S, E> fmt::Debug for At<'_, S, E> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("At").field(&self.path.pattern).finish()
    }
}

/// The methods that a path is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Methods {
    names: Vec<Method>,
}

impl Methods {
    /// Creates the set of these methods.
    pub fn of(names: impl IntoIterator<Item = Method>) -> Self {
        Self { names: names.into_iter().collect() }
    }

    fn add(&mut self, method: &Method) {
        self.names.push(method.clone());
        if *method == Method::GET {
            self.names.push(Method::HEAD);
        }
    }
}

impl fmt::Display for Methods {
    /// Formats the methods as in a header: `GET, HEAD`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, method) in self.names.iter().enumerate() {
            let comma = if position > 0 { ", " } else { "" };
            write!(formatter, "{comma}{method}")?;
        }
        Ok(())
    }
}

/// The route that matches a request.
pub struct Found<'a, S, E> {
    pattern: &'static str,
    handler: &'a Handler<S, E>,
}

impl<S, E> Found<'_, S, E> {
    /// Returns the pattern of the route. Unlike the path, it holds nothing secret and can be logged.
    pub fn pattern(&self) -> &'static str {
        self.pattern
    }

    /// Calls the handler.
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

    #[test]
    fn a_path_says_its_methods() {
        let table = table();
        let at = |path: &str| table.at(&Request::test("TRACE", path, &[]));
        assert_eq!(at("/things/1").unwrap().methods().to_string(), "GET, HEAD, PUT");
        assert!(at("/nope").is_none());
        for (path, method, expected) in [
            ("/things", Method::HEAD, true),
            ("/things", Method::POST, false),
            ("/things/1", Method::POST, true),
            ("/things/1", Method::PATCH, false),
            ("/things/1/parts/2", Method::GET, false),
            ("/any", Method::TRACE, true),
        ] {
            assert_eq!(at(path).unwrap().may_have(&method), expected, "{method} {path}");
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
