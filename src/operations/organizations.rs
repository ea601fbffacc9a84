//! Organizations: created, changed, archived, restored and deleted.

use super::{Quota, applications, record, slug::slugify};
use crate::store::{
    Result, Transaction,
    audit::{Actor, Differences},
    now,
    organizations::{self, Changes, NewOrganization, Organization},
};

const RESOURCE: &str = "organizations";

/// Slug for organizations whose name cannot be spelled in URLs.
const UNSPELLED: &str = "organization";

/// Returns the slug of a name; `None` when nothing of it can be spelled in a URL.
pub fn slug_of(name: &str) -> Option<String> {
    Some(slugify(name)).filter(|slug| !slug.is_empty())
}

/// Creates an organization with its first admin.
///
/// # Errors
///
/// [`Error::Duplicate`](crate::store::Error::Duplicate) when the slug is taken,
/// [`Error::QuotaUsedUp`](crate::store::Error::QuotaUsedUp), and [`Error::NotFound`](crate::store::Error::NotFound) when
/// there is no such user.
pub async fn create(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    new: &NewOrganization<'_>,
    admin_id: i32,
    quota: Quota<'_>,
) -> Result<Organization> {
    if let Quota::Of(user, limits) = quota {
        limits.check_organizations(tx, user).await?;
    }
    let organization = organizations::create(tx, new, admin_id).await?;
    let mut differences = differences(None, &organization);
    differences.note("admin_id", admin_id);
    record(tx, actor, "create", (RESOURCE, organization.id), &differences).await?;
    Ok(organization)
}

/// Creates an organization as [`create`] does, with a free slug that is made of its name.
///
/// # Errors
///
/// As [`create`]; another transaction may take the slug at the same time.
pub async fn create_named(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    name: &str,
    admin_id: i32,
    quota: Quota<'_>,
) -> Result<Organization> {
    let slug = slug_of(name).unwrap_or_else(|| UNSPELLED.to_owned());
    let slug = organizations::free_slug(tx, &slug).await?;
    create(tx, actor, &NewOrganization { name, slug: &slug, archived_at: None }, admin_id, quota).await
}

/// Changes an organization. Returns it, and whether anything changed. Archiving closes its sockets.
///
/// # Errors
///
/// [`Error::Duplicate`](crate::store::Error::Duplicate) when the slug is taken, and
/// [`Error::NotFound`](crate::store::Error::NotFound) when there is no such organization.
pub async fn update(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    id: i32,
    changes: &Changes,
) -> Result<(Organization, bool)> {
    let before = organizations::lock(tx, id).await?;
    let after = organizations::update(tx, id, changes).await?;
    let differences = differences(Some(&before), &after);
    if !differences.is_empty() {
        record(tx, actor, "update", (RESOURCE, id), &differences).await?;
    }
    Ok((after, !differences.is_empty()))
}

/// Archives an organization and closes its sockets. Returns `None` if it is archived already.
///
/// # Errors
///
/// [`Error::NotFound`](crate::store::Error::NotFound) when there is no such organization.
pub async fn archive(tx: &mut Transaction<'_>, actor: &Actor, id: i32) -> Result<Option<Organization>> {
    set_archived(tx, actor, id, true).await
}

/// Restores an archived organization. Returns `None` if it is not archived.
///
/// # Errors
///
/// As [`archive`].
pub async fn restore(tx: &mut Transaction<'_>, actor: &Actor, id: i32) -> Result<Option<Organization>> {
    set_archived(tx, actor, id, false).await
}

async fn set_archived(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    id: i32,
    is_archived: bool,
) -> Result<Option<Organization>> {
    let before = organizations::lock(tx, id).await?;
    if before.archived_at.is_some() == is_archived {
        return Ok(None);
    }
    let changes = Changes { archived_at: Some(is_archived.then(now)), ..Changes::default() };
    let after = organizations::update(tx, id, &changes).await?;
    let action = if is_archived { "archive" } else { "restore" };
    record(tx, actor, action, (RESOURCE, id), &named(&after)).await?;
    Ok(Some(after))
}

/// Deletes an organization with its enrollments and ownerships. Applications without another owner are archived, each
/// with an entry of its own in the audit log. Closes the sockets that depended on any of this.
///
/// # Errors
///
/// As [`archive`].
pub async fn delete(tx: &mut Transaction<'_>, actor: &Actor, id: i32) -> Result<()> {
    let deleted = organizations::delete(tx, id).await?;
    let mut differences = named(&deleted.organization);
    differences.note("enrollments", deleted.user_ids.len());
    differences.note("archived applications", deleted.archived.len());
    record(tx, actor, "delete", (RESOURCE, id), &differences).await?;
    applications::record_archived(tx, actor, &deleted.archived).await
}

fn named(organization: &Organization) -> Differences {
    let mut differences = Differences::default();
    differences.column("name", None, organization.name.as_deref());
    differences
}

/// Returns the audit description of an organization that was created or changed.
fn differences(before: Option<&Organization>, after: &Organization) -> Differences {
    let mut differences = Differences::default();
    let old = |column: fn(&Organization) -> Option<&str>| before.and_then(column);
    differences.column("name", old(|before| before.name.as_deref()), after.name.as_deref());
    differences.column("slug", old(|before| before.slug.as_deref()), after.slug.as_deref());
    differences.time("archived_at", before.and_then(|before| before.archived_at), after.archived_at);
    differences
}
