//! The table `users`: those who sign in, and on whose behalf tokens and sockets act.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{DbConn, Result, Transaction, error::Optional as _, now, reference::is_storable, schema::users};

/// A user, without what belongs to signing in.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct User {
    /// The primary key.
    pub id: i32,
    /// The name to show.
    pub name: Option<String>,
    /// The address to sign in with, unique.
    pub email: Option<String>,
    /// Whether every organization is open to this user.
    pub is_root: bool,
    /// When the address was confirmed.
    pub confirmed_at: Option<NaiveDateTime>,
}

/// A user to create.
#[derive(Debug)]
pub struct NewUser<'a> {
    /// The name to show.
    pub name: &'a str,
    /// The address to sign in with.
    pub email: &'a str,
    /// The bcrypt hash of the password; without one nobody can sign in as this user.
    pub password_hash: Option<&'a str>,
    /// Whether every organization is open to this user.
    pub is_root: bool,
    /// Whether the address counts as confirmed.
    pub confirmed: bool,
}

/// The user with this id.
pub async fn find(conn: &mut DbConn, id: i32) -> Result<Option<User>> {
    on_conn!(conn, |raw| users::table.find(id).select(User::as_select()).first(raw)).optional()
}

/// The user with this address, compared as it was written.
pub async fn find_by_email(conn: &mut DbConn, email: &str) -> Result<Option<User>> {
    if !is_storable(email) {
        return Ok(None);
    }
    on_conn!(conn, |raw| users::table.filter(users::email.eq(email)).select(User::as_select()).first(raw)).optional()
}

/// The bcrypt hash of the user's password, if there is such a user with a password.
pub async fn password_hash(conn: &mut DbConn, id: i32) -> Result<Option<String>> {
    let hash = on_conn!(conn, |raw| users::table.find(id).select(users::password_hash).first::<Option<String>>(raw));
    Ok(hash.optional()?.flatten())
}

/// Whether there is any user at all.
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

/// Gives an account whose address was never confirmed to whoever has just proven that it is theirs: with a name and a
/// password of their own, since nobody knows who chose the ones before. `false` when it was confirmed meanwhile.
pub async fn claim(tx: &mut Transaction<'_>, id: i32, name: &str, password_hash: &str) -> Result<bool> {
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
