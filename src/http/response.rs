//! Finished answers.

use bytes::Bytes;
use hyper::{
    HeaderMap, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, SET_COOKIE},
};
use percent_encoding::{CONTROLS, utf8_percent_encode};
use serde::Serialize;

use super::{Body, Cookie};

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const PRIVATE: HeaderValue = HeaderValue::from_static("max-age=0, private, must-revalidate");

/// An answer with its whole body in memory.
#[derive(Debug)]
pub struct Response {
    inner: hyper::Response<Body>,
}

impl Response {
    /// Creates an answer without body.
    pub fn empty(status: StatusCode) -> Self {
        Self::bytes(status, Bytes::new())
    }

    /// Creates an answer of bytes; the caller sets its `content-type`.
    pub fn bytes(status: StatusCode, body: impl Into<Bytes>) -> Self {
        let mut inner = hyper::Response::new(Body::new(body.into()));
        *inner.status_mut() = status;
        Self { inner }
    }

    /// Creates an answer in JSON.
    ///
    /// # Panics
    ///
    /// Panics if `body` cannot be written as JSON: a map whose keys are no strings, or a failing `Serialize`.
    pub fn json<T: Serialize + ?Sized>(status: StatusCode, body: &T) -> Self {
        let body = serde_json::to_vec(body).expect("answers are types that can be written as JSON");
        Self::bytes(status, body).header(CONTENT_TYPE, JSON)
    }

    /// Creates a page.
    pub fn html(status: StatusCode, body: String) -> Self {
        Self::bytes(status, body).header(CONTENT_TYPE, HTML)
    }

    /// Creates an answer of plain text.
    pub fn text(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self::bytes(status, body).header(CONTENT_TYPE, TEXT)
    }

    /// Creates a 204: done, without a body.
    pub fn no_content() -> Self {
        Self::empty(StatusCode::NO_CONTENT)
    }

    /// Creates a 303: the client fetches `path` instead, by GET.
    pub fn see_other(path: &str) -> Self {
        Self::empty(StatusCode::SEE_OTHER).with_text(LOCATION, path)
    }

    /// Sets a cookie, beside those of other names.
    #[must_use]
    pub fn cookie(mut self, cookie: &Cookie) -> Self {
        self.inner.headers_mut().append(SET_COOKIE, cookie.to_header());
        self
    }

    /// Sets a header, in place of an earlier one of that name.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.inner.headers_mut().insert(name, value);
        self
    }

    /// Sets a header to a text, percent-encoding characters that it may not contain: controls and non-ASCII ones.
    #[must_use]
    pub fn with_text(self, name: HeaderName, text: &str) -> Self {
        let escaped = utf8_percent_encode(text, CONTROLS).to_string();
        self.header(name, HeaderValue::try_from(escaped).expect("controls and what is no ASCII are escaped"))
    }

    /// Marks the body as in memory anyway, as a file's is: sending it takes none from the budget.
    #[must_use]
    pub fn shared(mut self) -> Self {
        self.inner.body_mut().share();
        self
    }

    /// Sets a function to call when the whole answer is handed to the operating system. It is dropped uncalled if that
    /// never happens.
    #[must_use]
    pub fn when_sent(mut self, when_sent: impl FnOnce() + Send + Sync + 'static) -> Self {
        self.inner.body_mut().when_sent(when_sent);
        self
    }

    /// Returns the status.
    pub fn status(&self) -> StatusCode {
        self.inner.status()
    }

    /// Returns the headers.
    pub fn headers(&self) -> &HeaderMap {
        self.inner.headers()
    }

    /// Returns the answer as hyper sends it. An answer that sets no caching is private and fresh only now.
    pub fn into_hyper(mut self) -> hyper::Response<Body> {
        self.inner.headers_mut().entry(CACHE_CONTROL).or_insert(PRIVATE);
        self.inner
    }
}
