//! The protocol of Phoenix channels.
//!
//! - [`vsn`]: the serializer version of a client, and the only place that chooses between the codecs
//! - [`message`]: messages of a client ([`Message`](message::Message)) and of the server ([`Outgoing`](message::Outgoing)),
//!   in raw JSON
//! - [`topic`]: the names of topics on the wire
//! - [`payload`]: the payload of a client's message
//! - [`event`]: the names of events with a meaning
//! - [`reply`]: the payloads of `phx_reply`
//! - [`presence`]: the payloads of `presence_state` and `presence_diff`
//! - `notice`: the messages of a topic to its members
//! - `v1`: objects (phoenix.js 1.2)
//! - `v2`: arrays, and `binary`: its binary frames (phoenix.js from 1.3 on)
//!
//! Names are those of the wire: `topic`, `event`, `payload`, `ref`, `join_ref`.

mod binary;
mod v1;
mod v2;

pub mod event;
pub mod message;
pub(crate) mod notice;
pub mod payload;
pub mod presence;
pub mod reply;
pub mod topic;
pub mod vsn;
