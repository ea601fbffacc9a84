//! One connection's way out: bounded, shared by everyone who has something for it, and the only way to its socket.
//! That of a long-poll session keeps everything until it is asked for.
//!
//! It holds whole frames, or the tail of one that went out in part, so that every boundary in the queue is one between
//! frames. Whoever sends writes to the socket at once if nothing waits; what the socket does not take waits for the
//! connection's own task, the only one that is woken when the socket is writable.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use parking_lot::Mutex;

use super::close::Close;
use super::counters::Counters;
use super::departure::Departure;
use super::frames::Frames;
use super::sink::Sink;

/// Pieces given to the kernel in one call.
const SLICES: usize = 64;

#[derive(Debug)]
pub(super) struct Outbox {
    sink: Sink,
    limit: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    queue: VecDeque<Chunk>,
    /// The bytes held by the queue. A chunk that went out in part counts whole, since its memory is kept whole.
    queued: usize,
    phase: Phase,
    requested: Option<Close>,
    /// Those that are closed together with this one.
    departure: Option<Arc<Departure>>,
    /// The connection's task.
    task: Option<Waker>,
}

#[derive(Debug)]
struct Chunk {
    frames: Frames,
    written: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// It overflowed: takes nothing but the close frame.
    Full,
    /// The close frame is in the queue, or out.
    Finished,
    /// The socket cannot be written to.
    Broken,
}

impl Outbox {
    /// Of a client that has to ask for what waits.
    pub(super) fn polled(limit: usize, counters: Arc<Counters>) -> Outbox {
        Outbox::new(Sink::Polled(counters), limit)
    }

    /// `limit` in bytes is what may wait behind the first chunk that waits.
    pub(super) fn new(sink: Sink, limit: usize) -> Outbox {
        let state = State {
            queue: VecDeque::new(),
            queued: 0,
            phase: Phase::Open,
            requested: None,
            departure: None,
            task: None,
        };
        Outbox { sink, limit, state: Mutex::new(state) }
    }

    /// Sends whole frames, never waiting. A client that has too much waiting already loses them, and is closed.
    pub(super) fn send(&self, frames: &Bytes) {
        self.send_frames(frames.clone().into());
    }

    /// As [`Outbox::send`], for frames that may be in several pieces.
    pub(super) fn send_frames(&self, frames: Frames) {
        let frames = self.sink.fitting(frames);
        let mut state = self.state.lock();
        if state.phase != Phase::Open || frames.len() == 0 {
            return;
        }
        let task = if state.queue.is_empty() {
            self.send_now(&mut state, frames)
        } else if state.queued + frames.len() > self.limit {
            state.overflow();
            state.task.take()
        } else {
            state.push(frames, 0);
            None
        };
        drop(state);
        wake(task);
    }

    /// Sends the close frame, behind everything else; nothing can be sent after it.
    pub(super) fn finish(&self, close_frame: &Bytes) {
        let mut state = self.state.lock();
        if matches!(state.phase, Phase::Finished | Phase::Broken) {
            return;
        }
        state.phase = Phase::Finished;
        let task = if state.queue.is_empty() {
            self.send_now(&mut state, close_frame.clone().into())
        } else {
            state.push(close_frame.clone().into(), 0);
            None
        };
        let task = task.or_else(|| state.task.take());
        drop(state);
        wake(task);
    }

    /// Drops everything: the client is gone.
    pub(super) fn abandon(&self) {
        let mut state = self.state.lock();
        state.phase = Phase::Broken;
        state.clear();
    }

    /// Asks the connection's task to close; the first reason counts.
    pub(super) fn request_close(&self, close: Close) {
        self.request_close_with(close, None);
    }

    /// As [`Outbox::request_close`], for one of several that are closed together.
    pub(super) fn request_close_with(&self, close: Close, departure: Option<&Arc<Departure>>) {
        let mut state = self.state.lock();
        if state.requested.is_none() {
            state.requested = Some(close);
            state.departure = departure.cloned();
        }
        let task = state.task.take();
        drop(state);
        wake(task);
    }

    pub(super) fn take_departure(&self) -> Option<Arc<Departure>> {
        self.state.lock().departure.take()
    }

    pub(super) fn close_requested(&self) -> Option<Close> {
        self.state.lock().requested
    }

