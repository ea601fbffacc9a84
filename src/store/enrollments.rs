//! The table `enrollments`: who belongs to which organization, and who administers it.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{
    DbConn, Reference, Result, Transaction,
    error::Optional as _,
    now,
    organizations::Organization,
    schema::{enrollments, organizations, users},
    users::User,
};

/// A user's place in an organization.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = enrollments)]
pub struct Enrollment {
    /// The primary key.
    pub id: i32,
    /// Who.
    pub user_id: i32,
    /// Where.
    pub organization_id: i32,
    /// Whether the user may change the organization and its applications.
    pub is_admin: bool,
}

/// The user's enrollment in this organization.
pub async fn find(conn: &mut DbConn, user_id: i32, organization_id: i32) -> Result<Option<Enrollment>> {
    on_conn!(conn, |raw| enrollments::table
        .filter(enrollments::user_id.eq(user_id))
        .filter(enrollments::organization_id.eq(organization_id))
        .select(Enrollment::as_select())
        .first(raw))
    .optional()
}

/// The organizations that the user is enrolled in, ordered by id.
pub async fn list_of(conn: &mut DbConn, user_id: i32) -> Result<Vec<(Enrollment, Organization)>> {
    on_conn!(conn, |raw| enrollments::table
        .inner_join(organizations::table)
        .filter(enrollments::user_id.eq(user_id))
        .order(organizations::id)
        .select((Enrollment::as_select(), Organization::as_select()))
        .load(raw))
}

/// Those who are enrolled in the organization, in the order in which they came.
pub async fn members(conn: &mut DbConn, organization_id: i32) -> Result<Vec<(Enrollment, User)>> {
    on_conn!(conn, |raw| enrollments::table
        .inner_join(users::table)
        .filter(enrollments::organization_id.eq(organization_id))
        .order(enrollments::id)
        .select((Enrollment::as_select(), User::as_select()))
        .load(raw))
}

/// Whether the user is the only admin of the organization. Others who would change that wait until the transaction ends,
/// so that two admins cannot remove each other at once.
pub async fn is_last_admin(tx: &mut Transaction<'_>, user_id: i32, organization_id: i32) -> Result<bool> {
    let organization = organizations::table.find(organization_id);
    let touch = organizations::updated_at.eq(organizations::updated_at);
    on_conn!(tx, |raw| diesel::update(organization).set(touch).execute(raw))?;
    let admins: Vec<i32> = on_conn!(tx, |raw| enrollments::table
        .filter(enrollments::organization_id.eq(organization_id))
        .filter(enrollments::is_admin.eq(true))
        .order(enrollments::id)
        .limit(2)
        .select(enrollments::user_id)
        .load(raw))?;
    Ok(admins == [user_id])
}

/// Whether the user is an admin of any organization.
pub async fn is_admin_anywhere(conn: &mut DbConn, user_id: i32) -> Result<bool> {
    let of_user = enrollments::table.filter(enrollments::user_id.eq(user_id)).filter(enrollments::is_admin.eq(true));
    on_conn!(conn, |raw| diesel::select(diesel::dsl::exists(of_user)).get_result(raw))
}

/// Whether the user administers the organization that this reference leads to, as the original decides it: see
/// `Reference::leading_id`. A root user administers every organization that there is (D3).
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

/// The users enrolled in this organization.
pub async fn users_of(conn: &mut DbConn, organization_id: i32) -> Result<Vec<i32>> {
    on_conn!(conn, |raw| enrollments::table
        .filter(enrollments::organization_id.eq(organization_id))
        .order(enrollments::user_id)
        .select(enrollments::user_id)
        .load(raw))
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

/// Makes a user an admin of the organization, or a member who is none.
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

/// Removes a user's enrollment; `false` when there was none.
pub async fn delete(tx: &mut Transaction<'_>, user_id: i32, organization_id: i32) -> Result<bool> {
    let deleted = on_conn!(tx, |raw| diesel::delete(
        enrollments::table
            .filter(enrollments::user_id.eq(user_id))
            .filter(enrollments::organization_id.eq(organization_id))
    )
    .execute(raw))?;
    Ok(deleted > 0)
}
