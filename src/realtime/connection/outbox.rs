//! The outbox of one connection: bounded, shared by every task that has something for the connection, and the only way
//! to its socket. The outbox of a long-poll session keeps everything until the client asks for it.
//!
//! It holds whole frames, or the tail of one that was written in part, so that every boundary in the queue is one
//! between frames. A sender writes to the socket immediately if nothing waits. The rest that the socket does not take
//! waits for the connection's own task, the only one that is woken when the socket is writable.
//!
//! Sending takes the same time however much waits already and however long the message is, since a sender has many
//! members to send to. It writes a bounded part, queues the rest, and leaves it to the connection's task to clear up
//! after an overflow.

use std::{
    io::{self, ErrorKind},
    sync::Arc,
    task::{Context, Poll, Waker, ready},
};

use bytes::Bytes;
use parking_lot::Mutex;

use super::{
    budget::Budget,
    frames::Frames,
    group_close::GroupClose,
    queue::{Queue, up_to},
    sink::Sink,
};
use crate::realtime::{close::Close, usage::counters::Counters};

/// Bytes that a sender gives to the kernel. The connection's task writes the rest.
const SEND_BYTES: usize = 256 << 10;

/// Bytes that the connection's task writes before other tasks have their turn.
const FLUSH_BYTES: usize = 1 << 20;

/// Bytes that an evicted connection may still send, to end a frame. With more to send it gets no close frame.
const EVICTED_BYTES: usize = 64 << 10;

#[derive(Debug)]
pub(crate) struct Outbox {
    sink: Sink,
    limit: usize,
    budget: Arc<Budget>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    queue: Queue,
    phase: Phase,
    requested: Option<Close>,
    group: Group,
    /// Waker of the connection's task.
    task: Option<Waker>,
}

/// Part of the connection in a group of sockets that close together.
#[derive(Debug, Default)]
enum Group {
    /// The connection is in no topic, has not been in one yet or has left all: others need not wait for it.
    #[default]
    Absent,
    Present,
    /// It leaves together with these.
    With(Arc<GroupClose>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// It takes nothing but the close frame. The queued bytes are still to be dropped, except for the rest of a frame
    /// that is partly written.
    Overflowed,
    /// The same, and the queued bytes are dropped.
    Full,
    /// The close frame is queued, or written.
    Finished,
    /// The socket cannot be written to.
    Broken,
}

impl Outbox {
    /// Makes the outbox of a client that polls; see [`Outbox::new`].
    pub(crate) fn polled(limit: usize, budget: Arc<Budget>, counters: Arc<Counters>) -> Outbox {
        Outbox::new(Sink::Polled(counters), limit, budget)
    }

    /// Makes an outbox. `limit` is the number of bytes that may wait behind the first waiting chunk, chunks' own
    /// overhead included. Below the limit one more chunk of any size may wait, so that every accepted message can be
    /// sent. Queued bytes count against `budget`.
    pub(crate) fn new(sink: Sink, limit: usize, budget: Arc<Budget>) -> Outbox {
        let group = Group::Absent;
        let state = State { queue: Queue::default(), phase: Phase::Open, requested: None, group, task: None };
        Outbox { sink, limit, budget, state: Mutex::new(state) }
    }

    /// Sends whole frames, and never waits. If too much waits for the client already, the frames are lost and the
    /// client is closed. Returns the number of bytes written.
    pub(crate) fn send(&self, frames: Frames) -> usize {
        let mut state = self.state.lock();
        if state.phase != Phase::Open || frames.len() == 0 {
            return 0;
        }
        let (written, task) = if state.queue.is_empty() {
            self.send_now(&mut state, frames)
        } else if state.queue.size_behind_first() > self.limit {
            state.phase = Phase::Overflowed;
            state.requested.get_or_insert(Close::TooSlow);
            (0, state.task.take())
        } else {
            state.queue.push(frames, 0, &self.budget);
            (0, None)
        };
        drop(state);
        wake(task);
        written
    }

