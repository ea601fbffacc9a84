//! Somebody who follows the link of an invitation.

use super::name_of;
use crate::{
    app::App,
    auth::mailed_token,
    store::{
        self, Transaction,
        audit::{self, Actor, Differences, NewEntry},
        credentials, enrollments,
        invitation_enrollments::{self, InvitationEnrollment},
        invitations::{self, Invitation},
        organizations::Organization,
        users::User,
    },
    web::{Error, visits::Visit},
};

/// An invitation, and who has its address.
pub(super) struct Invited {
    pub(super) invitation: Invitation,
    pub(super) email: String,
    pub(super) organizations: Vec<String>,
    pub(super) account: Option<User>,
}

/// What the visitor has to do to accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Choose a name and a password: there is no account, or one whose owner was never proven.
    SignUp,
    /// Sign in: there is an account.
    SignIn,
    /// Sign out: it is the account of somebody else.
    SignOut,
    /// Nothing but say so.
    Accept,
}

impl Invited {
    /// Who brings this token, unless it was used or never there.
    pub(super) async fn find(app: &App, token: &str) -> Result<Option<Self>, Error> {
        let Some(forms) = mailed_token::stored_forms(token) else { return Ok(None) };
        let mut conn = app.db.conn().await?;
        let Some(invitation) = invitations::find_by_token(&mut conn, &forms).await? else { return Ok(None) };
        let Some(email) = invitation.email.clone() else { return Ok(None) };
        let into = invitation_enrollments::list_of(&mut conn, invitation.id).await?;
        let organizations = into.iter().map(|(_, organization)| name_of(organization).to_owned()).collect();
        let account = credentials::find_by_email(&mut conn, &email).await?.map(|found| found.user);
        Ok(Some(Self { invitation, email, organizations, account }))
    }

    /// What this visitor has to do.
    pub(super) fn way(&self, visit: &Visit) -> Way {
        match (&self.account, visit.user()) {
            (None, _) => Way::SignUp,
            (Some(account), _) if account.confirmed_at.is_none() => Way::SignUp,
            (Some(account), Some(user)) if account.id == user.id => Way::Accept,
            (Some(_), Some(_)) => Way::SignOut,
            (Some(_), None) => Way::SignIn,
        }
    }
}

/// Takes the invitation away, enrolls the user where it says, and tells the audit log of each enrollment; returns where.
///
/// [`store::Error::NotFound`] when it was accepted or withdrawn meanwhile.
pub(super) async fn enroll(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    invitation_id: i32,
    user_id: i32,
) -> store::Result<Vec<Organization>> {
    let into = invitation_enrollments::take_all(tx, invitation_id).await?;
    if !invitations::delete(tx, invitation_id).await? {
        return Err(store::Error::NotFound);
    }
    let mut organizations = Vec::with_capacity(into.len());
    for (invited, organization) in into {
        enroll_in(tx, actor, user_id, &invited).await?;
        organizations.push(organization);
    }
    Ok(organizations)
}

/// Who is enrolled there already may become an admin by it, and stays one.
async fn enroll_in(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    user_id: i32,
    invited: &InvitationEnrollment,
) -> store::Result<()> {
    let InvitationEnrollment { organization_id, is_admin, .. } = *invited;
    let mut differences = Differences::default();
    let (action, enrollment) = match enrollments::find(tx, user_id, organization_id).await? {
        None => {
            differences.note("user_id", user_id);
            differences.note("organization_id", organization_id);
            differences.flag("is_admin", None, is_admin);
            ("create", enrollments::create(tx, user_id, organization_id, is_admin).await?)
        }
        Some(enrollment) if is_admin && !enrollment.is_admin => {
            differences.flag("is_admin", Some(false), true);
            ("update", enrollments::set_admin(tx, user_id, organization_id, true).await?)
        }
        Some(_) => return Ok(()),
    };
    let (resource_id, details) = (Some(enrollment.id), differences.as_str());
    audit::record(tx, actor, &NewEntry { action, resource: "enrollments", resource_id, details }).await
}
