//! One request, with its path decoded and its parameters merged.

use std::net::IpAddr;

use bytes::Bytes;
use hyper::{
    HeaderMap, Method, Version,
    body::Incoming,
    header::{AUTHORIZATION, COOKIE, HOST, HeaderName},
    http::{request::Parts, uri::Authority},
    upgrade::OnUpgrade,
};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::{
    Bodies, Connection, Error, Params,
    body::{self, Taken},
    budget::Payer,
    cookie,
    forwarded::Way,
    percent, unnamed_proxy,
};

/// The header that identifies a request in logs, here and at a proxy before it.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A request whose head is checked. Its body is read by [`Request::read_params`].
#[derive(Debug)]
pub struct Request {
    head: Parts,
    /// The method to route by: `_method` in a body may override it.
    method: Method,
    segments: Vec<String>,
    /// The path as the router compares it; see [`Request::canonical_path`].
    canonical: String,
    params: Params,
    id: String,
    connection: Connection,
    body: Option<Incoming>,
    /// Memory that the body takes, until the request is answered.
    taken: Taken,
    pub(super) upgrade: Option<OnUpgrade>,
}

impl Request {
    /// Takes over a request from hyper. [`Request::check_head`] finds errors in its head, so that even a malformed
    /// request has an id and can be answered like others.
    pub fn new(mut request: hyper::Request<Incoming>, connection: Connection) -> Self {
        let upgrade = hyper::upgrade::on(&mut request);
        let (head, body) = request.into_parts();
        unnamed_proxy::warn(&head.headers, connection.peer().ip(), &connection.proxies);
        Self { upgrade: Some(upgrade), body: Some(body), ..Self::from_head(head, connection) }
    }

    fn from_head(head: Parts, connection: Connection) -> Self {
        Self {
            method: head.method.clone(),
            id: request_id(&head.headers),
            head,
            segments: Vec::new(),
            canonical: String::new(),
            params: Params::default(),
            connection,
            body: None,
            taken: Taken::default(),
            upgrade: None,
        }
    }

