//! The pages for access to accounts: sign-up, confirmation, sign-in, remembered browsers, recovery, and deletion.
//!
//! No answer tells whether an address has an account: the page, its status and the work behind it are the same. Only
//! the reader of that address's mail learns more.

mod asking;
mod changes;
pub(super) mod confirmations;
mod current_password;
mod deletion;
mod fields;
mod links;
mod password_check;
pub(super) mod passwords;
mod pending;
pub(super) mod registrations;
pub(super) mod sessions;
pub(super) mod unlocks;
