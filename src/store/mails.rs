//! The table `mails`: what waits to be sent, what was, and what could not be.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{Result, Transaction, now, schema::mails};

/// A mail to send.
#[derive(Debug)]
pub struct NewMail<'a> {
    /// What kind of letter it is: `confirmation`.
    pub kind: &'a str,
    /// The address it goes to, of at most 255 characters.
    pub recipient: &'a str,
    /// One line.
    pub subject: &'a str,
    /// All of it as plain text.
    pub text_body: &'a str,
    /// The same as HTML.
    pub html_body: &'a str,
    /// It is never sent but counts as sent now, with its bodies left to be looked at.
    pub is_kept: bool,
}

/// Puts a mail among those that wait, to be sent at once.
pub async fn create(tx: &mut Transaction<'_>, new: &NewMail<'_>) -> Result<()> {
    let now = now();
    on_conn!(tx, |raw| diesel::insert_into(mails::table)
        .values((
            mails::kind.eq(new.kind),
            mails::recipient.eq(new.recipient),
            mails::subject.eq(new.subject),
            mails::text_body.eq(new.text_body),
            mails::html_body.eq(new.html_body),
            mails::next_attempt_at.eq((!new.is_kept).then_some(now)),
            mails::sent_at.eq(new.is_kept.then_some(now)),
            mails::inserted_at.eq(now),
        ))
        .execute(raw))
    .map(drop)
}