    /// Decodes path and query, and checks that the request names its host.
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
        self.canonical = canonical(&self.segments, self.path().len());
        self.params = Params::from_query(self.head.uri.query().unwrap_or_default())?;
        Ok(())
    }

    /// Reads the body of a POST, PUT, PATCH or DELETE and adds its parameters. `_method` in the body turns a POST into
    /// PUT, PATCH or DELETE, as HTML forms need it.
    ///
    /// # Errors
    ///
    /// Any error in the body; see [`Error`].
    pub async fn read_params(&mut self, bodies: &Bodies) -> Result<(), Error> {
        if !matches!(self.method, Method::POST | Method::PUT | Method::PATCH | Method::DELETE) {
            return Ok(());
        }
        let Some(body) = self.body.take() else { return Ok(()) };
        let (from_body, taken) = body::read_params(&self.head.headers, body, bodies, self.payer()).await?;
        self.connection.note_body_read();
        self.taken = taken;
        if self.method == Method::POST {
            self.method = overriding_method(&from_body).unwrap_or(Method::POST);
        }
        self.params.merge(from_body);
        Ok(())
    }

    /// Reads the raw body, instead of its parameters. It is empty if it was read before.
    ///
    /// # Errors
    ///
    /// Any error in the body; see [`Error`].
    pub async fn read_body(&mut self, bodies: &Bodies) -> Result<Bytes, Error> {
        let Some(body) = self.body.take() else { return Ok(Bytes::new()) };
        let (bytes, taken) = body::read_whole(&self.head.headers, body, bodies, self.payer()).await?;
        self.connection.note_body_read();
        self.taken = taken;
        Ok(bytes)
    }

    /// Reads the body and drops it, for an answer that does not depend on it; see [`Bodies`] for the limits.
    pub async fn discard_body(&mut self, bodies: &Bodies) {
        if let Some(body) = self.body.take() {
            body::discard_whole(&self.head.headers, body, bodies).await;
        }
    }

    /// Returns the method: HEAD stays HEAD, and `_method` has been applied.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Returns the path as it was sent.
    pub fn path(&self) -> &str {
        self.head.uri.path()
    }

    /// Returns true if the first segment of the path is this one, once its escapes are decoded as the router does. Also
    /// of a request whose head is not checked, or whose path has a malformed escape behind that segment.
    pub fn is_below(&self, first: &str) -> bool {
        let segment = self.path().split('/').find(|segment| !segment.is_empty());
        // Most have no escape, which spares their copies.
        segment.is_some_and(|segment| {
            segment == first || (segment.contains('%') && percent::decode_segment(segment).is_ok_and(|is| is == first))
        })
    }

    /// Returns the query as it was sent, without `?`. It may hold secrets: keep it out of logs.
    pub fn query(&self) -> Option<&str> {
        self.head.uri.query()
    }

    /// Returns the decoded segments of the path; empty ones (`//`, a slash at the end) are left out.
    pub fn segments(&self) -> &[String] {
        &self.segments
    }

    /// Returns the version of HTTP.
    pub fn version(&self) -> Version {
        self.head.version
    }

    /// Returns the headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// Returns a header's value when there is one and it is visible ASCII.
    pub fn header(&self, name: HeaderName) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }

    /// Returns the value of the cookie of this name, the first one if there are several.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let headers = self.head.headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
        headers.flat_map(cookie::pairs).find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    /// Returns the token of the first `Authorization: Bearer …`: the scheme in any case, perhaps a colon, then any
    /// number of spaces, as Guardian takes it.
    pub fn bearer_token(&self) -> Option<&str> {
        let headers = self.head.headers.get_all(AUTHORIZATION).into_iter().filter_map(|value| value.to_str().ok());
        headers.map(str::trim).find_map(|credentials| {
            let (scheme, token) = credentials.split_once(' ')?;
            let is_bearer = scheme.strip_suffix(':').unwrap_or(scheme).eq_ignore_ascii_case("bearer");
            is_bearer.then(|| token.trim())
        })
    }

    /// Returns the parameters: of query, body and path.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Returns a parameter of the path, such as `organization_id` of `/api/organizations/{organization_id}`.
    ///
    /// # Panics
    ///
    /// Panics if the route has no such parameter, which its first request shows.
    pub fn path_param(&self, name: &str) -> String {
        self.params.text(name).expect("the pattern of the route has this parameter")
    }

    /// Returns the id of the request, from the peer or made here; 20 to 200 characters of visible ASCII.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the address of the client: the peer's, or the one that trusted proxies give. An IPv4 address is never in
    /// IPv6 form.
    pub fn client_addr(&self) -> IpAddr {
        self.way().client
    }

    /// Returns the payer for the memory of the body: the client, unless only its proxy is known.
    fn payer(&self) -> Payer {
        let client = self.client_addr();
        if self.connection.proxies.trusts(client) { Payer::unlimited() } else { Payer::of(client) }
    }

    /// Returns true if [`Request::client_addr`] belongs to no particular client: it is that of this machine, or of a
    /// trusted proxy that does not name its client.
    pub fn is_from_own_machines(&self) -> bool {
        let address = self.client_addr();
        address.is_loopback() || self.connection.proxies.trusts(address)
    }

    /// Returns true if the client's connection is encrypted, according to trusted proxies or on this server.
    pub fn is_secure(&self) -> bool {
        self.way().is_secure(self.headers()).unwrap_or(self.connection.is_encrypted)
    }

    /// Returns the host that the client asked for, with its port unless that is the default. `None` when there is none
    /// or it could not stand in a link.
    pub fn host(&self) -> Option<&str> {
        let asked = || self.head.uri.authority().map(Authority::as_str).or_else(|| self.header(HOST));
        self.way().host(self.headers()).or_else(asked).filter(|host| is_host(host))
    }

    /// Returns the URL of this server for the client: `https://chat.example.com`, without a slash at the end.
    pub fn origin(&self) -> String {
        let scheme = if self.is_secure() { "https" } else { "http" };
        format!("{scheme}://{}", self.host().unwrap_or("localhost"))
    }

    fn way(&self) -> Way {
        Way::of(self.headers(), self.connection.peer().ip(), &self.connection.proxies)
    }

    /// Returns the connection of the request.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The path in the one spelling that the router compares: no empty segments, and only `/` and `%` inside of a
    /// segment escaped. Empty before [`Request::check_head`].
    pub(super) fn canonical_path(&self) -> &str {
        &self.canonical
    }

    pub(super) fn set_path_params<'a>(&mut self, params: impl IntoIterator<Item = (&'a str, String)>) {
        for (name, text) in params {
            self.params.set_text(name, &text);
        }
    }
}

fn canonical(segments: &[String], size: usize) -> String {
    if segments.is_empty() {
        return "/".to_owned();
    }
    let mut path = String::with_capacity(size);
    for segment in segments {
        path.push('/');
        path.extend(utf8_percent_encode(segment, SEPARATORS));
    }
    path
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

/// Returns true if a host may be shown to the client that sent it: a name or an address, and perhaps a port.
fn is_host(host: &str) -> bool {
    !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]_".contains(&byte))
}

/// Returns the peer's id when it is 20 to 200 characters long, as `Plug.RequestId` does; otherwise a new one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(X_REQUEST_ID).and_then(|value| value.to_str().ok());
    given.filter(|id| (20..=200).contains(&id.len())).map_or_else(new_request_id, str::to_owned)
}

/// Returns an id for a request: 128 random bits in hexadecimal.
pub fn new_request_id() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    format!("{:032x}", u128::from_be_bytes(bytes))
}

#[cfg(test)]
pub(super) mod testing {
    use std::sync::Arc;

    use tokio::sync::Semaphore;

    use super::{super::progress::Progress, *};

    impl Request {
        /// Creates a request without body whose head is checked, from a trusted proxy.
        pub(crate) fn test(method: &str, uri: &str, headers: &[(&str, &str)]) -> Self {
            let mut request = Self::unchecked(method, uri, headers);
            request.check_head().unwrap();
            request
        }

        /// Creates a request as [`Request::test`] does, as it comes from hyper.
        pub(super) fn unchecked(method: &str, uri: &str, headers: &[(&str, &str)]) -> Self {
            let mut request = hyper::Request::builder().method(method).uri(uri).header(HOST, "test");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let (head, ()) = request.body(()).unwrap().into_parts();
            let permit = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
            let proxies = "127.0.0.1".parse().unwrap();
            let connection = Connection::new(([127, 0, 0, 1], 1).into(), proxies, Progress::test(), permit);
            Self::from_head(head, connection)
        }
    }
}

#[cfg(test)]
mod tests;
