//! The root users: those rows of `users` to whom every organization and the admin are open.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{DbConn, Result, Transaction, schema::users, user_suspensions::active};

/// A root user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root {
    /// The primary key.
    pub id: i32,
    /// True if the user has a password and a confirmed address, and is active.
    pub can_sign_in: bool,
}

/// Returns the root users.
pub async fn list(conn: &mut DbConn) -> Result<Vec<Root>> {
    let has_both = users::confirmed_at.is_not_null().and(users::password_hash.is_not_null());
    let roots: Vec<(i32, bool, bool)> = on_conn!(conn, |raw| users::table
        .filter(users::is_root.eq(true))
        .order(users::id)
        .select((users::id, has_both, active!()))
        .load(raw))?;
    let root = |(id, has_both, is_active): (i32, bool, bool)| Root { id, can_sign_in: has_both && is_active };
    Ok(roots.into_iter().map(root).collect())
}

/// Returns true if there is a root user, who can sign in or not.
pub async fn any(conn: &mut DbConn) -> Result<bool> {
    let roots = users::table.filter(users::is_root.eq(true));
    on_conn!(conn, |raw| diesel::select(diesel::dsl::exists(roots)).get_result(raw))
}

/// Returns the root users, and locks their rows: no other transaction can change the set of root users until this one
/// ends. So two root users who remove each other's root rights at the same time do it one after the other.
///
/// It writes the values that are there already: the two databases have no other way in common to lock rows.
pub async fn lock(tx: &mut Transaction<'_>) -> Result<Vec<Root>> {
    let roots = users::table.filter(users::is_root.eq(true));
    on_conn!(tx, |raw| diesel::update(roots).set(users::is_root.eq(true)).execute(raw))?;
    list(tx).await
}
