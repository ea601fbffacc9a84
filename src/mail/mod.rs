//! Mail: letters to users, and their delivery.
//!
//! - A page puts a [`Letter`] into the [`Postbox`], which is a table of the database, in the same transaction as the
//!   change that the letter reports. The page waits for no mail server.
//! - The [`Sender`] hands the waiting letters to a mail server, [`Smtp`], and retries if that fails.

mod address;
mod back_off;
mod letter;
mod message;
mod postbox;
mod presentable;
mod sender;
mod smtp;
mod smtp_url;
mod test_mail;

pub use lettre::message::Mailbox;

pub use self::{
    address::is_address,
    letter::{Letter, Rendered},
    postbox::Postbox,
    sender::Sender,
    smtp::Smtp,
    smtp_url::SmtpUrl,
    test_mail::send_test,
};
