//! The table `applications`: what sockets connect to, by its key.

use std::fmt;

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    DbConn, Reference, Result, Transaction,
    error::Optional as _,
    now, ownerships,
    reference::is_storable,
    schema::{self, applications, organizations},
};

/// An application. It is active until it is archived.
#[derive(Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = applications)]
pub struct Application {
    /// The primary key.
    pub id: i32,
    /// The name to show.
    pub name: Option<String>,
    /// What sockets name it by, unique. Part of every topic, and no secret.
    pub app_key: Option<String>,
    /// A secret that the original keeps for its clients and never asks for.
    pub app_secret: Option<String>,
    /// When it was put aside.
    pub archived_at: Option<NaiveDateTime>,
}

/// Without the secret.
impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Application").field("id", &self.id).field("name", &self.name).finish_non_exhaustive()
    }
}

/// An application to create. Texts must fit 255 characters and hold no NUL.
pub struct NewApplication<'a> {
    /// The name to show.
    pub name: &'a str,
    /// What sockets name it by.
    pub app_key: &'a str,
    /// Its secret.
    pub app_secret: &'a str,
    /// When it was put aside, if it was.
    pub archived_at: Option<NaiveDateTime>,
}

impl fmt::Debug for NewApplication<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewApplication").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What to change of an application; `None` leaves a column as it is.
#[derive(Default, PartialEq, Eq, AsChangeset)]
#[diesel(table_name = applications)]
pub struct Changes {
    /// The name to show.
    pub name: Option<String>,
    /// What sockets name it by.
    pub app_key: Option<String>,
    /// Its secret.
    pub app_secret: Option<String>,
    /// When it was put aside; `Some(None)` takes it back.
    pub archived_at: Option<Option<NaiveDateTime>>,
}

impl fmt::Debug for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Changes").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The tables and conditions of an organization's active applications, for both backends to infer.
macro_rules! active_of {
    ($organization:expr) => {
        applications::table
            .inner_join(schema::ownerships::table.inner_join(organizations::table))
            .filter(schema::ownerships::is_owned.eq(true))
            .filter(applications::archived_at.is_null())
            .filter(
                organizations::id.nullable().eq($organization.id()).or(organizations::slug.eq($organization.name())),
            )
    };
}

/// The active applications that the organization owns, ordered by id.
pub async fn list(conn: &mut DbConn, organization: Reference<'_>) -> Result<Vec<Application>> {
    on_conn!(conn, |raw| active_of!(organization).order(applications::id).select(Application::as_select()).load(raw))
}

/// The active application with this id or key that the organization owns.
pub async fn find_active(
    conn: &mut DbConn,
    organization: Reference<'_>,
    application: Reference<'_>,
) -> Result<Option<Application>> {
    on_conn!(conn, |raw| active_of!(organization)
        .filter(applications::id.nullable().eq(application.id()).or(applications::app_key.eq(application.name())))
        .select(Application::as_select())
        .first(raw))
    .optional()
}

/// The application with this id or key that the organization owns, whether active or archived.
pub async fn find_owned(
    conn: &mut DbConn,
    organization_id: i32,
    application: Reference<'_>,
) -> Result<Option<Application>> {
    on_conn!(conn, |raw| applications::table
        .inner_join(schema::ownerships::table)
        .filter(schema::ownerships::is_owned.eq(true))
        .filter(schema::ownerships::organization_id.eq(organization_id))
        .filter(applications::id.nullable().eq(application.id()).or(applications::app_key.eq(application.name())))
        .select(Application::as_select())
        .first(raw))
    .optional()
}

/// The application with this key, whether active or archived.
pub async fn find_by_key(conn: &mut DbConn, app_key: &str) -> Result<Option<Application>> {
    if !is_storable(app_key) {
        return Ok(None);
    }
    on_conn!(conn, |raw| applications::table
        .filter(applications::app_key.eq(app_key))
        .select(Application::as_select())
        .first(raw))
    .optional()
}

