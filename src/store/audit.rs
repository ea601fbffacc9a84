//! The table `audit_entries`: who did what when, to which row. It is only ever added to; the database refuses the rest.

use std::fmt;

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{
    Result, Transaction, applications::Application, now, organizations::Deleted, reference::truncated,
    schema::audit_entries,
};

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

impl Actor {
    /// Whoever runs a command on the server's machine.
    pub fn command_line() -> Self {
        Self { name: Some("command line".to_owned()), ..Self::default() }
    }
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

/// Adds an entry for an organization that was deleted, and one for each application that was archived along.
pub async fn record_deleted(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    (id, name): (i32, Option<&str>),
    deleted: &Deleted,
) -> Result<()> {
    let differences = deleted.differences(name);
    let details = differences.as_str();
    let entry = NewEntry { action: "delete", resource: "organizations", resource_id: Some(id), details };
    record(tx, actor, &entry).await?;
    record_archived(tx, actor, &deleted.archived).await
}

/// Adds an entry for each of these applications, which were archived because nobody owns them any more: what became of
/// an application is found by its own id, whatever was done to bring it about.
pub async fn record_archived(tx: &mut Transaction<'_>, actor: &Actor, archived: &[Application]) -> Result<()> {
    for application in archived {
        let mut differences = Differences::default();
        differences.column("name", None, application.name.as_deref());
        let (resource_id, details) = (Some(application.id), differences.as_str());
        record(tx, actor, &NewEntry { action: "archive", resource: "applications", resource_id, details }).await?;
    }
    Ok(())
}

/// What changes, in the words of the log: `name: "Acme" -> "Acme Inc."; password: changed`.
#[derive(Debug, Default)]
pub struct Differences(String);

impl Differences {
    /// A column that everyone may see who reads the log. Nothing is said of one that stays as it is.
    pub fn column(&mut self, name: &str, old: Option<&str>, new: Option<&str>) {
        match (old, new) {
            (old, new) if old == new => {}
            (None, Some(new)) => self.say(format_args!("{name}: {new:?}")),
            (Some(old), Some(new)) => self.say(format_args!("{name}: {old:?} -> {new:?}")),
            (Some(old), None) => self.say(format_args!("{name}: {old:?} -> nothing")),
            (None, None) => {}
        }
    }

    /// A column that is true or false.
    pub fn flag(&mut self, name: &str, old: Option<bool>, new: bool) {
        match old {
            Some(old) if old == new => {}
            Some(old) => self.say(format_args!("{name}: {old} -> {new}")),
            None => self.say(format_args!("{name}: {new}")),
        }
    }

    /// A secret, of which nothing is said but that it changes.
    pub fn secret(&mut self, name: &str) {
        self.say(format_args!("{name}: changed"));
    }

    /// Anything else that is worth telling: `tokens: 3`.
    pub fn note(&mut self, name: &str, value: impl fmt::Display) {
        self.say(format_args!("{name}: {value}"));
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The words.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn say(&mut self, words: fmt::Arguments<'_>) {
        if !self.0.is_empty() {
            self.0.push_str("; ");
        }
        // Postgres has no NUL in texts.
        self.0.push_str(&words.to_string().replace('\0', ""));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_is_told_and_secrets_are_not() {
        let mut differences = Differences::default();
        differences.column("slug", Some("acme"), Some("acme"));
        differences.flag("is_root", Some(true), true);
        assert!(differences.is_empty());
        differences.column("name", Some("Acme"), Some("\"Acme\""));
        differences.column("archived_at", Some("2026"), None);
        differences.column("email", None, Some("a@b"));
        differences.flag("is_admin", Some(false), true);
        differences.secret("password");
        differences.note("tokens", 3);
        assert_eq!(
            differences.as_str(),
            "name: \"Acme\" -> \"\\\"Acme\\\"\"; archived_at: \"2026\" -> nothing; email: \"a@b\"; \
             is_admin: false -> true; password: changed; tokens: 3"
        );
    }
}