    /// Sends the close frame, behind everything else. Nothing can be sent after it.
    pub(crate) fn finish(&self, close_frame: &Bytes) {
        let mut state = self.state.lock();
        if matches!(state.phase, Phase::Finished | Phase::Broken) {
            return;
        }
        if state.phase == Phase::Overflowed {
            drop(state.queue.keep_first(&self.budget));
            state.queue.cut_first(&self.budget);
        }
        state.phase = Phase::Finished;
        let close_frame = Frames::shared(close_frame.clone());
        let task = if state.queue.is_empty() {
            self.send_now(&mut state, close_frame).1
        } else {
            state.queue.push(close_frame, 0, &self.budget);
            None
        };
        let task = task.or_else(|| state.task.take());
        drop(state);
        wake(task);
    }

    /// Drops everything: the client is gone.
    pub(crate) fn abandon(&self) {
        let mut state = self.state.lock();
        state.phase = Phase::Broken;
        state.queue.clear(&self.budget);
    }

    /// Closes the connection because memory is short, and frees its queued bytes. A frame that is partly written is
    /// completed only if the rest is short. Otherwise the client gets no close frame.
    pub(crate) fn evict(&self) {
        let mut state = self.state.lock();
        state.requested.get_or_insert(Close::Evicted);
        if state.queue.rest_of_first() <= EVICTED_BYTES && matches!(state.phase, Phase::Open | Phase::Overflowed) {
            state.phase = Phase::Full;
            drop(state.queue.keep_first(&self.budget));
            state.queue.cut_first(&self.budget);
        } else {
            state.phase = Phase::Broken;
            state.queue.clear(&self.budget);
        }
        let task = state.task.take();
        drop(state);
        wake(task);
    }

    /// Asks the connection's task to close; the first reason counts.
    pub(crate) fn request_close(&self, close: Close) {
        self.request_close_with(close, None);
    }

    /// Does the same as [`Outbox::request_close`], for one of several connections that are closed together.
    pub(crate) fn request_close_with(&self, close: Close, group: Option<&Arc<GroupClose>>) {
        let mut state = self.state.lock();
        if state.requested.is_none() {
            state.requested = Some(close);
            if let (Group::Present, Some(group)) = (&state.group, group) {
                state.group = Group::With(Arc::clone(group));
            }
        }
        let task = state.task.take();
        drop(state);
        wake(task);
    }

    /// Notes that the connection is in a topic, so that others that are closed with it wait until it has left.
    pub(crate) fn is_present(&self) {
        let mut state = self.state.lock();
        if let Group::Absent = state.group {
            state.group = Group::Present;
        }
    }

    /// Notes that the connection has left all topics. Returns the group that it leaves with.
    pub(crate) fn take_group(&self) -> Option<Arc<GroupClose>> {
        match std::mem::take(&mut self.state.lock().group) {
            Group::With(group) => Some(group),
            Group::Absent | Group::Present => None,
        }
    }

    pub(crate) fn close_requested(&self) -> Option<Close> {
        self.state.lock().requested
    }

    /// Returns the reason, if the connection is closed because memory is short.
    pub(crate) fn evicted(&self) -> Option<Close> {
        self.close_requested().filter(|close| *close == Close::Evicted)
    }

