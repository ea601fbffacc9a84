//! Mail: what people are written, and how it leaves.
//!
//! - A page puts a [`Letter`] into the [`Postbox`], which is a table of the database: in the same transaction as what the
//!   letter tells of, and without waiting for anybody.
//! - The [`Sender`] takes what waits there and hands it to a mail server, [`Smtp`], again and again if need be.

mod address;
mod back_off;
mod letter;
mod message;
mod postbox;
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