/// Whether there is any application at all.
pub async fn any(conn: &mut DbConn) -> Result<bool> {
    on_conn!(conn, |raw| diesel::select(diesel::dsl::exists(applications::table.select(applications::id)))
        .get_result(raw))
}

/// All applications that the organization owns, active or archived, ordered by id.
pub async fn list_with_archived(conn: &mut DbConn, organization_id: i32) -> Result<Vec<Application>> {
    on_conn!(conn, |raw| applications::table
        .inner_join(schema::ownerships::table)
        .filter(schema::ownerships::is_owned.eq(true))
        .filter(schema::ownerships::organization_id.eq(organization_id))
        .order(applications::id)
        .select(Application::as_select())
        .load(raw))
}

/// Creates an application that the organization owns.
///
/// # Errors
///
/// [`Error::Duplicate`](super::Error::Duplicate) when the key is taken, and
/// [`Error::NotFound`](super::Error::NotFound) when there is no such organization.
pub async fn create(tx: &mut Transaction<'_>, organization_id: i32, new: &NewApplication<'_>) -> Result<Application> {
    let now = now();
    let application = on_conn!(tx, |raw| diesel::insert_into(applications::table)
        .values((
            applications::name.eq(new.name),
            applications::app_key.eq(new.app_key),
            applications::app_secret.eq(new.app_secret),
            applications::archived_at.eq(new.archived_at),
            applications::inserted_at.eq(now),
            applications::updated_at.eq(now),
        ))
        .returning(Application::as_returning())
        .get_result::<Application>(raw))?;
    ownerships::create(tx, organization_id, application.id).await?;
    Ok(application)
}

/// Changes an application; with nothing to change, only looks it up.
///
/// # Errors
///
/// [`Error::Duplicate`](super::Error::Duplicate) when the key is taken, and
/// [`Error::NotFound`](super::Error::NotFound) when there is no such application.
pub async fn update(tx: &mut Transaction<'_>, id: i32, changes: &Changes) -> Result<Application> {
    if *changes == Changes::default() {
        return on_conn!(tx, |raw| applications::table.find(id).select(Application::as_select()).first(raw));
    }
    on_conn!(tx, |raw| diesel::update(applications::table.find(id))
        .set((changes, applications::updated_at.eq(now())))
        .returning(Application::as_returning())
        .get_result(raw))
}

/// Archives an application.
///
/// # Errors
///
/// [`Error::NotFound`](super::Error::NotFound) when there is no such application.
pub async fn archive(tx: &mut Transaction<'_>, id: i32) -> Result<Application> {
    update(tx, id, &Changes { archived_at: Some(Some(now())), ..Changes::default() }).await
}

/// Takes an archived application back into use.
///
/// # Errors
///
/// [`Error::NotFound`](super::Error::NotFound) when there is no such application.
pub async fn restore(tx: &mut Transaction<'_>, id: i32) -> Result<Application> {
    update(tx, id, &Changes { archived_at: Some(None), ..Changes::default() }).await
}

/// A key or secret for an application: a version 4 UUID (D14).
pub fn new_key() -> String {
    Uuid::new_v4().to_string()
}

/// Archives an application that is active and that no organization owns; returns it, if it did.
pub(super) async fn archive_if_orphaned(tx: &mut Transaction<'_>, id: i32) -> Result<Option<Application>> {
    let owned = schema::ownerships::table
        .filter(schema::ownerships::application_id.eq(id))
        .filter(schema::ownerships::is_owned.eq(true));
    let is_owned: bool = on_conn!(tx, |raw| diesel::select(diesel::dsl::exists(owned)).get_result(raw))?;
    if is_owned {
        return Ok(None);
    }
    on_conn!(tx, |raw| diesel::update(applications::table.find(id).filter(applications::archived_at.is_null()))
        .set((applications::archived_at.eq(now()), applications::updated_at.eq(now())))
        .returning(Application::as_returning())
        .get_result(raw))
    .optional()
}
