//! Applications, without their secrets.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{Found, Order, Slice, contains, ordered, pattern};
use crate::store::{
    DbConn, Error, Reference, Result, Transaction,
    applications::Application,
    error::Optional as _,
    schema::{applications, ownerships},
};

/// An application in a list.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = applications)]
pub struct Row {
    /// The primary key.
    pub id: i32,
    /// The name to show.
    pub name: Option<String>,
    /// What sockets name it by.
    pub app_key: Option<String>,
    /// When it was put aside.
    pub archived_at: Option<NaiveDateTime>,
    /// When it was created.
    pub inserted_at: NaiveDateTime,
}

/// Which applications to list; `None` lists all.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Part of the name or key, or the id.
    pub text: Option<String>,
    /// Those that are archived, or are not.
    pub is_archived: Option<bool>,
    /// Those that this organization owns.
    pub organization_id: Option<i32>,
}

/// What applications can be ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are the columns")]
pub enum Sort {
    Id,
    Name,
    AppKey,
    ArchivedAt,
    InsertedAt,
}

/// The rows of a search, for both backends to infer.
macro_rules! found {
    ($search:expr) => {{
        let mut query = applications::table.into_boxed();
        if let Some(text) = &$search.text {
            let pattern = pattern(text);
            let named = contains!(applications::name, pattern.clone()).or(contains!(applications::app_key, pattern));
            query = query.filter(named.or(applications::id.nullable().eq(text.parse::<i32>().ok())));
        }
        if let Some(is_archived) = $search.is_archived {
            query = query.filter(applications::archived_at.is_null().ne(is_archived));
        }
        if let Some(organization_id) = $search.organization_id {
            let owned = ownerships::table
                .filter(ownerships::organization_id.eq(organization_id))
                .filter(ownerships::is_owned.eq(true))
                .select(ownerships::application_id);
            query = query.filter(applications::id.eq_any(owned));
        }
        query
    }};
}

/// The applications of a search.
pub async fn list(conn: &mut DbConn, search: &Search, order: Order<Sort>, slice: Slice) -> Result<Found<Row>> {
    let total = on_conn!(conn, |raw| found!(search).count().get_result(raw))?;
    let descending = order.descending;
    let rows = on_conn!(conn, |raw| {
        let query = found!(search);
        let query = match order.by {
            Sort::Id => ordered!(query, descending, applications::id),
            Sort::Name => ordered!(query, descending, super::lower(applications::name)),
            Sort::AppKey => ordered!(query, descending, super::lower(applications::app_key)),
            Sort::ArchivedAt => ordered!(query, descending, applications::archived_at),
            Sort::InsertedAt => ordered!(query, descending, applications::inserted_at),
        };
        query.then_order_by(applications::id).offset(slice.offset).limit(slice.limit).select(Row::as_select()).load(raw)
    })?;
    Ok(Found { rows, total })
}

/// The application with this id or key, whether active or archived, with its secret.
pub async fn find(conn: &mut DbConn, reference: Reference<'_>) -> Result<Option<(Row, Application)>> {
    on_conn!(conn, |raw| applications::table
        .filter(applications::id.nullable().eq(reference.id()).or(applications::app_key.eq(reference.name())))
        .select((Row::as_select(), Application::as_select()))
        .first(raw))
    .optional()
}

/// Deletes an application with its ownerships.
///
/// # Errors
///
/// [`Error::NotFound`] when there is no such application.
pub async fn delete(tx: &mut Transaction<'_>, id: i32) -> Result<()> {
    let of_application = ownerships::table.filter(ownerships::application_id.eq(id));
    on_conn!(tx, |raw| diesel::delete(of_application).execute(raw))?;
    let deleted = on_conn!(tx, |raw| diesel::delete(applications::table.find(id)).execute(raw))?;
    if deleted == 0 { Err(Error::NotFound) } else { Ok(()) }
}
