//! Accepting connections, bounding what they may cost, and stopping without losing requests.

mod activity;
mod pinned;
mod quiet;
mod tls;

use std::{
    convert::Infallible,
    io,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Request, Response,
    body::Incoming,
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpSocket, TcpStream},
    signal::unix::{Signal, SignalKind, signal},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep, timeout, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{activity::Activity, quiet::Quiet};
pub use self::{
    pinned::trusting_only,
    tls::{Tls, TlsError},
};
use crate::http::{Connection, Refusal, Refusals, TrustedProxies};

/// Connections that the kernel completes before they are accepted; it may lower this (`net.core.somaxconn`).
const BACKLOG: u32 = 4096;
/// Bytes that a request's line and headers may take (431 beyond), and that are buffered of a body at a time.
const HEAD_BYTES: usize = 64 * 1024;
/// Requests of one HTTP/2 connection that are answered at the same time.
const STREAMS: u32 = 100;
/// Quiet connections that are ended at a time when there is no room, and how soon it is looked again.
const MAKE_ROOM: usize = 64;
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// How often it is said that there is no room.
const SAY_EVERY: Duration = Duration::from_secs(10);
/// After an error that the next `accept` would meet as well, such as having no file descriptor left.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// An address that cannot be listened on; the message names the setting to change.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another program listens there.
    #[error(
        "port {port} of {host} is taken by another program: stop that, or set another port with PORT (flag --port)"
    )]
    Taken {
        /// The address asked for.
        host: IpAddr,
        /// The port asked for.
        port: u16,
    },
    /// The machine has no such address.
    #[error("this machine has no address {0}: set another one with HOST (flag --host)")]
    NoSuchAddress(IpAddr),
    /// The port needs privileges that this process does not have.
    #[error("this user may not listen on port {0}: set one above 1023 with PORT (flag --port)")]
    NotAllowed(u16),
    /// Anything else.
    #[error("cannot listen on {address} (settings HOST and PORT): {source}")]
    Other {
        /// The address and port asked for.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
}

/// Listens on an address. Port 0 takes a free one: [`TcpListener::local_addr`] says which.
///
/// # Errors
///
/// [`BindError`], whose message is for the person who starts the server.
pub fn bind(host: IpAddr, port: u16) -> Result<TcpListener, BindError> {
    let address = SocketAddr::new(host, port);
    listen(address).map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => BindError::Taken { host, port },
        io::ErrorKind::AddrNotAvailable => BindError::NoSuchAddress(host),
        io::ErrorKind::PermissionDenied => BindError::NotAllowed(port),
        _ => BindError::Other { address, source },
    })
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restart must not wait for the connections of the last run to leave TIME_WAIT.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// How connections are served.
#[derive(Clone, Debug)]
pub struct Options {
    /// Most TCP connections open at once, upgraded ones included. Further ones wait in the kernel's queue; meanwhile those are
    /// ended on which no request has come for long.
    pub max_connections: usize,
    /// How long a head may take to arrive, and a connection between two requests may be idle.
    pub head_time: Duration,
    /// The proxies that are believed what they say of their clients.
    pub trusted_proxies: TrustedProxies,
    /// What connections are encrypted with, if they are.
    pub tls: Option<Tls>,
    /// Counts whom a limit keeps out.
    pub refusals: Refusals,
}

/// Serves HTTP/1, and with TLS also HTTP/2, until `stop` is done, then lets running requests end, at the latest by the time
/// that `stop` says; returns that time.
pub async fn serve<A, F>(
    listener: TcpListener,
    options: Options,
    answer: A,
    stop: impl Future<Output = Instant>,
) -> Instant
where
    A: Fn(Request<Incoming>, Connection) -> F + Clone + Send + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let stopping = CancellationToken::new();
    let connections = TaskTracker::new();
    let permits = Arc::new(Semaphore::new(options.max_connections.min(Semaphore::MAX_PERMITS)));
    let quiet = Quiet::default();
    let accepting = async {
        let mut crowded = Crowded::default();
        loop {
            let permit = permit(&permits, &quiet, &mut crowded).await;
            let (stream, peer) = accept(&listener).await;
            let connection = Connection::new(peer, options.trusted_proxies.clone(), permit);
            let presence = quiet.enter();
            let (answer, watched) = (answer.clone(), presence.clone());
            // In a box: an answer's future is large, and hyper moves what it is given more than once.
            let answer = move |request, connection| watched.begin().until(Box::pin(answer(request, connection)));
            let (options, stopping) = (options.clone(), stopping.clone());
            // The future of the connection is made where it stays: one that is captured is kept twice.
            connections.spawn(async move {
                let refusals = options.refusals.clone();
                tokio::select! {
                    () = serve_connection(stream, options, connection, answer, stopping) => {}
                    () = presence.unwanted() => {
                        refusals.count(Refusal::Quiet);
                        tracing::debug!(%peer, "A quiet connection was ended to make room.");
                    }
                }
            });
        }
    };
    let deadline = tokio::select! {
        never = accepting => never,
        deadline = stop => deadline,
    };
    drop(listener);
    stopping.cancel();
    connections.close();
    if timeout_at(deadline, connections.wait()).await.is_err() {
        tracing::warn!(open = connections.len(), "Stopped without waiting longer for requests that are still running.");
    }
    deadline
}

/// The wishes of the operating system that the process stops: SIGTERM, or SIGINT as by Ctrl-C.
#[derive(Debug)]
pub struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    /// Listens to them from now on.
    ///
    /// # Errors
    ///
    /// When the operating system does not let the process listen to signals.
    pub fn listen() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// When it was last said that there is no room.
#[derive(Default)]
struct Crowded {
    said: Option<Instant>,
}

