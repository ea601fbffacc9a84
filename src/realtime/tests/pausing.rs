//! Sockets that ask for more than their allowance.

use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::{Instant, pause, sleep, timeout};

use super::{
    super::{ApplicationSettings, Batch, Limits, PublishError, Quotas, Refusal},
    *,
};

/// Allowance of one socket in bytes a second: one of the joins below.
const BUDGET: u32 = 100_000;

/// Joins in a burst: ten seconds' worth, and one join may go beyond it.
const AT_ONCE: u64 = 11;

const MEMBERS: usize = 30;

fn limits() -> Limits {
    Limits { reply_bytes_per_second: BUDGET, ..Limits::default() }
}

/// Makes a hub with a topic. Its presence list is some 30 kB, and telling its members of a join costs some 60 kB.
async fn crowd(limits: Limits) -> (Hub, Vec<Client>) {
    let hub = Hub::new(Limits { presence_window: Duration::from_millis(1), ..limits });
    let mut members = Vec::new();
    for number in 0..MEMBERS {
        let mut member = Client::connect(&hub, &long_name(number), Vsn::V2).await;
        member.join("t", "1").await;
        members.push(member);
    }
    (hub, members)
}

fn long_name(number: usize) -> String {
    format!("{number} {}", "m".repeat(900))
}

