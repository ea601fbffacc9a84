//! The table `invitation_enrollments`: the organizations that somebody invited is enrolled in on accepting.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{
    DbConn, Result, Transaction,
    error::Optional as _,
    invitations::Invitation,
    now,
    organizations::Organization,
    schema::{invitation_enrollments, invitations, organizations},
};

/// An enrollment to be.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = invitation_enrollments)]
pub struct InvitationEnrollment {
    /// Who is invited.
    pub invitation_id: i32,
    /// Where to.
    pub organization_id: i32,
    /// Whether as an admin.
    pub is_admin: bool,
    /// By whom, if that user is still there.
    pub inviter_id: Option<i32>,
    /// When.
    pub inserted_at: NaiveDateTime,
}

/// What somebody is invited to, ordered by organization.
pub async fn list_of(conn: &mut DbConn, invitation_id: i32) -> Result<Vec<(InvitationEnrollment, Organization)>> {
    on_conn!(conn, |raw| invitation_enrollments::table
        .inner_join(organizations::table)
        .filter(invitation_enrollments::invitation_id.eq(invitation_id))
        .order(organizations::id)
        .select((InvitationEnrollment::as_select(), Organization::as_select()))
        .load(raw))
}

/// Who is invited into an organization, the newest first.
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

/// What somebody is invited to in this organization.
pub async fn find(conn: &mut DbConn, invitation_id: i32, organization_id: i32) -> Result<Option<InvitationEnrollment>> {
    let found = invitation_enrollments::table.find((invitation_id, organization_id));
    on_conn!(conn, |raw| found.select(InvitationEnrollment::as_select()).first(raw)).optional()
}

/// Invites somebody into an organization.
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

/// Takes away what somebody is invited to, and returns it, ordered by organization. What another transaction takes back at
/// the same time is waited for, and is in one of the two answers only.
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

/// Takes the invitation into an organization back; `false` when there was none.
pub async fn delete(tx: &mut Transaction<'_>, invitation_id: i32, organization_id: i32) -> Result<bool> {
    let found = invitation_enrollments::table.find((invitation_id, organization_id));
    let deleted = on_conn!(tx, |raw| diesel::delete(found).execute(raw))?;
    Ok(deleted > 0)
}