impl Crowded {
    fn say(&mut self) {
        if self.said.is_none_or(|said| said.elapsed() >= SAY_EVERY) {
            self.said = Some(Instant::now());
            tracing::warn!(
                "As many connections are open as PUSHER_LITE_MAX_CONNECTIONS or descriptors allow; new ones wait."
            );
        }
    }
}

/// Room for another connection. Where there is none, quiet ones are ended.
async fn permit(permits: &Arc<Semaphore>, quiet: &Quiet, crowded: &mut Crowded) -> OwnedSemaphorePermit {
    loop {
        if let Ok(permit) = Arc::clone(permits).try_acquire_owned() {
            return permit;
        }
        crowded.say();
        quiet.end_some(MAKE_ROOM);
        // Whatever ends, of its own accord or not, makes room at once.
        if let Ok(permit) = timeout(LOOK_AGAIN, Arc::clone(permits).acquire_owned()).await {
            return permit.expect("the semaphore is never closed");
        }
    }
}

/// The next connection. Errors are waited out: none of them means that later connections fail as well.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    let (mut delay, longest) = BACK_OFF;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Answers and frames are written whole; waiting to join them would only add latency.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "A connection was gone before it was accepted.");
                    continue;
                }
                return (stream, peer);
            }
            Err(error) if is_of_one_connection(&error) => continue,
            Err(error) => {
                tracing::error!(%error, "Cannot accept connections; trying again soon.");
                sleep(delay).await;
                delay = (delay * 2).min(longest);
            }
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// Serves the requests of one connection until it is closed or upgraded. Whoever upgrades it takes the stream with it.
async fn serve_connection<A, F>(
    stream: TcpStream,
    options: Options,
    connection: Connection,
    answer: A,
    stopping: CancellationToken,
) where
    A: Fn(Request<Incoming>, Connection) -> F + Clone + Send + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let (peer, head_time) = (connection.peer(), options.head_time);
    let refusals = &options.refusals;
    let served = match options.tls {
        None => serve_http1(stream, connection, head_time, refusals, answer, stopping).await,
        // In a box, so that connections without TLS are not as large.
        Some(tls) => Box::pin(serve_encrypted(stream, tls, connection, head_time, refusals, answer, stopping)).await,
    };
    if let Err(error) = served {
        tracing::debug!(%peer, %error, "A connection ended badly.");
    }
}

/// Serves a connection that begins with a TLS handshake.
async fn serve_encrypted<A, F>(
    stream: TcpStream,
    tls: Tls,
    connection: Connection,
    head_time: Duration,
    refusals: &Refusals,
    answer: A,
    stopping: CancellationToken,
) -> hyper::Result<()>
where
    A: Fn(Request<Incoming>, Connection) -> F + Clone + Send + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    let Some(stream) = tls.accept(stream, connection.peer(), refusals, &stopping).await else { return Ok(()) };
    let connection = connection.encrypted();
    match stream.get_ref().1.alpn_protocol() {
        Some(tls::HTTP_2) => serve_http2(stream, connection, head_time, refusals, answer, stopping).await,
        _ => serve_http1(stream, connection, head_time, refusals, answer, stopping).await,
    }
}

async fn serve_http1<A, F, S>(
    stream: S,
    connection: Connection,
    head_time: Duration,
    refusals: &Refusals,
    answer: A,
    stopping: CancellationToken,
) -> hyper::Result<()>
where
    A: Fn(Request<Incoming>, Connection) -> F + Send + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let asked = Arc::new(AtomicBool::new(false));
    let noted = Arc::clone(&asked);
    let service = service_fn(move |request| {
        noted.store(true, Ordering::Relaxed);
        let answered = answer(request, connection.clone());
        async move { Ok::<_, Infallible>(answered.await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head_time)
        .max_header_size(HEAD_BYTES)
        .max_buf_size(HEAD_BYTES)
        // A client may close its side once its request is sent and still read the answer, as `nc -N` does.
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut served = pin!(served);
    let result = tokio::select! {
        result = &mut served => result,
        () = stopping.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    match &result {
        Err(error) if error.is_parse_too_large() => refusals.count(Refusal::HeadTooLarge),
        // Between two requests it is only idle.
        Err(error) if error.is_timeout() && !asked.load(Ordering::Relaxed) => refusals.count(Refusal::HeadTooSlow),
        _ => {}
    }
    result
}

async fn serve_http2<A, F, S>(
    stream: S,
    connection: Connection,
    head_time: Duration,
    refusals: &Refusals,
    answer: A,
    stopping: CancellationToken,
) -> hyper::Result<()>
where
    A: Fn(Request<Incoming>, Connection) -> F + Send + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (activity, asked) = (Activity::default(), Arc::new(AtomicBool::new(false)));
    let (active, noted) = (activity.clone(), Arc::clone(&asked));
    let service = service_fn(move |request| {
        noted.store(true, Ordering::Relaxed);
        let (answered, running) = (answer(request, connection.clone()), active.begin());
        async move {
            let answer = answered.await;
            drop(running);
            Ok::<_, Infallible>(answer)
        }
    });
    let served = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_header_list_size(HEAD_BYTES as u32)
        .max_concurrent_streams(STREAMS)
        // Finds out that the peer is gone; one that is there and asks for nothing answers it.
        .keep_alive_interval(head_time)
        .serve_connection(TokioIo::new(stream), service);
    let mut served = pin!(served);
    tokio::select! {
        result = &mut served => return result,
        () = stopping.cancelled() => {}
        () = activity.idle_for(head_time) => {
            // It may not even have begun to speak HTTP/2, so that a farewell would wait for ever.
            if !asked.load(Ordering::Relaxed) {
                refusals.count(Refusal::HeadTooSlow);
                return Ok(());
            }
        }
    }
    served.as_mut().graceful_shutdown();
    served.await
}
