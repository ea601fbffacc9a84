//! Where an outbox's bytes go.

use std::io::{self, ErrorKind, IoSlice};
use std::net::Shutdown;
use std::sync::Arc;
use std::task::{Context, Poll};

use socket2::SockRef;
use tokio::net::tcp::OwnedWriteHalf;

use super::counters::{Count, Counters};
use super::frame;
use super::frames::Frames;
use super::tls::TlsStream;

/// Where an outbox's bytes go.
#[derive(Debug)]
pub(super) enum Sink {
    /// To the client, as far as the kernel takes them.
    Stream(OwnedWriteHalf),
    /// To the client, sealed, as far as TLS and the kernel take them.
    Tls(Arc<TlsStream>),
    /// Nowhere by themselves, as if the kernel never took any: the client has to ask for what waits.
    /// What is left out of it is counted.
    Polled(Arc<Counters>),
}

impl Sink {
    /// The frames that can go this way: binary ones cannot be polled, since answers to polls are JSON (D21).
    pub(super) fn fitting(&self, frames: Frames) -> Frames {
        match self {
            Sink::Stream(_) | Sink::Tls(_) => frames,
            Sink::Polled(counters) => {
                let (frames, skipped) = frame::without_binary(frames.into_bytes());
                if skipped > 0 {
                    counters.add(Count::BinarySkipped, skipped);
                }
                frames.into()
            }
        }
    }

    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            // The kernel is asked and not tokio, whose note on whether the socket is writable is one more line of memory to
            // fetch for each of thousands. Whoever then waits for it finds a note that is too old, and writes once for nothing.
            Sink::Stream(stream) => SockRef::from(stream.as_ref()).send(bytes),
            Sink::Tls(stream) => stream.try_write_vectored(&[IoSlice::new(bytes)]),
            Sink::Polled(_) => Err(ErrorKind::WouldBlock.into()),
        }
    }

    pub(super) fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Sink::Stream(stream) => stream.try_write_vectored(slices),
            Sink::Tls(stream) => stream.try_write_vectored(slices),
            Sink::Polled(_) => Err(ErrorKind::WouldBlock.into()),
        }
    }

    pub(super) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Sink::Stream(stream) => stream.as_ref().poll_write_ready(cx),
            Sink::Tls(stream) => stream.poll_write_ready(cx),
            Sink::Polled(_) => Poll::Pending,
        }
    }

    /// Whether nothing of what was written waits here: only TLS keeps some.
    pub(super) fn is_flushed(&self) -> bool {
        match self {
            Sink::Tls(stream) => stream.is_flushed(),
            Sink::Stream(_) | Sink::Polled(_) => true,
        }
    }

    /// Brings out what waits here.
    pub(super) fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Sink::Tls(stream) => stream.poll_flush(cx),
            Sink::Stream(_) | Sink::Polled(_) => Poll::Ready(Ok(())),
        }
    }

    /// Tells the client that nothing follows.
    pub(super) fn shut_down(&self) {
        match self {
            Sink::Stream(stream) => {
                // It fails when the client is gone, which the reading side finds out.
                let _ = SockRef::from(stream.as_ref()).shutdown(Shutdown::Write);
            }
            Sink::Tls(stream) => stream.shut_down(),
            Sink::Polled(_) => {}
        }
    }
}
