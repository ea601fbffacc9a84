//! One log of a room, being brought to the room's members.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use pusher_lite_protocol::Vsn;

use super::connection::{Connection, SocketId};
use super::frames::Frames;
use super::room::{Change, Mark, Members, Room};

/// One log of a room, being brought to the room's members, a bounded number of them at a time.
#[derive(Debug)]
pub(super) struct Drain {
    room: Arc<Room>,
    runs: [Bytes; Vsn::COUNT],
    marks: std::vec::IntoIter<Mark>,
    members: Members,
    /// Members that get something else than the run of their version.
    apart: HashMap<SocketId, Apart>,
    /// The first member that has not got it yet.
    next: usize,
}

/// What one member gets: perhaps something before, whose middle is shared, then `lead`, then the run from a place on.
#[derive(Debug, Default)]
struct Apart {
    before: Option<(Vec<u8>, Bytes)>,
    lead: Vec<u8>,
    from: usize,
}

impl Drain {
    pub(super) fn begin(room: Arc<Room>) -> Drain {
        let (log, members) = room.begin_drain();
        let runs = log.runs.map(Bytes::from);
        Drain { room, runs, marks: log.marks.into_iter(), members, apart: HashMap::new(), next: 0 }
    }

    /// Goes on with at most `budget` writes, and takes what it used off it. Returns whether all is done.
    pub(super) fn step(&mut self, budget: &mut usize) -> bool {
        while *budget > 0 {
            let Some(mark) = self.marks.next() else {
                return self.send(budget);
            };
            self.apply(mark);
            *budget -= 1;
        }
        false
    }

    /// Gives the members back. Returns the room, and whether there is more to send in it by now.
    pub(super) fn end(self) -> (Arc<Room>, bool) {
        let more = self.room.end_drain(self.members);
        (self.room, more)
    }

    fn apply(&mut self, mark: Mark) {
        let Mark { connection, at, change, frames } = mark;
        let run = &self.runs[connection.vsn.index()];
        match change {
            Change::Join { state, tail } => {
                self.apart.insert(connection.id, Apart { before: Some((frames, state)), lead: tail, from: at });
                self.members.insert(connection.id, connection);
            }
            Change::None => {
                let apart = self.apart.entry(connection.id).or_default();
                apart.advance(run, at, &frames);
            }
            Change::Leave(last_words) => {
                let mut apart = self.apart.remove(&connection.id).unwrap_or_default();
                apart.advance(run, at, &frames);
                self.members.swap_remove(&connection.id);
                apart.send(&connection);
                drop(last_words);
            }
        }
    }

    /// Sends each member what it gets, in one piece.
    fn send(&mut self, budget: &mut usize) -> bool {
        while *budget > 0 {
            let Some((id, connection)) = self.members.get_index(self.next) else {
                return true;
            };
            self.next += 1;
            let run = &self.runs[connection.vsn.index()];
            let apart = if self.apart.is_empty() { None } else { self.apart.remove(id) };
            match apart {
                None if run.is_empty() => continue,
                None => connection.outbox.send(run),
                Some(mut apart) => {
                    apart.advance(run, run.len(), &[]);
                    apart.send(connection);
                }
            }
            *budget -= 1;
        }
        false
    }
}

impl Apart {
    /// Adds the run up to `at`, then `frames`.
    fn advance(&mut self, run: &[u8], at: usize, frames: &[u8]) {
        self.lead.extend_from_slice(&run[self.from..at]);
        self.lead.extend_from_slice(frames);
        self.from = at;
    }

    fn send(self, connection: &Connection) {
        match self.before {
            Some((head, shared)) => connection.outbox.send_frames(Frames::around(head, shared, self.lead)),
            None => connection.outbox.send(&self.lead.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::{Wake, Waker};
    use std::time::Duration;

    use pusher_lite_protocol::Outgoing;
    use pusher_lite_protocol::presence::{Meta, PhxRef};
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpStream;

    use super::*;
    use crate::realtime::Topic;
    use crate::realtime::connection::Connection;
    use crate::realtime::room::Parting;
    use crate::realtime::tests::{application, connection};

    const ALL: usize = usize::MAX;

    fn room() -> Arc<Room> {
        Arc::new(Room::new(Topic::parse("lobby:key:t").unwrap(), application(), Arc::default(), Duration::ZERO))
    }

    fn join(room: &Arc<Room>, connection: &Arc<Connection>) {
        let meta = Meta { phx_ref: PhxRef(connection.id), online_at: 0 };
        assert!(room.join(connection, b"\x81\x05reply", "1", meta));
    }

    fn publish(room: &Arc<Room>, event: &str) {
        room.broadcast(&Outgoing::broadcast("0", event, "{}"));
    }

    fn drain(room: &Arc<Room>) {
        let mut drain = Drain::begin(Arc::clone(room));
        assert!(drain.step(&mut ALL.clone()));
        assert!(!drain.end().1);
    }

    /// All that a client was sent, shortened to what tells the messages apart.
    async fn received(connection: &Connection, client: &mut TcpStream) -> String {
        connection.outbox.finish(&bytes::Bytes::from_static(b"\x88\x00"));
        let mut bytes = Vec::new();
        let _ = connection.outbox.shut_down_if_finished();
        client.read_to_end(&mut bytes).await.unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let mut found: Vec<(usize, &str)> = ["reply", "presence_state", "presence_diff", "one", "two", "three", "own"]
            .into_iter()
            .flat_map(|word| text.match_indices(word))
            .collect();
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
            room.reply(&stays, b"\x81\x03own".to_vec());
            room.leave(&goes, PhxRef(3), Parting { frames: b"\x81\x05reply".to_vec(), last_words: None });
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
        let mut drain = Drain::begin(Arc::clone(&room));
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

    #[tokio::test]
    async fn publishers_are_held_until_the_log_is_taken() {
        let room = room();
        let (member, _client) = connection(1, "user", Vsn::V2).await;
        join(&room, &member);
        let (waker, woken) = flag_waker();
        assert!(!room.holds(&waker));
        let payload = format!("\"{}\"", "x".repeat(100_000));
        let message = Outgoing::broadcast("0", "0", &payload);
        assert_eq!([(); 3].map(|()| room.broadcast(&message)), [false, false, true]);
        assert!(room.holds(&waker));
        assert!(!woken.load(Ordering::Relaxed));
        drain(&room);
        assert!(woken.load(Ordering::Relaxed));
        assert!(!room.holds(&waker));

        while room.try_broadcast(&message) {}
        assert!(room.broadcast(&message), "sockets may go on for the rest of what they have read");
        drain(&room);
        assert!(room.try_broadcast(&message));
    }
}
