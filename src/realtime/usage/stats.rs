//! Statistics of all sockets and topics, for other modules.

use pusher_lite_protocol::Dialect;

use super::refusal::Refusal;

/// The bounds of [`Stats::fan_out`], in members.
pub const FAN_OUT_BOUNDS: [u64; 6] = [1, 10, 100, 1000, 10_000, 100_000];

/// Statistics of all sockets and topics. Counters begin at the start of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats {
    /// Open sockets.
    pub sockets: OpenSockets,
    /// Topics with members.
    pub topics: usize,
    /// Totals since the start.
    pub totals: Totals,
    /// Events by the number of members in their topic: at most each of [`FAN_OUT_BOUNDS`], then more than the last.
    pub fan_out: [u64; FAN_OUT_BOUNDS.len() + 1],
    /// Sockets that ended, by reason; all reasons are listed.
    pub closes: Vec<(&'static str, u64)>,
    /// Refused requests, by reason.
    pub refusals: Vec<(Refusal, u64)>,
}

/// Open sockets, by transport, and by the index of their dialect.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpenSockets {
    /// Over WebSocket.
    pub websocket: [usize; Dialect::COUNT],
    /// Over long-polling.
    pub longpoll: [usize; Dialect::COUNT],
}

/// Sizes that have no fixed bound, at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Bytes that wait for clients: slow ones, and those that poll. Shared bytes count for each of them.
    pub waiting_bytes: usize,
    /// Memory of messages on their way to clients, counted as for
    /// [`Limits::outbox_memory`](crate::realtime::Limits::outbox_memory).
    pub outbox_memory: usize,
    /// Memory of incomplete messages; see [`Limits::partial_memory`](crate::realtime::Limits::partial_memory).
    pub partial_memory: usize,
    /// Sockets that those bytes wait for.
    pub waiting_sockets: usize,
    /// Bytes in the logs of topics, not brought to members yet.
    pub log_bytes: usize,
    /// Users who are present, counted per topic.
    pub presence_users: usize,
    /// Sockets in the topic that has most of them.
    pub most_members: usize,
    /// Addresses of clients that the server keeps, because they have sockets or opened some lately.
    pub addresses: usize,
}

/// Totals since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Opened sockets.
    pub opened: u64,
    /// Joins of topics.
    pub joins: u64,
    /// Leaves of topics, also by the end of the socket. Joins minus leaves are the topics joined now.
    pub leaves: u64,
    /// Events that sockets pushed, without refused ones.
    pub pushed: u64,
    /// Events that REST published, without refused ones, also those for topics without members.
    pub published: u64,
    /// Events that went to members. An event that three members get counts three times.
    pub deliveries: u64,
    /// Changes in presence that went to members, counted likewise: several changes may go together.
    pub presence_deliveries: u64,
    /// Bytes that came over WebSockets, and as bodies of long-poll requests.
    pub bytes_in: u64,
    /// Bytes that went to clients, or wait for them.
    pub bytes_out: u64,
    /// Number of times that a socket was paused because it asked for too much; see
    /// [`Limits::reply_bytes_per_second`](crate::realtime::Limits::reply_bytes_per_second).
    pub pauses: u64,
    /// Binary pushes that a receiver over long-polling, or one whose dialect has no form for it, could not take (D21).
    pub binary_skipped: u64,
}

impl OpenSockets {
    /// Returns the number of sockets over both transports.
    pub fn count(&self) -> usize {
        self.websocket.iter().chain(&self.longpoll).sum()
    }
}

impl Totals {
    /// Returns the events in, by sockets and REST.
    pub fn events_in(&self) -> u64 {
        self.pushed + self.published
    }

    /// Returns the topics that are joined now, counted per socket.
    pub fn joined(&self) -> u64 {
        self.joins.saturating_sub(self.leaves)
    }
}
