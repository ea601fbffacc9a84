//! The pump between a stream and a session: bytes in, frames out.
//!
//! tungstenite reads what comes from a buffer that all connections of a thread share, and writes pongs into another; it
//! never sees the stream, nor the frames of messages.

use std::cell::RefCell;
use std::future::Future;
use std::io::{self, ErrorKind, Read, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use pusher_lite_protocol::Vsn;
use tokio::io::ReadBuf;
use tokio::time::{Sleep, sleep};
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::{Message, Role, WebSocketConfig, WebSocketContext};

use super::close::Close;
use super::hub::Shared;
use super::identity::Identity;
use super::outbox::Outbox;
use super::room::Room;
use super::session::Session;
use super::stream::{Source, Stream};

/// What is read in one go, and worked off before anything else has its turn.
const READ_BYTES: usize = 16 << 10;

/// Reads in one poll; a connection with more to read comes again after the others.
const READS_PER_POLL: usize = 4;

/// tungstenite's own buffer, kept by each connection.
const FRAME_BUFFER: usize = 256;

thread_local! {
    static READ_BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into());
}

/// One WebSocket, from behind the handshake to the end.
#[derive(Debug)]
pub(super) struct Pump {
    reader: Source,
    /// What was read beyond the handshake.
    unread: Bytes,
    context: WebSocketContext,
    session: Session,
    /// The room that has to send what it has before this client may publish more.
    held_by: Option<Arc<Room>>,
    closing: Option<Closing>,
    linger: Duration,
}

/// After the last message: the close frame goes out, and the client may close its side.
#[derive(Debug)]
struct Closing {
    close: Close,
    deadline: Pin<Box<Sleep>>,
    /// Our side is closed.
    shut_down: bool,
    client_is_done: bool,
}

/// What came of reading.
enum Received {
    /// Messages, all of them carried out.
    Messages,
    /// The last one, or something that ends the connection.
    Close(Close),
    /// The client is gone.
    Gone,
}

impl Pump {
    pub(super) fn new(shared: Arc<Shared>, stream: Stream, unread: Bytes, identity: Identity, vsn: Vsn) -> Pump {
        let (reader, writer) = stream.split();
        let limits = shared.limits;
        let outbox = Outbox::new(writer, limits.outbox_bytes);
        let connection = shared.sockets.add(vsn, identity, outbox);
        let config = WebSocketConfig::default()
            .read_buffer_size(FRAME_BUFFER)
            .write_buffer_size(0)
            .max_message_size(Some(limits.message_bytes))
            .max_frame_size(Some(limits.message_bytes));
        Pump {
            reader,
            unread,
            context: WebSocketContext::new(Role::Server, Some(config)),
            session: Session::new(shared, connection),
            held_by: None,
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
            if let Some(room) = &self.held_by {
                if room.holds(cx.waker()) {
                    return Poll::Pending;
                }
                self.held_by = None;
            }
            match self.poll_read(cx) {
                Poll::Ready(Received::Messages) => {}
                other => return other,
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Received> {
        if !self.unread.is_empty() {
            let unread = std::mem::take(&mut self.unread);
            return Poll::Ready(self.receive(&unread));
        }
        READ_BUFFER.with_borrow_mut(|buffer| {
            let mut read = ReadBuf::new(buffer);
            match self.reader.poll_read(cx, &mut read) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(Ok(())) if !read.filled().is_empty() => Poll::Ready(self.receive(read.filled())),
                Poll::Ready(_) => Poll::Ready(Received::Gone),
            }
        })
    }

    /// Carries out the messages in some bytes.
    fn receive(&mut self, input: &[u8]) -> Received {
        self.session.received(input.len());
        let mut stream = Memory { input, output: Vec::new() };
        let received = loop {
            let result = match self.context.read(&mut stream) {
                Ok(Message::Text(text)) => self.session.receive_text(&text, &mut stream.output),
                Ok(Message::Binary(data)) => self.session.receive_binary(&data, &mut stream.output),
                Ok(Message::Close(frame)) => {
                    break Received::Close(Close::Client(frame.map(|frame| frame.code.into())));
                }
                Ok(_) => continue,
                Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => break Received::Messages,
                Err(error) => break ended_by(&error),
            };
            match result {
                Ok(held_by) => self.held_by = held_by.or(self.held_by.take()),
                Err(error) => {
                    tracing::debug!(socket = self.session.connection().id, %error, "A message cannot be read");
                    break Received::Close(Close::Malformed);
                }
            }
        };
        self.session.count_out(stream.output.len());
        self.session.connection().outbox.send(&stream.output.into());
        received
    }

    fn close(&mut self, close: Close) {
        self.session.close(close);
        let deadline = Box::pin(sleep(self.linger));
        self.closing = Some(Closing { close, deadline, shut_down: false, client_is_done: false });
    }
}

impl Future for Pump {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let pump = &mut *self;
        if let Poll::Ready(Err(_)) = pump.session.connection().outbox.poll_flush(cx) {
            return Poll::Ready(());
        }
        if pump.closing.is_none() {
            match pump.poll_open(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Received::Messages | Received::Gone) => return Poll::Ready(()),
                Poll::Ready(Received::Close(close)) => pump.close(close),
            }
        }
        let connection = pump.session.connection();
        let closing = pump.closing.as_mut().expect("it was just set, if it was not before");
        closing.poll(cx, &connection.outbox, &mut pump.reader)
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        self.session.log_end(self.closing.as_ref().map(|closing| closing.close));
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

/// The end that an error of the WebSocket protocol calls for.
fn ended_by(error: &Error) -> Received {
    match error {
        Error::Capacity(_) => Received::Close(Close::TooBig),
        Error::Utf8(_) => Received::Close(Close::Utf8),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Received::Gone,
        Error::Protocol(_) => Received::Close(Close::Protocol),
        _ => Received::Gone,
    }
}

/// What tungstenite takes for a stream: some bytes that were received, and a place for those to be sent.
struct Memory<'a> {
    input: &'a [u8],
    output: Vec<u8>,
}

impl Read for Memory<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.input.is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.input.read(buffer)
    }
}

impl Write for Memory<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
