//! Promises of the protocol and of the reading of requests, as functions that panic when one is broken.
//!
//! Each is the body of the fuzz target of the same name, and `tests/seeds.rs` calls it with the committed seeds.
//!
//! # Layout
//!
//! - [`text`]: the text messages of both versions (targets `v1_text` and `v2_text`)
//! - [`binary`]: the binary frames of version 2 (target `v2_binary`)
//! - [`versions`]: messages of the server, in both versions (target `versions`)
//! - [`vsn`]: the version that a client gets (target `vsn`)
//! - [`connect`]: the parameters in the URL that opens a socket (target `connect`)
//! - [`http`]: the server's reading of parameters; [`http::json_body`]: those of a JSON body (target `json_body`)
//! - [`batch`]: several messages in one long-poll request (target `batch`)
//! - [`jwt`], [`cookies`], [`forwarded`]: claimed identities: in a JWT, in a cookie, in a proxy's headers
//! - [`store`]: the names of sessions, which JWTs hold
//! - `expected`: the meaning of a text message, read without the code of the protocol
//!
//! The server's own code is compiled here from its source files: building all of it, with its databases, would take
//! long, and would instrument it for nothing.

#![forbid(unsafe_code)]

mod expected;
#[path = "../../src/auth/permissions.rs"]
mod permissions;

pub mod batch;
pub mod binary;
pub mod connect;
pub mod cookies;
pub mod forwarded;
pub mod http;
pub mod jwt;
pub mod store;
pub mod text;
pub mod versions;
pub mod vsn;

pub use permissions::Permissions;

/// The check of a target.
pub type Check = fn(&[u8]);

/// Every target: its name, which is also that of its folder in `seeds`, and its check.
pub const TARGETS: [(&str, Check); 11] = [
    ("v1_text", text::check_v1),
    ("v2_text", text::check_v2),
    ("v2_binary", binary::check),
    ("versions", versions::check),
    ("vsn", vsn::check),
    ("connect", connect::check),
    ("json_body", http::json_body::check),
    ("batch", batch::check),
    ("jwt", jwt::check),
    ("cookies", cookies::check),
    ("forwarded", forwarded::check),
];
