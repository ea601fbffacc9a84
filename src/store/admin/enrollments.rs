//! Enrollments.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{Found, Order, OrganizationName, Slice, UserName, contains, ordered, pattern};
use crate::store::{
    DbConn, Error, Result, Transaction,
    error::Optional as _,
    now,
    schema::{enrollments, organizations, users},
};

/// An enrollment in a list.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = enrollments)]
pub struct Row {
    /// The primary key.
    pub id: i32,
    /// Whether the user may change the organization and its applications.
    pub is_admin: bool,
    /// When the user was enrolled.
    pub inserted_at: NaiveDateTime,
    /// Who.
    #[diesel(embed)]
    pub user: UserName,
    /// Where.
    #[diesel(embed)]
    pub organization: OrganizationName,
}

/// Which enrollments to list; `None` lists all.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Part of the name or address of the user, or of the name or slug of the organization.
    pub text: Option<String>,
    /// Those of admins, or of others.
    pub is_admin: Option<bool>,
    /// Those of this user.
    pub user_id: Option<i32>,
    /// Those in this organization.
    pub organization_id: Option<i32>,
}

/// What enrollments can be ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are the columns")]
pub enum Sort {
    Id,
    User,
    Organization,
    IsAdmin,
    InsertedAt,
}

/// The rows of a search, for both backends to infer.
macro_rules! found {
    ($search:expr) => {{
        let mut query = enrollments::table.inner_join(users::table).inner_join(organizations::table).into_boxed();
        if let Some(text) = &$search.text {
            let pattern = pattern(text);
            let of_user = contains!(users::name, pattern.clone()).or(contains!(users::email, pattern.clone()));
            let of_organization =
                contains!(organizations::name, pattern.clone()).or(contains!(organizations::slug, pattern));
            query = query.filter(of_user.or(of_organization));
        }
        if let Some(is_admin) = $search.is_admin {
            query = query.filter(enrollments::is_admin.eq(is_admin));
        }
        if let Some(user_id) = $search.user_id {
            query = query.filter(enrollments::user_id.eq(user_id));
        }
        if let Some(organization_id) = $search.organization_id {
            query = query.filter(enrollments::organization_id.eq(organization_id));
        }
        query
    }};
}

/// The enrollments of a search.
pub async fn list(conn: &mut DbConn, search: &Search, order: Order<Sort>, slice: Slice) -> Result<Found<Row>> {
    let total = on_conn!(conn, |raw| found!(search).count().get_result(raw))?;
    let descending = order.descending;
    let rows = on_conn!(conn, |raw| {
        let query = found!(search);
        let query = match order.by {
            Sort::Id => ordered!(query, descending, enrollments::id),
            Sort::User => ordered!(query, descending, super::lower(users::email)),
            Sort::Organization => ordered!(query, descending, super::lower(organizations::name)),
            Sort::IsAdmin => ordered!(query, descending, enrollments::is_admin),
            Sort::InsertedAt => ordered!(query, descending, enrollments::inserted_at),
        };
        query.then_order_by(enrollments::id).offset(slice.offset).limit(slice.limit).select(Row::as_select()).load(raw)
    })?;
    Ok(Found { rows, total })
}

/// One enrollment.
pub async fn find(conn: &mut DbConn, id: i32) -> Result<Option<Row>> {
    on_conn!(conn, |raw| enrollments::table
        .inner_join(users::table)
        .inner_join(organizations::table)
        .filter(enrollments::id.eq(id))
        .select(Row::as_select())
        .first(raw))
    .optional()
}

/// Makes the user an admin of the organization, or no longer one.
///
/// # Errors
///
/// [`Error::NotFound`] when there is no such enrollment.
pub async fn set_admin(tx: &mut Transaction<'_>, id: i32, is_admin: bool) -> Result<()> {
    let updated = on_conn!(tx, |raw| diesel::update(enrollments::table.find(id))
        .set((enrollments::is_admin.eq(is_admin), enrollments::updated_at.eq(now())))
        .execute(raw))?;
    if updated == 0 { Err(Error::NotFound) } else { Ok(()) }
}
