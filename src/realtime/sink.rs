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

/// Where an outbox's bytes go.
#[derive(Debug)]
pub(super) enum Sink {
    /// To the client, as far as the kernel takes them.
    Stream(OwnedWriteHalf),
    /// Nowhere by themselves, as if the kernel never took any: the client has to ask for what waits.
    /// What is left out of it is counted.
    Polled(Arc<Counters>),
}

impl Sink {
    /// The frames that can go this way: binary ones cannot be polled, since answers to polls are JSON (D21).
    pub(super) fn fitting(&self, frames: Frames) -> Frames {
        match self {
            Sink::Stream(_) => frames,
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
            Sink::Stream(stream) => stream.try_write(bytes),
            Sink::Polled(_) => Err(ErrorKind::WouldBlock.into()),
        }
    }

    pub(super) fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Sink::Stream(stream) => stream.try_write_vectored(slices),
            Sink::Polled(_) => Err(ErrorKind::WouldBlock.into()),
        }
    }

    pub(super) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Sink::Stream(stream) => stream.as_ref().poll_write_ready(cx),
            Sink::Polled(_) => Poll::Pending,
        }
    }

    /// Tells the client that nothing follows.
    pub(super) fn shut_down(&self) {
        if let Sink::Stream(stream) = self {
            // It fails when the client is gone, which the reading side finds out.
            let _ = SockRef::from(stream.as_ref()).shutdown(Shutdown::Write);
        }
    }
}
