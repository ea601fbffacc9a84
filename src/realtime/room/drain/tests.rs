use std::{
    sync::atomic::{AtomicBool, Ordering},
    task::{Context, Wake, Waker},
    time::Duration,
};

use pusher_lite_protocol::{
    EventPayload, Payload, Spelling, Vsn,
    presence::{Meta, MetaId, MetaInfo},
};
use tokio::{io::AsyncReadExt, net::TcpStream};

use super::*;
use crate::realtime::{
    Topic,
    connection::{
        connection::Connection,
        frame::{self, Gapped},
    },
    room::{
        log::Parting,
        membership::Joining,
        presence::PresenceKey,
        publication::{CheckedPayload, Publication, Published, Source},
    },
    tests::{application, connection, polled},
};

const ALL: usize = usize::MAX;

fn room() -> Arc<Room> {
    Arc::new(Room::new(Topic::new("key", "t").unwrap(), application(), Arc::default(), Duration::ZERO))
}

fn join(room: &Arc<Room>, connection: &Arc<Connection>) {
    let meta = Meta { id: MetaId(connection.id), online_at: 0, info: None };
    let presence = Some((Arc::clone(&connection.identity.unique_identifier), meta));
    join_as(room, connection, presence.as_ref());
}

fn join_as(room: &Arc<Room>, connection: &Arc<Connection>, presence: Option<&(Arc<str>, Meta)>) {
    let state = Gapped { text: br#"["presence_state",]"#.to_vec(), gap: 18 };
    let state = presence.map(|_| &state);
    assert!(room.join(connection, &Joining { lead: b"\x81\x05reply", state, presence }).is_some());
}

fn key(connection: &Connection) -> PresenceKey {
    PresenceKey { user: Arc::clone(&connection.identity.unique_identifier), id: MetaId(connection.id) }
}

fn publish(room: &Arc<Room>, event: &str) {
    assert!(matches!(publish_json(room, event, "{}", Source::Push, None), Published::Sent));
}

fn publish_except(room: &Arc<Room>, event: &str, member: &Arc<Connection>) {
    assert!(matches!(publish_json(room, event, "{}", Source::Push, Some(member)), Published::Sent));
}

/// Publishes a payload of so many bytes and a few more.
fn publish_long(room: &Arc<Room>, event: &str, len: usize, source: Source) -> Published {
    publish_json(room, event, &format!(r#"{{"x":"{}"}}"#, "x".repeat(len)), source, None)
}

fn publish_json(
    room: &Arc<Room>,
    event: &str,
    payload: &str,
    source: Source,
    except: Option<&Arc<Connection>>,
) -> Published {
    let payload = serde_json::from_str(payload).unwrap();
    let payload = CheckedPayload::Text(EventPayload::check(payload).unwrap());
    room.publish(&Publication { topic: Spelling::Own, event, payload, source, except })
}

/// Publishes a binary push of the event `binary`.
fn publish_binary(room: &Arc<Room>, except: Option<&Arc<Connection>>) {
    let push = b"\x00\x01\x01\x01\x0612tbinary\xff";
    let Payload::Binary(push) = Vsn::V2.decode_binary(push).unwrap().payload else { panic!("it is binary") };
    let payload = CheckedPayload::Binary(push);
    let publication = Publication { topic: Spelling::Own, event: "\"binary\"", payload, source: Source::Push, except };
    assert!(matches!(room.publish(&publication), Published::Sent));
}

fn drain(room: &Arc<Room>) {
    let mut drain = Drain::new(Arc::clone(room));
    assert!(drain.step(&mut ALL.clone()));
    assert!(!drain.end().1);
}

/// Everything that a client was sent, shortened to the words that tell the messages apart.
async fn received(connection: &Connection, client: &mut TcpStream) -> String {
    words(&received_text(connection, client).await)
}

async fn received_text(connection: &Connection, client: &mut TcpStream) -> String {
    connection.outbox.finish(&bytes::Bytes::from_static(b"\x88\x00"));
    let mut bytes = Vec::new();
    let _ = connection.outbox.shut_down_if_finished();
    client.read_to_end(&mut bytes).await.unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// As [`received`], for a connection that is polled.
fn taken(connection: &Connection) -> String {
    let frames = connection.outbox.take().into_iter().map(Frames::into_bytes).collect::<Vec<_>>().concat();
    words(&frame::texts(&frames).collect::<String>())
}

fn words(text: &str) -> String {
    const WORDS: [&str; 8] = ["reply", "presence_state", "presence_diff", "one", "two", "three", "own", "binary"];
    let mut found: Vec<(usize, &str)> = WORDS.into_iter().flat_map(|word| text.match_indices(word)).collect();
    found.sort_unstable();
    found.into_iter().map(|(_, word)| word).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_log_is_cut_to_each_member() {
    for vsn in [Vsn::V1, Vsn::V2] {
        let room = room();
        let (stays, mut stays_client) = connection(1, "stays", vsn).await;
        let (comes, mut comes_client) = connection(2, "comes", Vsn::V2).await;
        let (goes, mut goes_client) = connection(3, "goes", Vsn::V1).await;
        join(&room, &stays);
        join(&room, &goes);
        drain(&room);

        publish(&room, "\"one\"");
        join(&room, &comes);
        publish(&room, "\"two\"");
        assert!(room.reply(&stays, b"\x81\x03own".to_vec()).is_none());
        room.leave(&goes, Some(&key(&goes)), Parting { frames: b"\x81\x05reply".to_vec(), final_frame: None });
        publish(&room, "\"three\"");
        drain(&room);

        assert_eq!(
            received(&stays, &mut stays_client).await,
            "reply presence_state presence_diff presence_diff one presence_diff two own presence_diff three"
        );
        assert_eq!(
            received(&comes, &mut comes_client).await,
            "reply presence_state presence_diff two presence_diff three"
        );
        assert_eq!(
            received(&goes, &mut goes_client).await,
            "reply presence_state presence_diff one presence_diff two reply"
        );
    }
}

#[tokio::test]
async fn one_who_comes_and_goes_in_one_log_gets_what_is_between() {
    let room = room();
    let (stays, mut stays_client) = connection(1, "stays", Vsn::V2).await;
    let (visits, mut visits_client) = connection(2, "visits", Vsn::V2).await;
    join(&room, &stays);
    publish(&room, "\"one\"");
    join(&room, &visits);
    publish(&room, "\"two\"");
    room.part(&visits, Parting::default());
    publish(&room, "\"three\"");
    drain(&room);
    assert_eq!(received(&visits, &mut visits_client).await, "reply presence_state presence_diff two");
    assert_eq!(
        received(&stays, &mut stays_client).await,
        "reply presence_state presence_diff one presence_diff two three"
    );
}

#[tokio::test]
async fn work_is_done_in_bounded_steps() {
    let room = room();
    let mut clients = Vec::new();
    for id in 0..10 {
        let (connection, client) = connection(id, "user", Vsn::V2).await;
        join(&room, &connection);
        clients.push((connection, client));
    }
    drain(&room);
    publish(&room, "\"one\"");
    let mut drain = Drain::new(Arc::clone(&room));
    for expected in [false, false, true] {
        let mut budget = 4;
        assert_eq!(drain.step(&mut budget), expected);
        assert_eq!(budget, if expected { 2 } else { 0 });
    }
    publish(&room, "\"two\"");
    let (room, more) = drain.end();
    assert!(more, "what was published meanwhile is for the next drain");
    self::drain(&room);
    for (connection, mut client) in clients {
        assert!(received(&connection, &mut client).await.ends_with("one two"));
    }
}

#[tokio::test]
async fn many_bytes_count_as_more_writes() {
    let room = room();
    let mut clients = Vec::new();
    for id in 0..10 {
        let (connection, client) = connection(id, "user", Vsn::V2).await;
        join(&room, &connection);
        clients.push((connection, client));
    }
    drain(&room);
    let _ = publish_long(&room, "\"one\"", 4 << 20, Source::Push);
    let mut drain = Drain::new(Arc::clone(&room));
    let mut turns = 0;
    while !drain.step(&mut 20) {
        turns += 1;
    }
    assert!(turns >= 4, "{turns} turns of 20 writes for 10 large ones");
}

/// Members that get something of their own beside a large broadcast have no copy of that.
#[tokio::test]
async fn what_members_have_of_their_own_copies_nothing_of_the_broadcasts() {
    let room = room();
    let mut clients = Vec::new();
    for id in 0..20 {
        let (connection, client) = connection(id, "user", Vsn::V2).await;
        join(&room, &connection);
        clients.push((connection, client));
    }
    drain(&room);
    let publish_long = || publish_long(&room, "\"one\"", 3 << 20, Source::Push);
    assert!(matches!(publish_long(), Published::Held(_)));
    for (connection, _) in &clients {
        assert!(room.reply(connection, b"\x81\x03own".to_vec()).is_some());
    }
    let _ = publish_long();
    let (late, _late_client) = connection(99, "late", Vsn::V2).await;
    join(&room, &late);
    let _ = publish_long();
    drain(&room);
    assert!(clients.iter().all(|(connection, _)| !connection.outbox.is_empty()));
    // One run, in a vector that may have grown to twice its size.
    let shared = room.budget().used();
    assert!((9 << 20..20 << 20).contains(&shared), "{shared}");
    assert!(late.outbox.waiting() < 4 << 20, "nothing from before its join");
    for (connection, _) in &clients {
        let own = connection.outbox.budget_used();
        assert!(own < 1000, "{own}");
    }
    for (connection, _) in clients {
        connection.outbox.abandon();
    }
    late.outbox.abandon();
    assert_eq!(room.budget().used(), 0);
}

#[tokio::test]
async fn publishers_are_held_until_the_log_is_taken() {
    let room = room();
    let (member, _client) = connection(1, "user", Vsn::V2).await;
    join(&room, &member);
    assert!(room.hold().is_none());
    let publish = |source| publish_long(&room, "0", 100_000, source);
    assert!(matches!([publish(Source::Push), publish(Source::Push)], [Published::Sent, Published::Sent]));
    let mut holds = vec![publish(Source::Push).hold().expect("a push is held")];
    holds.extend(room.reply(&member, b"\x81\x03own".to_vec()));
    holds.extend(room.hold());
    assert_eq!(holds.len(), 3, "a push, a reply and a join are held by the same log");
    let mut publishers: Vec<_> = holds.into_iter().map(|hold| (hold, flag_waker())).collect();
    for (hold, (waker, woken)) in &mut publishers {
        assert!(hold.poll(&mut Context::from_waker(waker)).is_pending());
        assert!(!woken.load(Ordering::Relaxed));
    }
    assert!(matches!(publish(Source::Rest), Published::Sent), "REST is not held");
    drain(&room);
    for (mut hold, (waker, woken)) in publishers {
        assert!(woken.load(Ordering::Relaxed));
        assert!(hold.poll(&mut Context::from_waker(&waker)).is_ready());
    }

    while matches!(publish(Source::Rest), Published::Sent) {}
    assert!(matches!(publish(Source::Rest), Published::Refused));
    let held = publish(Source::Push).hold().expect("sockets may go on for the rest of the input that was read");
    drain(&room);
    held.released().await;
    assert!(matches!(publish(Source::Rest), Published::Sent));
}

/// Every kind of member in turn is left out, while the others get everything.
#[tokio::test]
async fn a_member_can_be_left_out_of_an_event() {
    for left_out in 0..4 {
        let room = room();
        let (old, mut old_client) = connection(1, "old", Vsn::V1).await;
        let (new, mut new_client) = connection(2, "new", Vsn::V2).await;
        let members = [old, new, polled(3, Vsn::V1), polled(4, Vsn::V2)];
        members.iter().for_each(|member| join(&room, member));
        drain(&room);
        for polled in &members[2..] {
            polled.outbox.take();
        }

        let member = &members[left_out];
        publish(&room, "\"one\"");
        publish_except(&room, "\"two\"", member);
        publish_binary(&room, Some(member));
        assert!(room.reply(member, b"\x81\x03own".to_vec()).is_none());
        publish_except(&room, "\"two\"", member);
        publish_binary(&room, None);
        publish(&room, "\"three\"");
        drain(&room);

        let [old, new, polled_old, polled_new] = &members;
        let received = [
            received(old, &mut old_client).await,
            received(new, &mut new_client).await,
            taken(polled_old),
            taken(polled_new),
        ];
        for (at, received) in received.iter().enumerate() {
            let is_left_out = at == left_out;
            let expected = match (is_left_out, at == 1) {
                (true, true) => "one own binary three",
                (true, false) => "one own three",
                (false, true) => "one two binary two binary three",
                (false, false) => "one two two three",
            };
            let events = received.split(' ').skip_while(|word| *word != "one").collect::<Vec<_>>().join(" ");
            assert_eq!(events, expected, "{left_out} {at}");
        }
    }
}

#[tokio::test]
async fn members_that_are_left_out_of_their_own_events_get_those_of_the_others() {
    for vsn in [Vsn::V1, Vsn::V2] {
        let room = room();
        let (one, mut one_client) = connection(1, "first", vsn).await;
        let (two, mut two_client) = connection(2, "second", vsn).await;
        for member in [&one, &two] {
            join(&room, member);
        }
        drain(&room);
        for _ in 0..2 {
            publish_except(&room, "\"one\"", &one);
            publish_except(&room, "\"two\"", &two);
        }
        drain(&room);
        publish_except(&room, "\"one\"", &one);
        drain(&room);
        assert!(received(&one, &mut one_client).await.ends_with("presence_diff two two"));
        assert!(received(&two, &mut two_client).await.ends_with("presence_diff one one one"));
    }
}

#[tokio::test]
async fn a_member_is_left_out_between_its_join_and_its_leave() {
    for vsn in [Vsn::V1, Vsn::V2] {
        let room = room();
        let (stays, mut stays_client) = connection(1, "stays", vsn).await;
        let (comes, mut comes_client) = connection(2, "comes", vsn).await;
        join(&room, &stays);
        drain(&room);
        join(&room, &comes);
        publish_except(&room, "\"one\"", &comes);
        publish(&room, "\"two\"");
        publish_except(&room, "\"one\"", &comes);
        room.leave(&comes, Some(&key(&comes)), Parting { frames: b"\x81\x03own".to_vec(), final_frame: None });
        // The member has left, so the mark has no effect and leaves nothing behind.
        publish_except(&room, "\"three\"", &comes);
        let mut drain = Drain::new(Arc::clone(&room));
        assert!(drain.step(&mut ALL.clone()));
        assert!(drain.apart.is_empty());
        drain.end();
        assert_eq!(received(&comes, &mut comes_client).await, "reply presence_state presence_diff two own");
        let stays = received(&stays, &mut stays_client).await;
        assert!(stays.ends_with("presence_diff one two one presence_diff three"), "{stays}");
    }
}

#[tokio::test]
async fn a_member_alone_is_left_out_of_everything() {
    for vsn in [Vsn::V1, Vsn::V2] {
        let room = room();
        let (member, mut client) = connection(1, "user", vsn).await;
        join(&room, &member);
        drain(&room);
        publish_except(&room, "\"one\"", &member);
        publish_binary(&room, Some(&member));
        drain(&room);
        assert_eq!(received(&member, &mut client).await, "reply presence_state presence_diff");
    }
}

/// A member without presence gets events and differences like every other, and no one is told of it.
#[tokio::test]
async fn a_member_may_be_there_unseen() {
    for vsn in [Vsn::V1, Vsn::V2] {
        let room = room();
        let (seen, mut seen_client) = connection(1, "seen", vsn).await;
        let (unseen, mut unseen_client) = connection(2, "unseen", vsn).await;
        let (late, mut late_client) = connection(3, "late", Vsn::V2).await;
        join(&room, &seen);
        join_as(&room, &unseen, None);
        publish(&room, "\"one\"");
        publish_except(&room, "\"three\"", &unseen);
        join(&room, &late);
        let present: serde_json::Value = serde_json::from_str(&room.presence(vsn.into())).unwrap();
        let mut present: Vec<_> = present.as_object().unwrap().keys().collect();
        present.sort_unstable();
        assert_eq!(present, ["late", "seen"]);
        room.leave(&unseen, None, Parting { frames: b"\x81\x03own".to_vec(), final_frame: None });
        publish(&room, "\"two\"");
        drain(&room);
        assert_eq!(received(&unseen, &mut unseen_client).await, "reply one presence_diff own");
        let seen = received(&seen, &mut seen_client).await;
        assert_eq!(seen, "reply presence_state presence_diff one three presence_diff two");
        assert_eq!(received(&late, &mut late_client).await, "reply presence_state presence_diff two");
    }
}

#[tokio::test]
async fn one_who_leaves_unseen_changes_nothing_in_presence() {
    let room = room();
    let (member, mut client) = connection(1, "alice", Vsn::V2).await;
    // The same user, seen by one connection and unseen by the other.
    let (unseen, mut unseen_client) = connection(2, "alice", Vsn::V1).await;
    join(&room, &member);
    join_as(&room, &unseen, None);
    drain(&room);
    let before = room.presence(Vsn::V2.into());
    room.leave(&unseen, None, Parting::default());
    drain(&room);
    assert_eq!(room.presence(Vsn::V2.into()), before);
    assert_eq!(received(&member, &mut client).await, "reply presence_state presence_diff");
    assert_eq!(received(&unseen, &mut unseen_client).await, "reply");
    assert!(!room.close_if_unused(), "it has a member");
    room.leave(&member, Some(&key(&member)), Parting::default());
    drain(&room);
    assert!(room.close_if_unused());
}

/// The last member of a room may be one without presence.
#[tokio::test]
async fn a_room_lives_by_members_without_presence() {
    let room = room();
    let (member, mut client) = connection(1, "unseen", Vsn::V2).await;
    join_as(&room, &member, None);
    publish(&room, "\"one\"");
    drain(&room);
    assert!(!room.close_if_unused());
    assert_eq!(room.presence(Vsn::V2.into()), "{}");
    assert_eq!(received(&member, &mut client).await, "reply one");
}

#[tokio::test]
async fn a_user_s_description_is_in_the_state_and_in_the_difference() {
    for vsn in [Vsn::V1, Vsn::V2] {
        let room = room();
        let info = MetaInfo::check(serde_json::from_str(r#"{"name":"Ann"}"#).unwrap()).unwrap();
        let ann = |id| (Arc::from("ann"), Meta { id: MetaId(id), online_at: 0, info: Some(info.clone()) });
        let (first, mut first_client) = connection(1, "key of no presence", vsn).await;
        let (second, mut second_client) = connection(2, "key of no presence", vsn).await;
        join_as(&room, &first, Some(&ann(1)));
        drain(&room);
        join_as(&room, &second, Some(&ann(2)));
        drain(&room);
        let presence = room.presence(vsn.into());
        let meta = |id| {
            let phx_ref = if id == 1 { "AAAAAAAAAAE" } else { "AAAAAAAAAAI" };
            format!(r#"{{"phx_ref":"{phx_ref}","online_at":0,"info":{{"name":"Ann"}}}}"#)
        };
        assert_eq!(presence, format!(r#"{{"ann":{{"metas":[{},{}]}}}}"#, meta(1), meta(2)));
        let diff = |id| format!(r#"{{"joins":{{"ann":{{"metas":[{}]}}}},"leaves":{{}}}}"#, meta(id));
        let first = received_text(&first, &mut first_client).await;
        assert!(first.contains(r#"["presence_state",{}]"#), "{first}");
        assert!(first.contains(&diff(1)) && first.contains(&diff(2)), "{first}");
        let second = received_text(&second, &mut second_client).await;
        let known = format!(r#"["presence_state",{{"ann":{{"metas":[{}]}}}}]"#, meta(1));
        assert!(second.contains(&known), "{second}");
    }
}

/// A waker that sets a flag.
fn flag_waker() -> (Waker, Arc<AtomicBool>) {
    struct Flag(Arc<AtomicBool>);

    impl Wake for Flag {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    let woken = Arc::new(AtomicBool::new(false));
    (Arc::new(Flag(Arc::clone(&woken))).into(), woken)
}
