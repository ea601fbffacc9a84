//! The table `user_suspensions`: users suspended by a root user, and the cause.
//!
//! This module alone decides whether a user is active: [`standing`] for one user, `active!` within a query. A user
//! without a row is active, even if the address was never confirmed: the original lets such users use its API.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{
    DbConn, Result, Transaction,
    error::Optional as _,
    now,
    schema::{user_suspensions, users},
    users::User,
};

/// Cause of a suspension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A root user suspended the account.
    Suspended,
    /// A root user removed the confirmation of the address. In force until the address is confirmed again.
    Unconfirmed,
}

impl Cause {
    pub(in crate::store) const fn name(self) -> &'static str {
        match self {
            Self::Suspended => "suspended",
            Self::Unconfirmed => "unconfirmed",
        }
    }
}

/// Validity of a user's credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// There is no such user.
    Missing,
    /// A root user suspended the account: its tokens, JWTs and sessions are invalid.
    Ended,
    /// The user is active.
    Active(User),
}

/// The condition that no suspension counts for the user of a row of `users`, for both backends to infer.
macro_rules! active {
    () => {{
        use $crate::store::{
            schema::{user_suspensions, users},
            user_suspensions::Cause,
        };
        let counts = diesel::BoolExpressionMethods::or(
            diesel::ExpressionMethods::eq(user_suspensions::cause, Cause::Suspended.name()),
            diesel::ExpressionMethods::is_null(users::confirmed_at),
        );
        let of_user = diesel::ExpressionMethods::eq(user_suspensions::user_id, users::id);
        let lasting = diesel::QueryDsl::filter(user_suspensions::table, of_user);
        diesel::dsl::not(diesel::dsl::exists(diesel::QueryDsl::filter(lasting, counts)))
    }};
}
pub(in crate::store) use active;

/// Returns the standing of the user with this id.
pub async fn standing(conn: &mut DbConn, user_id: i32) -> Result<Standing> {
    let found = on_conn!(conn, |raw| users::table
        .find(user_id)
        .select((User::as_select(), active!()))
        .first::<(User, bool)>(raw))
    .optional()?;
    Ok(match found {
        None => Standing::Missing,
        Some((_, false)) => Standing::Ended,
        Some((user, true)) => Standing::Active(user),
    })
}

/// Returns the active users among these, in no order.
pub(super) async fn active_among(conn: &mut DbConn, user_ids: &[i32]) -> Result<Vec<User>> {
    on_conn!(conn, |raw| users::table
        .filter(users::id.eq_any(user_ids))
        .filter(active!())
        .select(User::as_select())
        .load(raw))
}

/// Returns true if a root user suspended this user.
pub async fn is_suspended(conn: &mut DbConn, user_id: i32) -> Result<bool> {
    let row = user_suspensions::table.find((user_id, Cause::Suspended.name()));
    on_conn!(conn, |raw| diesel::select(diesel::dsl::exists(row)).get_result(raw))
}

/// Returns the suspended users among these.
pub async fn suspended_of(conn: &mut DbConn, user_ids: &[i32]) -> Result<Vec<i32>> {
    on_conn!(conn, |raw| user_suspensions::table
        .filter(user_suspensions::cause.eq(Cause::Suspended.name()))
        .filter(user_suspensions::user_id.eq_any(user_ids))
        .select(user_suspensions::user_id)
        .load(raw))
}

/// Records that a user is suspended for this cause, see [`endings`](super::endings).
///
/// # Errors
///
/// [`Error::NotFound`](super::Error::NotFound) when there is no such user.
pub(super) async fn add(tx: &mut Transaction<'_>, user_id: i32, cause: Cause) -> Result<()> {
    let row = (
        user_suspensions::user_id.eq(user_id),
        user_suspensions::cause.eq(cause.name()),
        user_suspensions::inserted_at.eq(now()),
    );
    on_conn!(tx, |raw| diesel::insert_into(user_suspensions::table).values(row).on_conflict_do_nothing().execute(raw))
        .map(drop)
}

/// Lifts a suspension; `false` when the user was not suspended for this cause.
pub async fn lift(tx: &mut Transaction<'_>, user_id: i32, cause: Cause) -> Result<bool> {
    let row = user_suspensions::table.find((user_id, cause.name()));
    let removed = on_conn!(tx, |raw| diesel::delete(row).execute(raw))?;
    Ok(removed > 0)
}
