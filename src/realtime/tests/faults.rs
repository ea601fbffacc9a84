//! Panics that belong to one topic or one socket.

use std::{pin::Pin, sync::Mutex};

use serde_json::value::RawValue;
use tokio::task::AbortHandle;

use super::{
    super::{Limits, ReceiveError, Supervisor, room::room::PanicAt},
    longpolling::Poller,
    *,
};

/// A supervisor that records the panics reported to it.
#[derive(Debug, Default)]
struct Recorder(Mutex<Vec<&'static str>>);

impl Supervisor for Recorder {
    fn spawn(&self, _: &'static str, task: Pin<Box<dyn Future<Output = ()> + Send>>) -> AbortHandle {
        tokio::spawn(task).abort_handle()
    }

    fn panicked(&self, what: &'static str) {
        self.0.lock().unwrap().push(what);
    }
}

/// A hub, and the recorder of its panics.
fn hub() -> (Hub, Arc<Recorder>) {
    let recorder = Arc::<Recorder>::default();
    (Hub::with_tasks(Limits::default(), Arc::clone(&recorder) as Arc<dyn Supervisor>), recorder)
}

impl Recorder {
    fn panics(&self) -> Vec<&'static str> {
        self.0.lock().unwrap().clone()
    }
}

fn publish(hub: &Hub, name: &str) {
    let payload = RawValue::from_string("{}".to_owned()).unwrap();
    hub.publish(&topic(name), "e", EventPayload::check(&payload)).unwrap();
}

fn panic_at(hub: &Hub, place: PanicAt) {
    *hub.shared.registry.get(&topic("t")).unwrap().panics_at.lock() = Some(place);
}

/// Waits until so many sockets were closed by a fault.
async fn until_closed(hub: &Hub, count: u64) {
    while hub.stats().closes.iter().find(|(reason, _)| *reason == "fault").unwrap().1 != count {
        tokio::task::yield_now().await;
    }
}

/// Receives until the event comes.
async fn expect_event(client: &mut Client) {
    while client.receive().await.event != "e" {}
}

