//! How people come in: sign up, confirm, sign in, stay signed in, recover, change their data, and leave.

mod confirming;
mod leaving;
mod limits;
mod locking;
mod mailbox;
mod own_data;
mod remembering;
mod resetting;
mod signing_in;
mod signing_up;
