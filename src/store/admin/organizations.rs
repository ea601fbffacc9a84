//! Organizations.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{contains, listed, pattern};
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
    /// Time at which it was archived.
    pub archived_at: Option<NaiveDateTime>,
    /// Time at which it was created.
    pub inserted_at: NaiveDateTime,
}

/// Filters for a list of organizations; `None` lists all.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Part of the name or slug, or the id.
    pub text: Option<String>,
    /// Filter by archived or active.
    pub is_archived: Option<bool>,
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

listed!(found => Row, then organizations::id, {
    "id" => Id: organizations::id,
    "name" => Name: super::lower(organizations::name),
    "slug" => Slug: super::lower(organizations::slug),
    "archived_at" => ArchivedAt: organizations::archived_at,
    "inserted_at" => InsertedAt: organizations::inserted_at,
});

/// Returns the organization with this id or slug.
pub async fn find(conn: &mut DbConn, reference: Reference<'_>) -> Result<Option<Row>> {
    on_conn!(conn, |raw| organizations::table
        .filter(organizations::id.nullable().eq(reference.id()).or(organizations::slug.eq(reference.name())))
        .select(Row::as_select())
        .first(raw))
    .optional()
}