/// Receives the close frame behind other frames, without the event, and the end of the stream.
async fn expect_fault(client: &mut Client) {
    loop {
        match client.next().await {
            Message::Text(text) => assert!(!text.contains(r#""e""#), "{text}"),
            Message::Close(frame) => break assert_eq!(frame.map(|frame| u16::from(frame.code)), Some(1011)),
            other => panic!("{other:?}"),
        }
    }
    assert!(!matches!(client.stream.next().await, Some(Ok(_))), "nothing follows a close frame");
}

/// Checks that the topic works again, and has only the members who came after the panic.
async fn expect_recovered(hub: &Hub, vsn: Vsn) {
    let mut again = Client::connect(hub, "again", vsn).await;
    again.join("t", "1").await;
    assert_eq!(again.receive().await.event, "phx_reply");
    assert_eq!(again.receive().await.payload, json!({}), "nobody is there");
    assert_eq!(again.expect_diff().await.0, ["again"]);
    publish(hub, "t");
    expect_event(&mut again).await;
}

const FAULT: &str = r#"["1","2","lobby:key:t","e",{"is":"a fault on purpose"}]"#;

vsn_test!(a_panic_of_the_flusher_closes_the_members_of_the_topic_alone, async |vsn| {
    for place in [PanicAt::Begin, PanicAt::Send] {
        let (hub, recorder) = hub();
        let mut elsewhere = Client::joined(&hub, "elsewhere", vsn, "u").await;
        let mut first = Client::joined(&hub, "first", vsn, "t").await;
        let mut second = Client::joined(&hub, "second", vsn, "t").await;
        let polled = Poller::joined(&hub, "polled", vsn, "t").await;
        first.expect_diff().await;
        panic_at(&hub, place);
        publish(&hub, "t");
        expect_fault(&mut first).await;
        expect_fault(&mut second).await;
        while polled.session.poll().await.is_ok() {}
        expect_recovered(&hub, vsn).await;
        publish(&hub, "u");
        expect_event(&mut elsewhere).await;
        assert_eq!(recorder.panics(), ["topic"], "{place:?}");
        until_closed(&hub, 3).await;
    }
});

#[tokio::test]
async fn a_joiner_is_closed_as_well() {
    for place in [PanicAt::Begin, PanicAt::Join, PanicAt::Send] {
        let (hub, recorder) = hub();
        let mut member = Client::joined(&hub, "member", Vsn::V2, "t").await;
        panic_at(&hub, place);
        let mut joiner = Client::connect(&hub, "joiner", Vsn::V2).await;
        joiner.join("t", "1").await;
        expect_fault(&mut joiner).await;
        expect_fault(&mut member).await;
        expect_recovered(&hub, Vsn::V2).await;
        assert_eq!(recorder.panics(), ["topic"], "{place:?}");
    }
}

#[tokio::test]
async fn one_that_leaves_stays_connected() {
    for place in [PanicAt::Begin, PanicAt::Leave] {
        let (hub, recorder) = hub();
        let mut member = Client::joined(&hub, "member", Vsn::V2, "t").await;
        let mut leaver = Client::joined(&hub, "leaver", Vsn::V2, "t").await;
        panic_at(&hub, place);
        leaver.send("1", "2", "t", "phx_leave", "{}").await;
        expect_fault(&mut member).await;
        leaver.send_heartbeat().await;
        while leaver.receive().await.r#ref != "hb" {}
        until_closed(&hub, 1).await;
        assert_eq!(hub.socket_count(), 1);
        expect_recovered(&hub, Vsn::V2).await;
        assert_eq!(recorder.panics(), ["topic"], "{place:?}");
    }
}

// The log that a panic leaves behind is not sent: it may end within a frame.
vsn_test!(a_panic_under_the_lock_of_a_topic_closes_its_members, async |vsn| {
    for place in [PanicAt::Change, PanicAt::Tell] {
        let (hub, recorder) = hub();
        let mut elsewhere = Client::joined(&hub, "elsewhere", vsn, "u").await;
        let mut member = Client::joined(&hub, "member", vsn, "t").await;
        let mut faulty = Client::joined(&hub, "faulty", vsn, "t").await;
        panic_at(&hub, place);
        match place {
            PanicAt::Change => faulty.send("1", "2", "t", "e", "{}").await,
            // Its flusher tells of this, or its own task.
            _ => Client::connect(&hub, "third", vsn).await.join("t", "1").await,
        }
        expect_fault(&mut member).await;
        expect_fault(&mut faulty).await;
        expect_recovered(&hub, vsn).await;
        publish(&hub, "u");
        expect_event(&mut elsewhere).await;
        assert_eq!(recorder.panics().len(), 1, "{place:?}: {:?}", recorder.panics());
    }
});

/// A panic in one of the topics that a socket leaves does not keep it in the others.
#[tokio::test]
async fn a_panic_while_a_socket_leaves_does_not_keep_it_in_other_topics() {
    let (hub, recorder) = hub();
    let mut elsewhere = Client::joined(&hub, "elsewhere", Vsn::V2, "u").await;
    let mut gone = Client::joined(&hub, "gone", Vsn::V2, "t").await;
    for other in ["u", "v"] {
        gone.join(other, "2").await;
        while gone.receive().await.event != "presence_diff" {}
    }
    elsewhere.expect_diff().await;
    panic_at(&hub, PanicAt::Change);
    drop(gone);
    assert_eq!(elsewhere.expect_diff().await.1, ["gone"]);
    assert_eq!(recorder.panics(), ["topic"]);
    expect_recovered(&hub, Vsn::V2).await;
}

#[tokio::test]
async fn a_panic_of_a_socket_closes_it_alone() {
    let (hub, recorder) = hub();
    let mut watcher = Client::joined(&hub, "watcher", Vsn::V2, "t").await;
    let mut faulty = Client::joined(&hub, "faulty", Vsn::V2, "t").await;
    watcher.expect_diff().await;
    faulty.send_text(FAULT).await;
    expect_fault(&mut faulty).await;
    assert_eq!(watcher.expect_diff().await.1, ["faulty"]);
    publish(&hub, "t");
    expect_event(&mut watcher).await;
    assert_eq!(recorder.panics(), ["socket"]);
    until_closed(&hub, 1).await;
}

#[tokio::test]
async fn a_panic_of_a_session_ends_it_alone() {
    let (hub, recorder) = hub();
    let mut watcher = Client::joined(&hub, "watcher", Vsn::V2, "t").await;
    let faulty = Poller::joined(&hub, "faulty", Vsn::V2, "t").await;
    watcher.expect_diff().await;
    assert!(matches!(faulty.session.receive_text(FAULT).await, Err(ReceiveError::Ended(_))));
    assert_eq!(watcher.expect_diff().await.1, ["faulty"]);
    while faulty.session.poll().await.is_ok() {}
    assert_eq!(recorder.panics(), ["socket"]);
    until_closed(&hub, 1).await;
}
