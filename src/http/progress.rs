//! Progress of one connection: whether a head is arriving, a request is being answered, or an answer waits to be read;
//! and the time limits that follow from it.
//!
//! hyper limits the time of a head only, and counts the pause between two requests as part of it. It has no limit for
//! answers that the client does not read, over HTTP/2 not even if the peer answers pings. The stream, the requests and
//! the answers of a connection report here instead, and [`Progress::overdue`] tells when to give the connection up.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::Waker,
    time::Duration,
};

use parking_lot::Mutex;
use tokio::time::{Instant, sleep_until};

use super::budget::{Budget, Payer, Portion};

/// Minimum average bytes a second that a client must take of an answer, once [`Timeouts::send`] is over.
const SLOWEST_READER: u64 = 1024;
/// Bytes of an unfinished head that a connection may hold whatever the budget.
const FREE_HEAD: usize = 16 << 10;

/// Time limits of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// Maximum time from the first byte of a head to its end; for the first head, from the beginning of the connection.
    pub head: Duration,
    /// Maximum time between two requests.
    pub keep_alive: Duration,
    /// Maximum time in which a client takes nothing of an answer that waits for it.
    pub send: Duration,
}

/// Limit that a connection has exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overdue {
    /// A head, or the first request, did not arrive.
    Head,
    /// No request came. No client is to blame.
    Idle,
    /// An answer was not read.
    Answer,
    /// The answer that hands the stream on was not read.
    Switch,
}

/// Progress of one connection. The clones share it.
#[derive(Clone, Debug)]
pub struct Progress {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    timeouts: Timeouts,
    /// Bytes that were written so far.
    written: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    has_asked: bool,
    reading: Reading,
    /// Number of answer heads that are not written yet.
    heads_owed: usize,
    stalled: Option<Instant>,
    answers: Vec<Answer>,
    next_answer: u64,
    has_failed: bool,
    head: Head,
}

/// State of the connection. HTTP/1 goes through the phases with each request; HTTP/2 has one only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Nothing of the next head has come.
    Waiting(Instant),
    /// A part of a head has come, or possibly has: hyper may hold bytes that came behind the last body.
    Head {
        since: Instant,
        is_certain: bool,
    },
    Answering,
    /// The server writes 101, within the time limit of a head. After that the stream belongs to another protocol.
    Switching(Instant),
    /// HTTP/2.
    Multiplexed,
}

/// The receiving side, while a request of HTTP/1 is answered.
#[derive(Debug, Default)]
struct Reading {
    is_body_done: bool,
    /// The last attempt to read found nothing. Once the body is done, hyper then holds nothing of the next head.
    found_nothing: bool,
    /// The next head has begun meanwhile.
    is_ahead: bool,
    /// The end of the peer's side also ends the request.
    follows_peer: bool,
    /// The end was seen once, and may have come before the handler read the end of the body.
    saw_end: bool,
    /// Task to wake when the answer is written; the end is kept from hyper until then.
    kept_waiting: Option<Waker>,
}

/// Memory of unfinished heads.
#[derive(Debug)]
struct Head {
    bytes: usize,
    budget: Budget,
    payer: Payer,
    portion: Option<Portion>,
}

#[derive(Debug)]
struct Answer {
    id: u64,
    began: Instant,
    last: Instant,
    sent: u64,
}

/// Classification of bytes that were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// The first bytes of a head.
    Begins,
    /// Further bytes of a head whose beginning is known.
    Continues,
    /// A body, or an unknown position.
    Other,
    /// A head for which there is no memory.
    NoRoom,
}

impl Progress {
    /// Creates the progress of a connection that was accepted just now. Unfinished heads take memory from `heads`, for
    /// `payer`.
    pub fn new(timeouts: Timeouts, heads: Budget, payer: Payer) -> Self {
        let state = State {
            phase: Phase::Waiting(Instant::now()),
            has_asked: false,
            reading: Reading::default(),
            heads_owed: 0,
            stalled: None,
            answers: Vec::new(),
            next_answer: 0,
            has_failed: false,
            head: Head { bytes: 0, budget: heads, payer, portion: None },
        };
        Self { shared: Arc::new(Shared { timeouts, written: AtomicU64::new(0), state: Mutex::new(state) }) }
    }

