//! Long-poll sessions, most of them without any stream and with paused time.

use std::{collections::VecDeque, time::Duration};

use tokio::time::{Instant, pause, sleep, sleep_until};

use super::{
    super::{Batch, Ended, Limits, LongPoll, OpenError, ReceiveError},
    *,
};

/// A client that polls for one message after the other.
pub(super) struct Poller {
    pub(super) session: Arc<LongPoll>,
    received: VecDeque<Received>,
}

impl Poller {
    pub(super) fn open(hub: &Hub, unique_identifier: &str, vsn: Vsn) -> Poller {
        let session = hub.open_longpoll(identity(unique_identifier), vsn).unwrap();
        Poller { session, received: VecDeque::new() }
    }

    pub(super) async fn joined(hub: &Hub, unique_identifier: &str, vsn: Vsn, topic: &str) -> Poller {
        let mut poller = Poller::open(hub, unique_identifier, vsn);
        poller.send("1", topic, "phx_join", "{}").await;
        for event in ["phx_reply", "presence_state", "presence_diff"] {
            assert_eq!(poller.receive().await.event, event);
        }
        poller
    }

    pub(super) async fn send(&self, r#ref: &str, topic: &str, event: &str, payload: &str) {
        let text = written(self.session.vsn(), ["1", r#ref, &format!("lobby:key:{topic}"), event], payload);
        self.session.receive_text(&text).await.unwrap();
    }

    pub(super) async fn receive(&mut self) -> Received {
        while self.received.is_empty() {
            let batch = self.session.poll().await.unwrap().expect("a message");
            self.received.extend(read_all(self.session.vsn(), batch));
        }
        self.received.pop_front().unwrap()
    }

    /// Starts a poll whose answer is awaited elsewhere.
    fn poll(&self) -> tokio::task::JoinHandle<Result<Vec<Received>, Ended>> {
        let session = Arc::clone(&self.session);
        tokio::spawn(async move {
            let batch = session.poll().await?;
            Ok(batch.map(|batch| read_all(session.vsn(), batch)).unwrap_or_default())
        })
    }
}

/// Reads the messages of a batch, which counts as delivered then.
fn read_all(vsn: Vsn, batch: Batch) -> Vec<Received> {
    let messages: Vec<Value> = serde_json::from_str(batch.messages().get()).unwrap();
    batch.delivered();
    let read = |message: Value| match vsn {
        Vsn::V1 => Received::read(vsn, &message),
        Vsn::V2 => Received::read(vsn, &serde_json::from_str(message.as_str().unwrap()).unwrap()),
    };
    messages.into_iter().map(read).collect()
}

fn events(messages: &[Received]) -> Vec<&str> {
    messages.iter().map(|message| message.event.as_str()).collect()
}

/// Lets everything happen that needs no time to pass.
async fn settle() {
    sleep(Duration::from_millis(1)).await;
}

vsn_test!(a_message_answers_the_poll_that_waits_for_it, async |vsn| {
    pause();
    let hub = Hub::new(Limits::default());
    let mut alice = Poller::joined(&hub, "alice", vsn, "t").await;
    let poll = alice.poll();
    settle().await;
    assert!(!poll.is_finished());
    alice.send("2", "t", "e", r#"{"x":1}"#).await;
    assert_eq!(events(&poll.await.unwrap().unwrap()), ["e"]);

    alice.send("3", "t", "phx_leave", "{}").await;
    let [reply, close] = [alice.receive().await, alice.receive().await];
    assert_eq!((reply.event.as_str(), reply.r#ref), ("phx_reply", json!("3")));
    assert_eq!((close.event.as_str(), close.r#ref), ("phx_close", json!("1")));
});

vsn_test!(a_poll_ends_with_its_window, async |vsn| {
    pause();
    let hub = Hub::new(Limits::default());
    let alice = Poller::open(&hub, "alice", vsn);
    let began = Instant::now();
    assert!(alice.session.poll().await.unwrap().is_none());
    assert_eq!(began.elapsed().as_secs(), 10);
});

vsn_test!(a_second_poll_takes_the_place_of_the_first, async |vsn| {
    pause();
    let hub = Hub::new(Limits::default());
    let alice = Poller::joined(&hub, "alice", vsn, "t").await;
    let first = alice.poll();
    settle().await;
    let began = Instant::now();
    let second = alice.poll();
    assert_eq!(first.await.unwrap().unwrap(), []);
    assert_eq!(began.elapsed().as_secs(), 0);
    alice.send("2", "t", "e", "{}").await;
    assert_eq!(events(&second.await.unwrap().unwrap()), ["e"]);
});

vsn_test!(what_a_poll_does_not_fetch_waits_for_the_next, async |vsn| {
    pause();
    let hub = Hub::new(Limits::default());
    let mut alice = Poller::joined(&hub, "alice", vsn, "t").await;
    let given_up = alice.poll();
    settle().await;
    given_up.abort();
    assert!(given_up.await.is_err());
    alice.send("2", "t", "e", r#"{"x":1}"#).await;
    settle().await;
    alice.send("2", "t", "e", r#"{"x":2}"#).await;
    for number in [1, 2] {
        assert_eq!(alice.receive().await.payload["x"], number);
    }
});

vsn_test!(what_is_not_delivered_comes_first_in_the_next_poll, async |vsn| {
    pause();
    let hub = Hub::new(Limits::default());
    let mut alice = Poller::joined(&hub, "alice", vsn, "t").await;
    for (number, is_taken) in [(1, true), (2, false)] {
        // Handed to a poll whose client goes away, before the poll has looked at it and after.
        let session = Arc::clone(&alice.session);
        let mut poll = Box::pin(async move { session.poll().await });
        assert!(futures_util::poll!(&mut poll).is_pending());
        alice.send("2", "t", "e", &format!(r#"{{"x":{number}}}"#)).await;
        settle().await;
        let batch = if is_taken { Some(poll.as_mut().await.unwrap().unwrap()) } else { None };
        // Meanwhile the next poll waits, so that nothing overtakes.
        let next = alice.poll();
        alice.send("3", "t", "later", "{}").await;
        settle().await;
        assert!(!next.is_finished(), "what came before may come back");
        drop((batch, poll));
        assert_eq!(events(&next.await.unwrap().unwrap())[..2], ["e", "later"]);
    }
    alice.send("4", "t", "last", "{}").await;
    assert_eq!(alice.receive().await.event, "last", "nothing came twice");
});

vsn_test!(a_session_ends_when_nobody_polls, async |vsn| {
    pause();
    let hub = Hub::new(Limits::default());
    let opened = Instant::now();
    let after = |seconds: u64| opened + Duration::from_secs(seconds) + Duration::from_millis(100);
    let silent = Poller::open(&hub, "silent", vsn);
    let polling = Poller::open(&hub, "polling", vsn);
    for poller in [&silent, &polling] {
        poller.send("1", "t", "phx_join", "{}").await;
    }
    settle().await;
    polling.session.poll().await.unwrap().unwrap().delivered();
    let present = || -> Vec<String> {
        let list: Value = serde_json::from_str(hub.presence_list(&topic("t")).unwrap().get()).unwrap();
        list.as_object().unwrap().keys().cloned().collect()
    };

    sleep_until(after(14)).await;
    silent.send("2", "t", "e", "{}").await;
    assert_eq!(present().len(), 2);
    sleep_until(after(15)).await;
    assert_eq!(present(), ["polling"], "what is posted does not keep a session alive");
    assert!(hub.longpoll(silent.session.id()).is_none());
    assert!(matches!(silent.session.poll().await, Err(Ended)));
    assert!(matches!(silent.session.receive_text("").await, Err(ReceiveError::Ended(_))));
    sleep_until(after(29)).await;
    assert_eq!(present(), ["polling"]);
    sleep_until(after(30)).await;
    assert!(present().is_empty());
    assert_eq!(hub.socket_count(), 0);
});

vsn_test!(a_session_lives_as_long_as_it_is_polled, async |vsn| {
    pause();
    let hub = Hub::new(Limits { idle_timeout: Duration::from_secs(1), ..Limits::default() });
    let alice = Poller::open(&hub, "alice", vsn);
    for _ in 0..60 {
        assert!(alice.session.poll().await.unwrap().is_none());
    }
});

vsn_test!(a_slow_poller_is_closed_alone, async |vsn| {
    pause();
    let hub = Hub::new(Limits { outbox_bytes: 10_000, ..Limits::default() });
    let mut polling = Poller::joined(&hub, "polling", vsn, "t").await;
    let slow = Poller::joined(&hub, "slow", vsn, "t").await;
    assert_eq!(polling.receive().await.event, "presence_diff");
    let payload = format!(r#"{{"s":"{}"}}"#, "x".repeat(3000));
    for _ in 0..25 {
        polling.send("2", "t", "e", &payload).await;
        let mut received = polling.receive().await;
        if received.event == "presence_diff" {
            assert!(received.payload["leaves"]["slow"].is_object());
            received = polling.receive().await;
        }
        assert_eq!(received.event, "e");
    }
    settle().await;
    assert!(hub.longpoll(slow.session.id()).is_none());
    assert!(hub.longpoll(polling.session.id()).is_some());
    assert_eq!(hub.socket_count(), 1);
});

vsn_test!(a_disconnected_user_gets_what_was_before, async |vsn| {
    pause();
    let hub = Hub::new(Limits::default());
    let alice = Poller::joined(&hub, "alice", vsn, "t").await;
    let mut bob = Poller::joined(&hub, "bob", vsn, "t").await;
    let first = alice.poll();
    assert_eq!(events(&first.await.unwrap().unwrap()), ["presence_diff"]);

    let poll = alice.poll();
    settle().await;
    bob.send("2", "t", "e", "{}").await;
    hub.disconnect_user("key", "alice").unwrap();
    assert_eq!(events(&poll.await.unwrap().unwrap()), ["e"]);
    settle().await;
    assert!(hub.longpoll(alice.session.id()).is_none());
    assert!(matches!(alice.session.poll().await, Err(Ended)));
    assert_eq!(bob.receive().await.event, "e");
    assert!(bob.receive().await.payload["leaves"]["alice"].is_object());
});

vsn_test!(stopping_answers_the_polls_that_wait, async |vsn| {
    pause();
    let hub = Hub::new(Limits::default());
    let alice = Poller::joined(&hub, "alice", vsn, "t").await;
    let poll = alice.poll();
    settle().await;
    let began = Instant::now();
    hub.shutdown(Duration::ZERO).await;
    assert_eq!(poll.await.unwrap().unwrap(), []);
    assert_eq!(began.elapsed().as_secs(), 0);
    assert_eq!(hub.open_longpoll(identity("alice"), vsn).unwrap_err(), OpenError::Stopping);
});

vsn_test!(an_unreadable_message_does_not_end_the_session, async |vsn| {
    pause();
    let hub = Hub::new(Limits::default());
    let mut alice = Poller::joined(&hub, "alice", vsn, "t").await;
    for bad in ["", "{", "[1]", "\"x\"", "{}", r#"["1","1","\ud800","e",{}]"#] {
        assert!(matches!(alice.session.receive_text(bad).await, Err(ReceiveError::Unreadable(_))), "{bad}");
    }
    assert!(matches!(alice.session.receive_binary(b"\x01").await, Err(ReceiveError::Unreadable(_))));
    alice.send("2", "nope", "e", "{}").await;
    assert_eq!(alice.receive().await.payload["response"]["reason"], "unmatched topic");
});

#[tokio::test(start_paused = true)]
async fn there_are_so_many_sessions_at_once() {
    let hub = Hub::new(Limits { longpoll_sessions: 2, ..Limits::default() });
    let sessions = ["alice", "bob"].map(|user| Poller::open(&hub, user, Vsn::V2));
    assert_eq!(hub.open_longpoll(identity("eve"), Vsn::V2).unwrap_err(), OpenError::TooMany);
    sessions[0].session.revoke();
    settle().await;
    Poller::open(&hub, "eve", Vsn::V2);
    assert_ne!(sessions[0].session.id(), sessions[1].session.id());
}

/// Pollers do not get binary pushes, and these do not take up a poller's queue either (D21).
#[tokio::test]
async fn pollers_are_left_out_of_binary_pushes() {
    let hub = Hub::new(Limits { outbox_bytes: 1000, ..Limits::default() });
    let mut socket = Client::joined(&hub, "socket", Vsn::V2, "t").await;
    let mut poller = Poller::joined(&hub, "poller", Vsn::V2, "t").await;
    assert_eq!(socket.expect_diff().await.0, ["poller"]);
    let push = |event: &[u8]| [b"\x00\x01\x01\x0b\x0112lobby:key:t", event, &[7; 2000]].concat();

    poller.send("2", "t", "before", "{}").await;
    for event in [b"a", b"b", b"c"] {
        poller.session.receive_binary(&push(event)).await.unwrap();
    }
    poller.send("3", "t", "after", "{}").await;
    assert_eq!(socket.receive().await.event, "before");
    for event in [b"a", b"b", b"c"] {
        let expected = [b"\x02\x0b\x01lobby:key:t", &event[..], &[7; 2000]].concat();
        assert_eq!(socket.next().await, Message::binary(expected));
    }
    assert_eq!(socket.receive().await.event, "after");
    assert_eq!([poller.receive().await.event, poller.receive().await.event], ["before", "after"]);
}

/// The same events in the same order, and one presence, for every version and transport.
#[tokio::test]
async fn all_who_are_in_a_topic_see_the_same() {
    let hub = Hub::new(Limits::default());
    let mut sockets = [Client::joined(&hub, "s1", Vsn::V1, "t").await, Client::joined(&hub, "s2", Vsn::V2, "t").await];
    let mut pollers = [Poller::joined(&hub, "p1", Vsn::V1, "t").await, Poller::joined(&hub, "p2", Vsn::V2, "t").await];
    let list: Value = serde_json::from_str(hub.presence_list(&topic("t")).unwrap().get()).unwrap();
    assert_eq!(list.as_object().unwrap().len(), 4);
    for number in 0..20 {
        let payload = format!(r#"{{"n":{number}}}"#);
        match number % 4 {
            at @ (0 | 1) => pollers[at].send("2", "t", "e", &payload).await,
            at => sockets[at - 2].send("1", "2", "t", "e", &payload).await,
        }
    }
    let mut seen = Vec::new();
    for socket in &mut sockets {
        seen.push(numbers(async || socket.receive().await).await);
    }
    for poller in &mut pollers {
        seen.push(numbers(async || poller.receive().await).await);
    }
    assert!(seen.iter().all(|numbers| *numbers == seen[0]), "{seen:?}");
}

/// Returns the numbers of the next 20 events.
async fn numbers(mut receive: impl AsyncFnMut() -> Received) -> Vec<i64> {
    let mut numbers = Vec::new();
    while numbers.len() < 20 {
        let received = receive().await;
        if received.event == "e" {
            numbers.push(received.payload["n"].as_i64().unwrap());
        }
    }
    numbers
}
