//! Who somebody is, and what they may do.

pub mod jwt;
pub mod password;
pub mod permissions;

pub use self::permissions::Permissions;
