//! Ownerships.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{ApplicationName, OrganizationName, contains, listed, pattern};
use crate::store::{
    DbConn, Error, Result, Transaction,
    applications::{self as all_applications, Application},
    effects::Revocation,
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
    /// True if the ownership is in force; one that is not gives the organization nothing.
    pub is_owned: bool,
    /// Time at which the application was given to the organization.
    pub inserted_at: NaiveDateTime,
    /// The owning organization.
    #[diesel(embed)]
    pub organization: OrganizationName,
    /// The owned application.
    #[diesel(embed)]
    pub application: ApplicationName,
}

/// Filters for a list of ownerships; `None` lists all.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Part of the name or slug of the organization, or of the name or key of the application.
    pub text: Option<String>,
    /// Filter by ownerships in force, or not in force.
    pub is_owned: Option<bool>,
    /// Filter by organization.
    pub organization_id: Option<i32>,
    /// Filter by application.
    pub application_id: Option<i32>,
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

listed!(found => Row, then ownerships::id, {
    "id" => Id: ownerships::id,
    "organization" => Organization: super::lower(organizations::name),
    "application" => Application: super::lower(applications::name),
    "is_owned" => IsOwned: ownerships::is_owned,
    "inserted_at" => InsertedAt: ownerships::inserted_at,
});

/// Returns one ownership.
pub async fn find(conn: &mut DbConn, id: i32) -> Result<Option<Row>> {
    on_conn!(conn, |raw| ownerships::table
        .inner_join(organizations::table)
        .inner_join(applications::table)
        .filter(ownerships::id.eq(id))
        .select(Row::as_select())
        .first(raw))
    .optional()
}

/// Returns one ownership as no other transaction can change it until this one ends.
///
/// # Errors
///
/// [`Error::NotFound`] when there is no such ownership.
pub async fn lock(tx: &mut Transaction<'_>, id: i32) -> Result<Row> {
    let touch = ownerships::updated_at.eq(ownerships::updated_at);
    on_conn!(tx, |raw| diesel::update(ownerships::table.find(id)).set(touch).execute(raw))?;
    find(tx, id).await?.ok_or(Error::NotFound)
}

/// Gives an application to an organization; returns the id of the ownership.
///
/// # Errors
///
/// [`Error::Duplicate`] when the organization owns the application already or did so
/// before, and [`Error::NotFound`] when one of the two is missing.
pub async fn create(tx: &mut Transaction<'_>, organization_id: i32, application_id: i32) -> Result<i32> {
    all_ownerships::create(tx, organization_id, application_id).await?;
    on_conn!(tx, |raw| ownerships::table
        .filter(ownerships::organization_id.eq(organization_id))
        .filter(ownerships::application_id.eq(application_id))
        .select(ownerships::id)
        .first(raw))
}

/// Puts an ownership in force or out of force; the latter closes the sockets that depended on it. An application
/// without an owner is then archived, and returned.
///
/// # Errors
///
/// [`Error::NotFound`] when there is no such ownership.
pub async fn set_owned(tx: &mut Transaction<'_>, id: i32, is_owned: bool) -> Result<Option<Application>> {
    let pair: (i32, i32) = on_conn!(tx, |raw| diesel::update(ownerships::table.find(id))
        .set((ownerships::is_owned.eq(is_owned), ownerships::updated_at.eq(now())))
        .returning((ownerships::application_id, ownerships::organization_id))
        .get_result(raw))?;
    if is_owned { Ok(None) } else { ended(tx, pair).await }
}

/// Deletes an ownership, and closes the sockets that depended on it. An application without an owner is then archived,
/// and returned.
///
/// # Errors
///
/// [`Error::NotFound`] when there is no such ownership.
pub async fn delete(tx: &mut Transaction<'_>, id: i32) -> Result<Option<Application>> {
    let pair: (i32, i32) = on_conn!(tx, |raw| diesel::delete(ownerships::table.find(id))
        .returning((ownerships::application_id, ownerships::organization_id))
        .get_result(raw))?;
    ended(tx, pair).await
}

/// Carries out the end of an ownership: the organization no longer owns the application.
async fn ended(tx: &mut Transaction<'_>, (application_id, organization_id): (i32, i32)) -> Result<Option<Application>> {
    let app_key: Option<String> =
        on_conn!(tx, |raw| applications::table.find(application_id).select(applications::app_key).first(raw))?;
    if let Some(app_key) = app_key {
        tx.revoke(Revocation::Ownership { app_key, organization_id });
    }
    all_applications::archive_if_orphaned(tx, application_id).await
}
