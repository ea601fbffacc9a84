//! What is counted of all sockets and topics, for those outside.

use pusher_lite_protocol::Vsn;

use super::refusal::Refusal;

/// The bounds of [`Stats::fan_out`], in members.
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

/// How much there is of what has no fixed size, at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Bytes that wait for clients: slow ones, and those that poll.
    pub waiting_bytes: usize,
    /// The sockets that they wait for.
    pub waiting_sockets: usize,
    /// Bytes in topics that are not brought to members yet.
    pub log_bytes: usize,
    /// Users who are present, counted per topic.
    pub presence_users: usize,
    /// The sockets in the topic that has most of them.
    pub most_members: usize,
    /// The addresses of clients that are kept in mind, because they have sockets or opened some lately.
    pub addresses: usize,
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
