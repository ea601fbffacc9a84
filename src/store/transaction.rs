//! Transactions: a write is atomic, and its effects follow the commit.

use std::{
    ops::{Deref, DerefMut},
    pin::pin,
    time::Duration,
};

use diesel::{QueryResult, connection::AnsiTransactionManager};
use diesel_async::{AsyncConnection, AsyncPgConnection, TransactionManager};
use tokio::{sync::oneshot, time::timeout};

use super::{
    Db, DbConn, Error, Result,
    connect::{RawConn, SqliteConn},
    effects::{Effect, Revocation},
    outage::Kind,
};

/// Additional time to follow a commit whose answer did not come in time.
const FOLLOW: Duration = Duration::from_secs(60);

/// An open transaction. Also a [`DbConn`], so that functions that read can be used within it.
#[derive(Debug)]
pub struct Transaction<'a> {
    conn: &'a mut DbConn,
    effects: Vec<Effect>,
}

impl Transaction<'_> {
    /// Closes the sockets that depended on this, once the transaction is committed.
    pub fn revoke(&mut self, revocation: Revocation) {
        self.add(Effect::Revoke(revocation));
    }

    /// Adds an effect to carry out once the transaction is committed.
    pub(super) fn add(&mut self, effect: Effect) {
        self.effects.push(effect);
    }
}

impl Deref for Transaction<'_> {
    type Target = DbConn;

    fn deref(&self) -> &DbConn {
        self.conn
    }
}

impl DerefMut for Transaction<'_> {
    fn deref_mut(&mut self) -> &mut DbConn {
        self.conn
    }
}

