//! Accepting connections, bounding what they may cost, and stopping without losing requests.

mod activity;
mod pinned;
mod quiet;
mod serving;
mod tls;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Request, Response,
    body::{Body, Incoming},
};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    signal::unix::{Signal, SignalKind, signal},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep, timeout, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use self::{
    pinned::trusting_only,
    tls::{Tls, TlsError},
};
use self::{quiet::Quiet, serving::Serving};
use crate::http::{Connection, Refusal, Refusals, TrustedProxies};

/// Connections that the kernel completes before they are accepted; it may lower this (`net.core.somaxconn`).
const BACKLOG: u32 = 4096;
/// What the kernel takes for a client before it has sent it, in bytes; without this, up to 4 MB (`net.ipv4.tcp_wmem`) for each that
/// does not read. What it has sent is not counted, so that far clients are served as fast as ever.
#[cfg(target_os = "linux")]
const UNSENT_BYTES: u32 = 256 << 10;
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
    // Whatever is accepted has it from the start.
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(&socket).set_tcp_notsent_lowat(UNSENT_BYTES)?;
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
            let answer = move |request: Request<Incoming>, connection: Connection| {
                let arrival = watched.arrive(request.body().is_end_stream());
                let connection = arrival.body_read().into_iter().fold(connection, Connection::with_body);
                arrival.until(Box::pin(answer(request, connection)))
            };
            let (head_time, refusals, stopping) = (options.head_time, options.refusals.clone(), stopping.clone());
            let serving = Serving { connection, head_time, refusals: refusals.clone(), answer, stopping };
            let tls = options.tls.clone();
            // The future of the connection is made where it stays: one that is captured is kept twice.
            connections.spawn(async move {
                tokio::select! {
                    () = serving.serve(stream, tls) => {}
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
