//! The columns of `users` for signing in: passwords, failures, locks, and the last sign-ins.

use std::fmt;

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{
    DbConn, Result, Transaction,
    endings::{self, Scope},
    error::Optional as _,
    now,
    reference::{is_storable, truncated},
    schema::users,
    users::User,
};

diesel::define_sql_function! {
    /// Converts to lower case; SQLite does that for ASCII letters only.
    fn lower(text: diesel::sql_types::Nullable<diesel::sql_types::Text>) -> diesel::sql_types::Nullable<diesel::sql_types::Text>;
}
diesel::define_sql_function! {
    /// Returns the first value that is not null.
    fn coalesce(
        value: diesel::sql_types::Nullable<diesel::sql_types::Integer>,
        otherwise: diesel::sql_types::Nullable<diesel::sql_types::Integer>,
    ) -> diesel::sql_types::Nullable<diesel::sql_types::Integer>;
}

/// A user with the columns for signing in.
#[derive(Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct Credentials {
    #[diesel(embed)]
    pub user: User,
    /// The bcrypt hash of the password; a user without one cannot sign in.
    pub password_hash: Option<String>,
    /// Time since which the account is locked, if it is or was.
    pub locked_at: Option<NaiveDateTime>,
    /// Time at which the link was mailed that confirms the address.
    pub confirmation_sent_at: Option<NaiveDateTime>,
    /// Time at which the link was mailed that sets a password.
    pub reset_password_sent_at: Option<NaiveDateTime>,
    /// Stored form of the token that unlocks the account.
    pub unlock_token: Option<String>,
}

/// Omits hash and token.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("user_id", &self.user.id).finish_non_exhaustive()
    }
}

/// Returns the user with this id.
pub async fn find(conn: &mut DbConn, id: i32) -> Result<Option<Credentials>> {
    on_conn!(conn, |raw| users::table.find(id).select(Credentials::as_select()).first(raw)).optional()
}

/// Returns the user with this address as it was written; otherwise the only user whose address differs in nothing but
/// case, which people pay no attention to.
pub async fn find_by_email(conn: &mut DbConn, email: &str) -> Result<Option<Credentials>> {
    if !is_storable(email) {
        return Ok(None);
    }
    let mut found: Vec<Credentials> = on_conn!(conn, |raw| users::table
        .filter(lower(users::email).eq(lower(email)))
        .order(users::id)
        .select(Credentials::as_select())
        .load(raw))?;
    match found.iter().position(|found| found.user.email.as_deref() == Some(email)) {
        Some(exact) => Ok(Some(found.swap_remove(exact))),
        None if found.len() == 1 => Ok(found.pop()),
        None => Ok(None),
    }
}

/// Sign-ins of a user before a point in time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignIns {
    /// Number of sign-ins.
    pub count: i32,
    /// Time of the last sign-in before the current session.
    pub last_at: Option<NaiveDateTime>,
    /// IP address of that sign-in.
    pub last_ip: Option<String>,
}

/// Returns the number of sign-ins of the user with this id, and the last one.
pub async fn last_sign_ins(conn: &mut DbConn, id: i32) -> Result<SignIns> {
    let found = on_conn!(conn, |raw| users::table
        .find(id)
        .select((users::sign_in_count, users::last_sign_in_at, users::last_sign_in_ip))
        .first::<(Option<i32>, Option<NaiveDateTime>, Option<String>)>(raw))
    .optional()?;
    let (count, last_at, last_ip) = found.unwrap_or_default();
    Ok(SignIns { count: count.unwrap_or(0), last_at, last_ip })
}

/// Returns the IP addresses of the last sign-ins to the account with this mail address, at most two.
pub async fn sign_in_addresses(conn: &mut DbConn, email: &str) -> Result<Vec<String>> {
    if !is_storable(email) {
        return Ok(Vec::new());
    }
    let of_email = users::table.filter(lower(users::email).eq(lower(email)));
    let found: Vec<(Option<String>, Option<String>)> =
        on_conn!(conn, |raw| of_email.select((users::current_sign_in_ip, users::last_sign_in_ip)).load(raw))?;
    Ok(found.into_iter().flat_map(|(current, last)| [current, last]).flatten().collect())
}

/// Returns true if a user has this address, ignoring case.
pub async fn is_taken(conn: &mut DbConn, email: &str) -> Result<bool> {
    let taken = users::table.filter(lower(users::email).eq(lower(email)));
    on_conn!(conn, |raw| diesel::select(diesel::dsl::exists(taken)).get_result(raw))
}

