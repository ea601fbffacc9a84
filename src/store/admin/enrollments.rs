//! Enrollments.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{OrganizationName, UserName, contains, listed, pattern};
use crate::store::{
    DbConn, Result,
    error::Optional as _,
    schema::{enrollments, organizations, users},
};

/// An enrollment in a list.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = enrollments)]
pub struct Row {
    /// The primary key.
    pub id: i32,
    /// True if the user may change the organization and its applications.
    pub is_admin: bool,
    /// Time at which the user was enrolled.
    pub inserted_at: NaiveDateTime,
    /// The enrolled user.
    #[diesel(embed)]
    pub user: UserName,
    #[diesel(embed)]
    pub organization: OrganizationName,
}

/// Filters for a list of enrollments; `None` lists all.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Part of the name or address of the user, or of the name or slug of the organization.
    pub text: Option<String>,
    /// Filter by admins or other members.
    pub is_admin: Option<bool>,
    /// Filter by user.
    pub user_id: Option<i32>,
    /// Filter by organization.
    pub organization_id: Option<i32>,
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

listed!(found => Row, then enrollments::id, {
    "id" => Id: enrollments::id,
    "user" => User: super::lower(users::email),
    "organization" => Organization: super::lower(organizations::name),
    "is_admin" => IsAdmin: enrollments::is_admin,
    "inserted_at" => InsertedAt: enrollments::inserted_at,
});

/// Returns one enrollment.
pub async fn find(conn: &mut DbConn, id: i32) -> Result<Option<Row>> {
    on_conn!(conn, |raw| enrollments::table
        .inner_join(users::table)
        .inner_join(organizations::table)
        .filter(enrollments::id.eq(id))
        .select(Row::as_select())
        .first(raw))
    .optional()
}
