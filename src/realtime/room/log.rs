//! Messages that a topic has yet to send, in order.

use std::{cell::OnceCell, ops::Range, sync::Arc};

use bytes::Bytes;
use pusher_lite_protocol::{Dialect, Encoding, Form, Notice, TopicName, presence::Diff};

use crate::realtime::{
    connection::{budget::Budget, connection::Connection, final_frame::FinalFrame, frame},
    usage::counters::Tally,
};

/// Messages that are yet to be sent, in order.
#[derive(Debug, Default)]
pub(crate) struct Log {
    runs: [Run; Dialect::COUNT],
    marks: Vec<Mark>,
    /// The bytes of all frames.
    size: usize,
    /// Counts of the events and bytes that the members get.
    pub(crate) tally: Tally,
}

/// Numbers by dialect.
pub(super) type PerDialect = [usize; Dialect::COUNT];

/// The frames of all broadcasts in one dialect, one behind the other.
#[derive(Debug, Default)]
struct Run {
    frames: Vec<u8>,
    binaries: Vec<Binary>,
}

/// A binary frame in a run.
#[derive(Debug)]
struct Binary {
    begin: usize,
    end: usize,
    /// The bytes of all binary frames up to its end.
    total: usize,
}

/// Something that concerns one member, at a place among the broadcasts.
#[derive(Debug)]
pub(crate) struct Mark {
    pub(crate) connection: Arc<Connection>,
    /// The place in the run of the member's dialect.
    pub(crate) at: usize,
    pub(crate) change: Change,
    /// Frames for the member at this place.
    pub(crate) frames: Vec<u8>,
}

/// Last frames for a member that leaves.
#[derive(Debug, Default)]
pub(crate) struct Parting {
    pub(crate) frames: Vec<u8>,
    /// The connection's, if this is its end.
    pub(crate) final_frame: Option<Arc<FinalFrame>>,
}

#[derive(Debug)]
pub(crate) enum Change {
    /// Between the mark's frames and the `tail` comes this `state`.
    Join { state: Bytes, tail: Vec<u8> },
    /// The member gets the mark's frames, and stays.
    Reply,
    /// The member gets nothing from the mark's place up to this one.
    Skip { to: usize },
    /// The connection's close frame, if this is its end. It is sent when the last room has dropped it.
    Leave(Option<Arc<FinalFrame>>),
}

/// The broadcasts of a log, from which each member gets a part.
#[derive(Debug, Default)]
pub(crate) struct Runs([Whole; Dialect::COUNT]);

/// The broadcasts of a log in one dialect.
#[derive(Debug, Default)]
pub(crate) struct Whole {
    frames: Bytes,
    binaries: Vec<Binary>,
    /// The frames without the binary ones, for those who poll: answers to polls are JSON (D21). Made once, if a poller needs
    /// it.
    texts: OnceCell<Bytes>,
}

impl Log {
    /// Adds an event. `members` are those of each dialect. A dialect may have no form for it (D21).
    pub(super) fn publish(&mut self, topic: TopicName<'_>, event: &Notice<'_>, members: &PerDialect) {
        let told = self.append(topic, event, members);
        self.tally.deliveries += told;
        self.tally.binary_skipped += count(members) - told;
    }

    /// Adds changes in presence.
    pub(super) fn tell(&mut self, topic: TopicName<'_>, diff: &Diff, members: &PerDialect) {
        self.tally.presence_deliveries += self.append(topic, &Notice::PresenceDiff(diff), members);
    }

    /// Leaves a member out of the event that was added last, which begins at `from` in the run of the member's dialect.
    pub(super) fn skip(&mut self, member: &Arc<Connection>, from: usize) {
        let to = self.end(member.dialect);
        if from == to {
            // The member's dialect has no form for the event.
            return;
        }
        self.tally.deliveries -= 1;
        self.tally.bytes -= (to - from) as u64;
        let connection = Arc::clone(member);
        self.marks.push(Mark { connection, at: from, change: Change::Skip { to }, frames: Vec::new() });
    }

