//! Sockets, topics, presence and fan-out. Knows no HTTP and no database: who may connect is decided elsewhere and comes
//! in as an [`Identity`].
//!
//! # Layout
//!
//! - `hub`: [`Hub`], the whole of it for those outside
//! - `quotas`, `bucket`, `places`: what all of them, an application and an address may use; how often; who has how many
//! - `limits`, `identity`, `topic`, `close`: what one connection may use, who it is, what it can join, how it ends
//! - `socket`, `channel`: one connection's protocol state; message in, action out, no I/O
//! - `presence`, `pace`: who is in a topic; join or leave in, diff out; and how soon
//! - `room`, `registry`: a joined topic and what is yet to be sent in it; all of them by name
//! - `drain`, `flusher`: what is to be sent in a topic, brought to its members, by a few tasks for all topics
//! - `outbox`, `sink`, `frame`, `frames`: one connection's way out, where that leads, and the frames in it
//! - `session`: a socket with its rooms and its outbox, whatever the transport
//! - `departure`: the end of several sockets at once
//! - `sockets`, `idle`: all connections, and those that have fallen silent
//! - `stream`, `tls`: what connects a client, with encryption or without
//! - `websocket`: the pump between a stream and a session
//! - `counters`, `refusal`, `applications`, `history`, `stats`: what happens, counted; what of it is told outside
//! - `longpoll`, `longpolls`: the pump between a client's requests and a session; all those sessions
//!
//! # How a broadcast travels
//!
//! A publisher frames it once per protocol version and appends it to its topic's log, under the topic's lock; so do
//! joins, leaves and replies that must keep their place among the broadcasts. The first to append wakes the topic's
//! flusher, which gives everything else that is ready its turn and then writes to each member, with one system call,
//! whatever the log has gathered. What a socket does not take at once waits in its outbox for its own task.

mod applications;
mod bucket;
mod channel;
mod close;
mod connection;
mod counters;
mod departure;
mod drain;
mod flusher;
mod frame;
mod frames;
mod history;
mod hub;
mod identity;
mod idle;
mod limits;
mod longpoll;
mod longpolls;
mod outbox;
mod pace;
mod places;
mod presence;
mod quotas;
mod refusal;
mod registry;
mod room;
mod session;
mod sink;
mod socket;
mod sockets;
mod stats;
mod stream;
#[cfg(test)]
mod tests;
mod tls;
mod topic;
mod websocket;

pub use applications::ApplicationStats;
pub use history::{SAMPLES, STEP, Sample};
pub use hub::{Hub, PublishError};
pub use identity::Identity;
pub use limits::Limits;
pub use longpoll::{Ended, LongPoll, ReceiveError};
pub use longpolls::{OpenError, SessionId};
pub use places::Place;
pub use quotas::{ApplicationQuota, QuotaOverride, Quotas};
pub use refusal::Refusal;
pub use stats::{FAN_OUT_BOUNDS, OpenSockets, Sizes, Stats, Totals};
pub use stream::Stream;
pub use topic::{Topic, TopicError};
