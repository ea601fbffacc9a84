//! The table `applications`: sockets connect to an application by its key.

use std::fmt;

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    DbConn, Reference, Result, Transaction, application_policies,
    effects::{Effect, Revocation},
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
    /// Key by which sockets name it, unique. Part of every topic, and not secret.
    pub app_key: Option<String>,
    /// Secret that its backend signs JWTs with, if it is strong and the application accepts such JWTs. The original never asks
    /// for it.
    pub app_secret: Option<String>,
    /// Time at which it was archived.
    pub archived_at: Option<NaiveDateTime>,
}

/// Omits the secret.
impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Application").field("id", &self.id).field("name", &self.name).finish_non_exhaustive()
    }
}

/// An application to create. Texts must fit 255 characters and hold no NUL.
pub struct NewApplication<'a> {
    /// The name to show.
    pub name: &'a str,
    /// Key by which sockets name it.
    pub app_key: &'a str,
    /// Its secret.
    pub app_secret: &'a str,
    /// Time at which it was archived, if it was.
    pub archived_at: Option<NaiveDateTime>,
}

impl fmt::Debug for NewApplication<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewApplication").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Changes to an application; `None` leaves a column unchanged.
#[derive(Default, PartialEq, Eq, AsChangeset)]
#[diesel(table_name = applications)]
pub struct Changes {
    /// The name to show.
    pub name: Option<String>,
    /// Key by which sockets name it.
    pub app_key: Option<String>,
    /// Its secret.
    pub app_secret: Option<String>,
    /// Time at which it was archived; `Some(None)` restores it.
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

/// Returns the active applications that the organization owns, ordered by id.
pub async fn list(conn: &mut DbConn, organization: Reference<'_>) -> Result<Vec<Application>> {
    on_conn!(conn, |raw| active_of!(organization).order(applications::id).select(Application::as_select()).load(raw))
}

/// Returns the active application with this id or key that the organization owns.
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

/// Returns the application as [`find_active`] does, but none of an archived organization: publishing to those is not
/// allowed.
pub(super) async fn find_to_publish(
    conn: &mut DbConn,
    organization: Reference<'_>,
    application: Reference<'_>,
) -> Result<Option<Application>> {
    on_conn!(conn, |raw| active_of!(organization)
        .filter(organizations::archived_at.is_null())
        .filter(applications::id.nullable().eq(application.id()).or(applications::app_key.eq(application.name())))
        .select(Application::as_select())
        .first(raw))
    .optional()
}

/// Returns the application with this id or key that the organization owns, whether active or archived.
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

/// Returns the application with this key, whether active or archived.
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

/// Returns the applications with these keys, whether active or archived.
pub(super) async fn among(conn: &mut DbConn, app_keys: &[&str]) -> Result<Vec<Application>> {
    on_conn!(conn, |raw| applications::table
        .filter(applications::app_key.eq_any(app_keys))
        .select(Application::as_select())
        .load(raw))
}

/// Returns true if there is any application at all.
pub async fn any(conn: &mut DbConn) -> Result<bool> {
    on_conn!(conn, |raw| diesel::select(diesel::dsl::exists(applications::table.select(applications::id)))
        .get_result(raw))
}

/// Returns all applications that the organization owns, active or archived, ordered by id.
pub async fn list_with_archived(conn: &mut DbConn, organization_id: i32) -> Result<Vec<Application>> {
    on_conn!(conn, |raw| applications::table
        .inner_join(schema::ownerships::table)
        .filter(schema::ownerships::is_owned.eq(true))
        .filter(schema::ownerships::organization_id.eq(organization_id))
        .order(applications::id)
        .select(Application::as_select())
        .load(raw))
}

/// Returns the application as no other transaction can change it until this one ends.
///
/// It writes the value that is there already: the two databases have no other way in common to lock a row.
///
/// # Errors
///
/// [`Error::NotFound`](super::Error::NotFound) when there is no such application.
pub async fn lock(tx: &mut Transaction<'_>, id: i32) -> Result<Application> {
    on_conn!(tx, |raw| diesel::update(applications::table.find(id))
        .set(applications::updated_at.eq(applications::updated_at))
        .returning(Application::as_returning())
        .get_result(raw))
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

/// Changes an application; with nothing to change, only looks it up. A new key or archiving closes its sockets, a new secret
/// those whose JWT the old one signed.
///
/// # Errors
///
/// [`Error::Duplicate`](super::Error::Duplicate) when the key is taken, and
/// [`Error::NotFound`](super::Error::NotFound) when there is no such application.
pub async fn update(tx: &mut Transaction<'_>, id: i32, changes: &Changes) -> Result<Application> {
    if *changes == Changes::default() {
        return on_conn!(tx, |raw| applications::table.find(id).select(Application::as_select()).first(raw));
    }
    if changes.app_key.is_some() || changes.archived_at.is_some() {
        end_sockets(tx, id, changes).await?;
    }
    let updated: Application = on_conn!(tx, |raw| diesel::update(applications::table.find(id))
        .set((changes, applications::updated_at.eq(now())))
        .returning(Application::as_returning())
        .get_result(raw))?;
    if changes.app_secret.is_some() {
        application_policies::revoke_other_secrets(tx, id).await?;
    }
    Ok(updated)
}

/// Revokes the current key of the application, if the changes remove it.
async fn end_sockets(tx: &mut Transaction<'_>, id: i32, changes: &Changes) -> Result<()> {
    let before = lock(tx, id).await?.app_key;
    let is_archived = matches!(changes.archived_at, Some(Some(_)));
    let has_other_key = changes.app_key.is_some() && changes.app_key != before;
    if let Some(app_key) = before.filter(|_| is_archived || has_other_key) {
        tx.revoke(Revocation::Application(app_key));
    }
    // Settings are indexed by the keys of active applications.
    tx.add(Effect::ApplicationSettingsChanged);
    Ok(())
}

/// Archives an application.
///
/// # Errors
///
/// [`Error::NotFound`](super::Error::NotFound) when there is no such application.
pub async fn archive(tx: &mut Transaction<'_>, id: i32) -> Result<Application> {
    update(tx, id, &Changes { archived_at: Some(Some(now())), ..Changes::default() }).await
}

/// Restores an archived application.
///
/// # Errors
///
/// [`Error::NotFound`](super::Error::NotFound) when there is no such application.
pub async fn restore(tx: &mut Transaction<'_>, id: i32) -> Result<Application> {
    update(tx, id, &Changes { archived_at: Some(None), ..Changes::default() }).await
}

/// Returns a key or secret for an application: a version 4 UUID (D14).
pub fn new_key() -> String {
    Uuid::new_v4().to_string()
}

/// Closes the sockets of an application whose owners are all archived, including those of root users, which depend on
/// no organization.
pub(super) async fn close_if_shut(tx: &mut Transaction<'_>, id: i32) -> Result<()> {
    if ownerships::shared(tx, &[id], &[]).await?.is_open(id) {
        return Ok(());
    }
    let app_key: Option<String> =
        on_conn!(tx, |raw| applications::table.find(id).select(applications::app_key).first(raw))?;
    if let Some(app_key) = app_key {
        tx.revoke(Revocation::Application(app_key));
    }
    Ok(())
}

/// Archives an active application that no organization owns, and closes its sockets. Returns the application if it did.
pub(super) async fn archive_if_orphaned(tx: &mut Transaction<'_>, id: i32) -> Result<Option<Application>> {
    let owned = schema::ownerships::table
        .filter(schema::ownerships::application_id.eq(id))
        .filter(schema::ownerships::is_owned.eq(true));
    let is_owned: bool = on_conn!(tx, |raw| diesel::select(diesel::dsl::exists(owned)).get_result(raw))?;
    if is_owned {
        close_if_shut(tx, id).await?;
        return Ok(None);
    }
    let archived =
        on_conn!(tx, |raw| diesel::update(applications::table.find(id).filter(applications::archived_at.is_null()))
            .set((applications::archived_at.eq(now()), applications::updated_at.eq(now())))
            .returning(Application::as_returning())
            .get_result::<Application>(raw))
        .optional()?;
    if let Some(app_key) = archived.as_ref().and_then(|archived| archived.app_key.clone()) {
        tx.revoke(Revocation::Application(app_key));
    }
    Ok(archived)
}
