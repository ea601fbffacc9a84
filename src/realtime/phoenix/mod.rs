//! The conversation of Phoenix clients.
//!
//! - [`socket`], [`channel`]: protocol state of one connection and of one joined topic: message in, step out, no I/O
//! - [`conversation`]: reads messages, and makes actions of steps
//! - `reply`: replies in frames, and the refusals that they state
//! - [`polled`]: messages in the answer to a poll

mod channel;
pub(crate) mod conversation;
pub(crate) mod polled;
mod reply;
mod socket;
