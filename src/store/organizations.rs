//! The table `organizations`: the tenants. Users are enrolled in them, applications belong to them.

use chrono::NaiveDateTime;
use diesel::{IntoSql, prelude::*, sql_types::Bool};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    DbConn, Reference, Result, Transaction,
    applications::{self, Application},
    audit::Differences,
    enrollments,
    error::Optional as _,
    now,
    schema::{self, organizations},
    users::User,
};

/// The longest slug, in characters.
const MAX_SLUG: usize = 255;

/// A tenant. An archived one is still listed and used, as in the original.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = organizations)]
pub struct Organization {
    /// The primary key.
    pub id: i32,
    /// The name to show.
    pub name: Option<String>,
    /// The name in URLs, unique.
    pub slug: Option<String>,
    /// When it was put aside.
    pub archived_at: Option<NaiveDateTime>,
}

/// An organization to create. Texts must fit 255 characters and hold no NUL.
#[derive(Debug)]
pub struct NewOrganization<'a> {
    /// The name to show.
    pub name: &'a str,
    /// The name in URLs.
    pub slug: &'a str,
    /// When it was put aside, if it was.
    pub archived_at: Option<NaiveDateTime>,
}

/// What to change of an organization; `None` leaves a column as it is.
#[derive(Debug, Default, PartialEq, Eq, AsChangeset)]
#[diesel(table_name = organizations)]
pub struct Changes {
    /// The name to show.
    pub name: Option<String>,
    /// The name in URLs.
    pub slug: Option<String>,
    /// When it was put aside; `Some(None)` takes it back.
    pub archived_at: Option<Option<NaiveDateTime>>,
}

/// What a deleted organization leaves behind.
#[derive(Debug)]
pub struct Deleted {
    /// Those who were enrolled.
    pub user_ids: Vec<i32>,
    /// The active applications that it alone owned, which are archived now.
    pub archived: Vec<Application>,
}

impl Deleted {
    /// What the audit log is told of the organization, which had this name.
    pub fn differences(&self, name: Option<&str>) -> Differences {
        let mut differences = Differences::default();
        differences.column("name", None, name);
        differences.note("enrollments", self.user_ids.len());
        differences.note("archived applications", self.archived.len());
        differences
    }
}

/// The condition that the user may see an organization, for both backends to infer.
macro_rules! visible {
    ($user:expr) => {
        $user.is_root.into_sql::<Bool>().or(organizations::id.eq_any(
            schema::enrollments::table
                .filter(schema::enrollments::user_id.eq($user.id))
                .select(schema::enrollments::organization_id),
        ))
    };
}

/// The organizations that the user may see: those enrolled in, or all for a root user. Ordered by id.
pub async fn list(conn: &mut DbConn, user: &User) -> Result<Vec<Organization>> {
    on_conn!(conn, |raw| organizations::table
        .filter(visible!(user))
        .order(organizations::id)
        .select(Organization::as_select())
        .load(raw))
}

/// The organization with this id or slug, if the user may see it.
pub async fn find(conn: &mut DbConn, user: &User, reference: Reference<'_>) -> Result<Option<Organization>> {
    on_conn!(conn, |raw| organizations::table
        .filter(organizations::id.nullable().eq(reference.id()).or(organizations::slug.eq(reference.name())))
        .filter(visible!(user))
        .select(Organization::as_select())
        .first(raw))
    .optional()
}

/// This slug, or one that begins like it and that no organization has. Another transaction may still take it first.
pub async fn free_slug(conn: &mut DbConn, slug: &str) -> Result<String> {
    let random = Uuid::new_v4().simple().to_string();
    let numbered = (2..=9).map(|number| number.to_string()).chain([random]);
    let mut candidate = slug.to_owned();
    for suffix in numbered {
        let with_slug = organizations::table.filter(organizations::slug.eq(&candidate));
        let taken: bool = on_conn!(conn, |raw| diesel::select(diesel::dsl::exists(with_slug)).get_result(raw))?;
        if !taken {
            break;
        }
        let beginning: String = slug.chars().take(MAX_SLUG - suffix.len() - 1).collect();
        candidate = format!("{beginning}-{suffix}");
    }
    Ok(candidate)
}

/// Creates an organization and enrolls its creator as admin.
///
/// # Errors
///
/// [`Error::Duplicate`](super::Error::Duplicate) when the slug is taken.
pub async fn create(tx: &mut Transaction<'_>, new: &NewOrganization<'_>, creator_id: i32) -> Result<Organization> {
    let now = now();
    let organization = on_conn!(tx, |raw| diesel::insert_into(organizations::table)
        .values((
            organizations::name.eq(new.name),
            organizations::slug.eq(new.slug),
            organizations::archived_at.eq(new.archived_at),
            organizations::inserted_at.eq(now),
            organizations::updated_at.eq(now),
        ))
        .returning(Organization::as_returning())
        .get_result::<Organization>(raw))?;
    enrollments::create(tx, creator_id, organization.id, true).await?;
    Ok(organization)
}

/// Changes an organization; with nothing to change, only looks it up.
///
/// # Errors
///
/// [`Error::Duplicate`](super::Error::Duplicate) when the slug is taken, and
/// [`Error::NotFound`](super::Error::NotFound) when there is no such organization.
pub async fn update(tx: &mut Transaction<'_>, id: i32, changes: &Changes) -> Result<Organization> {
    if *changes == Changes::default() {
        return on_conn!(tx, |raw| organizations::table.find(id).select(Organization::as_select()).first(raw));
    }
    on_conn!(tx, |raw| diesel::update(organizations::table.find(id))
        .set((changes, organizations::updated_at.eq(now())))
        .returning(Organization::as_returning())
        .get_result(raw))
}

/// Deletes an organization with its enrollments and ownerships. Applications that nobody owns any more are archived:
/// no path leads to them, so nobody could do it later.
///
/// # Errors
///
/// [`Error::NotFound`](super::Error::NotFound) when there is no such organization.
pub async fn delete(tx: &mut Transaction<'_>, id: i32) -> Result<Deleted> {
    let user_ids = enrollments::users_of(tx, id).await?;
    let owned = applications::list_with_archived(tx, id).await?;
    {
        use schema::{enrollments, ownerships};
        let of_organization = ownerships::table.filter(ownerships::organization_id.eq(id));
        on_conn!(tx, |raw| diesel::delete(of_organization).execute(raw))?;
        let of_organization = enrollments::table.filter(enrollments::organization_id.eq(id));
        on_conn!(tx, |raw| diesel::delete(of_organization).execute(raw))?;
    }
    let deleted = on_conn!(tx, |raw| diesel::delete(organizations::table.find(id)).execute(raw))?;
    if deleted == 0 {
        return Err(super::Error::NotFound);
    }
    let mut archived = Vec::new();
    for application in owned {
        archived.extend(applications::archive_if_orphaned(tx, application.id).await?);
    }
    Ok(Deleted { user_ids, archived })
}
