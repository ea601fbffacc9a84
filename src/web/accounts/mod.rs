//! The pages with which people come in: they sign up, confirm, sign in, stay signed in, recover, and leave.
//!
//! No answer tells whether an address has an account: the page, its status and the work behind it are the same. Whoever
//! reads the mail of that address learns more.

mod asking;
mod changes;
pub(super) mod confirmations;
mod departure;
mod fields;
mod letters;
mod links;
pub(super) mod passwords;
pub(super) mod registrations;
pub(super) mod sessions;
mod sign_in;
mod sign_up;
pub(super) mod unlocks;
