//! The pump between a stream and a session: bytes in, frames out.
//!
//! Input is read into a buffer that all connections of a thread share, and messages are read where they lie in it; see
//! [`super::incoming`].

use std::{
    cell::RefCell,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use pusher_lite_protocol::Dialect;
use tokio::{
    io::ReadBuf,
    time::{Sleep, sleep},
};

use super::incoming::{Fault, Incoming, Reader};
use crate::realtime::{
    close::Close,
    connection::{
        frame,
        outbox::Outbox,
        stream::{Source, Stream},
    },
    identity::Identity,
    room::hold::Hold,
    session::session::Session,
    shared::Shared,
};

/// The most bytes that are read in one go, and carried out before anything else has its turn.
const READ_BYTES: usize = 16 << 10;

/// Reads in one poll; a connection with more to read comes again after the others.
const READS_PER_POLL: usize = 4;

/// The time between two looks at a client that is not read from, since its end comes behind the input that waits unread.
const LOOK_AFTER: Duration = Duration::from_secs(1);

thread_local! {
    static READ_BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into());
}

/// One WebSocket, from behind the handshake to the end.
#[derive(Debug)]
pub(crate) struct Pump {
    reader: Source,
    /// Input that was read and not carried out: beyond the handshake, or when it was interrupted.
    unread: Vec<u8>,
    /// The client was paused in the middle of what it had sent. The rest is in `unread`, and is counted already.
    is_interrupted: bool,
    /// A part of the client's pause.
    pause: Option<Pin<Box<Sleep>>>,
    incoming: Reader,
    session: Session,
    /// The wait for a room that has much to send, before the client is read from again.
    hold: Option<Hold>,
    closing: Option<Closing>,
    linger: Duration,
}

/// After the last message: the close frame goes out, and the client may close its side.
#[derive(Debug)]
struct Closing {
    deadline: Pin<Box<Sleep>>,
    /// Our side is closed.
    shut_down: bool,
    client_is_done: bool,
}

/// Outcome of reading.
enum Received {
    /// Messages, all of them carried out.
    Messages,
    /// The last one, or something that ends the connection.
    Close(Close),
    /// The client is gone.
    Gone,
}

impl Pump {
    pub(crate) fn new(
        shared: Arc<Shared>,
        stream: Stream,
        unread: Bytes,
        identity: Identity,
        dialect: Dialect,
    ) -> Pump {
        let (reader, writer) = stream.split();
        let limits = shared.limits;
        let outbox = Outbox::new(writer, limits.outbox_bytes, Arc::clone(&shared.budgets.outgoing));
        let connection = shared.sockets.add(dialect, identity, outbox);
        Pump {
            reader,
            unread: unread.into(),
            is_interrupted: false,
            pause: None,
            incoming: Reader::new(limits.message_bytes),
            session: Session::new(shared, connection),
            hold: None,
            closing: None,
            linger: limits.linger,
        }
    }

