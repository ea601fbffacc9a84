//! The whole server on a port of its own, and requests to it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use pusher_lite::{
    auth::{
        Permissions,
        jwt::{Grant, Scope},
    },
    config::Secrets,
    http::{BodyLimits, Refusals, Timeouts},
    operations::accounts::SignUpPolicy,
    realtime::Limits,
    server::{self, Tls},
    store::{Db, user_quotas::UserLimits},
    web::{App, Endpoint, Site},
};
use serde_json::Value;
use tokio::{net::TcpStream, sync::Notify, task::JoinHandle, time::Instant};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{self, client::IntoClientRequest, http::header::SEC_WEBSOCKET_PROTOCOL},
};

use super::client::{Client, status};

/// The secret that signs JWTs here: that of the recorded installation.
pub(crate) const JWT_SECRET: &str = "d1As0fBqRZdpYJXXTDHeNjS3ftcGhev0u6vFNI4OWWqrvAwnOfVqwbcBfXhjtgvq";

/// The secret that signs the tokens of long-poll sessions here.
const COOKIE_SECRET: &str = "thirty-two characters, if not more";

/// The address that connections of tests come from: a proxy that is believed what it says of its clients.
const TRUSTED_PROXY: &str = "127.0.0.1";

/// Opens `/metrics` here.
pub(crate) const METRICS_TOKEN: &str = "who watches the server";

/// Handling of mails.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mail {
    Leaves,
    Stays,
    Waits,
}

/// A running server. It stops with its value.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) app: App,
    pub(crate) refusals: Refusals,
    stop: Arc<Notify>,
    _served: JoinHandle<Instant>,
}

impl TestServer {
    /// Serves this database, and its demo data if there is some.
    pub(crate) fn start(db: Db) -> Self {
        Self::with_limits(db, Limits::default())
    }

    /// As [`TestServer::start`], with limits that a test can reach.
    pub(crate) fn with_limits(db: Db, limits: Limits) -> Self {
        Self::run(db, limits, BodyLimits::default(), Mail::Stays, None)
    }

    /// As [`TestServer::start`], with limits for bodies that a test can reach.
    pub(crate) fn with_body_limits(db: Db, body: BodyLimits) -> Self {
        Self::run(db, Limits::default(), body, Mail::Stays, None)
    }

    /// As [`TestServer::start`], where mails do not stay but wait to be sent.
    pub(crate) fn without_mailbox(db: Db) -> Self {
        Self::run(db, Limits::default(), BodyLimits::default(), Mail::Leaves, None)
    }

    /// Starts a server as [`TestServer::start`] does, on which mails wait for a mail server that is not set.
    pub(crate) fn without_mail(db: Db) -> Self {
        Self::run(db, Limits::default(), BodyLimits::default(), Mail::Waits, None)
    }

    /// As [`TestServer::start`], with limits for users that a test can reach.
    pub(crate) fn with_user_limits(db: Db, users: UserLimits) -> Self {
        Self::run_app(db, Limits::default(), Mail::Stays, None, |app| app.with_user_limits(users))
    }

    /// As [`TestServer::start`], with a policy for new accounts. In the others sign-up is open, as in demo mode.
    pub(crate) fn with_sign_up(db: Db, policy: SignUpPolicy) -> Self {
        Self::run_app(db, Limits::default(), Mail::Stays, None, |app| app.with_sign_up(policy))
    }

    /// As [`TestServer::with_sign_up`], on a server without mail.
    pub(crate) fn with_sign_up_without_mail(db: Db, policy: SignUpPolicy) -> Self {
        Self::run_app(db, Limits::default(), Mail::Waits, None, |app| app.with_sign_up(policy))
    }

    /// As [`TestServer::start`], encrypted; browsers are told to come by https for an hour.
    pub(crate) fn with_tls(db: Db, tls: Tls) -> Self {
        Self::run(db, Limits::default(), BodyLimits::default(), Mail::Stays, Some(tls))
    }

    fn run(db: Db, limits: Limits, body: BodyLimits, mail: Mail, tls: Option<Tls>) -> Self {
        Self::run_app(db, limits, mail, tls, |app| app.with_body_limits(body))
    }

