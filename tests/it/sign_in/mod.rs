//! Access to accounts: sign-up, confirmation, sign-in, remembered browsers, recovery, changes, and deletion.

mod confirming;
mod leaving;
mod limits;
mod locking;
pub(crate) mod mailbox;
mod own_data;
mod remembering;
mod resetting;
mod sign_up_modes;
mod signing_in;
mod signing_up;
