//! The pump between the requests of a long-polling client and a session: messages in by POST, messages out whenever the
//! client asks.
//!
//! Each session has a task, which hands what gathers in the outbox to the poll that waits for it, and ends the session. It
//! ends when it is closed like any socket, or after a long time without a poll: as in Phoenix that is looked at every 15 s
//! from the opening on, so that it takes 15 to 30 s, and what the client posts does not count.

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::FutureExt;
use parking_lot::Mutex;
use pusher_lite_protocol::{DecodeError, Vsn};
use serde_json::value::RawValue;
use tokio::{
    sync::oneshot,
    time::{Instant, MissedTickBehavior, interval_at, sleep, timeout},
};

use crate::realtime::{
    close::Close,
    connection::{connection::Connection, frames::Frames, outbox::Outbox},
    identity::Identity,
    phoenix::polled::messages,
    room::hold::Hold,
    session::session::Session,
    shared::Shared,
    usage::reservations::Reservation,
};

/// The time after which a message that waits for its paused session looks at the pause again.
const LOOK_AFTER: Duration = Duration::from_secs(1);

/// A check of the sessions' last polls that comes so late was held up by more than a busy moment: the process, or the
/// machine, stood still, and polls wait unread.
const LATE: Duration = Duration::from_secs(1);

/// A long-poll session.
#[derive(Debug)]
pub struct LongPoll {
    id: SessionId,
    vsn: Vsn,
    connection: Arc<Connection>,
    window: Duration,
    /// None when it has ended.
    session: Mutex<Option<Session>>,
    polls: Mutex<Polls>,
}

/// The id by which a client finds its long-poll session: random, so that it cannot find another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionId(pub u128);

/// Reason why no long-poll session can be opened now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// There are as many as may be; see [`Limits::longpoll_sessions`](crate::realtime::Limits::longpoll_sessions).
    #[error("there are too many long-poll sessions")]
    TooMany,
    /// The server stops.
    #[error("the server stops")]
    Stopping,
}

/// The session has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the session has ended")]
pub struct Ended;

