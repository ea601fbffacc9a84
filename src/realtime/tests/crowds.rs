//! Presence in topics where many come and go.

use std::time::Duration;

use super::{super::Limits, *};

/// Receives until the client sees exactly these users, and returns the number of diffs.
async fn until_seen(client: &mut Client, view: &mut View, expected: &View) -> usize {
    let mut diffs = 0;
    while view != expected {
        let Received { event, payload, .. } = client.receive().await;
        view.receive(&event, &payload);
        diffs += usize::from(event == "presence_diff");
    }
    diffs
}

fn list(hub: &Hub, name: &str) -> View {
    View::of(hub.presence_list(&topic(name)).unwrap().get())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everyone_sees_everyone_after_a_storm_of_joins_and_leaves() {
    const COMING: usize = 200;
    let hub = Hub::new(Limits::default());
    let mut watcher = Client::connect(&hub, "watcher", Vsn::V2).await;
    watcher.join("t", "1").await;
    let coming: Vec<_> = (0..COMING)
        .map(|number| {
            let hub = hub.clone();
            tokio::spawn(async move {
                let vsn = if number % 2 == 0 { Vsn::V1 } else { Vsn::V2 };
                let mut client = Client::connect(&hub, &format!("user{}", number % 150), vsn).await;
                client.join("t", "1").await;
                let mut view = View::new();
                if number % 5 == 1 {
                    client.join("t", "2").await;
                } else if number % 5 == 2 {
                    client.send("1", "2", "t", "phx_leave", "{}").await;
                }
                // A second join makes the presence of the first one irrelevant.
                let join_ref = if number % 5 == 1 { "2" } else { "1" };
                while client.receive().await.r#ref != join_ref {}
                let state = loop {
                    let received = client.receive().await;
                    if received.event == "presence_state" {
                        break received;
                    }
                };
                view.receive(&state.event, &state.payload);
                client.heartbeat_among(&mut view).await;
                (number % 5 != 2).then_some((client, view))
            })
        })
        .collect();
    let mut clients = Vec::new();
    for client in coming {
        clients.extend(client.await.unwrap());
    }
    let expected = list(&hub, "t");
    for (client, view) in &mut clients {
        until_seen(client, view, &expected).await;
    }
    until_seen(&mut watcher, &mut View::new(), &expected).await;
    drop(clients);
    let mut last = Client::connect(&hub, "last", Vsn::V2).await;
    last.join("t", "1").await;
    // By name: there are also two when all leaving members but one have left and this one is still to join.
    let expected = loop {
        let list = list(&hub, "t");
        if list.users().eq(["last", "watcher"]) {
            break list;
        }
        tokio::task::yield_now().await;
    };
    until_seen(&mut last, &mut View::new(), &expected).await;
}

vsn_test!(changes_at_the_same_time_are_told_together, async |vsn| {
    // So long that members are never told because the time has come.
    let (presence_window, idle_timeout) = (Duration::from_secs(3600), Duration::from_secs(360_000));
    let hub = Hub::new(Limits { presence_window, idle_timeout, ..Limits::default() });
    let mut watcher = Client::joined(&hub, "watcher", vsn, "t").await;
    let mut clients = Vec::new();
    for number in 0..50 {
        let mut client = Client::connect(&hub, &number.to_string(), vsn).await;
        client.join("t", "1").await;
        client.heartbeat_among(&mut View::new()).await;
        clients.push(client);
    }
    for client in &mut clients[40..] {
        client.send("1", "2", "t", "phx_leave", "{}").await;
        client.heartbeat_among(&mut View::new()).await;
    }
    assert_eq!(list(&hub, "t").len(), 41, "who asks gets it exactly, whatever members have been told");
    watcher.send("1", "2", "t", "e", "{}").await;
    for number in 0..9 {
        assert_eq!(watcher.expect_diff().await, (vec![number.to_string()], vec![]));
    }
    watcher.expect(None, None, "e", json!({})).await;

    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(3600)).await;
    let (joins, leaves) = watcher.expect_diff().await;
    assert_eq!((joins.len(), leaves.len()), (31, 0), "not those who came and went");
    watcher.heartbeat().await;
});

#[tokio::test]
async fn a_window_of_zero_is_none() {
    let hub = Hub::new(Limits { presence_window: Duration::ZERO, ..Limits::default() });
    let mut watcher = Client::joined(&hub, "watcher", Vsn::V2, "t").await;
    let mut clients = Vec::new();
    for number in 0..50 {
        clients.push(Client::joined(&hub, &number.to_string(), Vsn::V2, "t").await);
        assert_eq!(watcher.expect_diff().await, (vec![number.to_string()], vec![]));
    }
}
