//! The wire protocols of the server as a library: no I/O, no runtime, no database.
//!
//! # Layout
//!
//! - [`dialect`]: the protocols, and the only place that chooses between them for a topic's members
//! - [`notice`]: messages of a topic to its members, in no protocol yet
//! - [`payload`]: the payload of an event ([`EventPayload`])
//! - [`presence`]: the users in a topic and their changes, in no protocol yet
//! - [`name`]: the names that no client may give to an event
//! - [`error`]: errors of reading a message
//! - [`phoenix`]: the protocol of Phoenix channels, in both serializer versions
//!
//! Text that passes through is kept as the JSON text it came as, so that a payload reaches its receivers exactly as it was
//! sent.

#![warn(missing_docs)]

pub mod dialect;
pub mod error;
pub mod name;
pub mod notice;
pub mod payload;
pub mod phoenix;
pub mod presence;

pub use dialect::{Dialect, Encoding, Form};
pub use error::{DecodeError, VsnError};
pub use notice::{Notice, Spelling, TopicName};
pub use payload::{EventPayload, PayloadError};
pub use phoenix::message::{Message, Name, Outgoing};
pub use phoenix::payload::{BinaryPush, Payload};
pub use phoenix::vsn::Vsn;

#[doc(no_inline)]
pub use pusher_lite_json_text::quote;
