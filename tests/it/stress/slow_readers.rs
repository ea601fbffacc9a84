//! Clients that stop reading while large events are sent to them, by REST and by sockets. Others notice nothing, and
//! the memory for clients that do not read stays within the settings.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use pusher_lite::{auth::Permissions, realtime::Limits};
use serde_json::json;
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::rounds;
use crate::{
    api::{ADMIN, TEST_APP},
    support::{
        database::{TestDatabase, on_sqlite},
        server::TestServer,
        socket::Socket,
    },
};

const MB: usize = 1_000_000;

/// Clients that do not read, in one topic and with one each.
const STUCK_TOGETHER: usize = 40;
const STUCK_ALONE: usize = 12;

/// The largest event of each kind.
const BY_REST: usize = 7_500_000;
const BY_PUSH: usize = 900_000;

/// Number of events in each round.
const LARGE_EVENTS: usize = 4;
const SMALL_EVENTS: usize = 200;

/// All is over long before that, unless a task waits forever.
const PATIENCE: Duration = Duration::from_secs(300);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_readers() {
    on_sqlite(others_notice_nothing_of_slow_readers).await;
}

async fn others_notice_nothing_of_slow_readers(database: TestDatabase) {
    let limits = Limits { outbox_memory: 40 * MB, linger: Duration::from_secs(1), ..Limits::default() };
    let server = Arc::new(TestServer::with_limits(database.with_original_rows().await, limits));
    for _ in 0..rounds() {
        timeout(PATIENCE, round(&server, &limits)).await.expect("nobody waits for ever");
    }
}

async fn round(server: &Arc<TestServer>, limits: &Limits) {
    let watch = watch_memory(server);
    let small: Vec<JoinHandle<()>> = (0..3).map(|number| tokio::spawn(talk(Arc::clone(server), number))).collect();
    let mut stuck = Vec::new();
    for number in 0..STUCK_TOGETHER {
        stuck.push(member(server, "together", number).await);
    }
    for number in 0..STUCK_ALONE {
        stuck.push(member(server, &format!("alone{number}"), number).await);
    }
    let mut pusher = member(server, "pushed", 0).await;
    for number in 0..STUCK_TOGETHER {
        stuck.push(member(server, "pushed", number + 1).await);
    }
    for number in 0..LARGE_EVENTS {
        publish(server, "together", BY_REST).await;
        push(&mut pusher, number).await;
        for alone in 0..STUCK_ALONE {
            publish(server, &format!("alone{alone}"), BY_PUSH).await;
        }
    }
    for pair in small {
        pair.await.expect("every event came, in order");
    }
    drop((stuck, pusher));
    until(|| server.app.hub.socket_count() == 0 && server.app.hub.sizes().outbox_memory == 0).await;

    watch.task.abort();
    // Above the budget is what was sent before sockets could be closed: a log that each flusher writes, in a vector
    // that may have grown to twice its size, and what comes meanwhile.
    let most = limits.outbox_memory + 4 * 2 * limits.event_bytes;
    let peak = watch.peak.load(Ordering::Relaxed);
    assert!(peak <= most, "{peak} bytes of memory, where {most} may be");
    let one_copy_each = (STUCK_TOGETHER * BY_REST * 2).min(STUCK_TOGETHER * limits.outbox_bytes);
    assert!(one_copy_each > limits.outbox_memory, "this would not be seen otherwise");
    assert_closed_for_memory_or_time(server);
}

/// Those who do not read were closed for that, and for nothing else.
fn assert_closed_for_memory_or_time(server: &TestServer) {
    for (reason, count) in server.app.hub.stats().closes {
        if !["too slow", "evicted", "gone", "client"].contains(&reason) {
            assert_eq!(count, 0, "{reason}");
        }
    }
}

/// A pair in a topic of its own: every event comes, in order.
async fn talk(server: Arc<TestServer>, number: usize) {
    let name = format!("small{number}");
    let mut speaker = member(&server, &name, 1).await;
    let mut listener = member(&server, &name, 2).await;
    for number in 0..SMALL_EVENTS {
        speaker.send(json!(["1", "2", topic(&name), "e", {"n": number}])).await;
        for socket in [&mut speaker, &mut listener] {
            let event = next_event(socket).await;
            assert_eq!(event["n"], number);
        }
    }
}

async fn next_event(socket: &mut Socket) -> serde_json::Value {
    loop {
        let message = socket.message().await;
        if message[3] == "e" {
            return message[4].clone();
        }
    }
}

async fn member(server: &TestServer, name: &str, number: usize) -> Socket {
    let jwt = server.jwt(ADMIN, Permissions::ADMIN);
    let mut socket = Socket::open(server, &jwt, TEST_APP, &format!("{name}-{number}")).await.unwrap();
    socket.join(&topic(name)).await;
    socket
}

async fn publish(server: &TestServer, name: &str, len: usize) {
    let jwt = server.jwt(ADMIN, Permissions::ADMIN);
    let path = format!("/api/organizations/acme-inc/applications/{TEST_APP}/event/e?topic={name}");
    let headers = [&format!("authorization: Bearer {jwt}")[..], "content-type: application/json"];
    let body = json!({"s": "x".repeat(len)}).to_string();
    assert_eq!(server.request("POST", &path, &headers, &body).await.status(), 204);
}

async fn push(pusher: &mut Socket, number: usize) {
    pusher.send(json!(["1", "2", topic("pushed"), "e", {"n": number, "s": "x".repeat(BY_PUSH)}])).await;
    assert_eq!(next_event(pusher).await["n"], number);
}

fn topic(name: &str) -> String {
    format!("lobby:{TEST_APP}:{name}")
}

/// The most memory that was seen in use.
struct Watch {
    peak: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

fn watch_memory(server: &TestServer) -> Watch {
    let (hub, peak) = (server.app.hub.clone(), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&peak);
    let task = tokio::spawn(async move {
        loop {
            seen.fetch_max(hub.sizes().outbox_memory, Ordering::Relaxed);
            sleep(Duration::from_millis(1)).await;
        }
    });
    Watch { peak, task }
}

async fn until(done: impl Fn() -> bool) {
    while !done() {
        sleep(Duration::from_millis(1)).await;
    }
}
