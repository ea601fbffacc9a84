//! The audit log, to be read.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{Found, Order, Slice, contains, ordered, pattern};
use crate::store::{DbConn, Result, audit::Entry, error::Optional as _, schema::audit_entries};

/// Which entries to list; `None` lists all.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Part of what changed.
    pub text: Option<String>,
    /// Part of the address of who did it, or the address it came from.
    pub actor: Option<String>,
    /// What was done: `create`.
    pub action: Option<String>,
    /// The table of the row: `applications`.
    pub resource: Option<String>,
    /// The id of the row.
    pub resource_id: Option<i32>,
    /// At this moment or later.
    pub since: Option<NaiveDateTime>,
    /// Before this moment.
    pub before: Option<NaiveDateTime>,
}

/// What entries can be ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are the columns")]
pub enum Sort {
    /// The order of events.
    Id,
    Actor,
    Action,
    Resource,
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

/// The entries of a search.
pub async fn list(conn: &mut DbConn, search: &Search, order: Order<Sort>, slice: Slice) -> Result<Found<Entry>> {
    let total = on_conn!(conn, |raw| found!(search).count().get_result(raw))?;
    let descending = order.descending;
    let rows = on_conn!(conn, |raw| {
        let query = found!(search);
        let query = match order.by {
            Sort::Id => ordered!(query, descending, audit_entries::id),
            Sort::Actor => ordered!(query, descending, super::lower(audit_entries::actor)),
            Sort::Action => ordered!(query, descending, audit_entries::action),
            Sort::Resource => ordered!(query, descending, audit_entries::resource),
        };
        let query = query.then_order_by(audit_entries::id.desc());
        query.offset(slice.offset).limit(slice.limit).select(Entry::as_select()).load(raw)
    })?;
    Ok(Found { rows, total })
}

/// One entry.
pub async fn find(conn: &mut DbConn, id: i32) -> Result<Option<Entry>> {
    on_conn!(conn, |raw| audit_entries::table.find(id).select(Entry::as_select()).first(raw)).optional()
}

/// What was done so far, in alphabetical order: what the log can be filtered by.
pub async fn actions(conn: &mut DbConn) -> Result<Vec<String>> {
    let actions = audit_entries::table.select(audit_entries::action).distinct().order(audit_entries::action);
    on_conn!(conn, |raw| actions.load(raw))
}

/// The tables that entries tell of, in alphabetical order.
pub async fn resources(conn: &mut DbConn) -> Result<Vec<String>> {
    let resources = audit_entries::table.select(audit_entries::resource).distinct().order(audit_entries::resource);
    on_conn!(conn, |raw| resources.load(raw))
}
