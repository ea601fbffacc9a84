//! One connection and its requests.

use std::{
    convert::Infallible,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use hyper::{
    Request, Response,
    body::{Body as _, Incoming},
    server::conn::{http1, http2},
    service::service_fn,
};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    sync::Semaphore,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::{
    activity::Activity,
    sending::{LastWritten, Sending},
    tls::{self, Tls},
};
use crate::http::{
    Body, Budget, Connection, HeadsFull, Malformed, Overdue, Payer, Refusal, Refusals, RefusedHead, Turn, Watched,
    new_request_id,
};

/// Maximum bytes of a request's line and headers (431 beyond), and of a body buffered at a time.
const HEAD_BYTES: usize = 64 * 1024;
/// Maximum concurrent requests of one HTTP/2 connection.
const STREAMS: u32 = 100;
/// Maximum number of those that are answered concurrently, until their answers are sent; waiting polls are not counted.
/// The others wait, so that the server prepares few answers for a client that reads nothing.
const TURNS: usize = 16;
/// Maximum bytes of the heads of one HTTP/2 connection together (503 beyond).
const STREAM_HEADS: usize = 512 * 1024;
/// Maximum bytes of one answer that HTTP/2 buffers for a stream.
const STREAM_BUFFER: usize = 64 * 1024;
/// Time to write the answer to a malformed head, and to read what the client still sends; without the latter the client
/// may not get the answer.
const FAREWELL: Duration = Duration::from_secs(2);
/// Maximum bytes that are read for that.
const FAREWELL_BYTES: u64 = 256 * 1024;

/// One connection, and its shared state.
pub(super) struct Serving<A> {
    pub(super) connection: Connection,
    /// Memory for answers that wait for slow clients.
    pub(super) answers: Budget,
    pub(super) payer: Payer,
    pub(super) refusals: Refusals,
    pub(super) answer: A,
    pub(super) stopping: CancellationToken,
}

impl<A, F> Serving<A>
where
    A: Fn(Request<Incoming>, Connection) -> F + Clone + Send + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    /// Serves the requests of the connection until it is closed or upgraded. An upgrade takes the stream out of it.
    pub(super) async fn serve(self, stream: TcpStream, tls: Option<Tls>) {
        let peer = self.connection.peer();
        let served = match tls {
            None => self.http1(stream).await,
            // Boxed, so that connections without TLS stay small.
            Some(tls) => Box::pin(self.encrypted(stream, tls)).await,
        };
        if let Err(error) = served {
            tracing::debug!(%peer, %error, "A connection ended badly.");
        }
    }

    /// Serves the requests after a TLS handshake.
    async fn encrypted(self, stream: TcpStream, tls: Tls) -> hyper::Result<()> {
        let accepted = tls.accept(stream, self.connection.peer(), &self.refusals, &self.stopping).await;
        let Some(stream) = accepted else { return Ok(()) };
        let serving = Self { connection: self.connection.encrypted(), ..self };
        match stream.get_ref().1.alpn_protocol() {
            Some(tls::HTTP_2) => serving.http2(stream).await,
            _ => serving.http1(stream).await,
        }
    }

    async fn http1<S>(self, stream: S) -> hyper::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let sending = self.sending();
        let Self { connection, refusals, answer, stopping, .. } = self;
        let (peer, progress) = (connection.peer(), connection.progress().clone());
        let stream = Watched::new(stream, progress.clone());
        let leftover = stream.leftover();
        let arrived = progress.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            arrived.arrived(!request.body().is_end_stream());
            let (answered, sending) = (answer(request, connection.clone()), sending.clone());
            async move { Ok::<_, Infallible>(sending.send(answered.await, None)) }
        });
        let result = {
            let served = http1::Builder::new()
                // The stream has its own limits of time; see `Progress`.
                .header_read_timeout(None)
                .max_header_size(HEAD_BYTES)
                .max_buf_size(HEAD_BYTES)
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades();
            let mut served = pin!(served);
            let _last_written = LastWritten(progress.clone());
            let mut is_stopping = false;
            loop {
                tokio::select! {
                    result = &mut served => break result,
                    () = stopping.cancelled(), if !is_stopping => is_stopping = true,
                    overdue = progress.overdue() => {
                        count(&refusals, overdue);
                        break Ok(());
                    }
                }
                // A client that has not read the handshake by now finds no server.
                if progress.is_switching() {
                    break Ok(());
                }
                served.as_mut().graceful_shutdown();
            }
        };
        if result.as_ref().is_err_and(|error| HeadsFull::is_cause_of(error)) {
            refusals.count(Refusal::HeadsFull);
        }
        if let Err(error) = &result
            && let Some(malformed) = Malformed::of(error)
        {
            refusals.count(malformed.refusal());
            let (id, reason) = (new_request_id(), malformed.refusal().reason());
            tracing::info!(request_id = id, client = %peer.ip(), reason, "Refused a malformed request.");
            if let Some(refused) = leftover.take() {
                // The result does not matter: the client may be gone.
                let _ = timeout(FAREWELL, refuse(refused, malformed, &id)).await;
            }
        }
        result
    }

    async fn http2<S>(self, stream: S) -> hyper::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let sending = self.sending();
        let Self { connection, refusals, answer, stopping, .. } = self;
        let progress = connection.progress().clone();
        progress.multiplex();
        let (activity, asked) = (Activity::default(), Arc::new(AtomicBool::new(false)));
        let (active, noted) = (activity.clone(), Arc::clone(&asked));
        let (turns, heads) = (Arc::new(Semaphore::new(TURNS)), Budget::new(STREAM_HEADS));
        let stream = Watched::new(stream, progress.clone());
        let counted = refusals.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            noted.store(true, Ordering::Relaxed);
            let running = active.begin();
            let mut head = heads.portion(Payer::unlimited());
            let fits = head.add(head_bytes(&request));
            let (answer, connection, sending) = (answer.clone(), connection.clone(), sending.clone());
            let (turns, refusals) = (Arc::clone(&turns), counted.clone());
            async move {
                let turn = turns.acquire_owned().await.expect("the semaphore is never closed");
                if !fits {
                    refusals.count(Refusal::HeadsFull);
                    return Ok(sending.send(too_many_heads(), Some(turn)));
                }
                let turn = Turn::new(turn);
                let answer = answer(request, connection.with_turn(turn.clone())).await;
                drop((running, head));
                Ok::<_, Infallible>(sending.send(answer, turn.take()))
            }
        });
        let timeouts = progress.timeouts();
        let served = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_header_list_size(HEAD_BYTES as u32)
            .max_concurrent_streams(STREAMS)
            .max_send_buf_size(STREAM_BUFFER)
            // Detects that the peer is gone; an idle peer that is still there answers the ping.
            .keep_alive_interval(timeouts.head)
            .serve_connection(TokioIo::new(stream), service);
        let mut served = pin!(served);
        let _last_written = LastWritten(progress.clone());
        let may_be_idle = || if asked.load(Ordering::Relaxed) { timeouts.keep_alive } else { timeouts.head };
        let mut is_ending = false;
        loop {
            tokio::select! {
                result = &mut served => return result,
                () = stopping.cancelled(), if !is_ending => {}
                () = activity.idle_for(may_be_idle), if !is_ending => {
                    // The peer may not even have begun to speak HTTP/2, so that a graceful shutdown would wait forever.
                    if !asked.load(Ordering::Relaxed) {
                        refusals.count(Refusal::HeadTooSlow);
                        return Ok(());
                    }
                }
                overdue = progress.overdue() => {
                    count(&refusals, overdue);
                    return Ok(());
                }
            }
            is_ending = true;
            served.as_mut().graceful_shutdown();
        }
    }

    fn sending(&self) -> Sending {
        Sending {
            progress: self.connection.progress().clone(),
            answers: self.answers.clone(),
            payer: self.payer,
            refusals: self.refusals.clone(),
        }
    }
}

