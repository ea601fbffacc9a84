//! Counters of the realtime part, cheap enough to be always on.
//!
//! Frequent things are counted for many at once, where a lock is held anyway: a room sums up in its log what the log
//! will come to ([`Tally`]), and the flusher adds that here once per log. Each thread has counters of its own.

use std::{
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    time::Duration,
};

use pusher_lite_protocol::Dialect;
use tokio::time::Instant;

use super::{
    refusal::Refusal,
    stats::{FAN_OUT_BOUNDS, OpenSockets, Stats, Totals},
};
use crate::realtime::close::Close;

/// Number of shards. Threads beyond it share one.
const SHARDS: usize = 16;

/// Deliveries and bytes of a log, once the flusher brings it to the members of its topic.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Tally {
    pub(crate) pushed: u64,
    pub(crate) published: u64,
    pub(crate) deliveries: u64,
    pub(crate) presence_deliveries: u64,
    pub(crate) bytes: u64,
    pub(crate) binary_skipped: u64,
}

/// Things that are counted one by one.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Count {
    Opened,
    Join,
    Leave,
    Pushed,
    Published,
    Delivery,
    PresenceDelivery,
    ByteIn,
    ByteOut,
    Pause,
    BinarySkipped,
}

const COUNTS: usize = Count::BinarySkipped as usize + 1;

/// The counters of all threads.
#[derive(Debug)]
pub(crate) struct Counters {
    shards: [Shard; SHARDS],
    open: [AtomicUsize; 2 * Dialect::COUNT],
    closes: [AtomicU64; Close::KINDS.len() + 1],
    refusals: [AtomicU64; Refusal::ALL.len()],
    started: Instant,
}

/// The counters of one thread, on cache lines that no other thread writes to.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Shard {
    counts: [AtomicU64; COUNTS],
    fan_out: [AtomicU64; FAN_OUT_BOUNDS.len() + 1],
}

thread_local! {
    static SHARD: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS
    };
}

impl Default for Counters {
    fn default() -> Counters {
        Counters {
            shards: Default::default(),
            open: Default::default(),
            closes: Default::default(),
            refusals: Default::default(),
            started: Instant::now(),
        }
    }
}

impl Counters {
    pub(crate) fn add(&self, what: Count, times: u64) {
        self.shard().counts[what as usize].fetch_add(times, Ordering::Relaxed);
    }

    /// Counts a log that goes to so many members.
    pub(crate) fn add_tally(&self, tally: &Tally, members: usize) {
        let shard = self.shard();
        for (what, times) in [
            (Count::Pushed, tally.pushed),
            (Count::Published, tally.published),
            (Count::Delivery, tally.deliveries),
            (Count::PresenceDelivery, tally.presence_deliveries),
            (Count::ByteOut, tally.bytes),
            (Count::BinarySkipped, tally.binary_skipped),
        ] {
            if times > 0 {
                shard.counts[what as usize].fetch_add(times, Ordering::Relaxed);
            }
        }
        let bound = FAN_OUT_BOUNDS.iter().position(|bound| members as u64 <= *bound).unwrap_or(FAN_OUT_BOUNDS.len());
        shard.fan_out[bound].fetch_add(tally.pushed + tally.published, Ordering::Relaxed);
    }

    pub(crate) fn opened(&self, dialect: Dialect, is_polled: bool) {
        self.add(Count::Opened, 1);
        self.open[open_index(dialect, is_polled)].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn gone(&self, dialect: Dialect, is_polled: bool) {
        self.open[open_index(dialect, is_polled)].fetch_sub(1, Ordering::Relaxed);
    }

    /// Counts the end of a socket, by reason; `None` means that the client just went away.
    pub(crate) fn closed(&self, close: Option<Close>) {
        let kind = close.map_or(Close::KINDS.len(), Close::kind);
        self.closes[kind].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn refused(&self, refusal: Refusal) {
        self.refusals[refusal as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// Returns the milliseconds since the start. After 49 days it begins anew.
    pub(crate) fn uptime_ms(&self) -> u32 {
        self.uptime().as_millis() as u32
    }

    /// Returns the totals since the start.
    pub(crate) fn totals(&self) -> Totals {
        let total = |what: Count| self.shards.iter().map(|shard| load(&shard.counts[what as usize])).sum();
        Totals {
            opened: total(Count::Opened),
            joins: total(Count::Join),
            leaves: total(Count::Leave),
            pushed: total(Count::Pushed),
            published: total(Count::Published),
            deliveries: total(Count::Delivery),
            presence_deliveries: total(Count::PresenceDelivery),
            bytes_in: total(Count::ByteIn),
            bytes_out: total(Count::ByteOut),
            pauses: total(Count::Pause),
            binary_skipped: total(Count::BinarySkipped),
        }
    }

    pub(crate) fn open_sockets(&self) -> OpenSockets {
        let open =
            |is_polled| Dialect::ALL.map(|dialect| self.open[open_index(dialect, is_polled)].load(Ordering::Relaxed));
        OpenSockets { websocket: open(false), longpoll: open(true) }
    }

    pub(crate) fn stats(&self, topics: usize) -> Stats {
        let reasons = Close::KINDS.iter().copied().chain(["gone"]);
        Stats {
            sockets: self.open_sockets(),
            topics,
            totals: self.totals(),
            fan_out: std::array::from_fn(|at| self.shards.iter().map(|shard| load(&shard.fan_out[at])).sum()),
            closes: reasons.zip(self.closes.iter().map(load)).collect(),
            refusals: Refusal::ALL.into_iter().zip(self.refusals.iter().map(load)).collect(),
        }
    }

    fn shard(&self) -> &Shard {
        // A thread that ends may still drop a socket.
        &self.shards[SHARD.try_with(|shard| *shard).unwrap_or(0)]
    }
}

fn load(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

fn open_index(dialect: Dialect, is_polled: bool) -> usize {
    dialect.index() + if is_polled { Dialect::COUNT } else { 0 }
}
