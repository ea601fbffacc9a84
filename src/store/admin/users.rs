//! Users.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{contains, listed, pattern};
use crate::store::{
    DbConn, Error, Result, Transaction, email_changes,
    endings::{self, Scope},
    error::Optional as _,
    now,
    schema::{enrollments, user_suspensions, user_tokens, users},
    user_suspensions::{Cause, lift},
};

/// A user in a list.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct Row {
    /// The primary key.
    pub id: i32,
    /// The name to show.
    pub name: Option<String>,
    /// The address to sign in with.
    pub email: Option<String>,
    /// True if every organization is open to this user.
    pub is_root: bool,
    /// Time at which the address was confirmed.
    pub confirmed_at: Option<NaiveDateTime>,
    /// Time since which sign-in is locked, after too many wrong passwords.
    pub locked_at: Option<NaiveDateTime>,
    /// Time at which the user was created.
    pub inserted_at: NaiveDateTime,
}

/// Sign-ins of a user.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct SignIns {
    /// Number of sign-ins.
    pub sign_in_count: Option<i32>,
    /// Wrong passwords since the last right one.
    pub failed_attempts: Option<i32>,
    /// Time of the last sign-in.
    pub current_sign_in_at: Option<NaiveDateTime>,
    /// Time of the sign-in before that.
    pub last_sign_in_at: Option<NaiveDateTime>,
    /// IP address of the last sign-in.
    pub current_sign_in_ip: Option<String>,
    /// IP address of the sign-in before that.
    pub last_sign_in_ip: Option<String>,
}

/// Filters for a list of users; `None` lists all.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Part of the name or address, or the id.
    pub text: Option<String>,
    /// Filter by root users, or others.
    pub is_root: Option<bool>,
    /// Filter by confirmed address, or not.
    pub is_confirmed: Option<bool>,
    /// Filter by locked accounts, or not.
    pub is_locked: Option<bool>,
    /// Filter by accounts that a root user suspended, or not.
    pub is_suspended: Option<bool>,
    /// Locks that began at this time or before are over.
    pub locked_until: NaiveDateTime,
}

/// Changes to a user; `None` leaves a column unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq, AsChangeset)]
#[diesel(table_name = users)]
pub struct Changes {
    /// The name to show.
    pub name: Option<String>,
    /// The address to sign in with.
    pub email: Option<String>,
    /// True if every organization is open to this user.
    pub is_root: Option<bool>,
    /// Time at which the address was confirmed; `Some(None)` removes the confirmation.
    pub confirmed_at: Option<Option<NaiveDateTime>>,
}

/// Number of rows deleted with a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deleted {
    /// Number of deleted tokens.
    pub tokens: usize,
    /// Number of deleted enrollments.
    pub enrollments: usize,
}

/// The rows of a search, for both backends to infer.
macro_rules! found {
    ($search:expr) => {{
        let mut query = users::table.into_boxed();
        if let Some(text) = &$search.text {
            let pattern = pattern(text);
            let named = contains!(users::name, pattern.clone()).or(contains!(users::email, pattern));
            query = query.filter(named.or(users::id.nullable().eq(text.parse::<i32>().ok())));
        }
        if let Some(is_root) = $search.is_root {
            query = query.filter(users::is_root.eq(is_root));
        }
        if let Some(is_confirmed) = $search.is_confirmed {
            query = query.filter(users::confirmed_at.is_null().ne(is_confirmed));
        }
        if let Some(is_locked) = $search.is_locked {
            let is_over = users::locked_at.is_null().or(users::locked_at.le($search.locked_until));
            query = if is_locked { query.filter(diesel::dsl::not(is_over)) } else { query.filter(is_over) };
        }
        if let Some(is_suspended) = $search.is_suspended {
            let suspended = user_suspensions::table
                .filter(user_suspensions::cause.eq(Cause::Suspended.name()))
                .select(user_suspensions::user_id);
            query = if is_suspended {
                query.filter(users::id.eq_any(suspended))
            } else {
                query.filter(users::id.ne_all(suspended))
            };
        }
        query
    }};
}