/// Reason why a message was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// The session has ended.
    #[error(transparent)]
    Ended(#[from] Ended),
    /// It cannot be read. The session lives on (D1).
    #[error(transparent)]
    Unreadable(#[from] DecodeError),
}

/// Messages on their way to the client, in one JSON array. Unless [`Batch::delivered`] is called they go back to where they
/// were, before all later ones; until then no other poll is answered, so that nothing overtakes them.
#[derive(Debug)]
pub struct Batch {
    json: Box<RawValue>,
    carried: Carried,
}

/// Frames that were taken out of the outbox.
#[derive(Debug)]
struct Carried {
    frames: Vec<Frames>,
    longpoll: Arc<LongPoll>,
    is_settled: bool,
}

#[derive(Debug)]
struct Polls {
    /// The poll that waits for messages: the latest one.
    waiting: Option<oneshot::Sender<Carried>>,
    /// An earlier poll's messages are on their way, and may come back.
    is_carrying: bool,
    /// Begin of the latest poll.
    last: Instant,
    ended: bool,
    place: Option<Reservation>,
}

impl SessionId {
    pub(crate) fn random() -> SessionId {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("the system has random numbers");
        SessionId(u128::from_be_bytes(bytes))
    }
}

impl LongPoll {
    /// A session. Its caller runs it.
    pub(crate) fn open(shared: &Arc<Shared>, identity: Identity, vsn: Vsn) -> Result<Arc<LongPoll>, OpenError> {
        if shared.sockets.is_stopping() {
            return Err(OpenError::Stopping);
        }
        let outbox = Outbox::polled(
            shared.limits.polled_outbox_bytes(),
            Arc::clone(&shared.budgets.outgoing),
            Arc::clone(&shared.counters),
        );
        let connection = shared.sockets.add(vsn.into(), identity, outbox);
        let session = Session::new(Arc::clone(shared), Arc::clone(&connection));
        let longpoll = Arc::new(LongPoll {
            id: SessionId::random(),
            vsn,
            connection,
            window: shared.limits.longpoll_window,
            session: Mutex::new(Some(session)),
            polls: Mutex::new(Polls {
                waiting: None,
                is_carrying: false,
                last: Instant::now(),
                ended: false,
                place: None,
            }),
        });
        Ok(longpoll)
    }

    /// The session's id, which its client polls with.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// The protocol version of its messages.
    pub fn vsn(&self) -> Vsn {
        self.vsn
    }

    /// Keeps the session's place until it ends.
    pub fn keep(&self, place: Reservation) {
        let mut polls = self.polls.lock();
        if !polls.ended {
            polls.place = Some(place);
        }
    }

    /// Ends the session: what permitted it is gone.
    pub fn revoke(&self) {
        self.connection.outbox.request_close(Close::Revoked);
    }

    /// Waits for messages, no longer than [`Limits::longpoll_window`](crate::realtime::Limits::longpoll_window). Returns them in a
    /// JSON array, in version 1 as objects, in version 2 as strings of JSON. There are none when the window is over, when
    /// another poll begins meanwhile, and when the session ends meanwhile. A poll that is dropped takes nothing with it.
    ///
    /// # Errors
    ///
    /// [`Ended`] when it has ended before.
    pub async fn poll(self: &Arc<Self>) -> Result<Option<Batch>, Ended> {
        let mut answered = self.begin_poll()?;
        let carried = match timeout(self.window, &mut answered).await {
            // An error: another poll has taken the place of this one.
            Ok(carried) => carried.ok(),
            Err(_) => {
                // What was handed over in this very instant is not lost, and nothing is handed over after it.
                answered.close();
                answered.try_recv().ok()
            }
        };
        Ok(carried.and_then(|carried| match messages(self.vsn(), &carried.frames) {
            Some(json) => Some(Batch { json, carried }),
            None => {
                carried.delivered();
                None
            }
        }))
    }

    /// Carries out a message that came as text. It takes a while when the topic has much to send, and when the client has
    /// asked for too much, see [`Limits::reply_bytes_per_second`](crate::realtime::Limits::reply_bytes_per_second).
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
        carry_out: impl FnOnce(&mut Session, &mut Vec<u8>) -> Result<Option<Hold>, DecodeError>,
    ) -> Result<(), ReceiveError> {
        let hold = loop {
            let pause = {
                let mut session = self.session.lock();
                let session = session.as_mut().ok_or(Ended)?;
                // Looked at under the lock: of many that wait, one goes on and the others may have to wait anew.
                let Some(pause) = session.pause() else {
                    let mut replies = Vec::new();
                    session.received(bytes);
                    let carried_out = catch_unwind(AssertUnwindSafe(|| carry_out(session, &mut replies)));
                    let Ok(carried_out) = carried_out else {
                        session.panicked();
                        self.connection.outbox.request_close(Close::Fault);
                        return Err(Ended.into());
                    };
                    let hold = carried_out?;
                    session.count_out(replies.len());
                    self.connection.outbox.send(replies.into());
                    break hold;
                };
                pause
            };
            sleep(pause.min(LOOK_AFTER)).await;
        };
        if let Some(hold) = hold {
            hold.released().await;
        }
        Ok(())
    }

    /// Puts a poll in the place of the one before, which ends by that.
    fn begin_poll(self: &Arc<Self>) -> Result<oneshot::Receiver<Carried>, Ended> {
        let mut polls = self.polls.lock();
        if polls.ended {
            return Err(Ended);
        }
        let (answer, answered) = oneshot::channel();
        polls.last = Instant::now();
        polls.waiting = Some(answer);
        polls.hand_over(self);
        Ok(answered)
    }

    /// Notes what became of messages that were on their way, and answers the poll that waits for them, or for others.
    fn settle(self: &Arc<Self>, returned: Vec<Frames>) {
        let mut polls = self.polls.lock();
        if !returned.is_empty() {
            self.connection.outbox.put_back(returned);
        }
        polls.is_carrying = false;
        polls.hand_over(self);
    }

    /// Runs the session until its last poll has been answered. Calls `on_close` as soon as it can no longer be polled.
    pub(crate) async fn run(self: Arc<Self>, shared: Arc<Shared>, on_close: impl FnOnce()) {
        let panicked = || shared.supervision.panicked("socket");
        let until_closed = AssertUnwindSafe(self.until_closed()).catch_unwind().await;
        let close = until_closed.unwrap_or_else(|_| {
            panicked();
            Close::Fault
        });
        on_close();
        if AssertUnwindSafe(self.end(close, shared.limits.linger)).catch_unwind().await.is_err() {
            panicked();
            let mut polls = self.polls.lock();
            (polls.ended, polls.place, polls.waiting) = (true, None, None);
        }
    }

    async fn until_closed(self: &Arc<Self>) -> Close {
        let patience = self.window * 3 / 2;
        let mut checks = interval_at(Instant::now() + patience, patience);
        checks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                close = poll_fn(|cx| self.poll_close(cx)) => return close,
                due = checks.tick() => {
                    if due.elapsed() < LATE && self.polls.lock().last.elapsed() >= patience {
                        return Close::Idle;
                    }
                }
            }
        }
    }

    fn poll_close(self: &Arc<Self>, cx: &mut Context<'_>) -> Poll<Close> {
        let outbox = &self.connection.outbox;
        // Before looking: what comes after this wakes the task.
        outbox.wake_on_change(cx.waker());
        self.polls.lock().hand_over(self);
        outbox.close_requested().map_or(Poll::Pending, Poll::Ready)
    }

    /// Leaves all topics. A poll that waits still gets what was published before.
    async fn end(self: &Arc<Self>, close: Close, linger: Duration) {
        let Some(mut session) = self.session.lock().take() else { return };
        session.close(close);
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
        let mut polls = self.polls.lock();
        // What is still on its way comes back in its place, if it does, and is handed over then.
        polls.hand_over(self);
        if !polls.is_carrying {
            // There was nothing to say: the poll ends.
            polls.waiting = None;
        }
    }
}

impl Polls {
    /// Hands what waits in the outbox to the poll that waits for it.
    fn hand_over(&mut self, longpoll: &Arc<LongPoll>) {
        let outbox = &longpoll.connection.outbox;
        if self.is_carrying {
            return;
        }
        let Some(poll) = self.waiting.take_if(|_| !outbox.is_empty()) else {
            if self.ended {
                self.waiting = None;
            }
            return;
        };
        let carried = Carried { frames: outbox.take(), longpoll: Arc::clone(longpoll), is_settled: false };
        match poll.send(carried) {
            Ok(()) => self.is_carrying = true,
            // The client is gone.
            Err(mut carried) => {
                carried.is_settled = true;
                outbox.put_back(std::mem::take(&mut carried.frames));
            }
        }
    }
}

impl Batch {
    pub fn messages(&self) -> &RawValue {
        &self.json
    }

    /// Notes that they are written to the client.
    pub fn delivered(self) {
        self.carried.delivered();
    }
}

impl Carried {
    fn delivered(mut self) {
        self.is_settled = true;
        self.longpoll.settle(Vec::new());
    }
}

impl Drop for Carried {
    fn drop(&mut self) {
        if !self.is_settled {
            self.longpoll.settle(std::mem::take(&mut self.frames));
        }
    }
}
