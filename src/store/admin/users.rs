//! Users.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{Found, Order, Slice, contains, ordered, pattern};
use crate::store::{
    DbConn, Error, Result, Transaction, email_changes,
    error::Optional as _,
    now,
    schema::{enrollments, user_tokens, users},
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
    /// Whether every organization is open to this user.
    pub is_root: bool,
    /// When the address was confirmed.
    pub confirmed_at: Option<NaiveDateTime>,
    /// Since when nobody can sign in, after too many wrong passwords.
    pub locked_at: Option<NaiveDateTime>,
    /// When the user was created.
    pub inserted_at: NaiveDateTime,
}

/// When and from where a user signed in.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct SignIns {
    /// How often.
    pub sign_in_count: Option<i32>,
    /// Wrong passwords since the last right one.
    pub failed_attempts: Option<i32>,
    /// The last time.
    pub current_sign_in_at: Option<NaiveDateTime>,
    /// The time before that.
    pub last_sign_in_at: Option<NaiveDateTime>,
    /// From where the last time.
    pub current_sign_in_ip: Option<String>,
    /// From where the time before that.
    pub last_sign_in_ip: Option<String>,
}

/// Which users to list; `None` lists all.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Part of the name or address, or the id.
    pub text: Option<String>,
    /// Those who are root, or are not.
    pub is_root: Option<bool>,
    /// Those whose address is confirmed, or is not.
    pub is_confirmed: Option<bool>,
    /// Those who are locked out, or are not.
    pub is_locked: Option<bool>,
    /// Locks that began at this moment or before are over.
    pub locked_until: NaiveDateTime,
}

/// What users can be ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are the columns")]
pub enum Sort {
    Id,
    Name,
    Email,
    IsRoot,
    ConfirmedAt,
    InsertedAt,
}

/// What to change of a user; `None` leaves a column as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, AsChangeset)]
#[diesel(table_name = users)]
pub struct Changes {
    /// The name to show.
    pub name: Option<String>,
    /// The address to sign in with.
    pub email: Option<String>,
    /// Whether every organization is open to this user.
    pub is_root: Option<bool>,
    /// When the address was confirmed; `Some(None)` takes it back.
    pub confirmed_at: Option<Option<NaiveDateTime>>,
}

/// A root user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root {
    /// The primary key.
    pub id: i32,
    /// Whether there is a password, and the address is confirmed.
    pub can_sign_in: bool,
}

/// What a deleted user leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deleted {
    /// How many tokens were deleted along.
    pub tokens: usize,
    /// How many enrollments were deleted along.
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
        query
    }};
}

/// The users of a search.
pub async fn list(conn: &mut DbConn, search: &Search, order: Order<Sort>, slice: Slice) -> Result<Found<Row>> {
    let total = on_conn!(conn, |raw| found!(search).count().get_result(raw))?;
    let descending = order.descending;
    let rows = on_conn!(conn, |raw| {
        let query = found!(search);
        let query = match order.by {
            Sort::Id => ordered!(query, descending, users::id),
            Sort::Name => ordered!(query, descending, super::lower(users::name)),
            Sort::Email => ordered!(query, descending, super::lower(users::email)),
            Sort::IsRoot => ordered!(query, descending, users::is_root),
            Sort::ConfirmedAt => ordered!(query, descending, users::confirmed_at),
            Sort::InsertedAt => ordered!(query, descending, users::inserted_at),
        };
        query.then_order_by(users::id).offset(slice.offset).limit(slice.limit).select(Row::as_select()).load(raw)
    })?;
    Ok(Found { rows, total })
}

/// One user, with sign-ins.
pub async fn find(conn: &mut DbConn, id: i32) -> Result<Option<(Row, SignIns)>> {
    on_conn!(conn, |raw| users::table.find(id).select((Row::as_select(), SignIns::as_select())).first(raw)).optional()
}

/// The root users. Nobody else can change who they are until the transaction ends.
///
/// It writes what is there already: the two databases have no other way in common to lock rows. So two root users who
/// take each other's right away at the same time do it one after the other.
pub async fn lock_roots(tx: &mut Transaction<'_>) -> Result<Vec<Root>> {
    let can_sign_in = users::confirmed_at.is_not_null().and(users::password_hash.is_not_null());
    let roots: Vec<(i32, bool)> = on_conn!(tx, |raw| diesel::update(users::table.filter(users::is_root.eq(true)))
        .set(users::is_root.eq(true))
        .returning((users::id, can_sign_in))
        .get_results(raw))?;
    Ok(roots.into_iter().map(|(id, can_sign_in)| Root { id, can_sign_in }).collect())
}

/// Changes a user. With another address, links that were mailed before are good for nothing any more: those to the old one,
/// and one that would put a third in the place of both.
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
    on_conn!(tx, |raw| diesel::update(users::table.find(id))
        .set((changes, users::updated_at.eq(now())))
        .returning(Row::as_returning())
        .get_result(raw))
}

/// Deletes a user with tokens, enrollments and sessions, and with the browsers that are to remember it.
///
/// # Errors
///
/// [`Error::NotFound`] when there is no such user.
pub async fn delete(tx: &mut Transaction<'_>, id: i32) -> Result<Deleted> {
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
