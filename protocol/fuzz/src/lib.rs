//! What the protocol and the reading of requests promise, as functions that panic where it is not kept.
//!
//! Each is the body of the fuzz target of the same name, and `tests/seeds.rs` calls it with the committed seeds.
//!
//! # Layout
//!
//! - [`text`]: the text messages of both versions (targets `v1_text` and `v2_text`)
//! - [`binary`]: the binary frames of version 2 (target `v2_binary`)
//! - [`versions`]: what the server writes, in both versions (target `versions`)
//! - [`vsn`]: which version a client gets (target `vsn`)
//! - [`connect`]: the parameters in the URL that opens a socket (target `connect`)
//! - [`http`]: how the server reads parameters; [`http::json_body`]: those of a JSON body (target `json_body`)
//! - [`batch`]: several messages in one long-poll request (target `batch`)
//! - [`jwt`], [`cookies`], [`forwarded`]: who somebody claims to be: by a JWT, by a cookie, by a proxy's headers
//! - `expected`: what a text message means, read by other means than those of the protocol
//!
//! What is the server's own is compiled here from its files: to build all of it, with its databases, would take long, and
//! it would be instrumented for nothing.

#![forbid(unsafe_code)]

mod expected;
#[path = "../../../src/auth/permissions.rs"]
mod permissions;

pub mod batch;
pub mod binary;
pub mod connect;
pub mod cookies;
pub mod forwarded;
pub mod http;
pub mod jwt;
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