fn count(refusals: &Refusals, overdue: Overdue) {
    match overdue {
        Overdue::Head => refusals.count(Refusal::HeadTooSlow),
        Overdue::Answer => refusals.count(Refusal::AnswerTooSlow),
        Overdue::Idle | Overdue::Switch => {}
    }
}

/// Answers a malformed head, and reads on for a moment: unread bytes in the socket would make the kernel reset the
/// connection.
async fn refuse<S>(refused: RefusedHead<S>, malformed: Malformed, request_id: &str) -> std::io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let RefusedHead { mut stream, begin } = refused;
    stream.write_all(&malformed.answer(&begin, request_id)).await?;
    stream.shutdown().await?;
    tokio::io::copy(&mut stream.take(FAREWELL_BYTES), &mut tokio::io::sink()).await?;
    Ok(())
}

/// Estimates the memory of the head, in bytes.
fn head_bytes(request: &Request<Incoming>) -> usize {
    let headers = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len());
    let uri = request.uri();
    uri.path().len() + uri.query().unwrap_or_default().len() + headers.sum::<usize>()
}

fn too_many_heads() -> Response<Body> {
    let status = hyper::StatusCode::SERVICE_UNAVAILABLE;
    crate::http::Response::text(status, "the heads of the requests of this connection are too large together\n")
        .into_hyper()
}
