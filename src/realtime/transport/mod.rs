//! Bytes in, bytes out: the pumps between a client and its session.
//!
//! - [`websocket`], [`incoming`]: a WebSocket; the frames that clients send
//! - [`longpoll`], [`longpolls`]: a long-poll session; all of them by id

mod incoming;
pub(crate) mod longpoll;
pub(crate) mod longpolls;
pub(crate) mod websocket;