/// Returns true as [`is_taken`] does, but ignores the user with this id, whose own address may be written in another
/// case.
pub async fn is_taken_by_another(conn: &mut DbConn, email: &str, id: i32) -> Result<bool> {
    let taken = users::table.filter(lower(users::email).eq(lower(email))).filter(users::id.ne(id));
    on_conn!(conn, |raw| diesel::select(diesel::dsl::exists(taken)).get_result(raw))
}

/// Counts a wrong password. Returns the number of wrong passwords in a row, or 0 if there is no such user. With `anew`
/// this one is the first.
pub async fn count_failure(tx: &mut Transaction<'_>, id: i32, anew: bool) -> Result<i32> {
    if anew {
        on_conn!(tx, |raw| diesel::update(users::table.find(id))
            .set((users::failed_attempts.eq(0), users::locked_at.eq(None::<NaiveDateTime>)))
            .execute(raw))?;
    }
    let failures = on_conn!(tx, |raw| diesel::update(users::table.find(id))
        .set(users::failed_attempts.eq(coalesce(users::failed_attempts, 0) + 1))
        .returning(users::failed_attempts)
        .get_result::<Option<i32>>(raw))
    .optional()?;
    Ok(failures.flatten().unwrap_or(0))
}

/// Locks the account from now on.
pub async fn lock(tx: &mut Transaction<'_>, id: i32) -> Result<()> {
    on_conn!(tx, |raw| diesel::update(users::table.find(id)).set(users::locked_at.eq(now())).execute(raw)).map(drop)
}

/// Unlocks the account, and forgets about wrong passwords and the token that would have unlocked it.
pub async fn unlock(tx: &mut Transaction<'_>, id: i32) -> Result<()> {
    on_conn!(tx, |raw| diesel::update(users::table.find(id))
        .set((
            users::failed_attempts.eq(0),
            users::locked_at.eq(None::<NaiveDateTime>),
            users::unlock_token.eq(None::<String>),
        ))
        .execute(raw))
    .map(drop)
}

/// Records a sign-in: number, time and IP address. The previous time and address are kept.
pub async fn signed_in(tx: &mut Transaction<'_>, id: i32, ip: &str) -> Result<()> {
    keep_last(tx, id).await?;
    on_conn!(tx, |raw| diesel::update(users::table.find(id))
        .set((
            users::sign_in_count.eq(coalesce(users::sign_in_count, 0) + 1),
            users::current_sign_in_at.eq(now()),
            users::current_sign_in_ip.eq(truncated(ip)),
        ))
        .execute(raw))
    .map(drop)
}

/// Records a sign-out: nothing is current any more, as in the original.
pub async fn signed_out(tx: &mut Transaction<'_>, id: i32) -> Result<()> {
    keep_last(tx, id).await?;
    on_conn!(tx, |raw| diesel::update(users::table.find(id))
        .set((users::current_sign_in_at.eq(None::<NaiveDateTime>), users::current_sign_in_ip.eq(None::<String>)))
        .execute(raw))
    .map(drop)
}

/// Replaces this hash by a better one of the same password, unless the password was changed meanwhile.
pub async fn replace_hash(tx: &mut Transaction<'_>, id: i32, old: &str, new: &str) -> Result<()> {
    let unchanged = users::table.find(id).filter(users::password_hash.eq(old));
    on_conn!(tx, |raw| diesel::update(unchanged).set(users::password_hash.eq(new)).execute(raw)).map(drop)
}

/// Sets a new password. Links that were mailed to set one become invalid, and all browsers that signed in with the old
/// password are signed out.
pub async fn set_password(tx: &mut Transaction<'_>, id: i32, password_hash: &str) -> Result<()> {
    endings::end(tx, id, Scope::Browsers).await?;
    on_conn!(tx, |raw| diesel::update(users::table.find(id))
        .set((
            users::password_hash.eq(password_hash),
            users::reset_password_token.eq(None::<String>),
            users::reset_password_sent_at.eq(None::<NaiveDateTime>),
            users::updated_at.eq(now()),
        ))
        .execute(raw))
    .map(drop)
}

/// Gives the user another name.
pub async fn rename(tx: &mut Transaction<'_>, id: i32, name: &str) -> Result<()> {
    let user = users::table.find(id);
    on_conn!(tx, |raw| diesel::update(user).set((users::name.eq(name), users::updated_at.eq(now()))).execute(raw))
        .map(drop)
}

/// Moves the current sign-in to the last one.
async fn keep_last(tx: &mut Transaction<'_>, id: i32) -> Result<()> {
    let current = users::table.find(id).filter(users::current_sign_in_at.is_not_null());
    on_conn!(tx, |raw| diesel::update(current)
        .set((
            users::last_sign_in_at.eq(users::current_sign_in_at),
            users::last_sign_in_ip.eq(users::current_sign_in_ip),
        ))
        .execute(raw))
    .map(drop)
}
