//! Queue of outgoing mails: a table of the database, written with the change that the mail reports, so that no page
//! waits for a mail server.

use std::sync::Arc;

use tokio::sync::Notify;

use super::letter::{Letter, Stationery};
use crate::store::{
    self, Transaction,
    mails::{self, NewMail},
};

/// Takes letters, for the sender to send. Cheap to clone: all clones are one postbox.
#[derive(Clone, Debug)]
pub struct Postbox {
    stationery: Arc<Stationery>,
    written: Arc<Notify>,
    keeps: bool,
}

impl Postbox {
    /// Creates a postbox whose letters name the server at `base_url`. One that `keeps` its letters never sends them:
    /// they are there to be viewed.
    pub fn new(base_url: &str, keeps: bool) -> Self {
        Self { stationery: Arc::new(Stationery::new(base_url)), written: Arc::default(), keeps }
    }

    /// Queues a letter to this address, which [`is_address`](super::is_address), within the transaction. The letter is
    /// sent if and only if the transaction is committed.
    ///
    /// # Errors
    ///
    /// Database errors.
    pub async fn write(&self, tx: &mut Transaction<'_>, recipient: &str, letter: &Letter<'_>) -> store::Result<()> {
        self.create(tx, recipient, letter).await.map(drop)
    }

    /// Does the work of [`Postbox::write`], and deletes the letter again, so that the time does not reveal that a
    /// recipient gets none: the wait for the disk is included.
    ///
    /// # Errors
    ///
    /// Database errors.
    pub async fn write_in_vain(
        &self,
        tx: &mut Transaction<'_>,
        recipient: &str,
        letter: &Letter<'_>,
    ) -> store::Result<()> {
        let id = self.create(tx, recipient, letter).await?;
        mails::delete(tx, id).await
    }

    async fn create(&self, tx: &mut Transaction<'_>, recipient: &str, letter: &Letter<'_>) -> store::Result<i32> {
        let rendered = self.stationery.render(letter);
        let new = NewMail {
            kind: letter.kind(),
            recipient,
            subject: &rendered.subject,
            text_body: &rendered.text,
            html_body: &rendered.html,
            is_kept: self.keeps,
        };
        mails::create(tx, &new).await
    }

    /// Wakes the sender. Call it after the commit; otherwise the letters leave a little later.
    pub fn wake(&self) {
        self.written.notify_one();
    }

    /// Completes when there may be new letters to send.
    pub(super) async fn written(&self) {
        self.written.notified().await;
    }

    /// Returns true if letters are kept to be viewed, and never sent.
    pub fn keeps(&self) -> bool {
        self.keeps
    }
}
