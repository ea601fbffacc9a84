//! A small application on a real port: the view of a handler, without a database behind it.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use pusher_lite::{
    http::{
        Bodies, Body, Connection, Error, Method, Refusal, Refusals, Request, Response, Router, StatusCode, Timeouts,
        TrustedProxies,
        upgrade::{self, Stream, Upgraded},
    },
    server::{self, Tls},
    tasks::Tasks,
};
use tokio::{io::AsyncWriteExt, sync::Notify, task::JoinHandle, time::Instant};

use crate::support::client::Client;

/// Lets the test decide when `/wait` answers.
#[derive(Clone, Default)]
pub(super) struct Gate {
    pub(super) reached: Arc<Notify>,
    pub(super) open: Arc<Notify>,
}

pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) gate: Gate,
    refusals: Refusals,
    pub(super) tasks: Tasks,
    stop: Arc<Notify>,
    served: JoinHandle<Instant>,
}

impl Server {
    pub(super) fn start() -> Self {
        Self::with_connections(100)
    }

    pub(super) fn with_connections(max: usize) -> Self {
        Self::run(max, None)
    }

    /// Takes so many connections at once, all of them encrypted.
    pub(super) fn with_tls(max: usize, tls: Tls) -> Self {
        Self::run(max, Some(tls))
    }

    fn run(max: usize, tls: Option<Tls>) -> Self {
        let listener = server::bind([127, 0, 0, 1].into(), 0).unwrap();
        let address = listener.local_addr().unwrap();
        let (gate, stop, refusals) = (Gate::default(), Arc::new(Notify::new()), Refusals::default());
        let tasks = Tasks::default();
        let (routes, state, stopped) = (Arc::new(table()), gate.clone(), Arc::clone(&stop));
        let answer = move |request, connection| answer(Arc::clone(&routes), state.clone(), request, connection);
        let options = server::Options {
            max_connections: max,
            timeouts: Timeouts {
                head: Duration::from_secs(30),
                keep_alive: Duration::from_secs(75),
                send: Duration::from_secs(60),
            },
            trusted_proxies: TrustedProxies::default(),
            tls,
            refusals: refusals.clone(),
            tasks: tasks.clone(),
        };
        let stopping = async move {
            stopped.notified().await;
            Instant::now() + Duration::from_secs(5)
        };
        let serving = server::serve(listener, options, answer, stopping);
        Self { address, gate, refusals, tasks, stop, served: tokio::spawn(serving) }
    }

    pub(super) async fn connect(&self) -> Client {
        Client::connect(self.address).await
    }

    /// The whole answer to what is sent on a connection of its own.
    pub(super) async fn exchange(&self, request: impl AsRef<[u8]>) -> String {
        let mut client = self.connect().await;
        client.send(request).await;
        client.rest().await
    }

    /// Returns the refusals counted so far, one entry for each time.
    pub(super) fn refused(&self) -> Vec<Refusal> {
        self.refusals.counts().flat_map(|(refusal, count)| vec![refusal; count as usize]).collect()
    }

    /// Waits until these and no others are kept out; a connection may end a moment after its answer.
    pub(super) async fn until_refused(&self, expected: &[Refusal]) {
        while self.refused().len() < expected.len() {
            tokio::task::yield_now().await;
        }
        assert_eq!(self.refused(), expected);
    }

    pub(super) fn stop(&self) {
        self.stop.notify_one();
    }

    pub(super) async fn stopped(self) {
        self.served.await.unwrap();
    }
}

fn table() -> Router<Gate, Error> {
    Router::default()
        .route(Method::GET, "/params/{id}", params)
        .route(Method::POST, "/params/{id}", params)
        .route(Method::PUT, "/put/{id}", params)
        .route(Method::GET, "/wait", wait)
        .route(Method::GET, "/panic", panics)
        .route(Method::GET, "/socket", socket)
}

async fn answer(
    routes: Arc<Router<Gate, Error>>,
    gate: Gate,
    request: hyper::Request<hyper::body::Incoming>,
    connection: Connection,
) -> hyper::Response<Body> {
    let mut request = Request::new(request, connection);
    let answered = async {
        request.check_head()?;
        request.read_params(&Bodies::default()).await?;
        match routes.find(&mut request) {
            Some(found) => found.call(gate, request).await,
            None => Ok(Response::empty(StatusCode::NOT_FOUND)),
        }
    };
    let refused = |error: Error| Response::text(error.status(), error.to_string());
    answered.await.unwrap_or_else(refused).into_hyper()
}

async fn panics(_gate: Gate, _request: Request) -> Result<Response, Error> {
    panic!("on purpose")
}

/// All parameters as they would be relayed.
async fn params(_gate: Gate, request: Request) -> Result<Response, Error> {
    Ok(Response::text(StatusCode::OK, request.params().object_without(&["_method"]).get().to_owned()))
}

async fn wait(gate: Gate, _request: Request) -> Result<Response, Error> {
    gate.reached.notify_one();
    gate.open.notified().await;
    Ok(Response::text(StatusCode::OK, "waited"))
}

/// Sends back what arrives on the upgraded stream until the peer closes it.
async fn socket(_gate: Gate, mut request: Request) -> Result<Response, Error> {
    let (response, upgrade) = upgrade::websocket(&mut request, &["phoenix"])?;
    tokio::spawn(async move {
        let Upgraded { stream, unread, connection } = upgrade.finish().await.unwrap();
        let Stream::Plain(mut stream) = stream else { panic!("the connection is not encrypted") };
        stream.write_all(&unread).await.unwrap();
        let (mut read, mut write) = stream.split();
        tokio::io::copy(&mut read, &mut write).await.unwrap();
        drop(connection);
    });
    Ok(response)
}
