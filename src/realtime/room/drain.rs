//! One log of a room, being brought to the room's members.

use std::{collections::HashMap, sync::Arc};

#[cfg(test)]
use super::room::PanicAt;
use super::{
    log::{Change, Mark, Runs, Whole},
    room::{Members, Room},
};
use crate::realtime::{
    close::Close,
    connection::{
        connection::{Connection, SocketId},
        frames::{Builder, Frames},
    },
};

/// So many bytes take the kernel as long as a write by itself does, some 4 µs.
const BYTES_PER_WRITE: usize = 16 << 10;

/// One log of a room, being brought to the room's members, a bounded number of them at a time.
#[derive(Debug)]
pub(crate) struct Drain {
    room: Arc<Room>,
    runs: Runs,
    marks: std::vec::IntoIter<Mark>,
    members: Members,
    /// Members that get something else than the run of their dialect.
    apart: HashMap<SocketId, Apart>,
    /// The first member that has not got it yet.
    next: usize,
    has_begun: bool,
    /// A panic left the room with half a change. [`Drain::fail`] is called for.
    is_broken: bool,
}

/// One member's own part of a drain: some pieces, then the run from a place on.
#[derive(Debug, Default)]
struct Apart {
    pieces: Builder,
    from: usize,
}

impl Drain {
    /// Takes nothing from the room yet: [`Drain::step`] does, whose panics are survived.
    pub(crate) fn new(room: Arc<Room>) -> Drain {
        Drain {
            room,
            runs: Runs::default(),
            marks: Vec::new().into_iter(),
            members: Members::default(),
            apart: HashMap::new(),
            next: 0,
            has_begun: false,
            is_broken: false,
        }
    }

    /// Goes on with at most `budget` writes, and takes what it used off it; many bytes count as more than one. Returns whether
    /// all is done. After a panic in here, and where nothing can be sent because of one before, the caller fails the drain.
    pub(crate) fn step(&mut self, budget: &mut usize) -> bool {
        if !self.has_begun {
            self.begin();
        }
        if self.is_broken {
            return false;
        }
        while *budget > 0 {
            let Some(mark) = self.marks.next() else {
                return self.send(budget);
            };
            let written = self.apply(mark);
            spend(budget, written);
        }
        false
    }

    /// Closes all members, those included whose join is in the log, and sends nothing. Their clients come back and find another
    /// room. The caller has removed this one from the registry.
    pub(crate) fn fail(&mut self) {
        self.is_broken = false;
        // With what has come meanwhile.
        let marks = self.room.give_up(&mut self.members);
        for Mark { connection, change, frames, .. } in self.marks.by_ref().chain(marks) {
            match change {
                Change::Join { .. } => drop(self.members.insert(connection.id, connection)),
                Change::Reply | Change::Skip { .. } => {}
                // It goes of its own accord, and gets what it was told about that.
                Change::Leave(_) => {
                    self.members.swap_remove(&connection.id);
                    connection.outbox.send(frames.into());
                }
            }
        }
        self.apart.clear();
        let group = Arc::default();
        self.members.values().for_each(|member| member.outbox.request_close_with(Close::Fault, Some(&group)));
        self.room.log_failure(self.members.len());
    }

    /// Returns true if a panic left the room with half a change, see [`Drain::fail`].
    pub(crate) fn is_broken(&self) -> bool {
        self.is_broken
    }

    pub(crate) fn room(&self) -> &Arc<Room> {
        &self.room
    }

    /// Gives the members back. Returns the room, and whether there is more to send in it by now.
    pub(crate) fn end(self) -> (Arc<Room>, bool) {
        let more = self.room.end_drain(self.members);
        (self.room, more)
    }

    /// Takes members and log from the room.
    fn begin(&mut self) {
        // First all that moves members, which cannot panic.
        let (mut log, taken) = self.room.begin_drain(&mut self.members);
        self.marks = log.take_marks().into_iter();
        self.has_begun = true;
        self.is_broken = taken.is_broken;
        if self.is_broken {
            return;
        }
        #[cfg(test)]
        self.room.panic_if_told(PanicAt::Begin);
        self.room.count(&log, &taken);
        drop(taken);
        self.runs = log.into_runs(self.room.budget());
    }

    /// Applies a mark, and returns the bytes that were written.
    fn apply(&mut self, mark: Mark) -> usize {
        let Mark { connection, at, change, frames } = mark;
        match change {
            Change::Join { state, tail } => {
                // First, so that a panic loses no member.
                let id = connection.id;
                self.members.insert(id, connection);
                #[cfg(test)]
                self.room.panic_if_told(PanicAt::Join);
                let mut apart = Apart { pieces: Builder::default(), from: at };
                apart.pieces.own(frames);
                apart.pieces.share(state);
                apart.pieces.own(tail);
                self.apart.insert(id, apart);
            }
            Change::Reply => {
                let apart = self.apart.entry(connection.id).or_default();
                apart.advance(&self.room, self.runs.of(&connection), &connection, at);
                apart.pieces.own(frames);
            }
            Change::Skip { to } => {
                // Others get nothing anyway, and must leave no entry in `apart`, which `send` would never take.
                if self.members.contains_key(&connection.id) {
                    let apart = self.apart.entry(connection.id).or_default();
                    apart.advance(&self.room, self.runs.of(&connection), &connection, at);
                    apart.from = to;
                }
            }
            Change::Leave(final_frame) => {
                // First, so that a panic leaves no member behind that is gone.
                self.members.swap_remove(&connection.id);
                #[cfg(test)]
                self.room.panic_if_told(PanicAt::Leave);
                let mut apart = self.apart.remove(&connection.id).unwrap_or_default();
                apart.advance(&self.room, self.runs.of(&connection), &connection, at);
                apart.pieces.own(frames);
                let written = connection.outbox.send(apart.pieces.build());
                drop(final_frame);
                return written;
            }
        }
        0
    }

    /// Sends each member what it gets, in one piece.
    fn send(&mut self, budget: &mut usize) -> bool {
        while *budget > 0 {
            let Some((id, connection)) = self.members.get_index(self.next) else {
                return true;
            };
            self.next += 1;
            #[cfg(test)]
            self.room.panic_if_told(PanicAt::Send);
            let apart = if self.apart.is_empty() { None } else { self.apart.remove(id) };
            let run = self.runs.of(connection);
            let frames = match apart {
                None if run.end() == 0 => continue,
                None => Frames::shared(run.all(connection, self.room.budget())),
                Some(mut apart) => {
                    apart.advance(&self.room, run, connection, run.end());
                    apart.pieces.build()
                }
            };
            spend(budget, connection.outbox.send(frames));
        }
        false
    }
}

impl Apart {
    /// Adds the run up to `at`.
    fn advance(&mut self, room: &Room, run: &Whole, connection: &Connection, at: usize) {
        self.pieces.share(run.slice(connection, self.from..at, room.budget()));
        self.from = at;
    }
}

/// Takes a write of so many bytes off the budget.
fn spend(budget: &mut usize, written: usize) {
    *budget = budget.saturating_sub(1 + written / BYTES_PER_WRITE);
}

#[cfg(test)]
mod tests;