listed!(found => Row, then users::id, {
    "id" => Id: users::id,
    "name" => Name: super::lower(users::name),
    "email" => Email: super::lower(users::email),
    "is_root" => IsRoot: users::is_root,
    "confirmed_at" => ConfirmedAt: users::confirmed_at,
    "inserted_at" => InsertedAt: users::inserted_at,
});

/// Returns one user, with sign-ins.
pub async fn find(conn: &mut DbConn, id: i32) -> Result<Option<(Row, SignIns)>> {
    on_conn!(conn, |raw| users::table.find(id).select((Row::as_select(), SignIns::as_select())).first(raw)).optional()
}

/// Changes a user. A user who loses root rights loses all sockets; a user who loses the confirmation is suspended until
/// it is restored. A new address invalidates links that were mailed before: those to the old address, and one that
/// would replace both by a third.
///
/// # Errors
///
/// [`Error::Duplicate`] when the address is taken, and [`Error::NotFound`] when there is no such user.
pub async fn update(tx: &mut Transaction<'_>, id: i32, changes: &Changes) -> Result<Row> {
    if let Some(email) = &changes.email {
        let with_other = users::table.find(id).filter(users::email.ne(email));
        let changed = on_conn!(tx, |raw| diesel::update(with_other)
            .set((users::reset_password_token.eq(None::<String>), users::confirmation_token.eq(None::<String>)))
            .execute(raw))?;
        if changed > 0 {
            email_changes::delete(tx, id).await?;
        }
    }
    if changes.is_root == Some(false) || changes.confirmed_at.is_some() {
        end_what_is_lost(tx, id, changes).await?;
    }
    on_conn!(tx, |raw| diesel::update(users::table.find(id))
        .set((changes, users::updated_at.eq(now())))
        .returning(Row::as_returning())
        .get_result(raw))
}

/// Ends what the user has open, if the changes remove root rights or the confirmation. An address that was never
/// confirmed ends nothing: the original lets such users go on.
///
/// It writes the values that are there already, as [`roots::lock`](crate::store::roots::lock) does: no other transaction can give the user either
/// until this one ends.
async fn end_what_is_lost(tx: &mut Transaction<'_>, id: i32, changes: &Changes) -> Result<()> {
    let (was_root, confirmed_at): (bool, Option<NaiveDateTime>) =
        on_conn!(tx, |raw| diesel::update(users::table.find(id))
            .set(users::is_root.eq(users::is_root))
            .returning((users::is_root, users::confirmed_at))
            .get_result(raw))?;
    if was_root && changes.is_root == Some(false) {
        endings::end(tx, id, Scope::Sockets).await?;
    }
    match changes.confirmed_at {
        Some(None) if confirmed_at.is_some() => endings::suspend(tx, id, Cause::Unconfirmed).await,
        Some(Some(_)) => lift(tx, id, Cause::Unconfirmed).await.map(drop),
        _ => Ok(()),
    }
}

/// Deletes a user with tokens, enrollments, sessions and remembered browsers, and closes the user's sockets.
///
/// # Errors
///
/// [`Error::NotFound`] when there is no such user.
pub async fn delete(tx: &mut Transaction<'_>, id: i32) -> Result<Deleted> {
    endings::end(tx, id, Scope::Everything).await?;
    let of_user = user_tokens::table.filter(user_tokens::user_id.eq(id));
    let tokens = on_conn!(tx, |raw| diesel::delete(of_user).execute(raw))?;
    let of_user = enrollments::table.filter(enrollments::user_id.eq(id));
    let enrollments = on_conn!(tx, |raw| diesel::delete(of_user).execute(raw))?;
    // The rest refers to users with ON DELETE CASCADE.
    match on_conn!(tx, |raw| diesel::delete(users::table.find(id)).execute(raw))? {
        0 => Err(Error::NotFound),
        _ => Ok(Deleted { tokens, enrollments }),
    }
}
