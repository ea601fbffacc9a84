//! A socket with its rooms and its outbox, whatever protocol it speaks over whatever transport.
//!
//! - [`session`]: received messages
//! - [`conversation`]: the protocols that a client may speak
//! - [`end`]: the end of a session, in its order

mod conversation;
mod end;
pub(crate) mod session;
