//! Cross-origin requests: every origin is allowed, and none with credentials.
//!
//! Since `access-control-allow-origin` is `*`, browsers neither send cookies nor show answers that depend on them: a
//! page of another origin sees the same as any client with the same token.

use hyper::{
    Method, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, HeaderValue, ORIGIN,
    },
};

use super::{Request, Response};

const ANY: HeaderValue = HeaderValue::from_static("*");
const METHODS: &str = "OPTIONS, HEAD, GET, POST, PUT, PATCH, DELETE";
const HEADERS: &str = "authorization, origin, sec-websocket-key, sec-websocket-version, sec-websocket-protocol, host, \
    connection, upgrade, content-type, sec-websocket-accept, sec-websocket-protocol";

/// Returns the answer to a preflight: the permissions, or 403 without any if it asks for more. None for every other
/// request, OPTIONS without `Origin` or `Access-Control-Request-Method` included.
pub fn preflight(request: &Request) -> Option<Response> {
    let wanted = request.headers().get(ACCESS_CONTROL_REQUEST_METHOD).filter(|_| is_preflight(request))?;
    let method = wanted.to_str().is_ok_and(|wanted| list(METHODS).any(|method| method == wanted));
    let headers = list(request.header(ACCESS_CONTROL_REQUEST_HEADERS).unwrap_or_default())
        .all(|wanted| list(HEADERS).any(|header| header.eq_ignore_ascii_case(wanted)));
    if !method || !headers {
        return Some(Response::empty(StatusCode::FORBIDDEN));
    }
    let allowed = Response::empty(StatusCode::OK)
        .header(ACCESS_CONTROL_ALLOW_ORIGIN, ANY)
        .header(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS))
        .header(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(HEADERS));
    Some(allowed)
}

/// Returns true if a browser asks for permission to send a request of a page.
pub fn is_preflight(request: &Request) -> bool {
    let headers = request.headers();
    let asks = headers.contains_key(ORIGIN) && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    asks && request.method() == Method::OPTIONS
}

/// Lets a page of another origin see the answer. `cross_origin` says whether the request had an `Origin`.
pub fn allow(response: Response, cross_origin: bool) -> Response {
    if cross_origin { response.header(ACCESS_CONTROL_ALLOW_ORIGIN, ANY) } else { response }
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(method: &str, headers: &[(&str, &str)]) -> Option<(StatusCode, bool)> {
        let response = preflight(&Request::test(method, "/api/sessions", headers))?;
        Some((response.status(), response.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN)))
    }

    #[test]
    fn preflights_as_recorded() {
        let origin = ("origin", "http://example.com");
        let method = |method| ("access-control-request-method", method);
        let headers = |headers| ("access-control-request-headers", headers);
        let allowed = Some((StatusCode::OK, true));
        let refused = Some((StatusCode::FORBIDDEN, false));

        assert_eq!(answer("OPTIONS", &[origin, method("POST")]), allowed);
        assert_eq!(answer("OPTIONS", &[origin, method("PUT"), headers("Authorization,content-type")]), allowed);
        assert_eq!(answer("OPTIONS", &[origin, method("GET"), headers("x-foo")]), refused);
        assert_eq!(answer("OPTIONS", &[origin, method("TRACE")]), refused);
        assert_eq!(answer("OPTIONS", &[origin]), None);
        assert_eq!(answer("OPTIONS", &[method("POST")]), None);
        assert_eq!(answer("POST", &[origin, method("POST")]), None);
    }
}
