//! The table `audit_entries`: who did what when, to which row. It is only ever added to; the database refuses the rest.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{Result, Transaction, now, reference::truncated, schema::audit_entries};

/// What somebody did.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = audit_entries)]
pub struct Entry {
    /// The primary key, in the order of events.
    pub id: i32,
    /// The user's id, if it was a user.
    pub actor_id: Option<i32>,
    /// The user's address at that time.
    pub actor: Option<String>,
    /// Where the request came from.
    pub ip: Option<String>,
    /// What was done: `create`, `update`, `delete`, `archive`, `sign_in`, ….
    pub action: String,
    /// The table of the row: `applications`.
    pub resource: String,
    /// The id of the row.
    pub resource_id: Option<i32>,
    /// What changed, for people; never a secret.
    pub details: String,
    /// When.
    pub inserted_at: NaiveDateTime,
}

/// Who does something. Texts that are too long for their columns are cut.
#[derive(Clone, Debug, Default)]
pub struct Actor {
    /// The user's id, if it is a user.
    pub id: Option<i32>,
    /// The user's address.
    pub name: Option<String>,
    /// Where the request comes from.
    pub ip: Option<String>,
}

/// An entry to add.
#[derive(Debug)]
pub struct NewEntry<'a> {
    /// What is done: `create`, `update`, `delete`, `archive`, `sign_in`, ….
    pub action: &'a str,
    /// The table of the row: `applications`.
    pub resource: &'a str,
    /// The id of the row.
    pub resource_id: Option<i32>,
    /// What changes, for people; never a secret.
    pub details: &'a str,
}

/// Adds an entry, in the very transaction that does what it tells of.
pub async fn record(tx: &mut Transaction<'_>, actor: &Actor, new: &NewEntry<'_>) -> Result<()> {
    on_conn!(tx, |raw| diesel::insert_into(audit_entries::table)
        .values((
            audit_entries::actor_id.eq(actor.id),
            audit_entries::actor.eq(actor.name.as_deref().map(truncated)),
            audit_entries::ip.eq(actor.ip.as_deref().map(truncated)),
            audit_entries::action.eq(new.action),
            audit_entries::resource.eq(new.resource),
            audit_entries::resource_id.eq(new.resource_id),
            audit_entries::details.eq(new.details),
            audit_entries::inserted_at.eq(now()),
        ))
        .execute(raw))
    .map(drop)
}
