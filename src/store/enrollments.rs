//! The table `enrollments`: the members and admins of each organization.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{
    DbConn, Reference, Result, Transaction,
    effects::Revocation,
    error::Optional as _,
    now,
    organizations::Organization,
    schema::{enrollments, organizations, users},
    user_suspensions::active,
    users::User,
};

/// Membership of a user in an organization.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = enrollments)]
pub struct Enrollment {
    /// The primary key.
    pub id: i32,
    /// The user.
    pub user_id: i32,
    /// The organization.
    pub organization_id: i32,
    /// True if the user may change the organization and its applications.
    pub is_admin: bool,
}

/// Returns the user's enrollment in this organization.
pub async fn find(conn: &mut DbConn, user_id: i32, organization_id: i32) -> Result<Option<Enrollment>> {
    on_conn!(conn, |raw| enrollments::table
        .filter(enrollments::user_id.eq(user_id))
        .filter(enrollments::organization_id.eq(organization_id))
        .select(Enrollment::as_select())
        .first(raw))
    .optional()
}

/// Returns the organizations that the user is enrolled in, ordered by id.
pub async fn list_of(conn: &mut DbConn, user_id: i32) -> Result<Vec<(Enrollment, Organization)>> {
    on_conn!(conn, |raw| enrollments::table
        .inner_join(organizations::table)
        .filter(enrollments::user_id.eq(user_id))
        .order(organizations::id)
        .select((Enrollment::as_select(), Organization::as_select()))
        .load(raw))
}

/// Returns the members of the organization, in the order of enrollment.
pub async fn members(conn: &mut DbConn, organization_id: i32) -> Result<Vec<(Enrollment, User)>> {
    on_conn!(conn, |raw| enrollments::table
        .inner_join(users::table)
        .filter(enrollments::organization_id.eq(organization_id))
        .order(enrollments::id)
        .select((Enrollment::as_select(), User::as_select()))
        .load(raw))
}

/// Makes concurrent transactions that would change the admins of the organization wait until this one ends.
pub async fn hold(tx: &mut Transaction<'_>, organization_id: i32) -> Result<()> {
    let organization = organizations::table.find(organization_id);
    let touch = organizations::updated_at.eq(organizations::updated_at);
    on_conn!(tx, |raw| diesel::update(organization).set(touch).execute(raw)).map(drop)
}

/// Makes concurrent transactions wait, as [`hold`] does, that would change the admins of any organization that the user
/// is enrolled in.
pub async fn hold_all_of(tx: &mut Transaction<'_>, user_id: i32) -> Result<()> {
    let of_user = enrollments::table.filter(enrollments::user_id.eq(user_id)).select(enrollments::organization_id);
    let held = organizations::table.filter(organizations::id.eq_any(of_user));
    let touch = organizations::updated_at.eq(organizations::updated_at);
    on_conn!(tx, |raw| diesel::update(held).set(touch).execute(raw)).map(drop)
}

/// Admins of an organization who are active. One who is suspended administers nothing, and so keeps no organization going.
#[derive(Debug)]
pub struct ActiveAdmins(Vec<i32>);

impl ActiveAdmins {
    /// The active admins of this organization.
    pub async fn of(conn: &mut DbConn, organization_id: i32) -> Result<Self> {
        let admins = on_conn!(conn, |raw| enrollments::table
            .inner_join(users::table)
            .filter(enrollments::organization_id.eq(organization_id))
            .filter(enrollments::is_admin.eq(true))
            .filter(active!())
            .select(enrollments::user_id)
            .load(raw))?;
        Ok(Self(admins))
    }

    /// Returns true if another admin remains when this user leaves or is no longer an admin.
    pub fn remain_without(&self, user_id: i32) -> bool {
        self.0.iter().any(|id| *id != user_id)
    }
}

/// Returns true if the user is an admin of any organization.
pub async fn is_admin_anywhere(conn: &mut DbConn, user_id: i32) -> Result<bool> {
    let of_user = enrollments::table.filter(enrollments::user_id.eq(user_id)).filter(enrollments::is_admin.eq(true));
    on_conn!(conn, |raw| diesel::select(diesel::dsl::exists(of_user)).get_result(raw))
}

/// Returns true if the user administers the organization that this reference leads to, as the original decides it: see
/// `Reference::leading_id`. A root user administers every existing organization (D3).
pub async fn administers(conn: &mut DbConn, user_id: i32, is_root: bool, reference: Reference<'_>) -> Result<bool> {
    let Some(organization_id) = organization_to_administer(conn, reference).await? else {
        return Ok(false);
    };
    if is_root {
        return Ok(true);
    }
    Ok(find(conn, user_id, organization_id).await?.is_some_and(|enrollment| enrollment.is_admin))
}

async fn organization_to_administer(conn: &mut DbConn, reference: Reference<'_>) -> Result<Option<i32>> {
    let by_name = on_conn!(conn, |raw| organizations::table
        .filter(organizations::slug.eq(reference.name()))
        .select(organizations::id)
        .first::<i32>(raw))
    .optional()?;
    let (None, Some(id)) = (by_name, reference.leading_id()) else {
        return Ok(by_name);
    };
    on_conn!(conn, |raw| organizations::table.find(id).select(organizations::id).first::<i32>(raw)).optional()
}

/// Enrolls a user.
///
/// # Errors
///
/// [`Error::Duplicate`](super::Error::Duplicate) when the user is enrolled there already, and
/// [`Error::NotFound`](super::Error::NotFound) when one of the two is missing.
pub async fn create(
    tx: &mut Transaction<'_>,
    user_id: i32,
    organization_id: i32,
    is_admin: bool,
) -> Result<Enrollment> {
    let now = now();
    on_conn!(tx, |raw| diesel::insert_into(enrollments::table)
        .values((
            enrollments::user_id.eq(user_id),
            enrollments::organization_id.eq(organization_id),
            enrollments::is_admin.eq(is_admin),
            enrollments::inserted_at.eq(now),
            enrollments::updated_at.eq(now),
        ))
        .returning(Enrollment::as_returning())
        .get_result(raw))
}

/// Makes a user an admin of the organization, or an ordinary member.
///
/// # Errors
///
/// [`Error::NotFound`](super::Error::NotFound) when the user is not enrolled there.
pub async fn set_admin(
    tx: &mut Transaction<'_>,
    user_id: i32,
    organization_id: i32,
    is_admin: bool,
) -> Result<Enrollment> {
    let enrollment = enrollments::table
        .filter(enrollments::user_id.eq(user_id))
        .filter(enrollments::organization_id.eq(organization_id));
    on_conn!(tx, |raw| diesel::update(enrollment)
        .set((enrollments::is_admin.eq(is_admin), enrollments::updated_at.eq(now())))
        .returning(Enrollment::as_returning())
        .get_result(raw))
}

/// Removes a user's enrollment, and closes the sockets that depended on it; `false` when there was none.
pub async fn delete(tx: &mut Transaction<'_>, user_id: i32, organization_id: i32) -> Result<bool> {
    tx.revoke(Revocation::Enrollment { user_id, organization_id });
    let deleted = on_conn!(tx, |raw| diesel::delete(
        enrollments::table
            .filter(enrollments::user_id.eq(user_id))
            .filter(enrollments::organization_id.eq(organization_id))
    )
    .execute(raw))?;
    Ok(deleted > 0)
}
