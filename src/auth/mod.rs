//! Who somebody is, and what they may do.

pub mod jwt;
pub mod password;
pub mod permissions;
mod session_token;
mod signer;

pub use self::{permissions::Permissions, session_token::SessionTokens, signer::Signer};
