//! The table `organizations`: the tenants. Users are enrolled in them, applications belong to them.

use chrono::NaiveDateTime;
use diesel::{IntoSql, prelude::*, sql_types::Bool};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    DbConn, Reference, Result, Transaction,
    applications::{self, Application},
    effects::Revocation,
    enrollments,
    error::Optional as _,
    now,
    schema::{self, organizations},
    users::User,
};

/// The longest slug, in characters.
const MAX_SLUG: usize = 255;

/// A tenant. An archived one can still be listed and changed, as in the original, but gives no right to connect or
/// publish.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = organizations)]
pub struct Organization {
    /// The primary key.
    pub id: i32,
    /// The name to show.
    pub name: Option<String>,
    /// The name in URLs, unique.
    pub slug: Option<String>,
    /// Time at which it was archived.
    pub archived_at: Option<NaiveDateTime>,
}

/// An organization to create. Texts must fit 255 characters and hold no NUL.
#[derive(Debug)]
pub struct NewOrganization<'a> {
    /// The name to show.
    pub name: &'a str,
    /// The name in URLs.
    pub slug: &'a str,
    /// Time at which it was archived, if it was.
    pub archived_at: Option<NaiveDateTime>,
}

/// Changes to an organization; `None` leaves a column unchanged.
#[derive(Debug, Default, PartialEq, Eq, AsChangeset)]
#[diesel(table_name = organizations)]
pub struct Changes {
    /// The name to show.
    pub name: Option<String>,
    /// The name in URLs.
    pub slug: Option<String>,
    /// Time at which it was archived; `Some(None)` restores it.
    pub archived_at: Option<Option<NaiveDateTime>>,
}

/// A deleted organization, and the rows that it leaves behind.
#[derive(Debug)]
pub struct Deleted {
    /// The organization as it was.
    pub organization: Organization,
    /// The former members.
    pub user_ids: Vec<i32>,
    /// The active applications that it alone owned; they are archived now.
    pub archived: Vec<Application>,
}

impl Organization {
    /// Returns the name to show: the slug of an organization without a name, or else a substitute.
    pub fn shown_name(&self) -> &str {
        self.name.as_deref().or(self.slug.as_deref()).unwrap_or("Unnamed organization")
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

/// Returns the organizations that the user may see: those that the user is enrolled in, or all for a root user. Ordered
/// by id.
pub async fn list(conn: &mut DbConn, user: &User) -> Result<Vec<Organization>> {
    on_conn!(conn, |raw| organizations::table
        .filter(visible!(user))
        .order(organizations::id)
        .select(Organization::as_select())
        .load(raw))
}

/// Returns the organization with this id or slug, if the user may see it.
pub async fn find(conn: &mut DbConn, user: &User, reference: Reference<'_>) -> Result<Option<Organization>> {
    on_conn!(conn, |raw| organizations::table
        .filter(organizations::id.nullable().eq(reference.id()).or(organizations::slug.eq(reference.name())))
        .filter(visible!(user))
        .select(Organization::as_select())
        .first(raw))
    .optional()
}

/// Returns this slug, or a free one that begins with it. Another transaction may still take it first.
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

/// Returns the organization as no other transaction can change it, or its admins, until this one ends.
///
/// # Errors
///
/// [`Error::NotFound`](super::Error::NotFound) when there is no such organization.
pub async fn lock(tx: &mut Transaction<'_>, id: i32) -> Result<Organization> {
    on_conn!(tx, |raw| diesel::update(organizations::table.find(id))
        .set(organizations::updated_at.eq(organizations::updated_at))
        .returning(Organization::as_returning())
        .get_result(raw))
}

/// Creates an organization and enrolls its first admin.
///
/// # Errors
///
/// [`Error::Duplicate`](super::Error::Duplicate) when the slug is taken, and
/// [`Error::NotFound`](super::Error::NotFound) when there is no such user.
pub async fn create(tx: &mut Transaction<'_>, new: &NewOrganization<'_>, admin_id: i32) -> Result<Organization> {
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
    enrollments::create(tx, admin_id, organization.id, true).await?;
    Ok(organization)
}

/// Changes an organization; with nothing to change, only looks it up. Archiving closes the sockets that depended on the
/// organization.
///
/// # Errors
///
/// [`Error::Duplicate`](super::Error::Duplicate) when the slug is taken, and
/// [`Error::NotFound`](super::Error::NotFound) when there is no such organization.
pub async fn update(tx: &mut Transaction<'_>, id: i32, changes: &Changes) -> Result<Organization> {
    if *changes == Changes::default() {
        return on_conn!(tx, |raw| organizations::table.find(id).select(Organization::as_select()).first(raw));
    }
    let updated = on_conn!(tx, |raw| diesel::update(organizations::table.find(id))
        .set((changes, organizations::updated_at.eq(now())))
        .returning(Organization::as_returning())
        .get_result(raw))?;
    if matches!(changes.archived_at, Some(Some(_))) {
        end_sockets(tx, id).await?;
    }
    Ok(updated)
}

/// Closes the sockets of an organization that has just been archived.
async fn end_sockets(tx: &mut Transaction<'_>, id: i32) -> Result<()> {
    for application in applications::list_with_archived(tx, id).await? {
        if let Some(app_key) = application.app_key {
            tx.revoke(Revocation::Ownership { app_key, organization_id: id });
        }
        applications::close_if_shut(tx, application.id).await?;
    }
    Ok(())
}

/// Deletes an organization with its enrollments and ownerships. Applications without another owner are archived: no
/// path leads to them any more, so it could not be done later. Closes the sockets that depended on any of this.
///
/// # Errors
///
/// [`Error::NotFound`](super::Error::NotFound) when there is no such organization.
pub async fn delete(tx: &mut Transaction<'_>, id: i32) -> Result<Deleted> {
    let organization = lock(tx, id).await?;
    let owned = applications::list_with_archived(tx, id).await?;
    let user_ids: Vec<i32> = {
        use schema::{enrollments, ownerships};
        let of_organization = ownerships::table.filter(ownerships::organization_id.eq(id));
        on_conn!(tx, |raw| diesel::delete(of_organization).execute(raw))?;
        let of_organization = enrollments::table.filter(enrollments::organization_id.eq(id));
        on_conn!(tx, |raw| diesel::delete(of_organization).returning(enrollments::user_id).get_results(raw))?
    };
    for user_id in &user_ids {
        tx.revoke(Revocation::Enrollment { user_id: *user_id, organization_id: id });
    }
    on_conn!(tx, |raw| diesel::delete(organizations::table.find(id)).execute(raw))?;
    let mut archived = Vec::new();
    for application in owned {
        archived.extend(applications::archive_if_orphaned(tx, application.id).await?);
    }
    Ok(Deleted { organization, user_ids, archived })
}