    /// Reads and carries out messages until there are none, or the connection is to end.
    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<Received> {
        if let Some(close) = self.session.connection().outbox.close_requested() {
            return Poll::Ready(Received::Close(close));
        }
        for _ in 0..READS_PER_POLL {
            if ready!(self.poll_readable(cx)) {
                return Poll::Ready(Received::Gone);
            }
            let received = self.poll_read(cx);
            if self.session.connection().is_paused() {
                // Not before: until it is read from, it only seems to be silent.
                self.session.connection().set_paused(false);
            }
            match received {
                Poll::Ready(Received::Messages) => {}
                other => return other,
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Waits until the client may be read from. Returns true when it is gone.
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        while let Some(left) = self.session.pause() {
            self.session.connection().set_paused(true);
            let pause = self.pause.get_or_insert_with(|| Box::pin(sleep(left.min(LOOK_AFTER))));
            ready!(pause.as_mut().poll(cx));
            self.pause = None;
            if self.reader.is_closed() {
                return Poll::Ready(true);
            }
        }
        if let Some(hold) = &mut self.hold {
            if hold.poll(cx).is_pending() {
                self.session.connection().set_paused(true);
                return Poll::Pending;
            }
            self.hold = None;
        }
        Poll::Ready(false)
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Received> {
        if self.is_interrupted || !self.unread.is_empty() {
            let mut unread = std::mem::take(&mut self.unread);
            // What was interrupted is counted already, and shows all the same that the client is not silent.
            let uncounted = if std::mem::take(&mut self.is_interrupted) { 0 } else { unread.len() };
            self.session.received(uncounted);
            return Poll::Ready(self.receive(&mut unread));
        }
        READ_BUFFER.with_borrow_mut(|buffer| {
            let mut read = ReadBuf::new(buffer);
            match self.reader.poll_read(cx, &mut read) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(Ok(())) if !read.filled().is_empty() => {
                    self.session.received(read.filled().len());
                    Poll::Ready(self.receive(read.filled_mut()))
                }
                Poll::Ready(_) => Poll::Ready(Received::Gone),
            }
        })
    }

    /// Carries out the messages in some bytes, until the client is paused.
    fn receive(&mut self, mut input: &mut [u8]) -> Received {
        let mut replies = Vec::new();
        let received = loop {
            if self.session.is_overdrawn() {
                self.is_interrupted = true;
                self.unread = input.to_vec();
                break Received::Messages;
            }
            let result = match self.incoming.next(&mut input) {
                Ok(Some(Incoming::Text(text))) => self.session.receive_text(&text, &mut replies),
                Ok(Some(Incoming::Binary(data))) => self.session.receive_binary(&data, &mut replies),
                Ok(Some(Incoming::Ping(payload))) => {
                    frame::pong(&payload, &mut replies);
                    self.session.receive_control();
                    continue;
                }
                Ok(Some(Incoming::Pong)) => {
                    self.session.receive_control();
                    continue;
                }
                Ok(Some(Incoming::Close(code))) => break Received::Close(Close::Client(code)),
                Ok(None) => break Received::Messages,
                Err(fault) => break Received::Close(ended_by(fault)),
            };
            match result {
                Ok(None) => {}
                Ok(hold) => self.hold = hold,
                Err(error) => {
                    tracing::debug!(socket = self.session.connection().id, %error, "A message cannot be read");
                    break Received::Close(Close::Malformed);
                }
            }
        };
        self.session.set_partial(self.incoming.memory() + self.unread.capacity());
        self.session.count_out(replies.len());
        self.session.connection().outbox.send(replies.into());
        received
    }

    fn close(&mut self, close: Close) {
        self.forget_incoming();
        self.session.close(close);
        let deadline = Box::pin(sleep(self.linger));
        self.closing = Some(Closing { deadline, shut_down: false, client_is_done: false });
    }

    /// Drops the input that is not carried out.
    fn forget_incoming(&mut self) {
        self.incoming.clear();
        self.unread = Vec::new();
        self.session.set_partial(0);
    }

    fn poll_all(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Poll::Ready(Err(_)) = self.session.connection().outbox.poll_flush(cx) {
            return Poll::Ready(());
        }
        if self.closing.is_none() {
            match self.poll_open(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Received::Messages | Received::Gone) => return Poll::Ready(()),
                Poll::Ready(Received::Close(close)) => self.close(close),
            }
        }
        let connection = self.session.connection();
        let closing = self.closing.as_mut().expect("it was just set, if it was not before");
        closing.poll(cx, &connection.outbox, &mut self.reader)
    }

    /// After a panic: asks the socket to close, which leaves its topics in order. If that panics as well, the socket ends
    /// as if its client were gone.
    #[cold]
    fn fail(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.session.panicked() {
            return Poll::Ready(());
        }
        self.session.connection().outbox.request_close(Close::Fault);
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Future for Pump {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let pump = &mut *self;
        catch_unwind(AssertUnwindSafe(|| pump.poll_all(cx))).unwrap_or_else(|_| self.fail(cx))
    }
}

impl Closing {
    /// Writes what waits, then waits for the client to close its side: closing ours with something unread in it would
    /// make the kernel take back what the client has not read yet.
    fn poll(&mut self, cx: &mut Context<'_>, outbox: &Outbox, reader: &mut Source) -> Poll<()> {
        if self.deadline.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        match outbox.poll_flush(cx) {
            Poll::Ready(Ok(())) if !self.shut_down => self.shut_down = outbox.shut_down_if_finished(),
            Poll::Ready(Err(_)) => return Poll::Ready(()),
            _ => {}
        }
        if !self.client_is_done {
            self.client_is_done = poll_discard(reader, cx).is_ready();
        }
        if self.shut_down && self.client_is_done { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// Reads for nothing, until there is nothing more to come.
fn poll_discard(reader: &mut Source, cx: &mut Context<'_>) -> Poll<()> {
    for _ in 0..READS_PER_POLL {
        let gone = READ_BUFFER.with_borrow_mut(|buffer| {
            let mut read = ReadBuf::new(buffer);
            let result = ready!(reader.poll_read(cx, &mut read));
            Poll::Ready(result.is_err() || read.filled().is_empty())
        });
        if ready!(gone) {
            return Poll::Ready(());
        }
    }
    cx.waker().wake_by_ref();
    Poll::Pending
}

/// The end that a fault calls for.
fn ended_by(fault: Fault) -> Close {
    match fault {
        Fault::TooBig => Close::TooBig,
        Fault::Utf8 => Close::Utf8,
        Fault::Protocol => Close::Protocol,
    }
}
