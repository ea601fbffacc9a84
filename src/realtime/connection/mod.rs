//! The outgoing side of one connection, and all connections together.
//!
//! - [`connection`]: the state that all parts share of one connection
//! - [`outbox`], [`queue`]: bytes that wait for a client, bounded
//! - [`stream`], [`sink`], [`tls`]: the two halves of a TCP stream, encrypted or not
//! - [`frame`], [`frames`]: WebSocket frames, and pieces of them that members share
//! - [`sockets`], [`by_user`], [`idle`], [`expiry`]: all connections, those of one user, those that have fallen silent, and
//!   those that end with their JWT
//! - [`group_close`], [`final_frame`]: the end of sockets that close together, and of each
//! - [`budget`], [`pressure`]: memory that all connections share; closing those that use most of it

pub(crate) mod budget;
mod by_user;
pub(crate) mod connection;
mod expiry;
pub(crate) mod final_frame;
pub(crate) mod frame;
pub(crate) mod frames;
mod group_close;
mod idle;
pub(crate) mod outbox;
pub(crate) mod pressure;
pub(crate) mod queue;
pub(crate) mod sink;
pub(crate) mod sockets;
pub(crate) mod stream;
mod tls;
