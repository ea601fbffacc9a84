//! What is counted of all sockets and topics, for those outside.

use pusher_lite_protocol::Vsn;

use super::refusal::Refusal;

/// Topics with at most so many members are told apart by [`Stats::fan_out`].
pub const FAN_OUT_BOUNDS: [u64; 6] = [1, 10, 100, 1000, 10_000, 100_000];

/// What is counted of all sockets and topics. What happened is counted since the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats {
    /// The sockets that are open.
    pub sockets: OpenSockets,
    /// The topics that somebody is in.
    pub topics: usize,
    /// What happened.
    pub totals: Totals,
    /// Events by how many members their topic had: at most [`FAN_OUT_BOUNDS`], then more than the last.
    pub fan_out: [u64; FAN_OUT_BOUNDS.len() + 1],
    /// Sockets that ended, by reason; all reasons are named.
    pub closes: Vec<(&'static str, u64)>,
    /// What was refused.
    pub refusals: Vec<(Refusal, u64)>,
}

/// The sockets that are open, by transport and version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpenSockets {
    /// Over WebSocket: version 1, version 2.
    pub websocket: [usize; Vsn::COUNT],
    /// Over long-polling: version 1, version 2.
    pub longpoll: [usize; Vsn::COUNT],
}

/// What happened since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Sockets that were opened.
    pub opened: u64,
    /// Topics that were joined.
    pub joins: u64,
    /// Topics that were left, also by the end of the socket. What was joined and not left is joined now.
    pub leaves: u64,
    /// Events that sockets pushed, refused ones left out.
    pub pushed: u64,
    /// Events that came by REST, refused ones left out, whether anybody was in the topic or not.
    pub published: u64,
    /// Events that went to members: one that three hear counts three times.
    pub deliveries: u64,
    /// `presence_diff`s that went to members, counted likewise.
    pub presence_deliveries: u64,
    /// Bytes that came over WebSockets, and as bodies of long-poll requests.
    pub bytes_in: u64,
    /// Bytes that went to clients, or wait for them.
    pub bytes_out: u64,
    /// Binary pushes that a receiver on a long-poll or of version 1 could not take (D21).
    pub binary_skipped: u64,
}

impl OpenSockets {
    /// All of them.
    pub fn count(&self) -> usize {
        self.websocket.iter().chain(&self.longpoll).sum()
    }
}

impl Totals {
    /// Events in, however they came.
    pub fn events_in(&self) -> u64 {
        self.pushed + self.published
    }

    /// Topics that are joined now, counted per socket.
    pub fn joined(&self) -> u64 {
        self.joins.saturating_sub(self.leaves)
    }
}
