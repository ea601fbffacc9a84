//! Ownerships.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{ApplicationName, Found, Order, OrganizationName, Slice, contains, ordered, pattern};
use crate::store::{
    DbConn, Error, Result, Transaction,
    applications::{self as all_applications, Application},
    error::Optional as _,
    now, ownerships as all_ownerships,
    schema::{applications, organizations, ownerships},
};

/// An ownership in a list.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = ownerships)]
pub struct Row {
    /// The primary key.
    pub id: i32,
    /// Whether it counts: one that does not gives the organization nothing.
    pub is_owned: bool,
    /// When the application was given to the organization.
    pub inserted_at: NaiveDateTime,
    /// Who owns.
    #[diesel(embed)]
    pub organization: OrganizationName,
    /// What is owned.
    #[diesel(embed)]
    pub application: ApplicationName,
}

/// Which ownerships to list; `None` lists all.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Part of the name or slug of the organization, or of the name or key of the application.
    pub text: Option<String>,
    /// Those that count, or do not.
    pub is_owned: Option<bool>,
    /// Those of this organization.
    pub organization_id: Option<i32>,
    /// Those of this application.
    pub application_id: Option<i32>,
}

/// What ownerships can be ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are the columns")]
pub enum Sort {
    Id,
    Organization,
    Application,
    IsOwned,
    InsertedAt,
}

/// The rows of a search, for both backends to infer.
macro_rules! found {
    ($search:expr) => {{
        let mut query = ownerships::table.inner_join(organizations::table).inner_join(applications::table).into_boxed();
        if let Some(text) = &$search.text {
            let pattern = pattern(text);
            let of_organization =
                contains!(organizations::name, pattern.clone()).or(contains!(organizations::slug, pattern.clone()));
            let of_application =
                contains!(applications::name, pattern.clone()).or(contains!(applications::app_key, pattern));
            query = query.filter(of_organization.or(of_application));
        }
        if let Some(is_owned) = $search.is_owned {
            query = query.filter(ownerships::is_owned.eq(is_owned));
        }
        if let Some(organization_id) = $search.organization_id {
            query = query.filter(ownerships::organization_id.eq(organization_id));
        }
        if let Some(application_id) = $search.application_id {
            query = query.filter(ownerships::application_id.eq(application_id));
        }
        query
    }};
}

/// The ownerships of a search.
pub async fn list(conn: &mut DbConn, search: &Search, order: Order<Sort>, slice: Slice) -> Result<Found<Row>> {
    let total = on_conn!(conn, |raw| found!(search).count().get_result(raw))?;
    let descending = order.descending;
    let rows = on_conn!(conn, |raw| {
        let query = found!(search);
        let query = match order.by {
            Sort::Id => ordered!(query, descending, ownerships::id),
            Sort::Organization => ordered!(query, descending, super::lower(organizations::name)),
            Sort::Application => ordered!(query, descending, super::lower(applications::name)),
            Sort::IsOwned => ordered!(query, descending, ownerships::is_owned),
            Sort::InsertedAt => ordered!(query, descending, ownerships::inserted_at),
        };
        query.then_order_by(ownerships::id).offset(slice.offset).limit(slice.limit).select(Row::as_select()).load(raw)
    })?;
    Ok(Found { rows, total })
}

/// One ownership.
pub async fn find(conn: &mut DbConn, id: i32) -> Result<Option<Row>> {
    on_conn!(conn, |raw| ownerships::table
        .inner_join(organizations::table)
        .inner_join(applications::table)
        .filter(ownerships::id.eq(id))
        .select(Row::as_select())
        .first(raw))
    .optional()
}

/// Gives an application to an organization; returns the id of the ownership.
///
/// # Errors
///
/// [`Error::Duplicate`] when it owns it already or did, and [`Error::NotFound`] when one of the two is missing.
pub async fn create(tx: &mut Transaction<'_>, organization_id: i32, application_id: i32) -> Result<i32> {
    all_ownerships::create(tx, organization_id, application_id).await?;
    on_conn!(tx, |raw| ownerships::table
        .filter(ownerships::organization_id.eq(organization_id))
        .filter(ownerships::application_id.eq(application_id))
        .select(ownerships::id)
        .first(raw))
}

/// Makes an ownership count, or no longer. An application that nobody owns then is archived, and returned.
///
/// # Errors
///
/// [`Error::NotFound`] when there is no such ownership.
pub async fn set_owned(tx: &mut Transaction<'_>, id: i32, is_owned: bool) -> Result<Option<Application>> {
    let application_id: i32 = on_conn!(tx, |raw| diesel::update(ownerships::table.find(id))
        .set((ownerships::is_owned.eq(is_owned), ownerships::updated_at.eq(now())))
        .returning(ownerships::application_id)
        .get_result(raw))?;
    if is_owned { Ok(None) } else { all_applications::archive_if_orphaned(tx, application_id).await }
}

/// Deletes an ownership. An application that nobody owns then is archived, and returned.
///
/// # Errors
///
/// [`Error::NotFound`] when there is no such ownership.
pub async fn delete(tx: &mut Transaction<'_>, id: i32) -> Result<Option<Application>> {
    let deleted: Option<i32> = on_conn!(tx, |raw| diesel::delete(ownerships::table.find(id))
        .returning(ownerships::application_id)
        .get_result(raw))
    .optional()?;
    all_applications::archive_if_orphaned(tx, deleted.ok_or(Error::NotFound)?).await
}
