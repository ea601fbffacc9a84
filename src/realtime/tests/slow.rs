//! Clients that do not read, or send too much.

use std::time::Duration;

use super::{super::Limits, *};

const EVENTS: usize = 4000;

fn limits() -> Limits {
    Limits { outbox_bytes: 64 << 10, ..Limits::default() }
}

/// A payload of some 4 KiB. All of them are together much more than the kernel buffers for one connection.
fn payload(number: usize) -> String {
    format!(r#"{{"n":{number},"s":"{}"}}"#, "x".repeat(4096))
}

async fn publish_all(publisher: &mut Client) {
    for number in 0..EVENTS {
        publisher.send("1", "2", "t", "e", &payload(number)).await;
        assert_eq!(publisher.receive_event("e").await["n"], number);
    }
}

impl Client {
    /// Receives up to the next event of this name.
    pub(super) async fn receive_event(&mut self, event: &str) -> Value {
        loop {
            let received = self.receive().await;
            if received.event == event {
                return received.payload;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_is_closed_alone() {
    let linger = Duration::from_secs(600);
    let hub = Hub::new(Limits { linger, ..limits() });
    let mut slow = Client::joined(&hub, "slow", Vsn::V2, "t").await;
    let mut healthy = Client::joined(&hub, "healthy", Vsn::V1, "t").await;
    let mut publisher = Client::joined(&hub, "publisher", Vsn::V2, "t").await;
    let reading = tokio::spawn(async move {
        for number in 0..EVENTS {
            assert_eq!(healthy.receive_event("e").await["n"], number);
        }
        healthy
    });
    publish_all(&mut publisher).await;
    reading.await.unwrap().heartbeat_after_events().await;

    // In the end it gets everything up to some point, whole, and then the close frame.
    let mut next = 0;
    let code = loop {
        match slow.next().await {
            Message::Text(text) => {
                let value: Value = serde_json::from_str(&text).unwrap();
                if value[3] == "e" {
                    assert_eq!(value[4]["n"], next);
                    next += 1;
                }
            }
            Message::Close(frame) => break u16::from(frame.unwrap().code),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(code, 1013);
    assert!(next < EVENTS);
}

impl Client {
    /// Shows that the client is still served.
    async fn heartbeat_after_events(&mut self) {
        let text = r#"{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"hb"}"#;
        self.send_text(text).await;
        while self.receive().await.r#ref != "hb" {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_reads_is_let_go() {
    let hub = Hub::new(limits());
    let _slow = Client::joined(&hub, "slow", Vsn::V2, "t").await;
    let mut publisher = Client::joined(&hub, "publisher", Vsn::V2, "t").await;
    publish_all(&mut publisher).await;
    drop(publisher);
    let before = tokio::time::Instant::now();
    hub.shutdown(Duration::ZERO).await;
    assert!(before.elapsed() <= Limits::default().linger + Duration::from_secs(1));
    assert_eq!(hub.socket_count(), 0);
}

vsn_test!(a_message_over_the_limit_closes_with_1009, async |vsn| {
    let hub = Hub::new(Limits { message_bytes: 1000, ..Limits::default() });
    let mut watcher = Client::joined(&hub, "watcher", vsn, "t").await;
    let mut alice = Client::joined(&hub, "alice", vsn, "t").await;
    watcher.expect_diff().await;
    alice.send("1", "2", "t", "e", &format!(r#"{{"s":"{}"}}"#, "x".repeat(800))).await;
    alice.receive_event("e").await;
    watcher.receive_event("e").await;
    alice.send("1", "2", "t", "e", &format!(r#"{{"s":"{}"}}"#, "x".repeat(100_000))).await;
    alice.expect_close(Some(1009)).await;
    assert_eq!(watcher.expect_diff().await.1, ["alice"]);
});

#[tokio::test]
async fn fragments_over_the_limit_close_with_1009() {
    use tokio_tungstenite::tungstenite::protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    };

    let hub = Hub::new(Limits { message_bytes: 1000, ..Limits::default() });
    let mut alice = Client::joined(&hub, "alice", Vsn::V2, "t").await;
    let fragment = |opcode| Frame::message(vec![b' '; 600], OpCode::Data(opcode), false);
    alice.send_message(Message::Frame(fragment(Data::Text))).await;
    alice.send_message(Message::Frame(fragment(Data::Continue))).await;
    alice.expect_close(Some(1009)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publisher_cannot_outrun_the_server() {
    let hub = Hub::new(Limits { outbox_bytes: 64 << 20, ..Limits::default() });
    let mut publisher = Client::joined(&hub, "publisher", Vsn::V2, "t").await;
    let mut reader = Client::joined(&hub, "reader", Vsn::V2, "t").await;
    let writing = tokio::spawn(async move {
        for number in 0..EVENTS {
            publisher.send("1", "2", "t", "e", &payload(number)).await;
        }
        publisher
    });
    for number in 0..EVENTS {
        assert_eq!(reader.receive_event("e").await["n"], number);
    }
    drop(writing.await.unwrap());
}
