//! The table `invitation_enrollments`: the organizations that an invitee joins on accepting.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{
    DbConn, Result, Transaction, enrollments,
    error::Optional as _,
    invitations::Invitation,
    now,
    organizations::Organization,
    schema::{invitation_enrollments, invitations, organizations},
    user_suspensions::{self, Standing},
};

/// An enrollment that an invitation promises.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = invitation_enrollments)]
pub struct InvitationEnrollment {
    /// The invitation.
    pub invitation_id: i32,
    /// The organization.
    pub organization_id: i32,
    /// True for an admin.
    pub is_admin: bool,
    /// The inviter, if that user still exists.
    pub inviter_id: Option<i32>,
    /// Time of the invitation.
    pub inserted_at: NaiveDateTime,
}

impl InvitationEnrollment {
    /// Returns true if the invitation is valid: only while the inviter may still invite to the organization. An
    /// invitation must not outlive the authority of its inviter.
    pub async fn counts(&self, conn: &mut DbConn) -> Result<bool> {
        let Some(inviter_id) = self.inviter_id else { return Ok(false) };
        let Standing::Active(inviter) = user_suspensions::standing(conn, inviter_id).await? else { return Ok(false) };
        let enrollment = enrollments::find(conn, inviter.id, self.organization_id).await?;
        Ok(inviter.is_root || enrollment.is_some_and(|enrollment| enrollment.is_admin))
    }
}

/// Returns the enrollments of an invitation, ordered by organization.
pub async fn list_of(conn: &mut DbConn, invitation_id: i32) -> Result<Vec<(InvitationEnrollment, Organization)>> {
    on_conn!(conn, |raw| invitation_enrollments::table
        .inner_join(organizations::table)
        .filter(invitation_enrollments::invitation_id.eq(invitation_id))
        .order(organizations::id)
        .select((InvitationEnrollment::as_select(), Organization::as_select()))
        .load(raw))
}

/// Returns the pending invitations into an organization, the newest first.
pub async fn list_of_organization(
    conn: &mut DbConn,
    organization_id: i32,
) -> Result<Vec<(InvitationEnrollment, Invitation)>> {
    on_conn!(conn, |raw| invitation_enrollments::table
        .inner_join(invitations::table)
        .filter(invitation_enrollments::organization_id.eq(organization_id))
        .order(invitation_enrollments::invitation_id.desc())
        .select((InvitationEnrollment::as_select(), Invitation::as_select()))
        .load(raw))
}

/// Returns the enrollment of an invitation in this organization.
pub async fn find(conn: &mut DbConn, invitation_id: i32, organization_id: i32) -> Result<Option<InvitationEnrollment>> {
    let found = invitation_enrollments::table.find((invitation_id, organization_id));
    on_conn!(conn, |raw| found.select(InvitationEnrollment::as_select()).first(raw)).optional()
}

/// Adds an organization to an invitation.
///
/// # Errors
///
/// [`Error::NotFound`](super::Error::NotFound) when one of the rows that it refers to is gone.
pub async fn create(
    tx: &mut Transaction<'_>,
    invitation_id: i32,
    organization_id: i32,
    is_admin: bool,
    inviter_id: i32,
) -> Result<()> {
    on_conn!(tx, |raw| diesel::insert_into(invitation_enrollments::table)
        .values((
            invitation_enrollments::invitation_id.eq(invitation_id),
            invitation_enrollments::organization_id.eq(organization_id),
            invitation_enrollments::is_admin.eq(is_admin),
            invitation_enrollments::inviter_id.eq(inviter_id),
            invitation_enrollments::inserted_at.eq(now()),
        ))
        .execute(raw))
    .map(drop)
}

/// Makes another user, who may invite there, the inviter of an invitation into an organization.
pub async fn take_over(
    tx: &mut Transaction<'_>,
    invitation_id: i32,
    organization_id: i32,
    inviter_id: i32,
) -> Result<()> {
    let found = invitation_enrollments::table.find((invitation_id, organization_id));
    on_conn!(tx, |raw| diesel::update(found).set(invitation_enrollments::inviter_id.eq(inviter_id)).execute(raw))
        .map(drop)
}

/// Removes and returns the enrollments of an invitation, ordered by organization, whether they are valid or not. Waits
/// for a concurrent transaction that removes some of them; each enrollment is in one of the two results only.
pub async fn take_all(
    tx: &mut Transaction<'_>,
    invitation_id: i32,
) -> Result<Vec<(InvitationEnrollment, Organization)>> {
    let of_invitation = invitation_enrollments::table.filter(invitation_enrollments::invitation_id.eq(invitation_id));
    let mut taken: Vec<InvitationEnrollment> = on_conn!(tx, |raw| diesel::delete(of_invitation)
        .returning(InvitationEnrollment::as_returning())
        .get_results(raw))?;
    let ids: Vec<i32> = taken.iter().map(|taken| taken.organization_id).collect();
    let found: Vec<Organization> = on_conn!(tx, |raw| organizations::table
        .filter(organizations::id.eq_any(&ids))
        .order(organizations::id)
        .select(Organization::as_select())
        .load(raw))?;
    let with_organization = |organization: Organization| {
        let at = taken.iter().position(|taken| taken.organization_id == organization.id)?;
        Some((taken.swap_remove(at), organization))
    };
    Ok(found.into_iter().filter_map(with_organization).collect())
}

/// Withdraws the invitation into an organization; `false` when there was none.
pub async fn delete(tx: &mut Transaction<'_>, invitation_id: i32, organization_id: i32) -> Result<bool> {
    let found = invitation_enrollments::table.find((invitation_id, organization_id));
    let deleted = on_conn!(tx, |raw| diesel::delete(found).execute(raw))?;
    Ok(deleted > 0)
}
