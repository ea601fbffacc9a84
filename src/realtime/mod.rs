//! Sockets, topics, presence and fan-out. Knows no HTTP and no database: who may connect is decided elsewhere and comes
//! in as an [`Identity`].
//!
//! # Layout
//!
//! Folders import only those above them.
//!
//! - `topic`, `identity`, `limits`, `close`, `revocation`, `supervision`: small types that all others use
//! - `usage`: limits, and everything counted
//! - `connection`: the outgoing side of one connection, and all connections together
//! - `room`: a joined topic, its log and the tasks that send it
//! - `shared`: the parts that all sockets share
//! - `action`, `executor`: what a message asks of the server, in no protocol, and the carrying out of it
//! - `phoenix`: the conversation of Phoenix clients; all that is of their protocol, beside the codecs
//! - `session`: a socket with its rooms, whatever its protocol and its transport
//! - `transport`: WebSocket and long-polling
//! - `hub`: [`Hub`], the whole of it for other modules
//!
//! # How a broadcast travels
//!
//! Every door makes a `Publication` of an event. `Room::publish` has each dialect that has members encode it once, and
//! appends it to the topic's log, under the topic's lock. Joins, leaves and replies that must keep their place among the
//! broadcasts go into the same log. The first to append wakes the topic's flusher, which gives everything else that is ready
//! its turn and then writes to each member, with one system call, whatever the log has gathered. Bytes that a socket does not
//! take immediately wait in its outbox for its own task.

mod action;
mod close;
mod connection;
mod executor;
mod hub;
mod identity;
mod limits;
mod phoenix;
mod publish_error;
mod restrictions;
mod revocation;
mod room;
mod session;
mod shared;
mod supervision;
#[cfg(test)]
mod tests;
mod topic;
mod transport;
mod usage;

pub use connection::stream::Stream;
pub use hub::Hub;
pub use identity::{Basis, Credentials, Identity, Principal, SecretId};
pub use limits::Limits;
pub use publish_error::PublishError;
pub use restrictions::{Restrictions, Rights, TopicRights};
pub use revocation::Revocation;
pub use supervision::Supervisor;
pub use topic::{Topic, TopicError};
pub use transport::longpoll::{Batch, Ended, LongPoll, OpenError, ReceiveError, SessionId};
pub use usage::applications::ApplicationStats;
pub use usage::quotas::Quotas;
pub use usage::refusal::Refusal;
pub use usage::reservations::Reservation;
pub use usage::samples::{SAMPLES, STEP, Sample};
pub use usage::settings::ApplicationSettings;
pub use usage::stats::{FAN_OUT_BOUNDS, OpenSockets, Sizes, Stats, Totals};
