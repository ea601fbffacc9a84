//! Authentication of users, and their permissions.

pub mod attempts;
mod changes;
mod failures;
pub mod jwt;
pub mod limiter;
pub mod lock;
pub mod mailed_token;
pub mod password;
pub mod permissions;
mod session_token;
mod signer;

pub use self::{
    attempts::{Attempt, Attempts},
    changes::Changes,
    failures::Failures,
    limiter::{LimitClock, TooMany},
    mailed_token::MailedToken,
    password::{NewPassword, PasswordHash, ProvenPassword},
    permissions::Permissions,
    session_token::SessionTokens,
    signer::Signer,
};
