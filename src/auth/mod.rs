//! Who somebody is, and what they may do.

pub mod attempts;
pub mod jwt;
pub mod lock;
pub mod mailed_token;
pub mod password;
pub mod permissions;
mod session_token;
mod signer;

pub use self::{
    attempts::{Attempt, Attempts},
    mailed_token::MailedToken,
    permissions::Permissions,
    session_token::SessionTokens,
    signer::Signer,
};
