//! What the protocol promises, as functions that panic where it is not kept.
//!
//! Each is the body of the fuzz target of the same name, and `tests/seeds.rs` calls it with the committed seeds.
//!
//! # Layout
//!
//! - [`text`]: the text messages of both versions (targets `v1_text` and `v2_text`)
//! - [`binary`]: the binary frames of version 2 (target `v2_binary`)
//! - [`versions`]: what the server writes, in both versions (target `versions`)
//! - [`vsn`]: which version a client gets (target `vsn`)
//! - `expected`: what a text message means, read by other means than those of the protocol

#![forbid(unsafe_code)]

mod expected;

pub mod binary;
pub mod text;
pub mod versions;
pub mod vsn;

/// The check of a target.
pub type Check = fn(&[u8]);

/// Every target: its name, which is also that of its folder in `seeds`, and its check.
pub const TARGETS: [(&str, Check); 5] = [
    ("v1_text", text::check_v1),
    ("v2_text", text::check_v2),
    ("v2_binary", binary::check),
    ("versions", versions::check),
    ("vsn", vsn::check),
];