impl Db {
    /// Runs `work` in a transaction on a connection of its own: committed when it returns `Ok`, rolled back when it
    /// returns `Err`. When the future is dropped while `work` runs, the connection is closed, which rolls back too. As
    /// soon as `work` is done, dropping the future changes nothing any more: a task of its own commits and carries out
    /// the [`effects`](super::effects). The future is ready when they are carried out.
    ///
    /// On SQLite the transaction starts with `BEGIN IMMEDIATE`: otherwise a transaction that reads first and writes
    /// later would fail, rather than wait, if another one wrote in between. Do not open one transaction within another:
    /// it would wait for the first.
    ///
    /// # Errors
    ///
    /// The errors of `work`; [`Error::Unavailable`] when there is no connection; [`Error::Conflict`] when Postgres took
    /// back one of several transactions that waited for each other (it is not repeated here, since `work` is consumed,
    /// and with it what it moved into the rows; the caller is asked to try again); [`Error::Uncertain`] when the database
    /// does not say whether it committed. In the last case the effects are carried out as well: a socket that was
    /// closed without need reconnects.
    pub async fn transaction<T, E>(&self, work: impl AsyncFnOnce(&mut Transaction<'_>) -> Result<T, E>) -> Result<T, E>
    where
        E: From<Error>,
    {
        self.run(work, true).await
    }

    /// Runs a transaction as [`Db::transaction`] does, for data that no answer of [`access`](super::access) depends on:
    /// the time a user was last seen, mails to send. Cached answers stay valid, so that this may happen often, unless
    /// the transaction revokes something.
    ///
    /// # Errors
    ///
    /// The errors of [`Db::transaction`].
    pub async fn record<T, E>(&self, work: impl AsyncFnOnce(&mut Transaction<'_>) -> Result<T, E>) -> Result<T, E>
    where
        E: From<Error>,
    {
        self.run(work, false).await
    }

    async fn run<T, E>(
        &self,
        work: impl AsyncFnOnce(&mut Transaction<'_>) -> Result<T, E>,
        makes_stale: bool,
    ) -> Result<T, E>
    where
        E: From<Error>,
    {
        let mut conn = self.conn().await?;
        conn.begin().await?;
        let mut tx = Transaction { conn: &mut conn, effects: Vec::new() };
        match work(&mut tx).await {
            Ok(value) => {
                let aftermath = Aftermath { effects: tx.effects, makes_stale };
                let (answer, answered) = oneshot::channel();
                tokio::spawn(conclude(self.clone(), conn, aftermath, answer));
                // Only the end of the runtime, or a fault here, keeps the task from answering.
                let lost = Err(Error::Uncertain("nobody waits for the commit any more".to_owned()));
                answered.await.unwrap_or(lost)?;
                Ok(value)
            }
            Err(error) => {
                if let Err(failed) = conn.rollback().await {
                    tracing::warn!(error = %failed, "Rolling back a transaction failed; its connection is closed");
                }
                Err(error)
            }
        }
    }
}

/// The work after a commit.
struct Aftermath {
    effects: Vec<Effect>,
    makes_stale: bool,
}

impl Aftermath {
    /// Makes cached answers stale before the effects: a socket that opens meanwhile is looked up again, or the hub
    /// knows it already and closes it.
    async fn follow(&self, db: &Db) {
        if self.makes_stale || self.effects.iter().any(|effect| matches!(effect, Effect::Revoke(_))) {
            db.generation.advance();
        }
        if let Some(sink) = db.sink.as_ref().filter(|_| !self.effects.is_empty()) {
            sink.carry_out(db, self.effects.clone()).await;
        }
    }
}

/// Commits, carries out the effects, and sends the answer. A dropped caller does not cancel it.
///
/// If the answer does not come in time, the database may still commit later. The effects are then carried out
/// immediately, and again when the commit is over, since sockets may have opened in between that depend on what it
/// revokes.
async fn conclude(db: Db, mut conn: DbConn, aftermath: Aftermath, answer: oneshot::Sender<Result<()>>) {
    let (patience, outage) = (conn.patience(), conn.outage());
    let mut answer = Some(answer);
    let committed = {
        let mut commit = pin!(conn.commit());
        match timeout(patience, &mut commit).await {
            Ok(committed) => Ok(committed),
            Err(_) => {
                outage.failed(Kind::Silent);
                aftermath.follow(&db).await;
                let late = format!("it did not answer within {} s", patience.as_secs_f32());
                let _ = answer.take().map(|answer| answer.send(Err(Error::Uncertain(late))));
                timeout(FOLLOW, commit).await
            }
        }
    };
    let outcome = conn.judge(committed).await.map_err(Error::of_commit);
    // The effects may need a connection, too.
    drop(conn);
    aftermath.follow(&db).await;
    if let Some(answer) = answer {
        // The caller may be gone.
        let _ = answer.send(outcome);
    }
}

impl DbConn {
    async fn begin(&mut self) -> Result<()> {
        let time = self.timeout();
        let answer = match self.raw() {
            RawConn::Sqlite(conn) => {
                let begin = |conn: &mut diesel::SqliteConnection| {
                    AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE")
                };
                Ok(conn.spawn_blocking(begin).await)
            }
            RawConn::Postgres(conn) => {
                timeout(time, ManagerOf::<AsyncPgConnection>::begin_transaction(&mut ***conn)).await
            }
        };
        self.judge(answer).await
    }

    /// Commits without a time limit.
    async fn commit(&mut self) -> QueryResult<()> {
        match self.raw() {
            RawConn::Sqlite(conn) => ManagerOf::<SqliteConn>::commit_transaction(&mut **conn).await,
            RawConn::Postgres(conn) => ManagerOf::<AsyncPgConnection>::commit_transaction(&mut ***conn).await,
        }
    }

    /// Returns the time that a commit may take before the caller is told that it takes too long. SQLite always answers.
    fn patience(&mut self) -> Duration {
        match self.raw() {
            RawConn::Sqlite(_) => Duration::MAX,
            RawConn::Postgres(_) => self.timeout(),
        }
    }

    async fn rollback(&mut self) -> Result<()> {
        let time = self.timeout();
        let answer = match self.raw() {
            RawConn::Sqlite(conn) => Ok(ManagerOf::<SqliteConn>::rollback_transaction(&mut **conn).await),
            RawConn::Postgres(conn) => {
                timeout(time, ManagerOf::<AsyncPgConnection>::rollback_transaction(&mut ***conn)).await
            }
        };
        self.judge(answer).await
    }
}

type ManagerOf<C> = <C as AsyncConnection>::TransactionManager;
