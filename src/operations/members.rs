//! Members of organizations: enrolled, made admins, removed.

use super::{Refusal, Rule, record};
use crate::store::{
    Error, Result, Transaction, admin,
    audit::{Actor, Differences},
    enrollments::{self, ActiveAdmins, Enrollment},
};

const RESOURCE: &str = "enrollments";

/// Treatment of the last active admin of an organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastAdmin {
    /// Stays an admin: the organization's own members could not help themselves otherwise.
    Stays,
    /// May go. For the tables of the admin: a root user administers every organization without being a member, and must
    /// be able to remove an admin who misuses it, even the only one. The audit entry says that none is left.
    MayGo,
}

/// Enrolls a user.
///
/// # Errors
///
/// [`Error::Duplicate`] when the user is enrolled there already, and [`Error::NotFound`] when one of the two is missing.
pub async fn enroll(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    user_id: i32,
    organization_id: i32,
    is_admin: bool,
) -> Result<Enrollment> {
    let enrollment = enrollments::create(tx, user_id, organization_id, is_admin).await?;
    let mut details = described(tx, &enrollment).await?;
    details.flag("is_admin", None, is_admin);
    record(tx, actor, "create", (RESOURCE, enrollment.id), &details).await?;
    Ok(enrollment)
}

/// Enrolls a user as an invitation says. A member may become an admin by it, and an admin stays one.
///
/// # Errors
///
/// As [`enroll`].
pub async fn enroll_or_promote(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    user_id: i32,
    organization_id: i32,
    is_admin: bool,
) -> Result<()> {
    enrollments::hold(tx, organization_id).await?;
    match enrollments::find(tx, user_id, organization_id).await? {
        None => enroll(tx, actor, user_id, organization_id, is_admin).await.map(drop),
        Some(before) if is_admin && !before.is_admin => change(tx, actor, &before, true, None).await,
        Some(_) => Ok(()),
    }
}

/// Makes a member an admin, or an ordinary member. Returns true if anything changed.
///
/// # Errors
///
/// [`Rule::LastAdmin`]; [`Error::NotFound`] when the user is not a member.
pub async fn set_admin(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    (user_id, organization_id): (i32, i32),
    is_admin: bool,
    last: LastAdmin,
) -> Result<bool, Refusal> {
    let before = lock(tx, user_id, organization_id).await?;
    if before.is_admin == is_admin {
        return Ok(false);
    }
    let left = if is_admin { None } else { admins_left(tx, &before, last).await? };
    change(tx, actor, &before, is_admin, left).await?;
    Ok(true)
}

/// Removes a member, or lets one leave, and closes the sockets that depended on the enrollment.
///
/// # Errors
///
/// As [`set_admin`].
pub async fn remove(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    user_id: i32,
    organization_id: i32,
    last: LastAdmin,
) -> Result<(), Refusal> {
    let before = lock(tx, user_id, organization_id).await?;
    let left = admins_left(tx, &before, last).await?;
    let mut details = described(tx, &before).await?;
    note(&mut details, left);
    enrollments::delete(tx, user_id, organization_id).await?;
    Ok(record(tx, actor, "delete", (RESOURCE, before.id), &details).await?)
}

/// Returns the enrollment as no other transaction can change it until this one ends.
async fn lock(tx: &mut Transaction<'_>, user_id: i32, organization_id: i32) -> Result<Enrollment> {
    enrollments::hold(tx, organization_id).await?;
    enrollments::find(tx, user_id, organization_id).await?.ok_or(Error::NotFound)
}

/// Applies the rule of the last admin to a member who ceases to be one. Returns the number of active admins that are
/// left, if that is none.
async fn admins_left(tx: &mut Transaction<'_>, member: &Enrollment, last: LastAdmin) -> Result<Option<usize>, Refusal> {
    if !member.is_admin || ActiveAdmins::of(tx, member.organization_id).await?.remain_without(member.user_id) {
        return Ok(None);
    }
    match last {
        LastAdmin::Stays => Err(Rule::LastAdmin.into()),
        LastAdmin::MayGo => Ok(Some(0)),
    }
}

async fn change(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    before: &Enrollment,
    is_admin: bool,
    left: Option<usize>,
) -> Result<()> {
    let after = enrollments::set_admin(tx, before.user_id, before.organization_id, is_admin).await?;
    let mut details = described(tx, &after).await?;
    details.flag("is_admin", Some(before.is_admin), is_admin);
    note(&mut details, left);
    record(tx, actor, "update", (RESOURCE, after.id), &details).await
}

fn note(details: &mut Differences, left: Option<usize>) {
    if let Some(left) = left {
        details.note("active admins left", left);
    }
}

/// Returns a description of the enrollment with the names that its user and organization have now: ids alone would say
/// little once the rows are deleted.
async fn described(tx: &mut Transaction<'_>, enrollment: &Enrollment) -> Result<Differences> {
    let row = admin::enrollments::find(tx, enrollment.id).await?.ok_or(Error::NotFound)?;
    let mut details = Differences::default();
    details.column("user", None, row.user.email.as_deref());
    details.note("user_id", enrollment.user_id);
    details.column("organization", None, row.organization.name.as_deref());
    details.note("organization_id", enrollment.organization_id);
    Ok(details)
}