    /// Adds something that concerns one member.
    pub(crate) fn mark(&mut self, connection: &Arc<Connection>, change: Change, frames: Vec<u8>) {
        // Not counted is the state that a joiner gets, which many share.
        self.size += frames.len();
        self.tally.bytes += frames.len() as u64;
        if let Change::Join { state, tail } = &change {
            self.tally.bytes += (state.len() + tail.len()) as u64;
        }
        let at = self.end(connection.dialect);
        self.marks.push(Mark { connection: Arc::clone(connection), at, change, frames });
    }

    /// The end of the run of a dialect.
    pub(super) fn end(&self, dialect: Dialect) -> usize {
        self.runs[dialect.index()].frames.len()
    }

    /// The bytes of all frames.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.marks.is_empty() && self.runs.iter().all(|run| run.frames.is_empty())
    }

    /// Takes the marks out.
    pub(crate) fn take_marks(&mut self) -> Vec<Mark> {
        std::mem::take(&mut self.marks)
    }

    /// The broadcasts. They count against `budget` until the last member has got them.
    pub(crate) fn into_runs(self, budget: &Arc<Budget>) -> Runs {
        Runs(self.runs.map(|Run { frames, binaries }| Whole {
            frames: budget.share(frames),
            binaries,
            texts: OnceCell::new(),
        }))
    }

    /// Encodes a notice once for each dialect that has members. Returns the number of members that get it.
    fn append(&mut self, topic: TopicName<'_>, notice: &Notice<'_>, members: &PerDialect) -> u64 {
        let mut told = 0;
        for dialect in Dialect::ALL {
            let members = members[dialect.index()];
            if members > 0
                && let Some(encoding) = dialect.encoding(topic, notice)
            {
                let len = self.runs[dialect.index()].push(&encoding);
                self.size += len;
                self.tally.bytes += (len * members) as u64;
                told += members as u64;
            }
        }
        told
    }
}

fn count(members: &PerDialect) -> u64 {
    members.iter().sum::<usize>() as u64
}

impl Run {
    /// Appends a notice in a frame, and returns the frame's length.
    fn push(&mut self, encoding: &Encoding<'_>) -> usize {
        let begin = self.frames.len();
        frame::notice(encoding, &mut self.frames);
        let end = self.frames.len();
        if encoding.form() == Form::Binary {
            let before = self.binaries.last().map_or(0, |binary| binary.total);
            self.binaries.push(Binary { begin, end, total: before + end - begin });
        }
        end - begin
    }
}

impl Runs {
    /// The broadcasts in the dialect of this member.
    pub(crate) fn of(&self, connection: &Connection) -> &Whole {
        &self.0[connection.dialect.index()]
    }
}

impl Whole {
    /// All broadcasts that this member can take.
    pub(crate) fn all(&self, connection: &Connection, budget: &Arc<Budget>) -> Bytes {
        if self.skips_binaries(connection) {
            connection.outbox.skipped(self.binaries.len() as u64);
            return self.texts(budget).clone();
        }
        self.frames.clone()
    }

    /// The end of the run.
    pub(crate) fn end(&self) -> usize {
        self.frames.len()
    }

    /// As [`Whole::all`], between two places in the run. Nothing is copied.
    pub(crate) fn slice(&self, connection: &Connection, places: Range<usize>, budget: &Arc<Budget>) -> Bytes {
        if places.is_empty() {
            return Bytes::new();
        }
        if !self.skips_binaries(connection) {
            return self.frames.slice(places);
        }
        let [(before, from), (until, to)] = [places.start, places.end].map(|place| self.without_binaries(place));
        connection.outbox.skipped((until - before) as u64);
        self.texts(budget).slice(from..to)
    }

    fn skips_binaries(&self, connection: &Connection) -> bool {
        !self.binaries.is_empty() && connection.outbox.is_polled()
    }

    fn texts(&self, budget: &Arc<Budget>) -> &Bytes {
        self.texts.get_or_init(|| {
            let mut texts = Vec::new();
            let mut from = 0;
            for binary in &self.binaries {
                texts.extend_from_slice(&self.frames[from..binary.begin]);
                from = binary.end;
            }
            texts.extend_from_slice(&self.frames[from..]);
            texts.shrink_to_fit();
            budget.share(texts)
        })
    }

