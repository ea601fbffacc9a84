//! The server: it accepts connections, limits what they may use, and stops without losing requests.

mod activity;
mod pinned;
mod quiet;
mod sending;
mod serving;
mod tls;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use hyper::{
    Request, Response,
    body::{Body as _, Incoming},
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
use crate::{
    http::{Body, Budget, Connection, Payer, Progress, Refusal, Refusals, Timeouts, TrustedProxies},
    tasks::Tasks,
};

/// Maximum connections that the kernel completes before the server accepts them; the kernel may lower this
/// (`net.core.somaxconn`).
const BACKLOG: u32 = 4096;
/// Maximum unsent bytes that the kernel buffers for a client; without this limit, up to 4 MB (`net.ipv4.tcp_wmem`) for
/// each client that does not read. Bytes in flight are not counted, so that distant clients are served as fast as ever.
#[cfg(target_os = "linux")]
const UNSENT_BYTES: u32 = 256 << 10;
/// Number of quiet connections that are ended at a time when there is no room, and the interval of checks.
const MAKE_ROOM: usize = 64;
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// Maximum bytes of all unfinished heads together, beyond the first 16 KiB of each.
const HEADS_BYTES: usize = 64 << 20;
/// Maximum bytes of all answers together while slow clients read them, beyond the first 16 KiB of each.
const ANSWERS_BYTES: usize = 256 << 20;
/// Interval of log messages about reaching the connection limit.
const SAY_EVERY: Duration = Duration::from_secs(10);
/// Delays after an error that the next `accept` would meet as well, such as having no file descriptor left.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// Error when listening on an address; the message names the setting to change.
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
        /// The error of the operating system.
        source: io::Error,
    },
}

/// Listens on an address. Port 0 takes a free one: [`TcpListener::local_addr`] says which.
///
/// # Errors
///
/// [`BindError`], whose message is for the operator who starts the server.
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
    // Accepted connections inherit this from the start.
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(&socket).set_tcp_notsent_lowat(UNSENT_BYTES)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Options of the server.
#[derive(Clone, Debug)]
pub struct Options {
    /// Maximum open TCP connections, upgraded ones included. Further connections wait in the kernel's queue; meanwhile
    /// the server ends those that have been quiet for long.
    pub max_connections: usize,
    /// The time limits of a connection.
    pub timeouts: Timeouts,
    /// The proxies whose headers about their clients are trusted.
    pub trusted_proxies: TrustedProxies,
    /// TLS settings, if connections are encrypted.
    pub tls: Option<Tls>,
    /// Counters of refused requests and connections.
    pub refusals: Refusals,
    /// Counts panics, which end no more than a connection.
    pub tasks: Tasks,
}

/// Serves HTTP/1, and with TLS also HTTP/2, until `stop` completes. Then it lets running requests end, at most until
/// the deadline that `stop` returns; returns that deadline.
pub async fn serve<A, F>(
    listener: TcpListener,
    options: Options,
    answer: A,
    stop: impl Future<Output = Instant>,
) -> Instant
where
    A: Fn(Request<Incoming>, Connection) -> F + Clone + Send + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let stopping = CancellationToken::new();
    let connections = TaskTracker::new();
    let permits = Arc::new(Semaphore::new(options.max_connections.min(Semaphore::MAX_PERMITS)));
    let quiet = Quiet::default();
    let (heads, answers) = (Budget::new(HEADS_BYTES), Budget::new(ANSWERS_BYTES));
    let accepting = async {
        let mut crowded = Crowded::default();
        loop {
            let permit = permit(&permits, &quiet, &mut crowded).await;
            let (stream, peer) = accept(&listener).await;
            let payer = payer(&options.trusted_proxies, peer);
            let progress = Progress::new(options.timeouts, heads.clone(), payer);
            let connection = Connection::new(peer, options.trusted_proxies.clone(), progress, permit);
            let presence = quiet.enter();
            let (answer, watched) = (answer.clone(), presence.clone());
            // Boxed: an answer's future is large, and hyper moves it more than once.
            let answer = move |request: Request<Incoming>, connection: Connection| {
                let arrival = watched.arrive(request.body().is_end_stream());
                let connection = arrival.body_read().into_iter().fold(connection, Connection::with_body);
                arrival.until(Box::pin(answer(request, connection)))
            };
            let (answers, refusals, stopping) = (answers.clone(), options.refusals.clone(), stopping.clone());
            let serving = Serving { connection, answers, payer, refusals: refusals.clone(), answer, stopping };
            let tls = options.tls.clone();
            // The future of the connection is made where it stays: one that is captured is kept twice.
            connections.spawn(options.tasks.survive("connection", async move {
                tokio::select! {
                    () = serving.serve(stream, tls) => {}
                    () = presence.unwanted() => {
                        refusals.count(Refusal::Quiet);
                        tracing::debug!(%peer, "Closed an idle connection to make room.");
                    }
                }
            }));
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
        tracing::warn!(open = connections.len(), "Stopped with requests still running.");
    }
    deadline
}

/// Returns the payer for the memory of a connection's heads and answers. A proxy has many clients.
fn payer(proxies: &TrustedProxies, peer: SocketAddr) -> Payer {
    if proxies.trusts(peer.ip()) { Payer::unlimited() } else { Payer::of(peer.ip()) }
}

/// Requests of the operating system to stop: SIGTERM, or SIGINT as by Ctrl-C.
#[derive(Debug)]
pub struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    /// Starts to listen to the signals.
    ///
    /// # Errors
    ///
    /// Fails if the operating system does not let the process listen to signals.
    pub fn listen() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for the next signal.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Time of the last log message about the connection limit.
#[derive(Default)]
struct Crowded {
    said: Option<Instant>,
}

impl Crowded {
    fn say(&mut self) {
        if self.said.is_none_or(|said| said.elapsed() >= SAY_EVERY) {
            self.said = Some(Instant::now());
            tracing::warn!(
                "Reached the limit of connections (PUSHER_LITE_MAX_CONNECTIONS, or descriptors); new ones wait."
            );
        }
    }
}

/// Waits for room for another connection. If there is none, quiet ones are ended.
async fn permit(permits: &Arc<Semaphore>, quiet: &Quiet, crowded: &mut Crowded) -> OwnedSemaphorePermit {
    loop {
        if let Ok(permit) = Arc::clone(permits).try_acquire_owned() {
            return permit;
        }
        crowded.say();
        quiet.end_some(MAKE_ROOM);
        // A connection that ends, for whatever reason, makes room immediately.
        if let Ok(permit) = timeout(LOOK_AGAIN, Arc::clone(permits).acquire_owned()).await {
            return permit.expect("the semaphore is never closed");
        }
    }
}

/// Accepts the next connection. Waits and retries on errors: none of them means that later connections fail as well.
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
