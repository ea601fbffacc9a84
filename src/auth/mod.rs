//! Who somebody is, and what they may do.

pub mod jwt;
pub mod password;
pub mod permissions;
mod session_token;

pub use self::{permissions::Permissions, session_token::SessionTokens};
