//! The table `mails`: mails that wait, were sent, or have failed.
//!
//! A mail waits while `next_attempt_at` is set. A sender claims a mail before it sends it, by moving that time on.
//! Other senders leave it alone meanwhile, and if the claimer vanishes the mail is only late.

use std::fmt;

use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{DbConn, Result, Transaction, effects::Effect, error::Optional as _, now, schema::mails};

/// A mail, without its bodies.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = mails)]
pub struct Mail {
    /// The primary key.
    pub id: i32,
    /// Kind of letter: `confirmation`.
    pub kind: String,
    /// Address of the recipient.
    pub recipient: String,
    /// The subject, one line.
    pub subject: String,
    /// Progress of sending.
    #[diesel(embed)]
    pub progress: Progress,
    /// Creation time.
    pub inserted_at: NaiveDateTime,
}

/// Progress of sending a mail.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = mails)]
pub struct Progress {
    /// Number of attempts so far.
    pub attempts: i32,
    /// Time of the next attempt, while the mail waits.
    pub next_attempt_at: Option<NaiveDateTime>,
    /// Time at which the mail server accepted the mail.
    pub sent_at: Option<NaiveDateTime>,
    /// Error of the last failed attempt.
    pub last_error: Option<String>,
}

/// Bodies of a mail: secret, since they may hold links that open an account.
#[derive(Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = mails)]
pub struct Bodies {
    /// The plain-text body; deleted once the mail is sent.
    pub text_body: Option<String>,
    /// The HTML body; deleted once the mail is sent.
    pub html_body: Option<String>,
}

impl fmt::Debug for Bodies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bodies").finish_non_exhaustive()
    }
}

/// State of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// To be sent, now or later.
    Waiting,
    /// Accepted by the mail server.
    Sent,
    /// Given up.
    Failed,
}

/// A new mail.
#[derive(Debug)]
pub struct NewMail<'a> {
    /// Kind of letter: `confirmation`.
    pub kind: &'a str,
    /// Address of the recipient, at most 255 characters.
    pub recipient: &'a str,
    /// The subject, one line.
    pub subject: &'a str,
    /// The plain-text body.
    pub text_body: &'a str,
    pub html_body: &'a str,
    /// True if the mail is never sent but counts as sent now, and keeps its bodies to be viewed.
    pub is_kept: bool,
}

/// Number of mails in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// To be sent, now or later.
    pub waiting: i64,
    /// Accepted by the mail server in the last weeks: see [`delete_old`].
    pub sent: i64,
    /// Given up.
    pub failed: i64,
}

/// The condition that a mail is in a state, for both backends to infer.
macro_rules! in_state {
    ($state:expr) => {{
        let (is_sent, waits) = ($state == State::Sent, $state == State::Waiting);
        mails::sent_at.is_not_null().eq(is_sent).and(mails::next_attempt_at.is_not_null().eq(waits))
    }};
}

/// Queues a mail, and wakes the sender after the commit; returns the id of the mail.
pub async fn create(tx: &mut Transaction<'_>, new: &NewMail<'_>) -> Result<i32> {
    tx.add(Effect::MailQueued);
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
        .returning(mails::id)
        .get_result(raw))
}

/// Removes a mail.
pub async fn delete(tx: &mut Transaction<'_>, id: i32) -> Result<()> {
    on_conn!(tx, |raw| diesel::delete(mails::table.find(id)).execute(raw)).map(drop)
}

/// Returns the time at which the next mail is due, if any waits.
pub async fn next_due(conn: &mut DbConn) -> Result<Option<NaiveDateTime>> {
    on_conn!(conn, |raw| mails::table.select(diesel::dsl::min(mails::next_attempt_at)).get_result(raw))
}

/// Claims up to `limit` mails that are due, those that have waited longest first. Each claim counts as an attempt, and
/// no other sender claims the mail before `lease` is over. Concurrent claims, of this process or others, get other
/// mails.
pub async fn claim(tx: &mut Transaction<'_>, limit: i64, lease: TimeDelta) -> Result<Vec<(Mail, Bodies)>> {
    let now = now();
    let due: Vec<(i32, i32)> = on_conn!(tx, |raw| mails::table
        .filter(mails::next_attempt_at.le(now))
        .order((mails::next_attempt_at, mails::id))
        .limit(limit)
        .select((mails::id, mails::attempts))
        .load(raw))?;
    let mut claimed = Vec::with_capacity(due.len());
    for (id, attempts) in due {
        // A concurrent transaction that read the same row finds it changed, and claims nothing.
        let unclaimed =
            mails::table.find(id).filter(mails::attempts.eq(attempts)).filter(mails::next_attempt_at.le(now));
        let mail = on_conn!(tx, |raw| diesel::update(unclaimed)
            .set((mails::attempts.eq(attempts + 1), mails::next_attempt_at.eq(now + lease)))
            .returning((Mail::as_returning(), Bodies::as_returning()))
            .get_result(raw))
        .optional()?;
        claimed.extend(mail);
    }
    Ok(claimed)
}

