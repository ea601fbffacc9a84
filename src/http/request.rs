//! One request, with its path decoded and its parameters merged.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use bytes::Bytes;
use hyper::{
    HeaderMap, Method, Version,
    body::Incoming,
    header::{AUTHORIZATION, COOKIE, HOST, HeaderName},
    http::{request::Parts, uri::Authority},
    upgrade::OnUpgrade,
};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

use super::{
    Bodies, Error, Params, TrustedProxies,
    body::{self, Taken},
    cookie,
    forwarded::Way,
    percent,
};

/// The header that names a request in logs, here and at a proxy before it.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The TCP connection a request came on. It stays counted against the server's limit until the last clone is dropped,
/// so that whoever takes over an upgraded stream keeps one.
#[derive(Clone, Debug)]
pub struct Connection {
    peer: SocketAddr,
    proxies: TrustedProxies,
    is_encrypted: bool,
    /// Cancelled when the body of the request that it is for has been read.
    body_read: Option<CancellationToken>,
    _permit: Arc<OwnedSemaphorePermit>,
}

impl Connection {
    /// A connection from `peer` that holds `permit` while it is open. If the peer is one of `proxies`, what it says of its
    /// clients is believed.
    pub fn new(peer: SocketAddr, proxies: TrustedProxies, permit: OwnedSemaphorePermit) -> Self {
        Self { peer, proxies, is_encrypted: false, body_read: None, _permit: Arc::new(permit) }
    }

    /// The connection, once its TLS handshake is done.
    #[must_use]
    pub fn encrypted(self) -> Self {
        Self { is_encrypted: true, ..self }
    }

    /// The connection, for a request with a body; the token is cancelled when that has been read.
    #[must_use]
    pub fn with_body(self, read: CancellationToken) -> Self {
        Self { body_read: Some(read), ..self }
    }

    fn note_body_read(&self) {
        if let Some(read) = &self.body_read {
            read.cancel();
        }
    }

    /// Where the connection comes from: the client, or the proxy before this server.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }
}

/// A request whose head is checked. Its body is read by [`Request::read_params`].
#[derive(Debug)]
pub struct Request {
    head: Parts,
    /// The method to route by: `_method` in a body may override it.
    method: Method,
    segments: Vec<String>,
    params: Params,
    id: String,
    connection: Connection,
    body: Option<Incoming>,
    /// What its body takes, until it is answered.
    taken: Taken,
    pub(super) upgrade: Option<OnUpgrade>,
}

impl Request {
    /// Takes over a request from hyper. What is wrong with its head is found by [`Request::check_head`], so that even a
    /// malformed request has an id and can be answered like others.
    pub fn new(mut request: hyper::Request<Incoming>, connection: Connection) -> Self {
        let upgrade = hyper::upgrade::on(&mut request);
        let (head, body) = request.into_parts();
        Self { upgrade: Some(upgrade), body: Some(body), ..Self::from_head(head, connection) }
    }

    fn from_head(head: Parts, connection: Connection) -> Self {
        Self {
            method: head.method.clone(),
            id: request_id(&head.headers),
            head,
            segments: Vec::new(),
            params: Params::default(),
            connection,
            body: None,
            taken: Taken::default(),
            upgrade: None,
        }
    }

    /// Decodes path and query, and checks that the request says which host it is for.
    ///
    /// # Errors
    ///
    /// [`Error::BadRequest`] for HTTP/1.1 without exactly one `Host`, and for malformed escapes.
    pub fn check_head(&mut self) -> Result<(), Error> {
        let hosts = self.head.headers.get_all(HOST).iter().count();
        if hosts > 1 || (hosts == 0 && self.head.version == Version::HTTP_11) {
            return Err(Error::bad_request("the request must have one Host header"));
        }
        let segments = self.path().split('/').filter(|segment| !segment.is_empty());
        self.segments = segments.map(percent::decode_segment).collect::<Result<_, _>>()?;
        self.params = Params::from_query(self.head.uri.query().unwrap_or_default())?;
        Ok(())
    }

    /// Reads the body of a POST, PUT, PATCH or DELETE and adds its parameters. A POST becomes what `_method` in its body
    /// says: PUT, PATCH or DELETE, the way HTML forms ask for them.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the body; see [`Error`].
    pub async fn read_params(&mut self, bodies: &Bodies) -> Result<(), Error> {
        if !matches!(self.method, Method::POST | Method::PUT | Method::PATCH | Method::DELETE) {
            return Ok(());
        }
        let Some(body) = self.body.take() else { return Ok(()) };
        let (from_body, taken) = body::read_params(&self.head.headers, body, bodies).await?;
        self.connection.note_body_read();
        self.taken = taken;
        if self.method == Method::POST {
            self.method = overriding_method(&from_body).unwrap_or(Method::POST);
        }
        self.params.merge(from_body);
        Ok(())
    }

