//! The pump between the requests of a long-polling client and a session: messages in by POST, messages out whenever the
//! client asks.
//!
//! Each session has a task, which hands what gathers in the outbox to the poll that waits for it, and ends the session. It
//! ends when it is closed like any socket, or when nobody has polled for long: as in Phoenix that is looked at every 15 s
//! from the opening on, so that it takes 15 to 30 s, and what the client posts does not count.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use pusher_lite_protocol::{DecodeError, Vsn, quote};
use serde_json::value::RawValue;
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::{Instant, interval_at, timeout};

use super::close::Close;
use super::connection::Connection;
use super::frame;
use super::hub::Shared;
use super::identity::Identity;
use super::longpolls::{OpenError, SessionId};
use super::outbox::Outbox;
use super::places::Place;
use super::room::Room;
use super::session::Session;

/// A long-poll session.
#[derive(Debug)]
pub struct LongPoll {
    id: SessionId,
    connection: Arc<Connection>,
    window: Duration,
    /// None when it has ended.
    session: Mutex<Option<Session>>,
    polls: Mutex<Polls>,
}

/// The session has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the session has ended")]
pub struct Ended;

/// Why a message was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// The session has ended.
    #[error(transparent)]
    Ended(#[from] Ended),
    /// It cannot be read. The session lives on (D1).
    #[error(transparent)]
    Unreadable(#[from] DecodeError),
}

#[derive(Debug)]
struct Polls {
    /// The poll that waits for messages: the latest one.
    waiting: Option<oneshot::Sender<Vec<Bytes>>>,
    /// When the latest began.
    last: Instant,
    ended: bool,
    place: Option<Place>,
}

impl LongPoll {
    /// Opens a session, which lives by a task of its own.
    pub(super) fn open(shared: &Arc<Shared>, identity: Identity, vsn: Vsn) -> Result<Arc<LongPoll>, OpenError> {
        if shared.sockets.is_stopping() {
            return Err(OpenError::Stopping);
        }
        let permit = shared.longpolls.permit()?;
        let outbox = Outbox::polled(shared.limits.outbox_bytes, Arc::clone(&shared.counters));
        let connection = shared.sockets.add(vsn, identity, outbox);
        let session = Session::new(Arc::clone(shared), Arc::clone(&connection));
        let longpoll = Arc::new(LongPoll {
            id: SessionId::random(),
            connection,
            window: shared.limits.longpoll_window,
            session: Mutex::new(Some(session)),
            polls: Mutex::new(Polls { waiting: None, last: Instant::now(), ended: false, place: None }),
        });
        shared.longpolls.add(&longpoll);
        tokio::spawn(Arc::clone(&longpoll).run(Arc::clone(shared), permit));
        Ok(longpoll)
    }

    /// What the session is found by.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// How messages are written in it.
    pub fn vsn(&self) -> Vsn {
        self.connection.vsn
    }

    /// Keeps the session's place until it ends.
    pub fn keep(&self, place: Place) {
        let mut polls = self.polls.lock();
        if !polls.ended {
            polls.place = Some(place);
        }
    }

    /// Ends the session: what permitted it is gone.
    pub fn revoke(&self) {
        self.connection.outbox.request_close(Close::Revoked);
    }

    /// Waits for messages, no longer than [`Limits::longpoll_window`](super::Limits::longpoll_window). Returns them in a
    /// JSON array, in version 1 as objects, in version 2 as strings of JSON. There are none when the window is over, when
    /// another poll begins meanwhile, and when the session ends meanwhile.
    ///
    /// # Errors
    ///
    /// [`Ended`] when it has ended before.
    pub async fn poll(&self) -> Result<Option<Box<RawValue>>, Ended> {
        let mut answered = self.begin_poll()?;
        let frames = match timeout(self.window, &mut answered).await {
            // An error: another poll has taken the place of this one.
            Ok(frames) => frames.unwrap_or_default(),
            Err(_) => {
                // What was handed over in this very instant is not lost, and nothing is handed over after it.
                answered.close();
                answered.try_recv().unwrap_or_default()
            }
        };
        Ok(messages(self.vsn(), &frames))
    }

    /// Carries out a message that came as text. It takes a while when the topic has much to send.
    ///
    /// # Errors
    ///
    /// [`ReceiveError`]; nothing was done then.
    pub async fn receive_text(&self, text: &str) -> Result<(), ReceiveError> {
        self.receive(text.len(), |session, replies| session.receive_text(text, replies)).await
    }

    /// As [`LongPoll::receive_text`], for a message in binary form.
    ///
    /// # Errors
    ///
    /// [`ReceiveError`]; nothing was done then.
    pub async fn receive_binary(&self, message: &[u8]) -> Result<(), ReceiveError> {
        self.receive(message.len(), |session, replies| session.receive_binary(message, replies)).await
    }

    async fn receive(
        &self,
        bytes: usize,
        carry_out: impl FnOnce(&mut Session, &mut Vec<u8>) -> Result<Option<Arc<Room>>, DecodeError>,
    ) -> Result<(), ReceiveError> {
        let held_by = {
            let mut session = self.session.lock();
            let mut replies = Vec::new();
            let session = session.as_mut().ok_or(Ended)?;
            session.received(bytes);
            let held_by = carry_out(session, &mut replies)?;
            session.count_out(replies.len());
            self.connection.outbox.send(&replies.into());
            held_by
        };
        if let Some(room) = held_by {
            poll_fn(|cx| if room.holds(cx.waker()) { Poll::Pending } else { Poll::Ready(()) }).await;
        }
        Ok(())
    }

    /// Puts a poll in the place of the one before, which ends by that.
    fn begin_poll(&self) -> Result<oneshot::Receiver<Vec<Bytes>>, Ended> {
        let mut polls = self.polls.lock();
        if polls.ended {
            return Err(Ended);
        }
        let (answer, answered) = oneshot::channel();
        polls.last = Instant::now();
        polls.waiting = Some(answer);
        polls.hand_over(&self.connection.outbox);
        Ok(answered)
    }

    /// The session's task.
    async fn run(self: Arc<Self>, shared: Arc<Shared>, permit: OwnedSemaphorePermit) {
        let close = self.until_closed().await;
        shared.longpolls.remove(self.id);
        self.end(close, shared.limits.linger).await;
        drop(permit);
    }

    async fn until_closed(&self) -> Close {
        let patience = self.window * 3 / 2;
        let mut checks = interval_at(Instant::now() + patience, patience);
        loop {
            tokio::select! {
                close = poll_fn(|cx| self.poll_close(cx)) => return close,
                _ = checks.tick() => {
                    if self.polls.lock().last.elapsed() >= patience {
                        return Close::Idle;
                    }
                }
            }
        }
    }

    fn poll_close(&self, cx: &mut Context<'_>) -> Poll<Close> {
        let outbox = &self.connection.outbox;
        // Before looking: what comes after this wakes the task.
        outbox.wake_on_change(cx.waker());
        self.polls.lock().hand_over(outbox);
        outbox.close_requested().map_or(Poll::Pending, Poll::Ready)
    }

    /// Leaves all topics. A poll that waits still gets what was published before.
    async fn end(&self, close: Close, linger: Duration) {
        let Some(mut session) = self.session.lock().take() else { return };
        session.close(close);
        session.log_end(Some(close));
        let is_awaited = {
            let mut polls = self.polls.lock();
            polls.ended = true;
            polls.place = None;
            polls.waiting.is_some()
        };
        let outbox = &self.connection.outbox;
        if is_awaited {
            // Longer than that no topic takes; the poll ends with what there is.
            let _ = timeout(linger, poll_fn(|cx| outbox.poll_finished(cx))).await;
        }
        if let Some(poll) = self.polls.lock().waiting.take() {
            // Nobody is there to be told any more when this fails.
            let _ = poll.send(outbox.take());
        }
    }
}

impl Polls {
    /// Hands what waits in the outbox to the poll that waits for it.
    fn hand_over(&mut self, outbox: &Outbox) {
        let Some(poll) = self.waiting.take_if(|_| !outbox.is_empty()) else { return };
        if let Err(frames) = poll.send(outbox.take()) {
            outbox.put_back(frames);
        }
    }
}

fn messages(vsn: Vsn, frames: &[Bytes]) -> Option<Box<RawValue>> {
    let mut json = String::new();
    for text in frames.iter().flat_map(|frames| frame::texts(frames)) {
        json.push(if json.is_empty() { '[' } else { ',' });
        match vsn {
            Vsn::V1 => json.push_str(text),
            Vsn::V2 => json.push_str(&quote(text)),
        }
    }
    if json.is_empty() {
        return None;
    }
    json.push(']');
    Some(RawValue::from_string(json).expect("messages are written as JSON"))
}