/// Records that the mail server accepted the mail, and deletes its bodies.
pub async fn sent(tx: &mut Transaction<'_>, id: i32) -> Result<()> {
    on_conn!(tx, |raw| diesel::update(mails::table.find(id))
        .set((
            mails::sent_at.eq(now()),
            mails::next_attempt_at.eq(None::<NaiveDateTime>),
            mails::last_error.eq(None::<String>),
            mails::text_body.eq(None::<String>),
            mails::html_body.eq(None::<String>),
        ))
        .execute(raw))
    .map(drop)
}

/// Records the error of a failed attempt and the time of the next one; `None` gives the mail up. `attempts` is the
/// count of the claim: if another sender has claimed the mail since, nothing is recorded.
pub async fn failed(
    tx: &mut Transaction<'_>,
    id: i32,
    attempts: i32,
    error: &str,
    next_attempt_at: Option<NaiveDateTime>,
) -> Result<()> {
    let ours = mails::table.find(id).filter(mails::attempts.eq(attempts)).filter(mails::sent_at.is_null());
    on_conn!(tx, |raw| diesel::update(ours)
        .set((mails::last_error.eq(error), mails::next_attempt_at.eq(next_attempt_at)))
        .execute(raw))
    .map(drop)
}

/// Retries a waiting or failed mail now, with the attempts of a new one; `false` when there is no such mail.
pub async fn retry(tx: &mut Transaction<'_>, id: i32) -> Result<bool> {
    tx.add(Effect::MailQueued);
    let unsent = mails::table.find(id).filter(mails::sent_at.is_null()).filter(mails::text_body.is_not_null());
    let changed = on_conn!(tx, |raw| diesel::update(unsent)
        .set((mails::attempts.eq(0), mails::next_attempt_at.eq(now())))
        .execute(raw))?;
    Ok(changed > 0)
}

/// Deletes the mails that were sent or given up and are older than `age`.
pub async fn delete_old(tx: &mut Transaction<'_>, age: TimeDelta) -> Result<()> {
    let old = mails::table.filter(mails::next_attempt_at.is_null()).filter(mails::inserted_at.lt(now() - age));
    on_conn!(tx, |raw| diesel::delete(old).execute(raw)).map(drop)
}

/// Returns the mail with this id.
pub async fn find(conn: &mut DbConn, id: i32) -> Result<Option<Mail>> {
    on_conn!(conn, |raw| mails::table.find(id).select(Mail::as_select()).first(raw)).optional()
}

/// Returns the bodies of the mail with this id.
pub async fn find_bodies(conn: &mut DbConn, id: i32) -> Result<Option<Bodies>> {
    on_conn!(conn, |raw| mails::table.find(id).select(Bodies::as_select()).first(raw)).optional()
}

/// Returns `limit` mails in this state, the newest first, after `offset` of them.
pub async fn list(conn: &mut DbConn, state: State, offset: i64, limit: i64) -> Result<Vec<Mail>> {
    on_conn!(conn, |raw| mails::table
        .filter(in_state!(state))
        .order(mails::id.desc())
        .offset(offset)
        .limit(limit)
        .select(Mail::as_select())
        .load(raw))
}

/// Returns the number of mails in each state.
pub async fn counts(conn: &mut DbConn) -> Result<Counts> {
    let count = async |conn: &mut DbConn, state| {
        on_conn!(conn, |raw| mails::table.filter(in_state!(state)).count().get_result(raw))
    };
    Ok(Counts {
        waiting: count(conn, State::Waiting).await?,
        sent: count(conn, State::Sent).await?,
        failed: count(conn, State::Failed).await?,
    })
}

impl Mail {
    /// Returns the state of the mail.
    pub fn state(&self) -> State {
        match self.progress {
            Progress { sent_at: Some(_), .. } => State::Sent,
            Progress { next_attempt_at: Some(_), .. } => State::Waiting,
            _ => State::Failed,
        }
    }
}
