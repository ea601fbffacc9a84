//! A joined topic: who is in it, what is yet to be sent, and the tasks that send it.
//!
//! - [`registry`]: rooms by topic
//! - [`room`]: one topic's members, presence and log
//! - [`membership`]: joins and leaves, with presence or without it
//! - [`publication`]: an event for the members, the only way to publish one, and its outcome
//! - [`log`]: broadcasts of a topic that have not been sent, and marks between them
//! - [`drain`], [`flusher`]: a log on its way to the members; the tasks that drain logs, one for each core
//! - [`presence`], [`pace`]: joins and leaves in, differences out; the times at which members are told
//! - [`due`]: rooms that wait for their flusher
//! - [`hold`], [`waiters`]: back-pressure on publishers until a log has been taken

mod drain;
mod due;
pub(crate) mod flusher;
pub(crate) mod hold;
pub(crate) mod log;
pub(crate) mod membership;
mod pace;
pub(crate) mod presence;
pub(crate) mod publication;
pub(crate) mod registry;
pub(crate) mod room;
mod waiters;
