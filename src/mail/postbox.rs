//! Where mails are put: into the database, with whatever they tell of, so that no page waits for a mail server.

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
    /// A postbox whose letters come from the server at `base_url`. One that `keeps` its letters never has them sent:
    /// they are there to be looked at.
    pub fn new(base_url: &str, keeps: bool) -> Self {
        Self { stationery: Arc::new(Stationery::new(base_url)), written: Arc::default(), keeps }
    }

    /// Queues a letter to this address, which [`is_address`](super::is_address), within the transaction: it is sent if
    /// and only if that is committed.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub async fn write(&self, tx: &mut Transaction<'_>, recipient: &str, letter: &Letter<'_>) -> store::Result<()> {
        self.create(tx, recipient, letter).await.map(drop)
    }

    /// As [`Postbox::write`], and takes the letter out again, so that whoever is to get none is not told by the time that
    /// it takes: the disk is waited for as well.
    ///
    /// # Errors
    ///
    /// Those of the database.
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

    /// Has the sender look for letters now. To be called after the commit; without it they leave a little later.
    pub fn wake(&self) {
        self.written.notify_one();
    }

    /// Done when there may be something new to send.
    pub(super) async fn written(&self) {
        self.written.notified().await;
    }

    /// Whether letters are kept to be looked at, and never sent.
    pub fn keeps(&self) -> bool {
        self.keeps
    }
}