fn join_text(r#ref: u64) -> String {
    written(Vsn::V2, [&r#ref.to_string(), &r#ref.to_string(), "lobby:key:t", "phx_join"], "{}")
}

/// Reads on and counts the answers to joins, up to the answer to a heartbeat.
async fn joins_until_heartbeat(client: &mut Client) -> u64 {
    let mut joins = 0;
    loop {
        let received = client.receive().await;
        match received.event.as_str() {
            "phx_reply" if received.r#ref == "hb" => return joins,
            "phx_reply" => joins += 1,
            _ => {}
        }
    }
}

/// Lets the crowd read on for ever.
fn read_on(members: Vec<Client>) {
    for mut member in members {
        tokio::spawn(async move { while member.stream.next().await.is_some() {} });
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_joins_comes_down_to_the_budget() {
    let (hub, members) = crowd(limits()).await;
    read_on(members);
    let mut flooder = Client::connect(&hub, &long_name(99), Vsn::V2).await;
    let start = Instant::now();
    let joins = 60;
    for number in 0..joins {
        flooder.send_text(&join_text(number)).await;
    }
    flooder.send_heartbeat().await;
    assert_eq!(joins_until_heartbeat(&mut flooder).await, joins, "none is refused, and the heartbeat is late");
    let seconds = start.elapsed().as_secs();
    assert!(seconds > joins - AT_ONCE - 15, "{seconds} s: as fast as it asks");
    assert!(seconds < 2 * joins, "{seconds} s");
    assert!(hub.stats().totals.pauses > 10);
    flooder.heartbeat_among_events().await;
}

#[tokio::test(start_paused = true)]
async fn first_joins_heartbeats_and_leaves_go_on() {
    let hub = Hub::new(Limits { reply_bytes_per_second: 10_000, ..Limits::default() });
    let mut client = Client::connect(&hub, "alice", Vsn::V2).await;
    let start = Instant::now();
    for topic in 0..100 {
        client.join(&topic.to_string(), "1").await;
    }
    for _ in 0..300 {
        client.receive().await;
    }
    client.heartbeat().await;
    assert_eq!((start.elapsed().as_secs(), hub.stats().totals.pauses), (0, 0));
    for topic in 0..50 {
        client.send("1", "2", &topic.to_string(), "phx_leave", "{}").await;
    }
    client.heartbeat_among_events().await;
    assert_eq!(hub.stats().totals.leaves, 50);
}

#[tokio::test(start_paused = true)]
async fn whatever_is_refused_is_charged() {
    let quotas = Quotas {
        application: ApplicationSettings { events_per_socket: 1, ..ApplicationSettings::default() },
        ..Quotas::default()
    };
    for (sent, from_now) in [
        (r#"["1","2","lobby:key:elsewhere","e",{}]"#, Refusal::PushUnmatched),
        (r#"["1","2","lobby:other:t","phx_join",{}]"#, Refusal::JoinUnauthorized),
        (r#"["1","2","lobby:key:t","phx_close",{}]"#, Refusal::PushReserved),
        (r#"["1","2","lobby:key:t","e",{}]"#, Refusal::PushRateLimited),
    ] {
        let hub = Hub::new(Limits { reply_bytes_per_second: 10_000, quotas, ..Limits::default() });
        let mut client = Client::joined(&hub, "alice", Vsn::V2, "t").await;
        let start = Instant::now();
        for _ in 0..200 {
            client.send_text(sent).await;
        }
        client.heartbeat_among_events().await;
        assert!(hub.stats().totals.pauses > 0 && start.elapsed() > Duration::from_secs(5), "{sent}");
        let refused = hub.stats().refusals.iter().find(|(refusal, _)| *refusal == from_now).unwrap().1;
        assert!(refused >= 170, "{sent}: {refused}");
    }
}

#[tokio::test(start_paused = true)]
async fn pings_and_pongs_are_charged() {
    for message in [Message::Ping(Bytes::new()), Message::Pong(Bytes::new())] {
        let hub = Hub::new(Limits { reply_bytes_per_second: 10_000, ..Limits::default() });
        let mut client = Client::connect(&hub, "alice", Vsn::V2).await;
        for _ in 0..200 {
            client.send_message(message.clone()).await;
        }
        let paused = async {
            while hub.stats().totals.pauses == 0 {
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(Duration::from_secs(60), paused).await.expect("it is paused");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_paused_client_has_sent_is_kept_and_counts_as_memory() {
    let hub = Hub::new(Limits { reply_bytes_per_second: 2000, ..Limits::default() });
    let mut client = Client::connect(&hub, "alice", Vsn::V2).await;
    let heartbeats = 60;
    for _ in 0..heartbeats {
        let heartbeat = Message::text(client.heartbeat_text());
        client.stream.feed(heartbeat).await.unwrap();
    }
    client.stream.flush().await.unwrap();
    while hub.stats().totals.pauses == 0 {
        sleep(Duration::from_millis(1)).await;
    }
    let kept = hub.sizes().partial_memory;
    assert!((1000..16 << 10).contains(&kept), "{kept}");
    for _ in 0..heartbeats {
        assert_eq!(client.receive().await.r#ref, "hb");
    }
    assert_eq!(hub.sizes().partial_memory, 0);
}

#[tokio::test(start_paused = true)]
async fn events_that_are_passed_on_have_a_rate_of_their_own() {
    let hub = Hub::new(Limits { reply_bytes_per_second: 1000, ..Limits::default() });
    let mut client = Client::joined(&hub, "alice", Vsn::V2, "t").await;
    for _ in 0..500 {
        client.send("1", "2", "t", "e", "{}").await;
        assert_eq!(client.receive().await.event, "e");
    }
    assert_eq!(hub.stats().totals.pauses, 0);
}

#[tokio::test(start_paused = true)]
async fn a_paused_socket_is_not_idle_while_bytes_wait_unread() {
    // One join costs more than the idle timeout.
    let limits = Limits { idle_timeout: Duration::from_secs(1), reply_bytes_per_second: BUDGET / 5, ..limits() };
    let (hub, members) = crowd(limits).await;
    for member in members {
        let (mut sink, mut stream) = member.stream.split();
        tokio::spawn(async move { while stream.next().await.is_some() {} });
        tokio::spawn(async move {
            while sink.send(Message::Ping(Bytes::new())).await.is_ok() {
                sleep(Duration::from_millis(300)).await;
            }
        });
    }
    let mut flooder = Client::connect(&hub, &long_name(99), Vsn::V2).await;
    let joins = 10;
    for number in 0..joins {
        flooder.send_text(&join_text(number)).await;
    }
    flooder.send_heartbeat().await;
    assert_eq!(joins_until_heartbeat(&mut flooder).await, joins);
    assert!(hub.stats().totals.pauses > 0);
    loop {
        if let Message::Close(frame) = flooder.next().await {
            break assert_eq!(u16::from(frame.unwrap().code), 1001, "once it is silent");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_paused_socket_is_noticed() {
    let (hub, members) = crowd(limits()).await;
    read_on(members);
    for is_kicked in [true, false] {
        let before = hub.socket_count();
        let mut flooder = Client::connect(&hub, &long_name(99), Vsn::V2).await;
        for number in 0..200 {
            flooder.send_text(&join_text(number)).await;
        }
        flooder.receive().await;
        let pauses = hub.stats().totals.pauses;
        while hub.stats().totals.pauses == pauses {
            sleep(Duration::from_millis(1)).await;
        }
        let start = Instant::now();
        if is_kicked {
            hub.disconnect_user("key", &long_name(99)).unwrap();
            while !matches!(flooder.next().await, Message::Close(_)) {}
        }
        drop(flooder);
        while hub.socket_count() > before {
            sleep(Duration::from_millis(100)).await;
        }
        assert!(start.elapsed() < Duration::from_secs(3), "{:?}, kicked: {is_kicked}", start.elapsed());
    }
}

#[tokio::test]
async fn a_long_poll_session_is_paused_as_well() {
    pause();
    let (hub, members) = crowd(limits()).await;
    read_on(members);
    let session = hub.open_longpoll(identity(&long_name(99)), Vsn::V2).unwrap();
    let polling = tokio::spawn({
        let session = Arc::clone(&session);
        async move {
            while let Ok(batch) = session.poll().await {
                batch.into_iter().for_each(Batch::delivered);
            }
        }
    });
    let start = Instant::now();
    let joins = 40;
    for number in 0..joins {
        session.receive_text(&join_text(number)).await.unwrap();
    }
    let seconds = start.elapsed().as_secs();
    assert!(seconds > joins - AT_ONCE - 15 && seconds < 2 * joins, "{seconds} s");
    assert!(hub.stats().totals.pauses > 0);

    // Many together wait for each other, and at most a second for the end of the session.
    let waiting: Vec<_> = (0..10)
        .map(|number| {
            let session = Arc::clone(&session);
            tokio::spawn(async move { session.receive_text(&join_text(number)).await })
        })
        .collect();
    sleep(Duration::from_millis(1)).await;
    hub.disconnect_user("key", &long_name(99)).unwrap();
    for answer in waiting {
        assert!(timeout(Duration::from_secs(2), answer).await.unwrap().unwrap().is_err());
    }
    polling.abort();
}

#[tokio::test(start_paused = true)]
async fn what_rest_asks_for_counts_as_events() {
    let application = ApplicationSettings { events_per_second: 10, ..ApplicationSettings::default() };
    let hub = Hub::new(Limits { quotas: Quotas { application, ..Quotas::default() }, ..Limits::default() });
    let asked: [&dyn Fn() -> Result<(), PublishError>; 3] =
        [&|| hub.presence_list(&topic("t")).map(drop), &|| hub.disconnect_user("key", "nobody"), &|| {
            hub.publish(&topic("t"), "e", EventPayload::check(serde_json::from_str("{}").unwrap()))
        }];
    for asked in asked {
        assert_eq!((0..100).filter(|_| asked().is_ok()).count(), 10);
        sleep(Duration::from_secs(1)).await;
    }
    let counted = hub.stats().refusals.iter().find(|(refusal, _)| *refusal == Refusal::PublishRateLimited).unwrap().1;
    assert_eq!(counted, 270);
}

#[tokio::test(start_paused = true)]
async fn a_long_presence_list_counts_as_several_events() {
    let application = ApplicationSettings { events_per_second: 10, ..ApplicationSettings::default() };
    let quotas = Quotas { application, ..Quotas::default() };
    let (hub, members) = crowd(Limits { quotas, ..limits() }).await;
    while hub.presence_list(&topic("t")).unwrap().get().len() < 27_000 {
        sleep(Duration::from_secs(10)).await;
    }
    sleep(Duration::from_secs(10)).await;
    assert_eq!((0..100).filter(|_| hub.presence_list(&topic("t")).is_ok()).count(), 5, "two each");
    drop(members);
}

impl Client {
    /// Does the same as [`Client::heartbeat`], when other messages may come before the reply.
    async fn heartbeat_among_events(&mut self) {
        self.send_heartbeat().await;
        while self.receive().await.r#ref != "hb" {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_lingers_holds_up_nobody_s_leave() {
    let hub = Hub::new(Limits::default());
    let mut watcher = Client::joined(&hub, "watcher", Vsn::V2, "t").await;
    let mut lingering = Client::joined(&hub, "kicked", Vsn::V2, "elsewhere").await;
    let _never_joined = Client::connect(&hub, "kicked", Vsn::V2).await;
    // Registered, but its task has not begun: its permission is still being looked up.
    let (server, _client) = loopback().await;
    let _parked = hub.serve_websocket(server, Bytes::new(), identity("kicked"), Vsn::V2);
    let mut prompt = Client::joined(&hub, "kicked", Vsn::V2, "t").await;
    assert_eq!(watcher.expect_diff().await.0, ["kicked"]);
    lingering.send_message(Message::Close(None)).await;
    while !matches!(lingering.next().await, Message::Close(_)) {}
    let start = Instant::now();
    hub.disconnect_user("key", "kicked").unwrap();
    prompt.expect_close(Some(1000)).await;
    assert_eq!(watcher.expect_diff().await.1, ["kicked"]);
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn after_a_stand_still_sockets_are_read_before_they_are_idle() {
    let hub = Hub::new(Limits { idle_timeout: Duration::from_secs(5), ..Limits::default() });
    let mut clients = Vec::new();
    for number in 0..5 {
        clients.push(Client::joined(&hub, "alice", Vsn::V2, &number.to_string()).await);
    }
    let polled = hub.open_longpoll(identity("polling"), Vsn::V2).unwrap();
    // Nothing else runs between these: they wait unread, and then all timers are due.
    for client in &mut clients {
        client.send_heartbeat().now_or_never().expect("it is written at once");
    }
    tokio::time::advance(Duration::from_secs(100)).await;
    for client in &mut clients {
        client.expect(None, Some("hb"), "phx_reply", json!({"status": "ok", "response": {}})).await;
    }
    assert!(polled.poll().await.is_ok(), "its client polls as soon as it is answered");
    let start = Instant::now();
    for client in &mut clients {
        client.expect_close(Some(1001)).await;
    }
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}: those who are silent are closed", start.elapsed());
}
