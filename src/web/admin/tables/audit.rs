//! The audit log, read-only.

use super::{Cell, Column, Description, Fact, Filter, FilterKind, Line, Lines, Query, Record};
use crate::store::{
    self, DbConn,
    admin::{
        Slice,
        audit::{self, Search},
    },
    audit::Entry,
};

pub(in crate::web::admin) const DESCRIPTION: Description = Description {
    path: "audit",
    resource: "audit_entries",
    one: "audit entry",
    many: "Audit log",
    searches: "Changes",
    columns: &[
        Column::new("id", "Entry"),
        Column::unsorted("Time"),
        Column::new("actor", "User"),
        Column::unsorted("From"),
        Column::new("action", "Action"),
        Column::new("resource", "Row"),
        Column::unsorted("Changes"),
    ],
    order: ("id", true),
    filters: &[
        Filter::new("actor", "User or address", FilterKind::Text),
        Filter::new("action", "Action", FilterKind::Choice),
        Filter::new("resource", "Table", FilterKind::Choice),
        Filter::new("resource_id", "Row's id", FilterKind::Id),
        Filter::new("from", "From (UTC)", FilterKind::Day),
        Filter::new("until", "Until (UTC)", FilterKind::Day),
    ],
    fields: &[],
    actions: &[],
    relations: &[],
};

/// Tables whose rows have pages here.
const SHOWN: [&str; 7] =
    ["users", "user_tokens", "organizations", "enrollments", "applications", "ownerships", "mails"];

pub(in crate::web::admin) async fn list(conn: &mut DbConn, query: &Query, slice: Slice) -> store::Result<Lines> {
    let search = Search {
        text: query.text("q"),
        actor: query.text("actor"),
        action: query.text("action"),
        resource: query.text("resource"),
        resource_id: query.id("resource_id"),
        since: query.day("from", 0),
        before: query.day("until", 1),
    };
    let found = audit::list(conn, &search, query.order(), slice).await?;
    Ok(Lines { lines: found.rows.iter().map(line).collect(), total: found.total })
}

pub(in crate::web::admin) async fn choices(conn: &mut DbConn, filter: &str) -> store::Result<Vec<String>> {
    match filter {
        "action" => audit::actions(conn).await,
        "resource" => audit::resources(conn).await,
        _ => Ok(Vec::new()),
    }
}

pub(in crate::web::admin) async fn find(conn: &mut DbConn, id: i32) -> store::Result<Option<Record>> {
    let Some(entry) = audit::find(conn, id).await? else { return Ok(None) };
    let facts = vec![
        Fact::new("Time", Cell::when(Some(entry.inserted_at))),
        Fact::new("User", actor(&entry)),
        Fact::new("From", Cell::code(entry.ip.as_deref())),
        Fact::new("Action", Cell::text(Some(&entry.action))),
        Fact::new("Row", row(&entry)),
        Fact::new("Changes", Cell::text(Some(&entry.details))),
    ];
    Ok(Some(Record { id, label: format!("Entry {id}"), facts, values: Vec::new(), actions: Vec::new() }))
}

fn line(entry: &Entry) -> Line {
    let cells = vec![
        Cell::row("audit", entry.id, &entry.id.to_string()),
        Cell::when(Some(entry.inserted_at)),
        actor(entry),
        Cell::code(entry.ip.as_deref()),
        Cell::text(Some(&entry.action)),
        row(entry),
        Cell::text(Some(&entry.details)),
    ];
    Line { id: entry.id, cells }
}

fn actor(entry: &Entry) -> Cell {
    match entry.actor_id {
        Some(id) => Cell::row("users", id, entry.actor.as_deref().unwrap_or_default()),
        None => Cell::text(entry.actor.as_deref()),
    }
}

/// Returns a link to the row of an entry, which may be deleted by now.
fn row(entry: &Entry) -> Cell {
    match entry.resource_id {
        Some(id) if SHOWN.contains(&entry.resource.as_str()) => {
            Cell::row(&entry.resource, id, &format!("{} {id}", entry.resource))
        }
        Some(id) => Cell::Text { text: format!("{} {id}", entry.resource) },
        None => Cell::text(Some(&entry.resource)),
    }
}
