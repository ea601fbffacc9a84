//! What becomes of organizations when a user goes.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{
    DbConn, Error, Result, Transaction, enrollments,
    organizations::{self, Deleted, Organization},
    schema::{self, organizations::dsl, users},
    users::User,
};

/// What deleting a user means, and what stands in the way.
#[derive(Debug)]
pub struct Outlook {
    /// Nobody else administers the server: no other root user can sign in.
    pub is_last_root: bool,
    /// Organizations that others belong to, and that nobody else administers.
    pub blocking: Vec<Organization>,
    /// Organizations that nobody else belongs to: they are deleted along.
    pub ending: Vec<Organization>,
}

/// What was deleted with a user.
#[derive(Debug)]
pub struct Departure {
    /// The organizations, with what they left behind.
    pub organizations: Vec<(Organization, Deleted)>,
}

/// Why a user was not deleted.
#[derive(Debug)]
pub enum Obstacle {
    /// See [`Outlook`].
    InTheWay,
    /// The database.
    Failed(Error),
}

impl From<Error> for Obstacle {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// What deleting this user would mean.
pub async fn outlook(conn: &mut DbConn, user: &User) -> Result<Outlook> {
    let mut outlook = Outlook { is_last_root: is_last_root(conn, user).await?, blocking: vec![], ending: vec![] };
    for (_, organization) in enrollments::list_of(conn, user.id).await? {
        let mut others = enrollments::members(conn, organization.id).await?;
        let own = others.iter().position(|(_, member)| member.id == user.id).map(|at| others.swap_remove(at));
        let administers = own.is_some_and(|(own, _)| own.is_admin);
        if others.is_empty() {
            outlook.ending.push(organization);
        } else if administers && !others.iter().any(|(other, _)| other.is_admin) {
            outlook.blocking.push(organization);
        }
    }
    Ok(outlook)
}

/// Deletes a user with enrollments, tokens, sessions, and the organizations that nobody else belongs to.
///
/// # Errors
///
/// [`Obstacle::InTheWay`]; nothing is deleted then.
pub async fn depart(tx: &mut Transaction<'_>, user: &User) -> Result<Departure, Obstacle> {
    hold(tx, user).await?;
    let outlook = outlook(tx, user).await?;
    if outlook.is_last_root || !outlook.blocking.is_empty() {
        return Err(Obstacle::InTheWay);
    }
    let mut organizations = Vec::new();
    for organization in outlook.ending {
        let deleted = organizations::delete(tx, organization.id).await?;
        organizations.push((organization, deleted));
    }
    {
        use schema::{enrollments, user_tokens};
        let of_user = enrollments::table.filter(enrollments::user_id.eq(user.id));
        on_conn!(tx, |raw| diesel::delete(of_user).execute(raw))?;
        let of_user = user_tokens::table.filter(user_tokens::user_id.eq(user.id));
        on_conn!(tx, |raw| diesel::delete(of_user).execute(raw))?;
    }
    on_conn!(tx, |raw| diesel::delete(users::table.find(user.id)).execute(raw))?;
    Ok(Departure { organizations })
}

/// Has others wait who would change the admins of these organizations, or the root users, at the same time.
async fn hold(tx: &mut Transaction<'_>, user: &User) -> Result<()> {
    let of_user = schema::enrollments::table
        .filter(schema::enrollments::user_id.eq(user.id))
        .select(schema::enrollments::organization_id);
    let touched = dsl::organizations.filter(dsl::id.eq_any(of_user));
    on_conn!(tx, |raw| diesel::update(touched).set(dsl::updated_at.eq(dsl::updated_at)).execute(raw))?;
    let roots = users::table.filter(users::is_root.eq(true));
    on_conn!(tx, |raw| diesel::update(roots).set(users::updated_at.eq(users::updated_at)).execute(raw)).map(drop)
}

/// Whether no other root user could come back: without a password or a confirmed address nobody signs in.
async fn is_last_root(conn: &mut DbConn, user: &User) -> Result<bool> {
    let can_sign_in = users::confirmed_at.is_not_null().and(users::password_hash.is_not_null());
    let roots: Vec<i32> = on_conn!(conn, |raw| users::table
        .filter(users::is_root.eq(true))
        .filter(can_sign_in.or(users::id.eq(user.id)))
        .order(users::id)
        .limit(2)
        .select(users::id)
        .load(raw))?;
    Ok(roots == [user.id])
}
