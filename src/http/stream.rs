//! The stream of a connection, between hyper and TCP or TLS: it reports reads and writes to [`Progress`].

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::{Buf, Bytes};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    progress::{Progress, Read},
    request_line::RequestLine,
};

/// Bytes of a request line that are kept, to tell which part of the server a malformed head was for.
const KEPT: usize = 32;

/// A stream whose progress is watched.
#[derive(Debug)]
pub struct Watched<S> {
    /// Taken when the stream is handed on.
    inner: Option<S>,
    progress: Progress,
    line: RequestLine,
    begin: Begin,
    /// Rewritten bytes for which there was no room.
    rewritten: Bytes,
    /// The peer took nothing of what was written last.
    is_stalled: bool,
    /// Keeps the bare answer of hyper from the client, so that a better one can be written.
    is_refused: bool,
    leftover: Leftover<S>,
}

/// The first bytes of a request line.
#[derive(Debug)]
struct Begin {
    bytes: [u8; KEPT],
    len: usize,
}

impl Begin {
    fn keep(&mut self, read: &[u8]) {
        let part = read.len().min(KEPT - self.len);
        self.bytes[self.len..][..part].copy_from_slice(&read[..part]);
        self.len += part;
    }

    fn kept(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// A stream whose head hyper has refused, with what is known of the head.
#[derive(Debug)]
pub struct RefusedHead<S> {
    /// The stream. Nothing of an answer is written.
    pub stream: S,
    /// The first bytes of the request line.
    pub begin: Vec<u8>,
}

/// Error: the heads that are being read use all the memory of their budget.
#[derive(Debug, thiserror::Error)]
#[error("too many large heads are under way")]
pub struct HeadsFull;

impl HeadsFull {
    /// Returns true if this error is the cause of another one.
    pub fn is_cause_of(error: &(dyn std::error::Error + 'static)) -> bool {
        let mut causes = std::iter::successors(Some(error), |error| error.source());
        causes
            .any(|cause| cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref).is_some_and(|e| e.is::<Self>()))
    }
}

/// Place from which a stream can be taken after hyper has refused its head.
#[derive(Debug)]
pub struct Leftover<S>(Arc<Mutex<Option<RefusedHead<S>>>>);

impl<S> Clone for Leftover<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S> Leftover<S> {
    /// Returns the stream, once hyper has dropped it, if hyper refused a head.
    pub fn take(&self) -> Option<RefusedHead<S>> {
        self.0.lock().take()
    }
}

impl<S> Watched<S> {
    /// Watches a stream on which nothing has come yet.
    pub fn new(stream: S, progress: Progress) -> Self {
        Self {
            inner: Some(stream),
            progress,
            line: RequestLine::Start,
            begin: Begin { bytes: [0; KEPT], len: 0 },
            rewritten: Bytes::new(),
            is_stalled: false,
            is_refused: false,
            leftover: Leftover(Arc::new(Mutex::new(None))),
        }
    }

    /// Returns the place from which the stream can be taken if hyper refuses a head.
    pub fn leftover(&self) -> Leftover<S> {
        self.leftover.clone()
    }

    /// Returns the stream itself.
    pub fn into_inner(mut self) -> S {
        self.inner.take().expect("the stream is taken once")
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Watched<S> {
    fn stream(&mut self) -> Pin<&mut S> {
        Pin::new(self.inner.as_mut().expect("the stream is taken with its owner"))
    }

    /// Records the bytes that were read, and rewrites those that hyper would refuse.
    fn note(&mut self, buf: &mut ReadBuf<'_>, before: usize) -> io::Result<()> {
        let read = &buf.filled()[before..];
        match self.progress.read(read.len()) {
            Read::Begins => {
                self.line = RequestLine::Start;
                self.begin.len = 0;
            }
            Read::Continues => {}
            Read::Other => self.line = RequestLine::Passed,
            Read::NoRoom => return Err(io::Error::other(HeadsFull)),
        }
        if self.line == RequestLine::Passed {
            return Ok(());
        }
        self.begin.keep(read);
        if let Some(rewritten) = self.line.rewrite(read) {
            buf.set_filled(before);
            self.rewritten = rewritten.into();
            self.hand_on(buf);
        }
        Ok(())
    }

    fn hand_on(&mut self, buf: &mut ReadBuf<'_>) {
        let part = self.rewritten.len().min(buf.remaining());
        buf.put_slice(&self.rewritten[..part]);
        self.rewritten.advance(part);
    }

    /// Returns true if these bytes are an answer that hyper writes by itself; it is kept back then.
    fn keeps_back(&mut self, begin: &[u8]) -> bool {
        self.is_refused = self.is_refused || self.progress.is_hypers_own(begin);
        self.is_refused
    }

    fn wrote(&mut self, outcome: &Poll<io::Result<usize>>) {
        if let Poll::Ready(Ok(bytes)) = outcome {
            self.progress.wrote(*bytes);
        }
        self.moved(outcome);
    }

    /// Notes whether the peer takes what is written.
    fn moved<T>(&mut self, outcome: &Poll<io::Result<T>>) {
        match outcome {
            Poll::Ready(Ok(_)) if self.is_stalled => self.progress.go_on(),
            Poll::Ready(Ok(_)) => {}
            Poll::Ready(Err(_)) => self.progress.fail(),
            Poll::Pending => self.progress.stall(),
        }
        self.is_stalled = outcome.is_pending();
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.rewritten.is_empty() {
            self.hand_on(buf);
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        let outcome = match self.stream().poll_read(cx, buf) {
            Poll::Ready(Ok(())) if buf.filled().len() > before => return Poll::Ready(self.note(buf, before)),
            Poll::Ready(outcome) => outcome,
            Poll::Pending => {
                self.progress.found_nothing();
                return Poll::Pending;
            }
        };
        if buf.remaining() > 0 && self.progress.keeps_end(cx.waker()) {
            return Poll::Pending;
        }
        Poll::Ready(outcome)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.keeps_back(bytes) {
            return Poll::Ready(Ok(bytes.len()));
        }
        let outcome = self.stream().poll_write(cx, bytes);
        self.wrote(&outcome);
        outcome
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let begin = slices.iter().find(|slice| !slice.is_empty()).map_or(&[][..], |slice| slice);
        if self.keeps_back(begin) {
            return Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()));
        }
        let outcome = self.stream().poll_write_vectored(cx, slices);
        self.wrote(&outcome);
        outcome
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_refused {
            return Poll::Ready(Ok(()));
        }
        let outcome = self.stream().poll_flush(cx);
        self.moved(&outcome);
        outcome
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_refused {
            return Poll::Ready(Ok(()));
        }
        let outcome = self.stream().poll_shutdown(cx);
        self.moved(&outcome);
        outcome
    }
}

impl<S> Drop for Watched<S> {
    fn drop(&mut self) {
        if self.is_refused {
            let begin = self.begin.kept().to_vec();
            let refused = self.inner.take().map(|stream| RefusedHead { stream, begin });
            *self.leftover.0.lock() = refused;
        }
    }
}
