//! Removal of old entries from the audit log: the only way past the triggers that keep it.

use chrono::{Days, NaiveDate, NaiveDateTime, NaiveTime};
use diesel::{prelude::*, sql_types::Text};
use diesel_async::RunQueryDsl;

use super::{
    Error, Result, Transaction,
    audit::{self, Actor, Differences, NewEntry},
    connect::RawConn,
    now,
    schema::audit_entries,
};

/// Minimum age of entries that can be removed, in days.
pub const KEPT: u64 = 30;

/// Rows of one query.
const BATCH: i64 = 10_000;

/// A date before which entries may be removed.
#[derive(Clone, Copy, Debug)]
pub struct Horizon(NaiveDate);

impl Horizon {
    /// Checks the date.
    ///
    /// # Errors
    ///
    /// The latest date, at the moment, if this one is less than [`KEPT`] days ago.
    pub fn new(date: NaiveDate) -> Result<Self, NaiveDate> {
        let latest = now().date() - Days::new(KEPT);
        if date > latest { Err(latest) } else { Ok(Self(date)) }
    }

    fn start(self) -> NaiveDateTime {
        self.0.and_time(NaiveTime::MIN)
    }
}

/// Removes the entries from before midnight UTC of this date, and adds one that says so. Returns the number of removed
/// entries.
///
/// The trigger is off within this transaction only. Until its end, no other connection can write to the table: Postgres locks it,
/// and SQLite has one writer at a time.
///
/// # Errors
///
/// [`Error::Unusable`] on Postgres when the role does not own the table.
pub async fn trim(tx: &mut Transaction<'_>, actor: &Actor, horizon: Horizon) -> Result<usize> {
    let trigger = trigger(tx).await?;
    execute(tx, &trigger.off).await.map_err(|error| match error {
        Error::Query(error) => Error::Unusable(format!(
            "the trigger that keeps the table audit_entries cannot be turned off: {error}; the owner of the table can"
        )),
        error => error,
    })?;
    let removed = remove(tx, horizon.start()).await?;
    execute(tx, &trigger.on).await?;
    let mut details = Differences::default();
    details.text("before", &horizon.0.to_string());
    details.note("entries", removed);
    let entry = NewEntry { action: "trim", resource: "audit_entries", resource_id: None, details: &details };
    audit::record(tx, actor, &entry).await?;
    Ok(removed)
}

/// Removes in batches, each of which Postgres answers in time. They go by id, which is in the order of events for all but
/// entries of a clock that was set back.
async fn remove(tx: &mut Transaction<'_>, before: NaiveDateTime) -> Result<usize> {
    let (mut after, mut removed) = (i32::MIN, 0);
    loop {
        let ids: Vec<i32> = on_conn!(tx, |raw| audit_entries::table
            .filter(audit_entries::id.gt(after).and(audit_entries::inserted_at.lt(before)))
            .order(audit_entries::id)
            .limit(BATCH)
            .select(audit_entries::id)
            .load(raw))?;
        let Some(last) = ids.last().copied() else { return Ok(removed) };
        let batch = audit_entries::id.gt(after).and(audit_entries::id.le(last));
        removed += on_conn!(tx, |raw| diesel::delete(
            audit_entries::table.filter(batch.and(audit_entries::inserted_at.lt(before)))
        )
        .execute(raw))?;
        after = last;
    }
}

/// Statements that turn the trigger off and on again.
struct Trigger {
    off: String,
    on: String,
}

/// SQLite cannot turn a trigger off. It is dropped, and created again by the statement that the database keeps.
async fn trigger(tx: &mut Transaction<'_>) -> Result<Trigger> {
    if matches!(tx.raw(), RawConn::Postgres(_)) {
        let alter = |what| format!("ALTER TABLE audit_entries {what} TRIGGER keep_audit_entries");
        return Ok(Trigger { off: alter("DISABLE"), on: alter("ENABLE") });
    }
    let name = "keep_audit_entries_from_deletes";
    let found = format!("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = '{name}'");
    let created: Vec<Created> = on_conn!(tx, |raw| diesel::sql_query(&found).load(raw))?;
    let created = created.into_iter().next().ok_or_else(|| {
        Error::Unusable(format!("the database lacks the trigger {name}; it was changed by another program"))
    })?;
    Ok(Trigger { off: format!("DROP TRIGGER {name}"), on: created.sql })
}

#[derive(QueryableByName)]
struct Created {
    #[diesel(sql_type = Text)]
    sql: String,
}

async fn execute(tx: &mut Transaction<'_>, sql: &str) -> Result<()> {
    on_conn!(tx, |raw| diesel::sql_query(sql).execute(raw)).map(drop)
}