    /// Writes the queued bytes; for the connection's task. Ready when nothing is queued. The task is woken when
    /// something is queued again, and when a close is requested.
    pub(crate) fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut rest = FLUSH_BYTES;
        loop {
            let mut state = self.state.lock();
            if state.phase == Phase::Overflowed {
                drop(state);
                self.clear_up();
                continue;
            }
            if state.phase == Phase::Broken {
                return Poll::Ready(Err(ErrorKind::BrokenPipe.into()));
            }
            // Before looking at the queue: a sender that finds it empty after this wakes the task.
            state.register(cx.waker());
            if state.queue.is_empty() {
                return self.sink.poll_flush(cx);
            }
            if rest == 0 {
                // The client reads as fast as this writes.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            ready!(self.sink.poll_write_ready(cx))?;
            match self.sink.try_write_vectored(&state.queue.slices(rest)) {
                Ok(written) => {
                    rest = rest.saturating_sub(written);
                    state.queue.advance(written, &self.budget);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Drops the queued bytes after an overflow, except for the rest of a frame that is partly written, so that the
    /// close frame can follow. To find that rest and to drop the others takes long, so no sender has to wait for it.
    fn clear_up(&self) {
        let (dropped, first) = {
            let mut state = self.state.lock();
            if state.phase != Phase::Overflowed {
                return;
            }
            state.phase = Phase::Full;
            (state.queue.keep_first(&self.budget), state.queue.first())
        };
        drop(dropped);
        let Some((frames, written)) = first else { return };
        let rest = frames.rest_of_frame(written);
        drop(frames);
        // Only the task that runs this writes, so the position is unchanged. But everything may have been dropped
        // meanwhile.
        self.state.lock().queue.replace_first(rest, &self.budget);
    }

    /// Wakes the task of a polled connection when something is queued, and when a close is requested.
    pub(crate) fn wake_on_change(&self, task: &Waker) {
        self.state.lock().register(task);
    }

    /// Ready when nothing can be sent any more; for the task of a polled connection.
    pub(crate) fn poll_finished(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state.lock();
        state.register(cx.waker());
        if matches!(state.phase, Phase::Finished | Phase::Broken) { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Returns the bytes that wait, with their overhead.
    pub(crate) fn waiting(&self) -> usize {
        let state = self.state.lock();
        state.queue.size() - state.queue.written()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.state.lock().queue.is_empty()
    }

    /// Takes the queued frames, to carry them to the client some other way.
    pub(crate) fn take(&self) -> Vec<Frames> {
        self.state.lock().queue.take(&self.budget).collect()
    }

    /// Puts back frames that were taken and could not be carried to the client.
    pub(crate) fn put_back(&self, frames: Vec<Frames>) {
        let mut state = self.state.lock();
        if matches!(state.phase, Phase::Open | Phase::Finished) {
            state.queue.put_back(frames, &self.budget);
        }
    }

    #[cfg(test)]
    pub(crate) fn budget_used(&self) -> usize {
        self.budget.used()
    }

    /// Counts messages that this transport could not carry, see [`crate::realtime::room::log::Whole`].
    pub(crate) fn skipped(&self, messages: u64) {
        self.sink.skipped(messages);
    }

    pub(crate) fn is_polled(&self) -> bool {
        matches!(self.sink, Sink::Polled(_))
    }

    /// Tells the client that nothing follows, if the close frame is written. Returns true if it is.
    pub(crate) fn shut_down_if_finished(&self) -> bool {
        let state = self.state.lock();
        let finished = state.phase == Phase::Finished && state.queue.is_empty() && self.sink.is_flushed();
        if finished {
            self.sink.shut_down();
        }
        finished
    }

    /// Writes to the socket and queues the rest. Returns the number of bytes written, and the task to wake if there is
    /// a rest.
    fn send_now(&self, state: &mut State, frames: Frames) -> (usize, Option<Waker>) {
        let result = match frames.as_slice() {
            Some(bytes) => self.sink.try_write(&bytes[..bytes.len().min(SEND_BYTES)]),
            None => self.sink.try_write_vectored(&up_to(frames.slices_from(0), SEND_BYTES)),
        };
        let written = match result {
            Ok(written) => {
                if written < frames.len() {
                    state.queue.push(frames, written, &self.budget);
                } else if self.sink.is_flushed() {
                    return (written, None);
                }
                // The connection's task writes the rest, or the bytes that the sink keeps.
                written
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                state.queue.push(frames, 0, &self.budget);
                0
            }
            Err(_) => {
                state.phase = Phase::Broken;
                0
            }
        };
        (written, state.task.take())
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        self.state.get_mut().queue.clear(&self.budget);
    }
}

impl State {
    fn register(&mut self, waker: &Waker) {
        match &mut self.task {
            Some(task) => task.clone_from(waker),
            None => self.task = Some(waker.clone()),
        }
    }
}

fn wake(task: Option<Waker>) {
    if let Some(task) = task {
        task.wake();
    }
}

#[cfg(test)]
mod tests;