    /// For the connection's task: writes what waits. Ready when nothing does; the task is woken when something does
    /// again, and when closing is asked for.
    pub(super) fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let mut state = self.state.lock();
            if state.phase == Phase::Broken {
                return Poll::Ready(Err(ErrorKind::BrokenPipe.into()));
            }
            // Before looking at the queue: whoever finds it empty after this wakes the task.
            state.register(cx.waker());
            if state.queue.is_empty() {
                return self.sink.poll_flush(cx);
            }
            ready!(self.sink.poll_write_ready(cx))?;
            match self.sink.try_write_vectored(&state.slices()) {
                Ok(written) => state.advance(written),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// For the task of a polled connection: is woken when something waits, and when closing is asked for.
    pub(super) fn wake_on_change(&self, task: &Waker) {
        self.state.lock().register(task);
    }

    /// For the task of a polled connection: ready when nothing can be sent any more.
    pub(super) fn poll_finished(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state.lock();
        state.register(cx.waker());
        if matches!(state.phase, Phase::Finished | Phase::Broken) { Poll::Ready(()) } else { Poll::Pending }
    }

    /// The bytes that wait.
    pub(super) fn waiting(&self) -> usize {
        self.state.lock().queued
    }

    pub(super) fn is_empty(&self) -> bool {
        self.state.lock().queue.is_empty()
    }

    /// Takes what waits, to carry it to the client some other way.
    pub(super) fn take(&self) -> Vec<Bytes> {
        let mut state = self.state.lock();
        let chunks = std::mem::take(&mut state.queue);
        state.queued = 0;
        chunks.into_iter().map(|chunk| chunk.frames.into_bytes()).collect()
    }

    /// Puts back what was taken and could not be carried to the client.
    pub(super) fn put_back(&self, frames: Vec<Bytes>) {
        let mut state = self.state.lock();
        if matches!(state.phase, Phase::Open | Phase::Finished) {
            state.queued += frames.iter().map(Bytes::len).sum::<usize>();
            let chunks = frames.into_iter().map(|frames| Chunk { frames: frames.into(), written: 0 });
            let later = std::mem::take(&mut state.queue);
            state.queue = chunks.chain(later).collect();
        }
    }

    pub(super) fn is_polled(&self) -> bool {
        matches!(self.sink, Sink::Polled(_))
    }

    /// Whether the close frame is out; then the client is told that nothing else follows.
    pub(super) fn shut_down_if_finished(&self) -> bool {
        let state = self.state.lock();
        let finished = state.phase == Phase::Finished && state.queue.is_empty() && self.sink.is_flushed();
        if finished {
            self.sink.shut_down();
        }
        finished
    }

    /// Writes to the socket and queues the rest. Returns the task to wake, if there is a rest.
    fn send_now(&self, state: &mut State, frames: Frames) -> Option<Waker> {
        let result = match frames.as_slice() {
            Some(bytes) => self.sink.try_write(bytes),
            None => self.sink.try_write_vectored(&frames.slices_from(0).collect::<Vec<_>>()),
        };
        match result {
            Ok(written) if written < frames.len() => state.push(frames, written),
            Ok(_) if self.sink.is_flushed() => return None,
            // The connection's task brings out what the sink keeps.
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => state.push(frames, 0),
            Err(_) => state.phase = Phase::Broken,
        }
        state.task.take()
    }
}

impl State {
    fn push(&mut self, frames: Frames, written: usize) {
        self.queued += frames.len();
        self.queue.push_back(Chunk { frames, written });
    }

    /// Keeps nothing but the rest of a frame that is partly out, so that the close frame can follow.
    fn overflow(&mut self) {
        self.phase = Phase::Full;
        self.requested.get_or_insert(Close::TooSlow);
        let first = self.queue.pop_front();
        self.clear();
        if let Some(Chunk { frames, written }) = first {
            let rest = frames.rest_of_frame(written);
            if !rest.is_empty() {
                self.push(rest.into(), 0);
            }
        }
    }

    fn clear(&mut self) {
        // A new queue: the old one's memory goes back.
        self.queue = VecDeque::new();
        self.queued = 0;
    }

    fn register(&mut self, waker: &Waker) {
        match &mut self.task {
            Some(task) => task.clone_from(waker),
            None => self.task = Some(waker.clone()),
        }
    }

    fn slices(&self) -> Vec<IoSlice<'_>> {
        self.queue.iter().flat_map(|chunk| chunk.frames.slices_from(chunk.written)).take(SLICES).collect()
    }

