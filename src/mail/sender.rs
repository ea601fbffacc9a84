//! Background task that sends queued mails, for as long as the server runs.

use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::join_all;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::{
    back_off,
    message::{Parts, compose},
    postbox::Postbox,
    smtp::{Failure, Smtp},
};
use crate::store::{
    self, Db,
    mails::{self, Bodies, Mail},
    now,
};

/// Number of mails sent concurrently: many mail servers allow one client that many connections.
const LINES: usize = 4;
/// Time for which other senders leave a claimed mail alone. It is longer than one attempt takes: after it, the claiming
/// sender must be gone.
const LEASE: TimeDelta = TimeDelta::minutes(5);
/// Time for which the sender tries to record the result of a mail while the database does not answer. It ends within
/// the lease, after which the mail would be sent again.
const NOTE: Duration = Duration::from_secs(150);
/// Interval of these tries.
const NOTE_AGAIN: Duration = Duration::from_secs(1);
/// Interval of checks without a wake-up: for mails that another server queued, or left behind.
const LOOK: Duration = Duration::from_secs(30);
/// Time for which mails that were sent or given up can be looked up.
const KEEP: TimeDelta = TimeDelta::days(30);
/// Interval of deleting mails that are older than that.
const TIDY: Duration = Duration::from_secs(3600);

/// Sends mails. Several servers may send from one database: each mail is claimed by one of them.
#[derive(Debug)]
pub struct Sender {
    db: Db,
    postbox: Postbox,
    smtp: Smtp,
}

impl Sender {
    /// Creates a sender that sends the letters in `postbox` by `smtp`.
    pub fn new(db: Db, postbox: Postbox, smtp: Smtp) -> Self {
        Self { db, postbox, smtp }
    }

    /// Sends until `stopping` is cancelled. Mails that are being sent then are finished first, which takes a minute at
    /// most. No error ends it.
    pub async fn run(self, stopping: CancellationToken) {
        let mut tidied = None;
        while !stopping.is_cancelled() {
            let pause = self.round(&stopping).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "Could not look up waiting mails; trying again soon.");
                LOOK
            });
            if tidied.is_none_or(|at: Instant| at.elapsed() > TIDY) {
                self.tidy().await;
                tidied = Some(Instant::now());
            }
            tokio::select! {
                () = stopping.cancelled() => {}
                () = self.postbox.written() => {}
                () = sleep(pause) => {}
            }
        }
    }

    /// Sends all due mails, unless `stopping` is cancelled; returns the time until the next mail is due.
    ///
    /// # Errors
    ///
    /// Database errors.
    pub async fn round(&self, stopping: &CancellationToken) -> store::Result<Duration> {
        if self.next_due().await?.is_some_and(|due| due.is_zero()) {
            // Runs all of them to their end: a line dropped in the middle of a mail would cause it to be sent twice.
            let lines = join_all((0..LINES).map(|_| self.send_one_by_one(stopping))).await;
            lines.into_iter().collect::<store::Result<()>>()?;
        }
        // Not immediately, in case another sender is just claiming the due mails.
        Ok(self.next_due().await?.map_or(LOOK, |due| due.clamp(Duration::from_secs(1), LOOK)))
    }

    async fn next_due(&self) -> store::Result<Option<Duration>> {
        let due = mails::next_due(&mut self.db.conn().await?).await?;
        Ok(due.map(|due| (due - now()).to_std().unwrap_or_default()))
    }

    async fn send_one_by_one(&self, stopping: &CancellationToken) -> store::Result<()> {
        while !stopping.is_cancelled() {
            let claimed = self.db.record(async |tx| mails::claim(tx, 1, LEASE).await).await?;
            let Some((mail, bodies)) = claimed.into_iter().next() else { break };
            match self.send(&mail, &bodies).await {
                Ok(()) => self.note_success(&mail, stopping).await?,
                Err(failure) => self.note_failure(&mail, &failure).await?,
            }
        }
        Ok(())
    }

    async fn send(&self, mail: &Mail, bodies: &Bodies) -> Result<(), Failure> {
        let id = format!("pusher-lite-{}-{}", mail.id, mail.inserted_at.and_utc().timestamp());
        let parts = Parts {
            recipient: &mail.recipient,
            subject: &mail.subject,
            text: bodies.text_body.as_deref().unwrap_or_default(),
            html: bodies.html_body.as_deref().unwrap_or_default(),
            id: &id,
        };
        let (recipient, message) = compose(self.smtp.from(), &parts).map_err(|reason| Failure::forever(&reason))?;
        self.smtp.deliver(&recipient, &message).await
    }

    /// Records that the mail was sent. Retries for a while on failure: a mail without this record is sent twice.
    async fn note_success(&self, mail: &Mail, stopping: &CancellationToken) -> store::Result<()> {
        tracing::info!(mail = mail.id, kind = mail.kind, "Sent a mail.");
        let until = Instant::now() + NOTE;
        loop {
            match self.db.record(async |tx| mails::sent(tx, mail.id).await).await {
                Err(_) if Instant::now() < until && !stopping.is_cancelled() => sleep(NOTE_AGAIN).await,
                noted => return noted,
            }
        }
    }

    /// Records a failure. The log gets the server's code and not its words, which often repeat the address.
    async fn note_failure(&self, mail: &Mail, failure: &Failure) -> store::Result<()> {
        let attempts = mail.progress.attempts;
        let delay = if failure.is_final { None } else { back_off::after(attempts) };
        let (kind, code) = (&mail.kind, failure.code);
        match delay {
            Some(_) => {
                tracing::warn!(mail = mail.id, kind, attempts, code, "A mail could not be sent; trying again later.")
            }
            None => tracing::warn!(mail = mail.id, kind, attempts, code, "A mail could not be sent and is given up."),
        }
        let next = delay.map(|delay| now() + delay);
        self.db.record(async |tx| mails::failed(tx, mail.id, attempts, &failure.reason, next).await).await
    }

    async fn tidy(&self) {
        if let Err(error) = self.db.record(async |tx| mails::delete_old(tx, KEEP).await).await {
            tracing::warn!(%error, "Could not remove old mails; trying again later.");
        }
    }
}
