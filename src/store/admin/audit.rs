//! Lists of the audit log.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{contains, listed, pattern};
use crate::store::{DbConn, Result, audit::Entry, error::Optional as _, schema::audit_entries};

/// Filters for a list of entries; `None` lists all.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Part of the description of the change.
    pub text: Option<String>,
    /// Part of the actor's mail address, or the IP address of the request.
    pub actor: Option<String>,
    /// The action: `create`.
    pub action: Option<String>,
    /// The table of the row: `applications`.
    pub resource: Option<String>,
    /// The id of the row.
    pub resource_id: Option<i32>,
    /// Entries at this time or later.
    pub since: Option<NaiveDateTime>,
    /// Entries before this time.
    pub before: Option<NaiveDateTime>,
}

/// The rows of a search, for both backends to infer.
macro_rules! found {
    ($search:expr) => {{
        let mut query = audit_entries::table.into_boxed();
        if let Some(text) = &$search.text {
            query = query.filter(contains!(audit_entries::details.nullable(), pattern(text)));
        }
        if let Some(actor) = &$search.actor {
            let pattern = pattern(actor);
            let by = contains!(audit_entries::actor, pattern.clone()).or(contains!(audit_entries::ip, pattern));
            query = query.filter(by);
        }
        if let Some(action) = &$search.action {
            query = query.filter(audit_entries::action.eq(action));
        }
        if let Some(resource) = &$search.resource {
            query = query.filter(audit_entries::resource.eq(resource));
        }
        if let Some(resource_id) = $search.resource_id {
            query = query.filter(audit_entries::resource_id.eq(resource_id));
        }
        if let Some(since) = $search.since {
            query = query.filter(audit_entries::inserted_at.ge(since));
        }
        if let Some(before) = $search.before {
            query = query.filter(audit_entries::inserted_at.lt(before));
        }
        query
    }};
}

listed!(found => Entry, then audit_entries::id.desc(), {
    "id" => Id: audit_entries::id,
    "actor" => Actor: super::lower(audit_entries::actor),
    "action" => Action: audit_entries::action,
    "resource" => Resource: audit_entries::resource,
});

/// Returns one entry.
pub async fn find(conn: &mut DbConn, id: i32) -> Result<Option<Entry>> {
    on_conn!(conn, |raw| audit_entries::table.find(id).select(Entry::as_select()).first(raw)).optional()
}

/// Returns all actions recorded so far, in alphabetical order, to filter the log by.
pub async fn actions(conn: &mut DbConn) -> Result<Vec<String>> {
    let actions = audit_entries::table.select(audit_entries::action).distinct().order(audit_entries::action);
    on_conn!(conn, |raw| actions.load(raw))
}

/// Returns the tables that entries refer to, in alphabetical order.
pub async fn resources(conn: &mut DbConn) -> Result<Vec<String>> {
    let resources = audit_entries::table.select(audit_entries::resource).distinct().order(audit_entries::resource);
    on_conn!(conn, |raw| resources.load(raw))
}