    /// Reads the body as it is, instead of its parameters. It is empty when it was read before.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with the body; see [`Error`].
    pub async fn read_body(&mut self, bodies: &Bodies) -> Result<Bytes, Error> {
        let Some(body) = self.body.take() else { return Ok(Bytes::new()) };
        let (bytes, taken) = body::read_whole(&self.head.headers, body, bodies).await?;
        self.connection.note_body_read();
        self.taken = taken;
        Ok(bytes)
    }

    /// Reads the body and drops it, for an answer that does not depend on it; see [`Bodies`] for how far.
    pub async fn discard_body(&mut self, bodies: &Bodies) {
        if let Some(body) = self.body.take() {
            body::discard_whole(body, bodies).await;
            self.connection.note_body_read();
        }
    }

    /// The method, with HEAD and what `_method` says as they are.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The path as it was sent.
    pub fn path(&self) -> &str {
        self.head.uri.path()
    }

    /// The query as it was sent, without `?`. It may hold secrets: keep it out of logs.
    pub fn query(&self) -> Option<&str> {
        self.head.uri.query()
    }

    /// The decoded segments of the path; empty ones (`//`, a slash at the end) are left out.
    pub fn segments(&self) -> &[String] {
        &self.segments
    }

    /// The version of HTTP.
    pub fn version(&self) -> Version {
        self.head.version
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// A header's value when there is one and it is visible ASCII.
    pub fn header(&self, name: HeaderName) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }

    /// The value of the cookie of this name, the first one if there are several.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let headers = self.head.headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
        headers.flat_map(cookie::pairs).find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    /// The token of the first `Authorization: Bearer …`: the scheme in any case, perhaps a colon, then any number of
    /// spaces, as Guardian takes it.
    pub fn bearer_token(&self) -> Option<&str> {
        let headers = self.head.headers.get_all(AUTHORIZATION).into_iter().filter_map(|value| value.to_str().ok());
        headers.map(str::trim).find_map(|credentials| {
            let (scheme, token) = credentials.split_once(' ')?;
            let is_bearer = scheme.strip_suffix(':').unwrap_or(scheme).eq_ignore_ascii_case("bearer");
            is_bearer.then(|| token.trim())
        })
    }

    /// The parameters: of query, body and path.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// A parameter of the path, such as `organization_id` of `/api/organizations/{organization_id}`.
    ///
    /// # Panics
    ///
    /// When the route has no such parameter, which its first request shows.
    pub fn path_param(&self, name: &str) -> String {
        self.params.text(name).expect("the pattern of the route has this parameter")
    }

    /// The id of the request, from the peer or made here; 20 to 200 characters of visible ASCII.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The address of the client: the peer's, or what trusted proxies say. An IPv4 address is never in IPv6 form.
    pub fn client_addr(&self) -> IpAddr {
        self.way().client
    }

    /// Whether the client's connection is encrypted, as trusted proxies say or as it is here.
    pub fn is_secure(&self) -> bool {
        self.way().is_secure(self.headers()).unwrap_or(self.connection.is_encrypted)
    }

    /// The host that the client asked for, with its port unless that is the usual one. `None` when there is none or it could
    /// not stand in a link.
    pub fn host(&self) -> Option<&str> {
        let asked = || self.head.uri.authority().map(Authority::as_str).or_else(|| self.header(HOST));
        self.way().host(self.headers()).or_else(asked).filter(|host| is_host(host))
    }

    /// Where the client reaches this server: `https://chat.example.com`, without a slash at the end.
    pub fn origin(&self) -> String {
        let scheme = if self.is_secure() { "https" } else { "http" };
        format!("{scheme}://{}", self.host().unwrap_or("localhost"))
    }

    fn way(&self) -> Way {
        Way::of(self.headers(), self.connection.peer.ip(), &self.connection.proxies)
    }

    /// The connection it came on.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The path in the one spelling that the router compares: no empty segments, and only `/` and `%` inside of a
    /// segment escaped.
    pub(super) fn canonical_path(&self) -> String {
        if self.segments.is_empty() {
            return "/".to_owned();
        }
        let mut path = String::with_capacity(self.path().len());
        for segment in &self.segments {
            path.push('/');
            path.extend(utf8_percent_encode(segment, SEPARATORS));
        }
        path
    }

    pub(super) fn set_path_params<'a>(&mut self, params: impl Iterator<Item = (&'a str, &'a str)>) {
        for (name, canonical) in params {
            let text = percent_encoding::percent_decode_str(canonical).decode_utf8_lossy();
            self.params.set_text(name, &text);
        }
    }
}

const SEPARATORS: &AsciiSet = &CONTROLS.add(b'/').add(b'%');

fn overriding_method(params: &Params) -> Option<Method> {
    match params.text("_method")?.to_ascii_uppercase().as_str() {
        "PUT" => Some(Method::PUT),
        "PATCH" => Some(Method::PATCH),
        "DELETE" => Some(Method::DELETE),
        _ => None,
    }
}

/// Whether a host can be shown to whoever sent it: a name or an address, and perhaps a port.
fn is_host(host: &str) -> bool {
    !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte))
}