    /// Returns the time limits.
    pub fn timeouts(&self) -> Timeouts {
        self.shared.timeouts
    }

    /// Records that the connection speaks HTTP/2, whose heads and pauses are limited elsewhere.
    pub fn multiplex(&self) {
        self.shared.state.lock().phase = Phase::Multiplexed;
    }

    /// Records the head of a request of HTTP/1; `has_body` if a body follows.
    pub fn arrived(&self, has_body: bool) {
        let mut state = self.shared.state.lock();
        state.phase = Phase::Answering;
        state.has_asked = true;
        state.heads_owed += 1;
        state.head.bytes = 0;
        state.head.portion = None;
        state.reading = Reading { is_body_done: !has_body, ..Reading::default() };
    }

    /// Records that the answer is 101: after it the stream is no longer HTTP.
    pub fn switch(&self) {
        self.shared.state.lock().phase = Phase::Switching(Instant::now());
    }

    /// Returns true if a 101 is being written.
    pub fn is_switching(&self) -> bool {
        matches!(self.shared.state.lock().phase, Phase::Switching(_))
    }

    /// Records that the body has been read to its end.
    pub(super) fn body_read(&self) {
        self.shared.state.lock().reading.is_body_done = true;
    }

    /// Lets the end of the peer's side end the request that is being answered.
    pub(super) fn follow_peer(&self) {
        let waiting = {
            let mut state = self.shared.state.lock();
            state.reading.follows_peer = true;
            state.reading.kept_waiting.take()
        };
        if let Some(reader) = waiting {
            reader.wake();
        }
    }

    /// Notes that what is not written by now never will be.
    pub fn fail(&self) {
        self.shared.state.lock().has_failed = true;
    }

    /// Done when a limit is exceeded. Looks at the limits when the next could be exceeded, and not at every change, which
    /// would cost more.
    pub async fn overdue(&self) -> Overdue {
        let timeouts = self.timeouts();
        let shortest = timeouts.head.min(timeouts.keep_alive).min(timeouts.send);
        loop {
            let now = Instant::now();
            let next = self.shared.state.lock().next_limit(timeouts);
            match next {
                Some((deadline, overdue)) if deadline <= now => return overdue,
                Some((deadline, _)) => sleep_until(deadline.min(now + shortest)).await,
                None => sleep_until(now + shortest).await,
            }
        }
    }

    /// Records the result of an attempt to read.
    pub(super) fn read(&self, bytes: usize) -> Read {
        self.shared.state.lock().read(bytes)
    }

    /// Records that there is nothing to read for now.
    pub(super) fn found_nothing(&self) {
        self.shared.state.lock().reading.found_nothing = true;
    }

    /// Returns true if the end of the peer's side, or an error, is kept from hyper until the answer is written: a
    /// client may close its side once its request is sent and still read the answer, as `nc -N` does.
    pub(super) fn keeps_end(&self, reader: &Waker) -> bool {
        let mut state = self.shared.state.lock();
        let is_answering = state.phase == Phase::Answering;
        let reading = &mut state.reading;
        if !is_answering || reading.follows_peer {
            return false;
        }
        reading.found_nothing = true;
        if !reading.is_body_done {
            // The handler may read the end of the body in this turn; if it does not, the body is cut off.
            if !reading.saw_end {
                reading.saw_end = true;
                reader.wake_by_ref();
                return true;
            }
            return false;
        }
        reading.kept_waiting = Some(reader.clone());
        true
    }

