//! A visitor who follows the link of an invitation.

use crate::{
    auth::mailed_token,
    operations::{
        accounts::SignUpMode,
        invitations::{Accepting, counting},
    },
    store::{
        credentials, invitation_enrollments,
        invitations::{self, Invitation},
        users::User,
    },
    web::{App, Error, session::PageRequest},
};

/// An invitation, and the account with its address.
pub(super) struct Invited {
    pub(super) invitation: Invitation,
    pub(super) email: String,
    pub(super) organizations: Vec<String>,
    pub(super) account: Option<User>,
    /// True if the invitation may open an account.
    opens_accounts: bool,
}

/// Step that the visitor has to take to accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Choose a name and a password: there is no account, or one whose owner never confirmed the address.
    SignUp,
    /// None, until there is a confirmed account: this server opens none.
    Closed,
    /// Sign in: there is an account.
    SignIn,
    /// Sign out: the session belongs to another account.
    SignOut,
    /// Only confirm.
    Accept,
}

impl Invited {
    /// Returns the invitation of this token, unless it was used or never there, or no part of it is valid any more.
    pub(super) async fn find(app: &App, token: &str) -> Result<Option<Self>, Error> {
        let Some(forms) = mailed_token::stored_forms(token) else { return Ok(None) };
        let mut conn = app.db.conn().await?;
        let Some(invitation) = invitations::find_by_token(&mut conn, &forms).await? else { return Ok(None) };
        let Some(email) = invitation.email.clone() else { return Ok(None) };
        let into = invitation_enrollments::list_of(&mut conn, invitation.id).await?;
        let Some(into) = counting(&mut conn, invitation.id, into).await? else { return Ok(None) };
        let organizations = into.iter().map(|(_, organization)| organization.shown_name().to_owned()).collect();
        let account = credentials::find_by_email(&mut conn, &email).await?.map(|found| found.user);
        let opens_accounts = app.sign_up.mode(&mut conn).await? != SignUpMode::Off;
        Ok(Some(Self { invitation, email, organizations, account, opens_accounts }))
    }

    /// Returns the invitation as operations take it.
    pub(super) fn accepting(&self) -> Accepting<'_> {
        Accepting { invitation_id: self.invitation.id, email: &self.email }
    }

    /// Returns the step that this visitor has to take.
    pub(super) fn way(&self, page: &PageRequest) -> Way {
        let is_usable = |account: &User| account.confirmed_at.is_some();
        match (self.account.as_ref().filter(|account| is_usable(account)), page.user()) {
            (None, _) if self.opens_accounts => Way::SignUp,
            (None, _) => Way::Closed,
            (Some(account), Some(user)) if account.id == user.id => Way::Accept,
            (Some(_), Some(_)) => Way::SignOut,
            (Some(_), None) => Way::SignIn,
        }
    }
}