/// The peer's id when it is 20 to 200 characters long, as `Plug.RequestId` has it; else 128 random bits in hexadecimal.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(X_REQUEST_ID).and_then(|value| value.to_str().ok());
    match given.filter(|id| (20..=200).contains(&id.len())) {
        Some(id) => id.to_owned(),
        None => {
            let mut bytes = [0; 16];
            getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
            format!("{:032x}", u128::from_be_bytes(bytes))
        }
    }
}

#[cfg(test)]
pub(super) mod testing {
    use tokio::sync::Semaphore;

    use super::*;

    impl Request {
        /// A request without body whose head is checked, from a trusted proxy.
        pub(crate) fn test(method: &str, uri: &str, headers: &[(&str, &str)]) -> Self {
            let mut request = hyper::Request::builder().method(method).uri(uri).header(HOST, "test");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let (head, ()) = request.body(()).unwrap().into_parts();
            let permit = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
            let proxies = "127.0.0.1".parse().unwrap();
            let connection = Connection::new(([127, 0, 0, 1], 1).into(), proxies, permit);
            let mut request = Self::from_head(head, connection);
            request.check_head().unwrap();
            request
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_decoded_and_empty_ones_left_out() {
        let request = Request::test("GET", "/api//a%2Fb/%25/?x=1", &[]);
        assert_eq!(request.segments(), ["api", "a/b", "%"]);
        assert_eq!(request.canonical_path(), "/api/a%2Fb/%25");
        assert_eq!(request.params().text("x").unwrap(), "1");
        assert_eq!(Request::test("GET", "//", &[]).canonical_path(), "/");
    }

    #[test]
    fn bearer_tokens() {
        for (header, token) in [
            ("Bearer abc", Some("abc")),
            ("bEARER   abc ", Some("abc")),
            ("Bearer: abc", Some("abc")),
            ("Bearer:abc", None),
            ("Bearer :abc", Some(":abc")),
            ("Bearer:: abc", None),
            ("Foo Bearer abc", None),
            ("Bearer ", None),
            ("Bearer: ", None),
            ("Bearer", None),
            ("Token abc", None),
            ("abc", None),
        ] {
            let request = Request::test("GET", "/", &[("authorization", header)]);
            assert_eq!(request.bearer_token(), token, "{header}");
        }
        let several = |headers: [&'static str; 3]| {
            let headers = headers.map(|header| ("authorization", header));
            Request::test("GET", "/", &headers).bearer_token().map(str::to_owned)
        };
        assert_eq!(several(["Basic YTpi", "Bearer ", "Bearer abc"]).as_deref(), Some("abc"));
        assert_eq!(several(["Bearer abc", "Bearer def", ""]).as_deref(), Some("abc"));
    }

    #[test]
    fn a_request_id_is_taken_over_when_its_length_is_right() {
        let given = |id: &str| Request::test("GET", "/", &[("x-request-id", id)]).id() == id;
        for (length, taken) in [(0, false), (19, false), (20, true), (200, true), (201, false)] {
            assert_eq!(given(&"a".repeat(length)), taken, "{length}");
        }
        assert_eq!(Request::test("GET", "/", &[]).id().len(), 32);
    }

    #[test]
    fn the_origin_is_where_the_client_asked() {
        for (headers, origin) in [
            (&[][..], "http://test"),
            (&[("x-forwarded-proto", "https")], "https://test"),
            (
                &[("x-forwarded-proto", "https"), ("x-forwarded-host", "chat.example.com:8443")],
                "https://chat.example.com:8443",
            ),
            (&[("x-forwarded-host", "\"><script>")], "http://localhost"),
            (&[("forwarded", "proto=https;host=evil.example")], "http://test"),
        ] {
            assert_eq!(Request::test("GET", "/", headers).origin(), origin, "{headers:?}");
        }
        assert_eq!(Request::test("GET", "https://[::1]:4000/x", &[]).host(), Some("[::1]:4000"));
        let request = Request::test("GET", "/", &[("x-forwarded-for", "6.6.6.6, 203.0.113.9")]);
        assert_eq!(request.client_addr(), IpAddr::from([203, 0, 113, 9]));
    }

    #[test]
    fn forms_override_the_method() {
        let method = |form: &str| overriding_method(&Params::from_query(form).unwrap());
        assert_eq!(method("_method=put"), Some(Method::PUT));
        assert_eq!(method("_method=DELETE"), Some(Method::DELETE));
        assert_eq!(method("_method=GET"), None);
        assert_eq!(method("_method[]=PUT"), None);
        assert_eq!(method("a=1"), None);
    }

    #[test]
    fn cookies_are_found_by_name() {
        let headers = [("cookie", "a=1; b=\"2\"; ; =; c; b=3"), ("cookie", "d=4=5")];
        let request = Request::test("GET", "/", &headers);
        for (name, value) in [("a", Some("1")), ("b", Some("\"2\"")), ("c", None), ("d", Some("4=5")), ("e", None)] {
            assert_eq!(request.cookie(name), value, "{name}");
        }
    }
}
