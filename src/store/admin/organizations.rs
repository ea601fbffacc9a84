//! Organizations.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{Found, Order, Slice, contains, ordered, pattern};
use crate::store::{DbConn, Reference, Result, error::Optional as _, schema::organizations};

/// An organization in a list.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = organizations)]
pub struct Row {
    /// The primary key.
    pub id: i32,
    /// The name to show.
    pub name: Option<String>,
    /// The name in URLs.
    pub slug: Option<String>,
    /// When it was put aside.
    pub archived_at: Option<NaiveDateTime>,
    /// When it was created.
    pub inserted_at: NaiveDateTime,
}

/// Which organizations to list; `None` lists all.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Part of the name or slug, or the id.
    pub text: Option<String>,
    /// Those that are archived, or are not.
    pub is_archived: Option<bool>,
}

/// What organizations can be ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are the columns")]
pub enum Sort {
    Id,
    Name,
    Slug,
    ArchivedAt,
    InsertedAt,
}

/// The rows of a search, for both backends to infer.
macro_rules! found {
    ($search:expr) => {{
        let mut query = organizations::table.into_boxed();
        if let Some(text) = &$search.text {
            let pattern = pattern(text);
            let named = contains!(organizations::name, pattern.clone()).or(contains!(organizations::slug, pattern));
            query = query.filter(named.or(organizations::id.nullable().eq(text.parse::<i32>().ok())));
        }
        if let Some(is_archived) = $search.is_archived {
            query = query.filter(organizations::archived_at.is_null().ne(is_archived));
        }
        query
    }};
}

/// The organizations of a search.
pub async fn list(conn: &mut DbConn, search: &Search, order: Order<Sort>, slice: Slice) -> Result<Found<Row>> {
    let total = on_conn!(conn, |raw| found!(search).count().get_result(raw))?;
    let descending = order.descending;
    let rows = on_conn!(conn, |raw| {
        let query = found!(search);
        let query = match order.by {
            Sort::Id => ordered!(query, descending, organizations::id),
            Sort::Name => ordered!(query, descending, super::lower(organizations::name)),
            Sort::Slug => ordered!(query, descending, super::lower(organizations::slug)),
            Sort::ArchivedAt => ordered!(query, descending, organizations::archived_at),
            Sort::InsertedAt => ordered!(query, descending, organizations::inserted_at),
        };
        let query = query.then_order_by(organizations::id);
        query.offset(slice.offset).limit(slice.limit).select(Row::as_select()).load(raw)
    })?;
    Ok(Found { rows, total })
}

/// The organization with this id or slug.
pub async fn find(conn: &mut DbConn, reference: Reference<'_>) -> Result<Option<Row>> {
    on_conn!(conn, |raw| organizations::table
        .filter(organizations::id.nullable().eq(reference.id()).or(organizations::slug.eq(reference.name())))
        .select(Row::as_select())
        .first(raw))
    .optional()
}
