//! Ownerships: given to organizations, put in and out of force, deleted.

use super::{applications, record};
use crate::store::{
    Result, Transaction,
    admin::ownerships::{self, Row},
    applications::Application,
    audit::{Actor, Differences},
};

const RESOURCE: &str = "ownerships";

/// Gives an application to an organization. Returns the id of the ownership.
///
/// # Errors
///
/// [`Error::Duplicate`](crate::store::Error::Duplicate) when the organization owns the application already or did so
/// before, and [`Error::NotFound`](crate::store::Error::NotFound) when one of the two is missing.
pub async fn give(tx: &mut Transaction<'_>, actor: &Actor, organization_id: i32, application_id: i32) -> Result<i32> {
    let id = ownerships::create(tx, organization_id, application_id).await?;
    let row = ownerships::lock(tx, id).await?;
    record(tx, actor, "create", (RESOURCE, id), &described(&row)).await?;
    Ok(id)
}

/// Puts an ownership in force, or out of force: that closes the sockets that depended on it, and archives an application
/// that has no other owner. Returns true if anything changed.
///
/// # Errors
///
/// [`Error::NotFound`](crate::store::Error::NotFound) when there is no such ownership.
pub async fn set_owned(tx: &mut Transaction<'_>, actor: &Actor, id: i32, is_owned: bool) -> Result<bool> {
    let before = ownerships::lock(tx, id).await?;
    if before.is_owned == is_owned {
        return Ok(false);
    }
    let archived = ownerships::set_owned(tx, id, is_owned).await?;
    let mut details = described(&before);
    details.flag("is_owned", Some(before.is_owned), is_owned);
    finish(tx, actor, "update", (id, details), archived).await?;
    Ok(true)
}

/// Deletes an ownership, and closes the sockets that depended on it. An application that has no other owner is archived.
///
/// # Errors
///
/// As [`set_owned`].
pub async fn delete(tx: &mut Transaction<'_>, actor: &Actor, id: i32) -> Result<()> {
    let before = ownerships::lock(tx, id).await?;
    let archived = ownerships::delete(tx, id).await?;
    finish(tx, actor, "delete", (id, described(&before)), archived).await
}

/// Records the change of an ownership, and the application that it archived.
async fn finish(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    action: &str,
    (id, mut details): (i32, Differences),
    archived: Option<Application>,
) -> Result<()> {
    if archived.is_some() {
        details.note("archived applications", 1);
    }
    record(tx, actor, action, (RESOURCE, id), &details).await?;
    applications::record_archived(tx, actor, archived.as_slice()).await
}

fn described(row: &Row) -> Differences {
    let mut details = Differences::default();
    details.note("organization_id", row.organization.id);
    details.note("application_id", row.application.id);
    details
}
