//! Ends of connections.

use std::{cell::Cell, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, sleep},
};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::{
    super::{Limits, Revocation, SecretId, close::Close, revocation::Revoked},
    *,
};

/// Returns the server's answer to some bytes, up to the end of the stream.
async fn answer_to(bytes: &[u8], vsn: Vsn) -> Vec<u8> {
    let hub = Hub::new(Limits::default());
    let mut client = open(&hub, identity("alice"), vsn).await;
    client.write_all(bytes).await.unwrap();
    client.shutdown().await.unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn bad_bytes_are_answered_with_the_recorded_codes() {
    let masked = |first: u8, payload: &[u8]| [&[first, 0x80 | payload.len() as u8, 0, 0, 0, 0], payload].concat();
    for (bytes, code) in [
        (b"\x81\x05hello".to_vec(), 1002_u16),
        (masked(0xc1, b"{}"), 1002),
        (masked(0x83, b"{}"), 1002),
        (masked(0x80, b"{}"), 1002),
        (masked(0x88, &1005_u16.to_be_bytes()), 1002),
        (masked(0x88, &999_u16.to_be_bytes()), 1002),
        (masked(0x88, b"\x03"), 1002),
        (masked(0x81, b"\xff\xfe"), 1007),
        (masked(0x81, b"hello"), 1011),
        (masked(0x81, b""), 1011),
        (masked(0x82, b"\x00\x01\x02\xff"), 1011),
        (masked(0x88, &1000_u16.to_be_bytes()), 1000),
        (masked(0x88, &1001_u16.to_be_bytes()), 1001),
        (masked(0x88, b"\x0f\xa1bye"), 4001),
    ] {
        for vsn in [Vsn::V1, Vsn::V2] {
            let expected = [&[0x88, 2], &code.to_be_bytes()[..]].concat();
            assert_eq!(answer_to(&bytes, vsn).await, expected, "{bytes:?}");
        }
    }
    assert_eq!(answer_to(&masked(0x88, b""), Vsn::V1).await, b"\x88\x00");
    assert_eq!(answer_to(b"", Vsn::V1).await, b"", "gone without a word");
}

vsn_test!(whoever_goes_is_seen_to_go, async |vsn| {
    let hub = Hub::new(Limits::default());
    let mut watcher = Client::joined(&hub, "watcher", vsn, "t").await;

    let mut polite = Client::joined(&hub, "polite", vsn, "t").await;
    assert_eq!(watcher.expect_diff().await.0, ["polite"]);
    polite.send_message(Message::Close(Some(CloseFrame { code: 3000.into(), reason: "bye".into() }))).await;
    polite.expect_close(Some(3000)).await;
    assert_eq!(watcher.expect_diff().await.1, ["polite"]);

    let broken = Client::joined(&hub, "broken", vsn, "t").await;
    assert_eq!(watcher.expect_diff().await.0, ["broken"]);
    drop(broken);
    assert_eq!(watcher.expect_diff().await.1, ["broken"]);

    let mut garbled = Client::joined(&hub, "garbled", vsn, "t").await;
    assert_eq!(watcher.expect_diff().await.0, ["garbled"]);
    garbled.send_text("hello").await;
    garbled.expect_close(Some(1011)).await;
    assert_eq!(watcher.expect_diff().await.1, ["garbled"]);
});

#[tokio::test]
async fn a_user_is_disconnected_from_one_application() {
    let hub = Hub::new(Limits::default());
    let mut first = Client::joined(&hub, "kicked", Vsn::V1, "t").await;
    let mut second = Client::connect(&hub, "kicked", Vsn::V2).await;
    let mut other_user = Client::connect(&hub, "other", Vsn::V2).await;
    let elsewhere = Identity { app_key: "key2".into(), ..identity("kicked") };
    let mut other_application = Client::connect_as(&hub, elsewhere, Vsn::V2).await;
    hub.disconnect_user("key", "kicked").unwrap();
    first.expect_close(Some(1000)).await;
    second.expect_close(Some(1000)).await;
    other_user.heartbeat().await;
    other_application.heartbeat().await;
}

vsn_test!(sockets_that_are_closed_together_do_not_hear_of_each_other, async |vsn| {
    let hub = Hub::new(Limits::default());
    let mut watcher = Client::joined(&hub, "watcher", vsn, "t").await;
    let mut first = Client::joined(&hub, "kicked", vsn, "t").await;
    let mut second = Client::joined(&hub, "kicked", vsn, "t").await;
    first.expect_diff().await;
    watcher.expect_diff().await;
    watcher.expect_diff().await;
    hub.disconnect_user("key", "kicked").unwrap();
    first.expect_close(Some(1000)).await;
    second.expect_close(Some(1000)).await;
    assert_eq!(watcher.expect_diff().await.1, ["kicked"]);
    assert_eq!(watcher.expect_diff().await.1, ["kicked"]);
});

#[tokio::test]
async fn sockets_end_with_what_they_live_by() {
    let hub = Hub::new(Limits::default());
    let base = identity("alice");
    let alice = |credentials| Identity { principal: Principal::User(credentials), ..base.clone() };
    let mut by_application =
        Client::connect_as(&hub, Identity { app_key: "archived".into(), ..base.clone() }, Vsn::V2).await;
    let mut by_token =
        Client::connect_as(&hub, alice(Credentials { token_id: Some(20), ..credentials() }), Vsn::V2).await;
    let mut by_enrollment =
        Client::connect_as(&hub, alice(Credentials { organization_id: Some(30), ..credentials() }), Vsn::V2).await;
    let other_user = alice(Credentials { organization_id: Some(30), user_id: 9, ..credentials() });
    let mut others = [
        Client::connect_as(&hub, other_user, Vsn::V2).await,
        Client::connect_as(
            &hub,
            alice(Credentials { token_id: None, organization_id: None, ..credentials() }),
            Vsn::V2,
        )
        .await,
        Client::connect_as(&hub, Identity { principal: Principal::Application(SecretId(2)), ..base.clone() }, Vsn::V2)
            .await,
    ];
    let secrets = |kept| Revocation::Secrets { app_key: "key".to_owned(), kept };
    let mut by_secret =
        Client::connect_as(&hub, Identity { principal: Principal::Application(SecretId(1)), ..base.clone() }, Vsn::V2)
            .await;
    hub.revoke(&[secrets(vec![SecretId(1), SecretId(2)])]).await;
    by_secret.heartbeat().await;
    hub.revoke(&[secrets(vec![SecretId(2)])]).await;
    by_secret.expect_close(Some(1008)).await;
    hub.revoke(&[Revocation::Application("archived".to_owned())]).await;
    by_application.expect_close(Some(1008)).await;
    by_token.heartbeat().await;
    hub.revoke(&[Revocation::Token(20)]).await;
    by_token.expect_close(Some(1008)).await;
    by_enrollment.heartbeat().await;
    hub.revoke(&[Revocation::Enrollment { user_id: 1, organization_id: 30 }]).await;
    by_enrollment.expect_close(Some(1008)).await;
    for client in &mut others {
        client.heartbeat().await;
    }
}

#[tokio::test]
async fn many_revocations_are_one_pass_and_one_departure() {
    const MEMBERS: i64 = 1000;
    let hub = Hub::new(Limits::default());
    let of = |user_id, organization_id| Identity {
        principal: Principal::User(Credentials { user_id, organization_id: Some(organization_id), ..credentials() }),
        ..identity("member")
    };
    let member = |user_id| of(user_id, 30);
    let mut members = Vec::new();
    for user_id in 0..2 {
        let mut client = Client::connect_as(&hub, member(user_id), Vsn::V2).await;
        client.join("t", "1").await;
        for event in ["phx_reply", "presence_state", "presence_diff"] {
            assert_eq!(client.receive().await.event, event);
        }
        members.push(client);
    }
    members[0].expect_diff().await;
    let _stranger = hub.open_longpoll(of(0, 31), Vsn::V2).unwrap();
    let sessions: Vec<_> = (2..MEMBERS).map(|user_id| hub.open_longpoll(member(user_id), Vsn::V2).unwrap()).collect();
    let revocations: Vec<_> =
        (0..MEMBERS).map(|user_id| Revocation::Enrollment { user_id, organization_id: 30 }).collect();
    let (revoked, looked_at) = (Revoked::new(&revocations), Cell::new(0));
    let open = hub.socket_count();
    let closed = hub.shared.sockets.close_all(Close::Revoked, |identity| {
        looked_at.set(looked_at.get() + 1);
        revoked.includes(identity)
    });
    assert_eq!(closed.await, sessions.len() + members.len());
    assert_eq!(looked_at.get(), open, "each is looked at once");
    for mut client in members {
        client.expect_close(Some(1008)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn idle_means_nothing_received() {
    let hub = Hub::new(Limits::default());
    let start = Instant::now();
    let mut idle = Client::joined(&hub, "idle", Vsn::V1, "t").await;
    let mut talking = Client::joined(&hub, "talking", Vsn::V2, "t").await;
    idle.expect_diff().await;
    let talk = tokio::spawn(async move {
        for number in 0..3 {
            sleep(Duration::from_secs(29)).await;
            talking.send("1", "2", "t", "tick", "{}").await;
            talking.send_message(Message::Ping(vec![number].into())).await;
        }
        talking
    });
    for _ in 0..2 {
        idle.expect(None, None, "tick", json!({})).await;
    }
    idle.expect_close(Some(1001)).await;
    let elapsed = start.elapsed();
    assert!((60.0..61.0).contains(&elapsed.as_secs_f64()), "{elapsed:?}");
    drop(talk.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn pings_keep_a_socket() {
    let hub = Hub::new(Limits::default());
    let start = Instant::now();
    let mut client = Client::joined(&hub, "alice", Vsn::V2, "t").await;
    for _ in 0..10 {
        sleep(Duration::from_secs(59)).await;
        client.send_message(Message::Ping(Bytes::from_static(b"x"))).await;
        assert_eq!(client.next().await, Message::Pong(Bytes::from_static(b"x")));
    }
    client.expect_close(Some(1001)).await;
    assert!(start.elapsed() >= Duration::from_secs(650));
}

#[tokio::test]
async fn a_stop_closes_all_without_leaves() {
    let hub = Hub::new(Limits::default());
    let mut one = Client::joined(&hub, "one", Vsn::V1, "t").await;
    let mut two = Client::joined(&hub, "two", Vsn::V2, "t").await;
    one.expect_diff().await;
    let stopping = tokio::spawn({
        let hub = hub.clone();
        async move { hub.shutdown(Duration::ZERO).await }
    });
    one.expect_close(Some(1012)).await;
    two.expect_close(Some(1012)).await;
    drop((one, two));
    stopping.await.unwrap();
    assert_eq!(hub.socket_count(), 0);

    let mut late = Client::connect(&hub, "late", Vsn::V2).await;
    late.expect_close(Some(1012)).await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_closes_batch_after_batch() {
    let hub = Hub::new(Limits::default());
    let mut clients = Vec::new();
    for number in 0..60 {
        clients.push(Client::connect(&hub, &format!("user {number}"), Vsn::V2).await);
    }
    while hub.socket_count() < clients.len() {
        tokio::task::yield_now().await;
    }
    let start = Instant::now();
    let mut closings = tokio::task::JoinSet::new();
    for mut client in clients {
        closings.spawn(async move {
            client.expect_close(Some(1012)).await;
            start.elapsed().as_millis() / 100
        });
    }
    hub.shutdown(Duration::from_secs(10)).await;
    let mut turns = closings.join_all().await;
    turns.sort_unstable();
    let expected = [[0; 25].as_slice(), &[1; 25], &[2; 10]].concat();
    assert_eq!(turns, expected);
}

vsn_test!(those_who_wait_for_their_turn_see_nobody_leave, async |vsn| {
    let hub = Hub::new(Limits::default());
    let mut clients = Vec::new();
    for number in 0..30 {
        clients.push(Client::joined(&hub, &format!("user {number}"), vsn, "t").await);
    }
    let stopping = tokio::spawn({
        let hub = hub.clone();
        async move { hub.shutdown(Duration::from_secs(10)).await }
    });
    for mut client in clients {
        let mut leaves = Vec::new();
        loop {
            match client.next().await {
                Message::Close(frame) => break assert_eq!(u16::from(frame.unwrap().code), 1012),
                Message::Text(text) => {
                    let received = Received::read(vsn, &serde_json::from_str(&text).unwrap());
                    leaves.extend(received.payload["leaves"].as_object().unwrap().keys().cloned());
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(leaves, [""; 0]);
    }
    stopping.await.unwrap();
});