    fn advance(&mut self, mut written: usize) {
        while let Some(chunk) = self.queue.front_mut() {
            let rest = chunk.frames.len() - chunk.written;
            if written < rest {
                chunk.written += written;
                return;
            }
            written -= rest;
            self.queued -= chunk.frames.len();
            self.queue.pop_front();
        }
        self.clear();
    }
}

fn wake(task: Option<Waker>) {
    if let Some(task) = task {
        task.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use socket2::SockRef;
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpStream;

    use super::*;
    use crate::realtime::tests::loopback;

    /// A text frame of so many bytes, at least 130, told by the byte that it is filled with.
    fn framed(fill: u8, len: usize) -> Bytes {
        let payload = u16::try_from(len - 4).unwrap().to_be_bytes();
        let mut frame = vec![0x81, 126, payload[0], payload[1]];
        frame.resize(len, fill);
        frame.into()
    }

    async fn outbox(limit: usize) -> (Outbox, TcpStream) {
        let (ours, theirs) = loopback().await;
        SockRef::from(&ours).set_send_buffer_size(4096).unwrap();
        SockRef::from(&theirs).set_recv_buffer_size(4096).unwrap();
        // The reading half is not needed, and must not close the stream.
        let (reader, writer) = ours.into_split();
        std::mem::forget(reader);
        (Outbox::new(Sink::Stream(writer), limit), theirs)
    }

    /// Sends frames until one has to wait, in part or whole. Returns how many.
    fn fill(outbox: &Outbox, frame: &Bytes) -> usize {
        (1..)
            .find(|_| {
                outbox.send(frame);
                !outbox.state.lock().queue.is_empty()
            })
            .unwrap()
    }

    #[tokio::test]
    async fn what_the_socket_does_not_take_waits_in_order() {
        let (outbox, mut client) = outbox(1 << 20).await;
        let sent = fill(&outbox, &framed(b'a', 50_000));
        outbox.send(&framed(b'b', 200));
        outbox.send(&framed(b'c', 60_000));
        outbox.finish(&Bytes::from_static(b"\x88\x00"));
        outbox.send(&framed(b'd', 200));

        let flush = poll_fn(|cx| outbox.poll_flush(cx));
        let mut received = Vec::new();
        let read = async {
            client.read_to_end(&mut received).await.unwrap();
        };
        tokio::join!(
            async {
                flush.await.unwrap();
                assert!(outbox.shut_down_if_finished());
            },
            read
        );
        let expected = [
            framed(b'a', 50_000).repeat(sent),
            framed(b'b', 200).to_vec(),
            framed(b'c', 60_000).to_vec(),
            b"\x88\x00".to_vec(),
        ];
        assert!(received == expected.concat());
        assert_eq!(outbox.state.lock().queued, 0);
    }

    #[tokio::test]
    async fn an_overflow_keeps_the_frame_that_is_partly_out() {
        let (outbox, mut client) = outbox(100_000).await;
        // A run of several frames is one chunk; the cut is inside it.
        let run: Bytes = framed(b'a', 5_000).repeat(10).into();
        let sent = fill(&outbox, &run);
        outbox.send(&framed(b'b', 50_000));
        assert_eq!(outbox.close_requested(), None);
        outbox.send(&framed(b'c', 200));
        assert_eq!(outbox.close_requested(), Some(Close::TooSlow));
        outbox.send(&framed(b'd', 200));
        assert!(outbox.state.lock().queued < 5_000);
        outbox.finish(&Bytes::from_static(b"\x88\x00"));

        let mut received = Vec::new();
        let read = async {
            client.read_to_end(&mut received).await.unwrap();
        };
        tokio::join!(
            async {
                poll_fn(|cx| outbox.poll_flush(cx)).await.unwrap();
                assert!(outbox.shut_down_if_finished());
            },
            read
        );
        let frames = received.strip_suffix(b"\x88\x00").unwrap();
        assert_eq!(frames.len() % 5_000, 0, "only whole frames");
        assert!(frames.len() <= run.len() * sent);
        assert!(frames.chunks(5_000).all(|frame| frame == framed(b'a', 5_000)));
    }

    #[tokio::test]
    async fn one_large_chunk_may_wait_alone() {
        let (outbox, _client) = outbox(10).await;
        fill(&outbox, &framed(b'a', 60_000));
        assert_eq!(outbox.close_requested(), None);
        outbox.abandon();
        assert!(poll_fn(|cx| outbox.poll_flush(cx)).await.is_err());
    }
}
