//! The table `users`: the people who sign in, and in whose name tokens and sockets act.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{
    DbConn, Result, Transaction, error::Optional as _, now, reference::is_storable, schema::users, user_suspensions,
};

/// A user, without the columns for signing in.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct User {
    /// The primary key.
    pub id: i32,
    /// The name to show.
    pub name: Option<String>,
    /// The address to sign in with, unique.
    pub email: Option<String>,
    /// True if every organization is open to this user.
    pub is_root: bool,
    /// Time at which the address was confirmed.
    pub confirmed_at: Option<NaiveDateTime>,
}

/// A user to create.
#[derive(Debug)]
pub struct NewUser<'a> {
    /// The name to show.
    pub name: &'a str,
    /// The address to sign in with.
    pub email: &'a str,
    /// The bcrypt hash of the password; a user without one cannot sign in.
    pub password_hash: Option<&'a str>,
    /// True if every organization is open to this user.
    pub is_root: bool,
    /// True if the address counts as confirmed.
    pub confirmed: bool,
}

/// Returns the user with this id.
pub async fn find(conn: &mut DbConn, id: i32) -> Result<Option<User>> {
    on_conn!(conn, |raw| users::table.find(id).select(User::as_select()).first(raw)).optional()
}

/// Returns the user as no other transaction can change it until this one ends.
///
/// # Errors
///
/// [`Error::NotFound`](super::Error::NotFound) when there is no such user.
pub async fn lock(tx: &mut Transaction<'_>, id: i32) -> Result<User> {
    on_conn!(tx, |raw| diesel::update(users::table.find(id))
        .set(users::updated_at.eq(users::updated_at))
        .returning(User::as_returning())
        .get_result(raw))
}

/// Returns the user with this address, compared as it was written.
pub async fn find_by_email(conn: &mut DbConn, email: &str) -> Result<Option<User>> {
    if !is_storable(email) {
        return Ok(None);
    }
    on_conn!(conn, |raw| users::table.filter(users::email.eq(email)).select(User::as_select()).first(raw)).optional()
}

/// Returns the bcrypt hash of the user's password, if there is such a user with a password.
pub async fn password_hash(conn: &mut DbConn, id: i32) -> Result<Option<String>> {
    let hash = on_conn!(conn, |raw| users::table.find(id).select(users::password_hash).first::<Option<String>>(raw));
    Ok(hash.optional()?.flatten())
}

/// Returns true if there is any user at all.
pub async fn any(conn: &mut DbConn) -> Result<bool> {
    on_conn!(conn, |raw| diesel::select(diesel::dsl::exists(users::table.select(users::id))).get_result(raw))
}

/// Creates a user.
///
/// # Errors
///
/// [`Error::Duplicate`](super::Error::Duplicate) when the address is taken.
pub async fn create(tx: &mut Transaction<'_>, new: &NewUser<'_>) -> Result<User> {
    let now = now();
    on_conn!(tx, |raw| diesel::insert_into(users::table)
        .values((
            users::name.eq(new.name),
            users::email.eq(new.email),
            users::password_hash.eq(new.password_hash),
            users::is_root.eq(new.is_root),
            users::confirmed_at.eq(new.confirmed.then_some(now)),
            users::inserted_at.eq(now),
            users::updated_at.eq(now),
        ))
        .returning(User::as_returning())
        .get_result(raw))
}

/// Gives an account whose address was never confirmed to the person who has just proven to own the address, with a new
/// name and password, since it is unknown who chose the old ones. `false` when the address was confirmed meanwhile, or
/// the account is suspended.
pub async fn claim(tx: &mut Transaction<'_>, id: i32, name: &str, password_hash: &str) -> Result<bool> {
    if user_suspensions::is_suspended(tx, id).await? {
        return Ok(false);
    }
    let now = now();
    let unconfirmed = users::table.find(id).filter(users::confirmed_at.is_null());
    let changed = on_conn!(tx, |raw| diesel::update(unconfirmed)
        .set((
            users::name.eq(name),
            users::password_hash.eq(password_hash),
            users::confirmed_at.eq(now),
            users::confirmation_token.eq(None::<String>),
            users::reset_password_token.eq(None::<String>),
            users::updated_at.eq(now),
        ))
        .execute(raw))?;
    Ok(changed > 0)
}
