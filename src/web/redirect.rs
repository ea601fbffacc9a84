//! The port without encryption, which redirects to the one with it.

use crate::http::{Connection, RawRequest, RawResponse, Request, Response, StatusCode, header::LOCATION};

/// Redirects every request to https. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Redirect {
    /// Target; without it, the host of the request, at `port`.
    public_url: Option<String>,
    port: u16,
}

impl Redirect {
    /// Creates a redirect to `public_url`, or else to the same host at `port`.
    pub fn to(public_url: Option<String>, port: u16) -> Self {
        Self { public_url: public_url.filter(|url| url.starts_with("https://")), port }
    }

    /// Answers with 308, which keeps method and body; with 400 if the request names no host.
    pub async fn answer(self, request: RawRequest, connection: Connection) -> RawResponse {
        self.respond(&Request::new(request, connection)).into_hyper()
    }

    fn respond(&self, request: &Request) -> Response {
        let Some(base) = self.public_url.clone().or_else(|| self.same_host(request)) else {
            return Response::text(StatusCode::BAD_REQUEST, "this port speaks https only\n");
        };
        let query = request.query().map(|query| format!("?{query}")).unwrap_or_default();
        let location = format!("{base}{}{query}", request.path());
        Response::empty(StatusCode::PERMANENT_REDIRECT).with_text(LOCATION, &location)
    }

    fn same_host(&self, request: &Request) -> Option<String> {
        let host = without_port(request.host()?);
        Some(match self.port {
            443 => format!("https://{host}"),
            port => format!("https://{host}:{port}"),
        })
    }
}

/// Returns a host without its port; the colons of an IPv6 address are in brackets.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(redirect: &Redirect, uri: &str, host: Option<&str>) -> Option<String> {
        let headers: Vec<_> = host.map(|host| ("x-forwarded-host", host)).into_iter().collect();
        let response = redirect.respond(&Request::test("GET", uri, &headers));
        let location = response.headers().get(LOCATION)?.to_str().unwrap().to_owned();
        assert_eq!(response.status(), StatusCode::PERMANENT_REDIRECT);
        Some(location)
    }

    #[test]
    fn the_same_is_asked_for_again_by_https() {
        let (usual, other) = (Redirect::to(None, 443), Redirect::to(None, 8443));
        for (redirect, uri, host, expected) in [
            (&usual, "/a%2Fb?c=%20d", None, Some("https://test/a%2Fb?c=%20d")),
            (&usual, "/", Some("chat.example.com:80"), Some("https://chat.example.com/")),
            (&other, "/", Some("chat.example.com"), Some("https://chat.example.com:8443/")),
            (&other, "/", Some("[::1]:80"), Some("https://[::1]:8443/")),
            (&other, "/", Some("[::1]"), Some("https://[::1]:8443/")),
            (&usual, "//evil.example/", None, Some("https://test//evil.example/")),
            (&usual, "/", Some("evil.example/?"), None),
        ] {
            assert_eq!(location(redirect, uri, host).as_deref(), expected, "{uri} {host:?}");
        }
    }

    #[test]
    fn a_public_url_says_where() {
        let redirect = Redirect::to(Some("https://chat.example.com".to_owned()), 8443);
        assert_eq!(location(&redirect, "/demo", None).unwrap(), "https://chat.example.com/demo");
        let plain = Redirect::to(Some("http://chat.example.com".to_owned()), 8443);
        assert_eq!(location(&plain, "/demo", None).unwrap(), "https://test:8443/demo", "never to where it came from");
    }
}
