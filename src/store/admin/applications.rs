//! Applications, without their secrets.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{contains, listed, pattern};
use crate::store::{
    DbConn, Reference, Result, Transaction,
    applications::Application,
    effects::Revocation,
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
    /// Key by which sockets name it.
    pub app_key: Option<String>,
    /// Time at which it was archived.
    pub archived_at: Option<NaiveDateTime>,
    /// Time at which it was created.
    pub inserted_at: NaiveDateTime,
}

/// Filters for a list of applications; `None` lists all.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Part of the name or key, or the id.
    pub text: Option<String>,
    /// Filter by archived or active.
    pub is_archived: Option<bool>,
    /// Filter by owning organization.
    pub organization_id: Option<i32>,
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

listed!(found => Row, then applications::id, {
    "id" => Id: applications::id,
    "name" => Name: super::lower(applications::name),
    "app_key" => AppKey: super::lower(applications::app_key),
    "archived_at" => ArchivedAt: applications::archived_at,
    "inserted_at" => InsertedAt: applications::inserted_at,
});

/// Returns the application with this id or key, whether active or archived, with its secret.
pub async fn find(conn: &mut DbConn, reference: Reference<'_>) -> Result<Option<(Row, Application)>> {
    on_conn!(conn, |raw| applications::table
        .filter(applications::id.nullable().eq(reference.id()).or(applications::app_key.eq(reference.name())))
        .select((Row::as_select(), Application::as_select()))
        .first(raw))
    .optional()
}

/// Deletes an application with its ownerships, and closes its sockets. Returns what it was.
///
/// # Errors
///
/// [`Error::NotFound`](crate::store::Error::NotFound) when there is no such application.
pub async fn delete(tx: &mut Transaction<'_>, id: i32) -> Result<Application> {
    let of_application = ownerships::table.filter(ownerships::application_id.eq(id));
    on_conn!(tx, |raw| diesel::delete(of_application).execute(raw))?;
    let deleted: Application = on_conn!(tx, |raw| diesel::delete(applications::table.find(id))
        .returning(Application::as_returning())
        .get_result(raw))?;
    if let Some(app_key) = &deleted.app_key {
        tx.revoke(Revocation::Application(app_key.clone()));
    }
    Ok(deleted)
}
