//! Invitations, to the server or into organizations: sent, sent again, withdrawn and accepted.

mod accepting;
mod link;

use chrono::TimeDelta;

pub use self::{
    accepting::{Accepting, accept, accept_with_account, counting},
    link::path,
};
use super::{Mailing, Refusal, Rule, record};
use crate::{
    mail::Letter,
    store::{
        DbConn, Error, Result, Transaction,
        audit::{Actor, Differences},
        invitation_enrollments, invitation_senders,
        invitations::{self, INVITE, Invitation, RESEND, RESOURCE},
        now,
        organizations::Organization,
        users::User,
    },
};

/// Maximum number of invitation mails that one user may cause within an hour.
const MOST_AN_HOUR: i64 = 30;

/// An invitation to send. Texts must fit 255 characters and hold no NUL.
#[derive(Debug)]
pub struct NewInvitation<'a> {
    /// The user who invites, and may do so.
    pub inviter: &'a User,
    /// The organization; without one the invitation is to the server.
    pub organization: Option<&'a Organization>,
    /// Name of the invitee.
    pub name: Option<&'a str>,
    /// Address of the invitee.
    pub email: &'a str,
    /// True if the invitee becomes an admin of the organization.
    pub is_admin: bool,
}

/// The part of an invitation that a user manages.
#[derive(Debug)]
pub struct Part<'a> {
    /// The invitation.
    pub invitation: &'a Invitation,
    /// The organizations of that part.
    pub organizations: &'a [Organization],
    /// True if the part covers more than these organizations: the user's own invitation to the server, and for a root user
    /// the whole invitation.
    pub is_whole: bool,
}

/// Sends an invitation.
///
/// # Errors
///
/// [`Rule::TooManyInvitations`]; [`Error::Duplicate`] when the same invitation exists already.
pub async fn invite(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    mailing: Mailing<'_>,
    new: &NewInvitation<'_>,
) -> Result<(), Refusal> {
    check_limit(tx, new.inviter).await?;
    let invitation = match invitations::find_by_email(tx, new.email).await? {
        Some(invitation) => invitation,
        None => invitations::create(tx, new.name, new.email).await?,
    };
    let again = Error::Duplicate { field: "email" };
    match new.organization {
        Some(organization) => {
            if invitation_enrollments::find(tx, invitation.id, organization.id).await?.is_some() {
                return Err(again.into());
            }
            let (id, inviter_id) = (organization.id, new.inviter.id);
            invitation_enrollments::create(tx, invitation.id, id, new.is_admin, inviter_id).await?;
        }
        None if invitation_senders::is_sender(tx, invitation.id, new.inviter.id).await? => return Err(again.into()),
        None => invitation_senders::create(tx, invitation.id, new.inviter.id).await?,
    }
    record(tx, actor, INVITE, (RESOURCE, invitation.id), &described(new)).await?;
    Ok(write(tx, mailing, &invitation, new.inviter, new.organization).await?)
}

/// Sends the mail again, with the same link. The user becomes the inviter of the parts that are no longer valid, because
/// their inviters may not invite any more.
///
/// # Errors
///
/// [`Rule::TooManyInvitations`].
pub async fn resend(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    mailing: Mailing<'_>,
    part: &Part<'_>,
    user: &User,
) -> Result<(), Refusal> {
    check_limit(tx, user).await?;
    let invitation = part.invitation;
    record(tx, actor, RESEND, (RESOURCE, invitation.id), &named(invitation)).await?;
    for organization in part.organizations {
        let found = invitation_enrollments::find(tx, invitation.id, organization.id).await?;
        let Some(invited) = found else { continue };
        if !invited.counts(tx).await? {
            invitation_enrollments::take_over(tx, invited.invitation_id, invited.organization_id, user.id).await?;
        }
    }
    Ok(write(tx, mailing, invitation, user, part.organizations.first()).await?)
}

/// Withdraws a part of an invitation, for this user. Without another part the invitation is deleted.
///
/// # Errors
///
/// Database errors.
pub async fn withdraw(tx: &mut Transaction<'_>, actor: &Actor, part: &Part<'_>, user: &User) -> Result<()> {
    let id = part.invitation.id;
    // First the rows that refer to it, as accepting does: in another order two transactions would wait for each other.
    for organization in part.organizations {
        invitation_enrollments::delete(tx, id, organization.id).await?;
    }
    if part.is_whole && user.is_root {
        invitations::delete(tx, id).await?;
    } else {
        if part.is_whole {
            invitation_senders::delete(tx, id, user.id).await?;
        }
        invitations::delete_if_bare(tx, id).await?;
    }
    let mut details = named(part.invitation);
    details.texts("from", part.organizations.iter().map(Organization::shown_name));
    record(tx, actor, "withdraw", (RESOURCE, id), &details).await
}

/// Checks that this user has not caused so many invitation mails that the next one has to wait.
async fn check_limit(conn: &mut DbConn, user: &User) -> Result<(), Refusal> {
    let sent = invitations::count_sent_by(conn, user.id, now() - TimeDelta::hours(1)).await?;
    if sent < MOST_AN_HOUR { Ok(()) } else { Err(Rule::TooManyInvitations.into()) }
}

/// Writes the mail, with the inviter as other users see them.
async fn write(
    tx: &mut Transaction<'_>,
    mailing: Mailing<'_>,
    invitation: &Invitation,
    inviter: &User,
    organization: Option<&Organization>,
) -> Result<()> {
    let url = &link::url(tx, mailing, invitation).await?;
    let inviter = inviter.name.as_deref().or(inviter.email.as_deref()).unwrap_or_default();
    let name = invitation.name.as_deref().unwrap_or_default();
    let organization = organization.map(Organization::shown_name);
    let letter = Letter::Invitation { name, inviter, organization, url };
    mailing.postbox.write(tx, invitation.email.as_deref().unwrap_or_default(), &letter).await
}

fn named(invitation: &Invitation) -> Differences {
    let mut details = Differences::default();
    details.column("email", None, invitation.email.as_deref());
    details
}

fn described(new: &NewInvitation<'_>) -> Differences {
    let mut details = Differences::of("email", new.email);
    if let Some(organization) = new.organization {
        details.text("to", organization.shown_name());
        details.word("role", if new.is_admin { "admin" } else { "member" });
    }
    details
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_names_the_limit() {
        let message = Rule::TooManyInvitations.message();
        assert!(message.contains(&format!("sent {MOST_AN_HOUR} invitations")), "{message}");
    }
}