    fn run_app(db: Db, limits: Limits, mail: Mail, tls: Option<Tls>, with: impl FnOnce(App) -> App) -> Self {
        let url = "https://push.example.com:8443";
        let (mailbox, sends_mail) = (mail == Mail::Stays, mail == Mail::Leaves);
        let site = Site { public_url: Some(url.to_owned()), base_url: url.to_owned(), demo: true, mailbox, sends_mail };
        let secrets = Secrets {
            jwt: JWT_SECRET.to_owned(),
            cookie: COOKIE_SECRET.to_owned(),
            metrics: Some(METRICS_TOKEN.to_owned()),
        };
        let refusals = Refusals::default();
        let app = with(App::new(db, &secrets, limits, refusals.clone(), site));
        app.accounts.limit_clock.stop();
        let listener = server::bind([127, 0, 0, 1].into(), 0).unwrap();
        let address = listener.local_addr().unwrap();
        let endpoint = Endpoint::new(app.clone()).with_strict_transport(Duration::from_secs(3600));
        let stop = Arc::new(Notify::new());
        let stopped = Arc::clone(&stop);
        let serving = server::serve(
            listener,
            server::Options {
                max_connections: 1000,
                timeouts: Timeouts {
                    head: Duration::from_secs(30),
                    keep_alive: Duration::from_secs(75),
                    send: Duration::from_secs(60),
                },
                trusted_proxies: TRUSTED_PROXY.parse().unwrap(),
                tls,
                refusals: refusals.clone(),
                tasks: app.tasks.clone(),
            },
            move |request, connection| endpoint.clone().answer(request, connection),
            async move {
                stopped.notified().await;
                Instant::now() + Duration::from_secs(5)
            },
        );
        Self { address, app, refusals, stop, _served: tokio::spawn(serving) }
    }

    /// A JWT of a user, as a session gives it.
    pub(crate) fn jwt(&self, user_id: i32, permissions: Permissions) -> String {
        let lifetime = Duration::from_secs(60);
        self.app.jwt.issue(&Grant {
            user_id,
            token_id: None,
            permissions,
            scope: Scope::Full,
            lifetime,
            not_after: None,
        })
    }

    /// The answer to a request whose headers are lines (`accept: text/html`).
    pub(crate) async fn request(&self, method: &str, path: &str, headers: &[&str], body: &str) -> Answer {
        let mut client = Client::connect(self.address).await;
        let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
        let length = body.len();
        let head =
            format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}content-length: {length}");
        client.send(format!("{head}\r\n\r\n{body}")).await;
        Answer(client.rest().await)
    }

    pub(crate) async fn get(&self, path: &str, headers: &[&str]) -> Answer {
        self.request("GET", path, headers, "").await
    }

    /// The answer to a WebSocket handshake: a socket, or the status that refuses it.
    pub(crate) async fn socket(&self, query: &str) -> Result<WebSocketStream<TcpStream>, u16> {
        self.connect(self.handshake_request(query)).await.map(|(socket, _)| socket)
    }

    /// The subprotocol in the answer to a handshake that offers some, or the status that refuses it.
    pub(crate) async fn handshake(&self, query: &str, protocols: &str) -> Result<Option<String>, u16> {
        let mut request = self.handshake_request(query);
        if !protocols.is_empty() {
            request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, protocols.parse().unwrap());
        }
        let (_, response) = self.connect(request).await?;
        let chosen = response.headers().get(SEC_WEBSOCKET_PROTOCOL);
        Ok(chosen.map(|protocol| protocol.to_str().unwrap().to_owned()))
    }

    fn handshake_request(&self, query: &str) -> tungstenite::handshake::client::Request {
        format!("ws://{}/socket/websocket?{query}", self.address).into_client_request().unwrap()
    }

    async fn connect(
        &self,
        request: tungstenite::handshake::client::Request,
    ) -> Result<(WebSocketStream<TcpStream>, tungstenite::handshake::client::Response), u16> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        match client_async(request, stream).await {
            Ok(open) => Ok(open),
            Err(tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
            Err(error) => panic!("no answer to the handshake: {error}"),
        }
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.stop.notify_one();
    }
}

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Answer(String);

impl Answer {
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }

    pub(crate) fn status(&self) -> u16 {
        status(&self.0)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers(name).next()
    }

    pub(crate) fn headers(&self, name: &str) -> impl Iterator<Item = &str> {
        let head = self.0.split("\r\n\r\n").next().unwrap_or_default();
        let lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.filter_map(move |(other, value)| (other == name).then_some(value))
    }

    pub(crate) fn body(&self) -> &str {
        self.0.split_once("\r\n\r\n").unwrap().1
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(self.body()).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}