    /// Notes how many bytes the peer took.
    pub(super) fn wrote(&self, bytes: usize) {
        self.shared.written.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Notes that the peer takes nothing for now.
    pub(super) fn stall(&self) {
        self.shared.state.lock().stalled.get_or_insert_with(Instant::now);
    }

    /// Notes that the peer takes something again.
    pub(super) fn go_on(&self) {
        self.shared.state.lock().stalled = None;
    }

    /// Returns true if hyper writes an answer of its own: there is no request that the bytes could answer.
    pub(super) fn is_hypers_own(&self, begin: &[u8]) -> bool {
        if !begin.starts_with(b"HTTP/1.") || begin.get(7..10).is_some_and(|status| status == b"1 1") {
            return false;
        }
        let mut state = self.shared.state.lock();
        let is_between = matches!(state.phase, Phase::Waiting(_) | Phase::Head { .. }) && state.answers.is_empty();
        if state.heads_owed > 0 {
            state.heads_owed -= 1;
            return false;
        }
        is_between && begin.get(9) == Some(&b'4')
    }

    /// Records an answer that will be sent. Returns its id.
    pub(super) fn begin_answer(&self) -> u64 {
        let mut state = self.shared.state.lock();
        let (id, now) = (state.next_answer, Instant::now());
        state.next_answer += 1;
        state.answers.push(Answer { id, began: now, last: now, sent: 0 });
        id
    }

    /// Records that the peer took this many bytes of an answer.
    pub(super) fn answer_sent(&self, id: u64, bytes: usize) {
        let mut state = self.shared.state.lock();
        if let Some(answer) = state.answers.iter_mut().find(|answer| answer.id == id) {
            answer.last = Instant::now();
            answer.sent += bytes as u64;
        }
    }

    /// Records that an answer is finished, sent or not.
    pub(super) fn end_answer(&self, id: u64) {
        let reader = {
            let mut state = self.shared.state.lock();
            state.answers.retain(|answer| answer.id != id);
            if state.phase != Phase::Answering {
                return;
            }
            state.phase = state.phase_between();
            state.reading.kept_waiting.take()
        };
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// Returns the number of bytes written so far, and whether the connection failed.
    pub(super) fn written(&self) -> (u64, bool) {
        (self.shared.written.load(Ordering::Relaxed), self.shared.state.lock().has_failed)
    }
}

impl State {
    fn read(&mut self, bytes: usize) -> Read {
        let read = match self.phase {
            Phase::Waiting(_) => {
                self.phase = Phase::Head { since: Instant::now(), is_certain: true };
                Read::Begins
            }
            Phase::Head { is_certain: true, .. } => Read::Continues,
            Phase::Answering if self.reading.is_body_done && self.reading.found_nothing => {
                self.reading.is_ahead = true;
                Read::Begins
            }
            Phase::Head { .. } | Phase::Answering | Phase::Switching(_) | Phase::Multiplexed => Read::Other,
        };
        self.reading.found_nothing = false;
        self.reading.saw_end = false;
        if matches!(self.phase, Phase::Head { .. }) && !self.head.add(bytes) {
            return Read::NoRoom;
        }
        read
    }

    /// Returns the phase after an answer.
    fn phase_between(&self) -> Phase {
        let (reading, now) = (&self.reading, Instant::now());
        if reading.is_body_done && reading.found_nothing {
            Phase::Waiting(now)
        } else {
            Phase::Head { since: now, is_certain: reading.is_ahead }
        }
    }

    fn next_limit(&self, timeouts: Timeouts) -> Option<(Instant, Overdue)> {
        let of_phase = match self.phase {
            Phase::Waiting(since) if self.has_asked => Some((since + timeouts.keep_alive, Overdue::Idle)),
            Phase::Waiting(since) => Some((since + timeouts.head, Overdue::Head)),
            Phase::Head { since, is_certain: true } => Some((since + timeouts.head, Overdue::Head)),
            Phase::Head { since, is_certain: false } => Some((since + timeouts.head, Overdue::Idle)),
            Phase::Switching(since) => Some((since + timeouts.head, Overdue::Switch)),
            Phase::Answering | Phase::Multiplexed => None,
        };
        let of_stream = self.stalled.map(|since| since + timeouts.send);
        let of_answers = self.answers.iter().map(|answer| answer.limit(timeouts.send)).min();
        let of_answers = of_stream.into_iter().chain(of_answers).map(|deadline| (deadline, Overdue::Answer));
        of_phase.into_iter().chain(of_answers).min_by_key(|(deadline, _)| *deadline)
    }
}

impl Answer {
    fn limit(&self, send: Duration) -> Instant {
        let at_least = self.began + send + Duration::from_secs(self.sent / SLOWEST_READER);
        at_least.min(self.last + send)
    }
}

impl Head {
    fn add(&mut self, bytes: usize) -> bool {
        let before = self.bytes.max(FREE_HEAD);
        self.bytes += bytes;
        let Some(more @ 1..) = self.bytes.checked_sub(before) else { return true };
        self.portion.get_or_insert_with(|| self.budget.portion(self.payer)).add(more)
    }
}

#[cfg(test)]
mod tests;
