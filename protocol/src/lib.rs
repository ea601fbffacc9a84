//! The Phoenix channel protocol as a library: no I/O, no runtime, no database.
//!
//! # Layout
//!
//! - [`vsn`]: the serializer version a client asked for, and the one place that chooses between the codecs
//! - [`message`]: what a client sent ([`Message`]) and what the server sends ([`Outgoing`]), in raw JSON
//! - [`event`]: the names of events, and which of them clients may not use
//! - [`reply`]: the payloads of `phx_reply`
//! - [`presence`]: the payloads of `presence_state` and `presence_diff`
//! - [`error`]: why a message could not be read
//! - `v1`: objects (phoenix.js 1.2)
//! - `v2`: arrays, and `binary`: its binary frames (phoenix.js from 1.3 on)
//! - `json`: the little JSON that is not left to `serde_json`
//!
//! Names are those of the wire: `topic`, `event`, `payload`, `ref`, `join_ref`. Everything that passes through is kept
//! as the JSON text it came as, so that a payload reaches its receivers exactly as it was sent.

mod binary;
mod json;
mod v1;
mod v2;

pub mod error;
pub mod event;
pub mod message;
pub mod presence;
pub mod reply;
pub mod vsn;

pub use binary::BinaryPush;
pub use error::{DecodeError, VsnError};
pub use json::{escape_controls, quote};
pub use message::{Message, Name, Outgoing, Payload};
pub use vsn::Vsn;
