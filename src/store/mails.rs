//! The table `mails`: what waits to be sent, what was, and what could not be.
//!
//! A mail waits while `next_attempt_at` is set. Who sends it claims it first, by moving that time on: nobody else takes it
//! meanwhile, and if the claimer vanishes the mail is only late.

use std::fmt;

use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{DbConn, Result, Transaction, error::Optional as _, now, schema::mails};

/// A mail, without what it says.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = mails)]
pub struct Mail {
    /// The primary key.
    pub id: i32,
    /// What kind of letter it is: `confirmation`.
    pub kind: String,
    /// The address it goes to.
    pub recipient: String,
    /// One line.
    pub subject: String,
    /// How far it came.
    #[diesel(embed)]
    pub progress: Progress,
    /// When it was written.
    pub inserted_at: NaiveDateTime,
}

/// How far a mail came.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = mails)]
pub struct Progress {
    /// How often it was tried to send it.
    pub attempts: i32,
    /// When it is tried next, while it waits.
    pub next_attempt_at: Option<NaiveDateTime>,
    /// When the mail server took it.
    pub sent_at: Option<NaiveDateTime>,
    /// What went wrong last.
    pub last_error: Option<String>,
}

/// What a mail says: a secret, since it may hold links that open an account.
#[derive(Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = mails)]
pub struct Bodies {
    /// All of it as plain text; gone once it is sent.
    pub text_body: Option<String>,
    /// The same as HTML; gone once it is sent.
    pub html_body: Option<String>,
}

impl fmt::Debug for Bodies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bodies").finish_non_exhaustive()
    }
}

/// Which mails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// To be sent, now or later.
    Waiting,
    /// The mail server took them.
    Sent,
    /// Given up.
    Failed,
}

/// A mail to write.
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

/// How many mails are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// To be sent, now or later.
    pub waiting: i64,
    /// The mail server took them, in the last weeks: see [`delete_old`].
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

/// Puts a mail among those that wait, to be sent at once; returns its id.
pub async fn create(tx: &mut Transaction<'_>, new: &NewMail<'_>) -> Result<i32> {
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

/// When the next mail is due, if any waits.
pub async fn next_due(conn: &mut DbConn) -> Result<Option<NaiveDateTime>> {
    on_conn!(conn, |raw| mails::table.select(diesel::dsl::min(mails::next_attempt_at)).get_result(raw))
}

/// Takes up to `limit` mails that are due, the longest waiting first: each counts as tried once more, and nobody else
/// takes it before `lease` is over. Whoever does this at the same time, here or elsewhere, gets others.
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
        // Who read the same row at the same time finds it changed, and gets nothing.
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

/// Notes that the mail server took the mail, and forgets what it said.
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

/// Notes why an attempt failed, and when the next one is to be made; `None` gives the mail up. `attempts` is what the
/// claim counted: if somebody else has claimed the mail since, it is theirs, and nothing is noted.
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

/// Has a mail that waits or was given up tried again now, as often as a new one; `false` when there is no such mail.
pub async fn retry(tx: &mut Transaction<'_>, id: i32) -> Result<bool> {
    let unsent = mails::table.find(id).filter(mails::sent_at.is_null()).filter(mails::text_body.is_not_null());
    let changed = on_conn!(tx, |raw| diesel::update(unsent)
        .set((mails::attempts.eq(0), mails::next_attempt_at.eq(now())))
        .execute(raw))?;
    Ok(changed > 0)
}

/// Removes the mails that were sent or given up and are older than `age`.
pub async fn delete_old(tx: &mut Transaction<'_>, age: TimeDelta) -> Result<()> {
    let old = mails::table.filter(mails::next_attempt_at.is_null()).filter(mails::inserted_at.lt(now() - age));
    on_conn!(tx, |raw| diesel::delete(old).execute(raw)).map(drop)
}

/// The mail with this id.
pub async fn find(conn: &mut DbConn, id: i32) -> Result<Option<Mail>> {
    on_conn!(conn, |raw| mails::table.find(id).select(Mail::as_select()).first(raw)).optional()
}

/// What the mail with this id says.
pub async fn find_bodies(conn: &mut DbConn, id: i32) -> Result<Option<Bodies>> {
    on_conn!(conn, |raw| mails::table.find(id).select(Bodies::as_select()).first(raw)).optional()
}

/// `limit` mails in this state, the newest first, after `offset` of them.
pub async fn list(conn: &mut DbConn, state: State, offset: i64, limit: i64) -> Result<Vec<Mail>> {
    on_conn!(conn, |raw| mails::table
        .filter(in_state!(state))
        .order(mails::id.desc())
        .offset(offset)
        .limit(limit)
        .select(Mail::as_select())
        .load(raw))
}

/// How many mails there are in each state.
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
    /// Where it stands.
    pub fn state(&self) -> State {
        match self.progress {
            Progress { sent_at: Some(_), .. } => State::Sent,
            Progress { next_attempt_at: Some(_), .. } => State::Waiting,
            _ => State::Failed,
        }
    }
}
