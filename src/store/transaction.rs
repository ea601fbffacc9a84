//! Writing: all of it, or nothing.

use std::ops::{Deref, DerefMut};

use diesel::connection::AnsiTransactionManager;
use diesel_async::{AsyncConnection, AsyncPgConnection, TransactionManager};
use tokio::time::timeout;

use super::{
    Db, DbConn, Error, Generation, Result,
    connect::{RawConn, SqliteConn},
};

/// An open transaction. Also a [`DbConn`], so that what reads can be used within it.
#[derive(Debug)]
pub struct Transaction<'a> {
    conn: &'a mut DbConn,
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
    /// returns `Err`. When the future is dropped half-way, the connection is closed, which rolls back too.
    ///
    /// On SQLite the transaction starts with `BEGIN IMMEDIATE`: one that reads first and writes later would otherwise
    /// fail, rather than wait, when somebody else wrote in between. Do not open one transaction within another: it
    /// would wait for the first.
    ///
    /// # Errors
    ///
    /// Those of `work`; [`Error::Unavailable`] when there is no connection.
    pub async fn transaction<T, E>(&self, work: impl AsyncFnOnce(&mut Transaction<'_>) -> Result<T, E>) -> Result<T, E>
    where
        E: From<Error>,
    {
        self.run(work, Some(&self.generation)).await
    }

    /// As [`Db::transaction`], for what no answer of [`access`](super::access) depends on: when somebody was last seen,
    /// what is to be mailed. The answers that are kept stay valid, so that this may happen often.
    ///
    /// # Errors
    ///
    /// Those of [`Db::transaction`].
    pub async fn record<T, E>(&self, work: impl AsyncFnOnce(&mut Transaction<'_>) -> Result<T, E>) -> Result<T, E>
    where
        E: From<Error>,
    {
        self.run(work, None).await
    }

    async fn run<T, E>(
        &self,
        work: impl AsyncFnOnce(&mut Transaction<'_>) -> Result<T, E>,
        generation: Option<&Generation>,
    ) -> Result<T, E>
    where
        E: From<Error>,
    {
        let mut conn = self.conn().await?;
        conn.begin().await?;
        match work(&mut Transaction { conn: &mut conn }).await {
            Ok(value) => {
                let _over = generation.map(AdvanceAfter);
                conn.commit().await?;
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
        self.judge(answer)
    }

    async fn commit(&mut self) -> Result<()> {
        let time = self.timeout();
        let answer = match self.raw() {
            RawConn::Sqlite(conn) => Ok(ManagerOf::<SqliteConn>::commit_transaction(&mut **conn).await),
            RawConn::Postgres(conn) => {
                timeout(time, ManagerOf::<AsyncPgConnection>::commit_transaction(&mut ***conn)).await
            }
        };
        self.judge(answer)
    }

    async fn rollback(&mut self) -> Result<()> {
        let time = self.timeout();
        let answer = match self.raw() {
            RawConn::Sqlite(conn) => Ok(ManagerOf::<SqliteConn>::rollback_transaction(&mut **conn).await),
            RawConn::Postgres(conn) => {
                timeout(time, ManagerOf::<AsyncPgConnection>::rollback_transaction(&mut ***conn)).await
            }
        };
        self.judge(answer)
    }
}

type ManagerOf<C> = <C as AsyncConnection>::TransactionManager;

/// Advances the generation when the commit is over, also if nobody waits for it any longer.
struct AdvanceAfter<'a>(&'a Generation);

impl Drop for AdvanceAfter<'_> {
    fn drop(&mut self) {
        self.0.advance();
    }
}
