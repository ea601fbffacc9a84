//! Counting what happens, so cheaply that it is always done.
//!
//! What happens often is counted for many at once, where a lock is held anyway: a room sums up in its log what the log will
//! come to ([`Tally`]), and the flusher adds that here once per log. Each thread counts in a place of its own.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use pusher_lite_protocol::Vsn;
use tokio::time::Instant;

use super::close::Close;
use super::refusal::Refusal;
use super::stats::{FAN_OUT_BOUNDS, OpenSockets, Stats, Totals};

/// Threads beyond so many share a place.
const SHARDS: usize = 16;

/// What a log comes to when it is brought to the members of its topic.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Tally {
    pub(super) pushed: u64,
    pub(super) published: u64,
    pub(super) deliveries: u64,
    pub(super) presence_deliveries: u64,
    pub(super) bytes: u64,
    pub(super) binary_skipped: u64,
}

/// What is counted one by one.
#[derive(Debug, Clone, Copy)]
pub(super) enum Count {
    Opened,
    Join,
    Leave,
    Pushed,
    Published,
    Delivery,
    PresenceDelivery,
    ByteIn,
    ByteOut,
    BinarySkipped,
}

const COUNTS: usize = Count::BinarySkipped as usize + 1;

/// The counters of all threads.
#[derive(Debug)]
pub(super) struct Counters {
    shards: [Shard; SHARDS],
    open: [AtomicUsize; 2 * Vsn::COUNT],
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
    pub(super) fn add(&self, what: Count, times: u64) {
        self.shard().counts[what as usize].fetch_add(times, Ordering::Relaxed);
    }

    /// A log goes to so many members.
    pub(super) fn add_tally(&self, tally: &Tally, members: usize) {
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

    pub(super) fn opened(&self, vsn: Vsn, is_polled: bool) {
        self.add(Count::Opened, 1);
        self.open[open_index(vsn, is_polled)].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn gone(&self, vsn: Vsn, is_polled: bool) {
        self.open[open_index(vsn, is_polled)].fetch_sub(1, Ordering::Relaxed);
    }

    /// How a socket ended; `None` when its client just went away.
    pub(super) fn closed(&self, close: Option<Close>) {
        let kind = close.map_or(Close::KINDS.len(), Close::kind);
        self.closes[kind].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn refused(&self, refusal: Refusal) {
        self.refusals[refusal as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// Milliseconds since the start; after 49 days it begins anew.
    pub(super) fn uptime_ms(&self) -> u32 {
        self.uptime().as_millis() as u32
    }

    /// What happened so far.
    pub(super) fn totals(&self) -> Totals {
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
            binary_skipped: total(Count::BinarySkipped),
        }
    }

    pub(super) fn open_sockets(&self) -> OpenSockets {
        let open =
            |is_polled| [Vsn::V1, Vsn::V2].map(|vsn| self.open[open_index(vsn, is_polled)].load(Ordering::Relaxed));
        OpenSockets { websocket: open(false), longpoll: open(true) }
    }

    pub(super) fn stats(&self, topics: usize) -> Stats {
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

fn open_index(vsn: Vsn, is_polled: bool) -> usize {
    vsn.index() + if is_polled { Vsn::COUNT } else { 0 }
}
