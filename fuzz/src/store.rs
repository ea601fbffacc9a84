//! The part of the server's database that JWTs speak of.

#[path = "../../src/store/session_hash.rs"]
mod session_hash;
#[path = "../../src/store/signing_secret.rs"]
pub mod signing_secret;

/// The table of sessions.
pub mod sessions {
    pub use super::session_hash::SessionHash;
}
