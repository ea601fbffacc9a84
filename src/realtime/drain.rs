//! One log of a room, being brought to the room's members.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use pusher_lite_protocol::Vsn;

use super::connection::SocketId;
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

/// What one member gets: `lead`, then the run from a place on.
#[derive(Debug, Default)]
struct Apart {
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
            Change::Join => {
                self.apart.insert(connection.id, Apart { lead: frames, from: at });
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
                connection.outbox.send(&apart.lead.into());
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
                    connection.outbox.send(&apart.lead.into());
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
}
