//! One connection, and the requests that come on it.

use std::{
    convert::Infallible,
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
    net::TcpStream,
};
use tokio_util::sync::CancellationToken;

use super::{
    activity::Activity,
    tls::{self, Tls},
};
use crate::http::{Connection, Refusal, Refusals};

/// Bytes that a request's line and headers may take (431 beyond), and that are buffered of a body at a time.
const HEAD_BYTES: usize = 64 * 1024;
/// Requests of one HTTP/2 connection that are answered at the same time.
const STREAMS: u32 = 100;

/// One connection, and what it is served with.
pub(super) struct Serving<A> {
    pub(super) connection: Connection,
    /// How long a head may take to arrive, and the connection between two requests may be idle.
    pub(super) head_time: Duration,
    pub(super) refusals: Refusals,
    pub(super) answer: A,
    pub(super) stopping: CancellationToken,
}

impl<A, F> Serving<A>
where
    A: Fn(Request<Incoming>, Connection) -> F + Send + 'static,
    F: Future<Output = Response<Full<Bytes>>> + Send + 'static,
{
    /// Serves the requests of the connection until it is closed or upgraded. Whoever upgrades it takes the stream with it.
    pub(super) async fn serve(self, stream: TcpStream, tls: Option<Tls>) {
        let peer = self.connection.peer();
        let served = match tls {
            None => self.http1(stream).await,
            // In a box, so that connections without TLS are not as large.
            Some(tls) => Box::pin(self.encrypted(stream, tls)).await,
        };
        if let Err(error) = served {
            tracing::debug!(%peer, %error, "A connection ended badly.");
        }
    }

    /// Begins with a TLS handshake.
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
        let Self { connection, head_time, refusals, answer, stopping } = self;
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

    async fn http2<S>(self, stream: S) -> hyper::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self { connection, head_time, refusals, answer, stopping } = self;
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
}
