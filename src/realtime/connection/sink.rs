//! The destination of an outbox's bytes.

use std::{
    io::{self, ErrorKind, IoSlice},
    net::Shutdown,
    sync::Arc,
    task::{Context, Poll},
};

use socket2::SockRef;
use tokio::net::tcp::OwnedWriteHalf;

use super::tls::TlsStream;
use crate::realtime::usage::counters::{Count, Counters};

/// The destination of an outbox's bytes.
#[derive(Debug)]
pub(crate) enum Sink {
    /// To the client, as far as the kernel takes them.
    Stream(OwnedWriteHalf),
    /// To the client, sealed, as far as TLS and the kernel take them.
    Tls(Arc<TlsStream>),
    /// No stream: as if the kernel never took any bytes. The client has to ask for the queued ones. Skipped messages
    /// are counted.
    Polled(Arc<Counters>),
}

impl Sink {
    /// Counts messages that this transport cannot carry.
    pub(crate) fn skipped(&self, messages: u64) {
        if let Sink::Polled(counters) = self
            && messages > 0
        {
            counters.add(Count::BinarySkipped, messages);
        }
    }

    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            // This asks the kernel and not tokio. Tokio's note on whether the socket is writable is one more line of
            // memory to fetch for each of thousands of sockets. A task that waits for the socket afterwards finds an
            // old note, and writes once for nothing.
            Sink::Stream(stream) => SockRef::from(stream.as_ref()).send(bytes),
            Sink::Tls(stream) => stream.try_write_vectored(&[IoSlice::new(bytes)]),
            Sink::Polled(_) => Err(ErrorKind::WouldBlock.into()),
        }
    }

    pub(crate) fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Sink::Stream(stream) => stream.try_write_vectored(slices),
            Sink::Tls(stream) => stream.try_write_vectored(slices),
            Sink::Polled(_) => Err(ErrorKind::WouldBlock.into()),
        }
    }

    pub(crate) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Sink::Stream(stream) => stream.as_ref().poll_write_ready(cx),
            Sink::Tls(stream) => stream.poll_write_ready(cx),
            Sink::Polled(_) => Poll::Pending,
        }
    }

    /// Returns true if no written bytes wait here. Only TLS keeps some.
    pub(crate) fn is_flushed(&self) -> bool {
        match self {
            Sink::Tls(stream) => stream.is_flushed(),
            Sink::Stream(_) | Sink::Polled(_) => true,
        }
    }

    /// Flushes the bytes that wait here.
    pub(crate) fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Sink::Tls(stream) => stream.poll_flush(cx),
            Sink::Stream(_) | Sink::Polled(_) => Poll::Ready(Ok(())),
        }
    }

    /// Tells the client that nothing follows.
    pub(crate) fn shut_down(&self) {
        match self {
            Sink::Stream(stream) => {
                // It fails when the client is gone. The reading side notices that.
                let _ = SockRef::from(stream.as_ref()).shutdown(Shutdown::Write);
            }
            Sink::Tls(stream) => stream.shut_down(),
            Sink::Polled(_) => {}
        }
    }
}
