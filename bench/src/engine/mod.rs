//! The data plane: each generator thread runs one epoll over its share of the connections. One read buffer per thread,
//! frames parsed where they lie, a connection holds bytes only for a partial frame. A frame is searched for the marker
//! `~@<ts 16 hex><slot 5 hex><seq 8 hex>` and, if it has one, not read any further.
mod connection;
mod connections;
mod counters;
mod marker;
mod protocol;
mod publish;
mod receive;
mod send;
mod sequence;
mod shared;
mod sockets;
mod task;
mod timers;
mod worker;

pub use counters::{Ctrs, K};
pub use marker::{template, MARK};
pub use shared::{Shared, SlowConn};
pub use task::{Cmd, Job, Report, Role, Spec};
pub use worker::Worker;
