//! Accepting an invitation, with a new account or an existing one.

use super::record;
use crate::{
    auth::PasswordHash,
    mail::Letter,
    operations::{
        Mailing, Refusal,
        accounts::{self, NewAccount, SignUpPolicy},
        members,
    },
    store::{
        DbConn, Error, Result, Transaction,
        audit::{Actor, Differences},
        enrollments,
        invitation_enrollments::{self, InvitationEnrollment},
        invitation_senders,
        invitations::{self, RESOURCE},
        organizations::Organization,
        users::User,
    },
};

/// An invitation that the owner of its address accepts.
#[derive(Clone, Copy, Debug)]
pub struct Accepting<'a> {
    /// The invitation.
    pub invitation_id: i32,
    /// Its address.
    pub email: &'a str,
}

/// Accepts an invitation for a user who has an account. Enrolls the user in its organizations where its inviter may still
/// invite, and returns them.
///
/// # Errors
///
/// [`Error::NotFound`] when it was accepted or withdrawn meanwhile, or is no longer valid.
pub async fn accept(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    accepting: Accepting<'_>,
    user_id: i32,
) -> Result<Vec<Organization>> {
    let organizations = enroll(tx, actor, accepting.invitation_id, user_id).await?;
    let mut details = Differences::of("email", accepting.email);
    details.texts("to", organizations.iter().map(Organization::shown_name));
    record(tx, actor, "accept", (RESOURCE, accepting.invitation_id), &details).await?;
    Ok(organizations)
}

/// Accepts an invitation as [`accept`] does, with a new account, or with one whose address was never confirmed. Mails how
/// to begin. Returns the user and the organizations.
///
/// # Errors
///
/// As [`accept`]; [`Rule::NoNewAccounts`](crate::operations::Rule::NoNewAccounts), for an account that was never confirmed
/// too; [`Error::Duplicate`] when the address has another account meanwhile.
pub async fn accept_with_account(
    tx: &mut Transaction<'_>,
    visitor: &Actor,
    (policy, mailing): (&SignUpPolicy, Mailing<'_>),
    accepting: Accepting<'_>,
    unconfirmed: Option<i32>,
    (name, password): (&str, &PasswordHash),
) -> Result<(User, Vec<Organization>), Refusal> {
    let (email, permit) = (accepting.email, policy.permit_invited(tx).await?);
    let (user, actor) = match unconfirmed {
        Some(id) => accounts::claim(tx, visitor, permit, (id, name, password)).await?,
        None => {
            let new = NewAccount { name, email, password: Some(password), is_root: false, is_confirmed: true };
            accounts::create_for_invited(tx, visitor, permit, &new).await?
        }
    };
    let organizations = accept(tx, &actor, accepting, user.id).await?;
    let letter = Letter::Welcome { name, url: &mailing.url(accounts::TOKENS) };
    mailing.postbox.write(tx, email, &letter).await?;
    Ok((user, organizations))
}

/// Returns the valid parts of an invitation into these organizations: see [`InvitationEnrollment::counts`]. `None` if
/// none is valid, and no user who may do so invited to the server itself. Rows of the original name no inviter, and are
/// valid.
///
/// # Errors
///
/// Database errors.
pub async fn counting(
    conn: &mut DbConn,
    invitation_id: i32,
    into: Vec<(InvitationEnrollment, Organization)>,
) -> Result<Option<Vec<(InvitationEnrollment, Organization)>>> {
    let is_of_the_original = into.is_empty() && !invitation_senders::any(conn, invitation_id).await?;
    let mut counting = Vec::with_capacity(into.len());
    for (invited, organization) in into {
        if invited.counts(conn).await? {
            counting.push((invited, organization));
        }
    }
    let counts =
        !counting.is_empty() || is_of_the_original || invitation_senders::any_active(conn, invitation_id).await?;
    Ok(counts.then_some(counting))
}

/// Deletes the invitation, and enrolls the user in its organizations where its inviter may still invite.
async fn enroll(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    invitation_id: i32,
    user_id: i32,
) -> Result<Vec<Organization>> {
    let into = invitation_enrollments::take_all(tx, invitation_id).await?;
    for (invited, _) in &into {
        // An inviter who is being removed right now has no rights any more, or is not removed before this transaction
        // ends.
        enrollments::hold(tx, invited.organization_id).await?;
    }
    let into = counting(tx, invitation_id, into).await?.ok_or(Error::NotFound)?;
    if !invitations::delete(tx, invitation_id).await? {
        return Err(Error::NotFound);
    }
    let mut organizations = Vec::with_capacity(into.len());
    for (invited, organization) in into {
        members::enroll_or_promote(tx, actor, user_id, organization.id, invited.is_admin).await?;
        organizations.push(organization);
    }
    Ok(organizations)
}