    /// Returns the number of binary frames before a place in the run, and that place without them.
    fn without_binaries(&self, place: usize) -> (usize, usize) {
        let count = self.binaries.partition_point(|binary| binary.end <= place);
        let bytes = count.checked_sub(1).map_or(0, |last| self.binaries[last].total);
        (count, place - bytes)
    }
}

#[cfg(test)]
mod tests {
    use pusher_lite_protocol::{EventPayload, Payload, Spelling, Vsn};

    use super::*;
    use crate::realtime::tests::{connection, polled};

    const TOPIC: TopicName<'_> = TopicName { app_key: "key", name: "t", spelling: Spelling::Phoenix("0") };

    fn publish(log: &mut Log, event: &str, members: &PerDialect) {
        let payload = EventPayload::check(serde_json::from_str("{}").unwrap()).unwrap();
        log.publish(TOPIC, &Notice::Event { event, payload }, members);
    }

    #[tokio::test]
    async fn binary_frames_are_left_out_once_for_all_who_poll() {
        let budget = Arc::new(Budget::default());
        let (socket, _client) = connection(1, "socket", Vsn::V2).await;
        let pollers = [2, 3].map(|id| polled(id, Vsn::V2));
        let mut log = Log::default();
        let mut places = vec![0];
        let text = |log: &mut Log, event: &str| publish(log, event, &[0, 3]);
        let push = [b"\x00\x01\x01\x01\x0112tb", &[7; 1000][..]].concat();
        let message = Vsn::V2.decode_binary(&push).unwrap();
        let Payload::Binary(binary) = message.payload else { panic!("it is binary") };
        text(&mut log, "1");
        places.push(log.end(Vsn::V2.into()));
        for _ in 0..2 {
            log.publish(TOPIC, &Notice::Binary(binary), &[0, 3]);
        }
        places.push(log.end(Vsn::V2.into()));
        text(&mut log, "2");
        places.push(log.end(Vsn::V2.into()));

        let runs = log.into_runs(&budget);
        let texts = |bytes: &Bytes| frame::texts(bytes).map(str::to_owned).collect::<Vec<_>>();
        let both = ["[null,null,0,1,{}]", "[null,null,0,2,{}]"];
        let whole = runs.of(&socket).all(&socket, &budget);
        assert!(whole.len() > 2000);
        assert_eq!(texts(&whole), both);
        let [one, other] = [0, 1].map(|at| runs.of(&pollers[at]).all(&pollers[at], &budget));
        assert_eq!(texts(&one), both);
        assert!(one.len() < 100);
        assert_eq!(one.as_ptr(), other.as_ptr(), "one copy for all who poll");
        let slice = |from: usize, to: usize| runs.of(&pollers[0]).slice(&pollers[0], places[from]..places[to], &budget);
        assert_eq!(texts(&slice(0, 1)), both[..1]);
        assert_eq!(texts(&slice(0, 2)), both[..1]);
        assert!(slice(1, 2).is_empty());
        assert_eq!(texts(&slice(1, 3)), both[1..]);
        assert_eq!(runs.of(&socket).slice(&socket, places[1]..places[3], &budget).len(), places[3] - places[1]);
    }

    #[tokio::test]
    async fn a_member_that_is_left_out_is_not_counted() {
        let members = [polled(1, Vsn::V1), polled(2, Vsn::V2)];
        for member in &members {
            let (mut all, mut others) = (Log::default(), Log::default());
            for log in [&mut all, &mut others] {
                publish(log, "1", &[3, 3]);
            }
            others.skip(member, 0);
            assert_eq!((all.tally.deliveries, others.tally.deliveries), (6, 5));
            assert_eq!(all.tally.bytes - others.tally.bytes, all.end(member.dialect) as u64);
            assert_eq!(all.size(), others.size());
            assert_eq!((all.marks.len(), others.marks.len()), (0, 1));
        }

        let mut log = Log::default();
        log.skip(&members[0], 0);
        assert!(log.is_empty(), "nothing was added for its version");
    }
}
