//! The end of accounts: by their own users, and by root users.
//!
//! A user who leaves takes along the organizations without other members, and cannot leave one that has other members,
//! but no other admin: nobody could administer it. When a root user deletes an account, its organizations stay, even one
//! that has no active admin then, since root users administer them all. See [`LastAdmin`](crate::operations::members::LastAdmin).

use super::{
    ProvenUser, RESOURCE, named, record,
    roots::{self, Roots},
};
use crate::{
    auth::ProvenPassword,
    operations::{Refusal, Rule, organizations},
    store::{
        self, DbConn, Result, Transaction,
        admin::users as all_users,
        audit::Actor,
        enrollments::{self, ActiveAdmins},
        organizations::Organization,
        users::{self, User},
    },
};

/// Consequences for organizations when a user leaves, and the obstacles.
#[derive(Debug)]
pub struct Outlook {
    /// True if no other root user can sign in, so that the server would have no administrator.
    pub is_last_root: bool,
    /// Organizations that have other members, but no other admin.
    pub blocking: Vec<Organization>,
    /// Organizations without other members: they are deleted with the user.
    pub ending: Vec<Organization>,
}

/// Returns the consequences and obstacles of deleting this user's own account.
///
/// # Errors
///
/// Database errors.
pub async fn outlook(conn: &mut DbConn, user: &User) -> Result<Outlook> {
    let is_last_root = user.is_root && !roots::remain_without(&store::roots::list(conn).await?, user.id);
    let mut outlook = Outlook { is_last_root, blocking: vec![], ending: vec![] };
    for (_, organization) in enrollments::list_of(conn, user.id).await? {
        let mut others = enrollments::members(conn, organization.id).await?;
        let own = others.iter().position(|(_, member)| member.id == user.id).map(|at| others.swap_remove(at));
        let administers = own.is_some_and(|(own, _)| own.is_admin);
        if others.is_empty() {
            outlook.ending.push(organization);
        } else if administers && !ActiveAdmins::of(conn, organization.id).await?.remain_without(user.id) {
            outlook.blocking.push(organization);
        }
    }
    Ok(outlook)
}

/// Deletes a user's own account with enrollments, tokens, sessions, and the organizations without other members. Closes
/// the sockets that depended on any of this.
///
/// # Errors
///
/// [`Rule::OtherPassword`], as [`ProvenUser::lock`]; [`Rule::LastRoot`] and [`Rule::LastAdmin`]; [`outlook`] tells of which
/// organizations.
pub async fn leave(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    (id, password): (i32, &ProvenPassword),
) -> Result<(), Refusal> {
    enrollments::hold_all_of(tx, id).await?;
    let roots = Roots::lock(tx).await?;
    let owner = ProvenUser::lock(tx, id, password).await?;
    let user = owner.user();
    roots.check_leaving_of(user)?;
    let outlook = outlook(tx, user).await?;
    if !outlook.blocking.is_empty() {
        return Err(Rule::LastAdmin.into());
    }
    for organization in outlook.ending {
        organizations::delete(tx, actor, organization.id).await?;
    }
    Ok(finish(tx, actor, user).await?)
}

/// Deletes the account of another user, for a root user.
///
/// # Errors
///
/// [`Rule::OwnDeletion`], [`Rule::NoLongerRoot`], [`Rule::LastRoot`];
/// [`Error::NotFound`](crate::store::Error::NotFound) when there is no such user.
pub async fn delete(tx: &mut Transaction<'_>, actor: &Actor, id: i32) -> Result<(), Refusal> {
    if actor.id == Some(id) {
        return Err(Rule::OwnDeletion.into());
    }
    let roots = Roots::lock(tx).await?;
    let user = users::lock(tx, id).await?;
    roots.check_end_of(&user, actor)?;
    Ok(finish(tx, actor, &user).await?)
}

async fn finish(tx: &mut Transaction<'_>, actor: &Actor, user: &User) -> Result<()> {
    let deleted = all_users::delete(tx, user.id).await?;
    let mut details = named(user);
    details.note("tokens", deleted.tokens);
    details.note("enrollments", deleted.enrollments);
    record(tx, actor, "delete", (RESOURCE, user.id), &details).await
}
