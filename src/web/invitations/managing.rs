//! Pending invitations: to send the mail again, or to withdraw the invitation.
//!
//! Only the user who invited to the server itself, the admins of an organization that the invitation is for, and root
//! users may do that. For all others the invitation does not exist, including former admins who sent it. An
//! organization's admins learn nothing about the other organizations.

use minijinja::{Value, context};

use super::{path_of, render};
use crate::{
    auth::Attempt,
    http::{Request, Response, StatusCode},
    operations::{
        Refusal,
        invitations::{self as operations, Part},
    },
    store::{
        self, DbConn, Reference, enrollments, invitation_enrollments, invitation_senders,
        invitations::{self, Invitation},
        organizations::{self, Organization},
        users::User,
    },
    web::{
        App, Error,
        session::{Flash, PageRequest},
    },
};

/// Asks whether to send the mail again: a link alone sends nothing.
pub(in crate::web) async fn ask_to_resend(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of(&app, &request).await?;
    let managed = Managed::of(&app, page.require_user()?, &request).await?;
    let title = "Send the invitation again · pusher-lite";
    render(&page, StatusCode::OK, "invitation_resend", context! { title, invitation => managed.context() })
}

/// Sends the mail again, with the same link.
pub(in crate::web) async fn resend(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of_form(&app, &request).await?;
    let user = page.require_user()?;
    let managed = Managed::of(&app, user, &request).await?;
    page.attempt(Attempt::Invitation, Some(managed.email()))?;
    let (actor, mailing) = (page.actor(), app.mailing());
    let resend = app.db.record(async |tx| operations::resend(tx, &actor, mailing, &managed.part(), user).await);
    match resend.await {
        Ok(()) => {}
        Err(Refusal::Rule(rule)) => return Ok(page.redirect(&managed.path, Flash::error(rule.message()))),
        Err(Refusal::Store(error)) => return Err(error.into()),
    }
    let notice = page.mail_notice(format!("Another mail to {} is on its way.", managed.email()));
    Ok(page.redirect(&managed.path, notice))
}

/// Withdraws the invitation: the one into the organization that the form names as `organization_id`, otherwise all
/// parts that the visitor may withdraw.
pub(in crate::web) async fn withdraw(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of_form(&app, &request).await?;
    let user = page.require_user()?;
    let mut managed = Managed::of(&app, user, &request).await?;
    if let Some(reference) = request.params().text("organization_id") {
        let found = organizations::find(&mut app.db.conn().await?, user, Reference::parse(&reference)).await?;
        let found = found.ok_or(Error::NotFound("organization"))?;
        managed.organizations.retain(|organization| organization.id == found.id);
        if managed.organizations.is_empty() {
            return Err(Error::NotFound("invitation"));
        }
        (managed.is_whole, managed.path) = (false, path_of(found.id));
    }
    let actor = page.actor();
    app.db.record(async |tx| operations::withdraw(tx, &actor, &managed.part(), user).await).await?;
    let notice = Flash::notice(format!("The invitation to {} is withdrawn.", managed.email()));
    Ok(page.redirect(&managed.path, notice))
}

/// Returns the pending invitations that the user sent, for templates.
pub(super) async fn list(conn: &mut DbConn, user: &User) -> store::Result<Vec<Value>> {
    let mut rows = Vec::new();
    for invitation in invitations::list_by(conn, user.id).await? {
        let managed = Managed::by(conn, user, invitation).await?;
        rows.extend(managed.map(|managed| managed.context()));
    }
    Ok(rows)
}

/// The part of an invitation that a visitor may manage.
struct Managed {
    invitation: Invitation,
    /// The organizations of that part.
    organizations: Vec<Organization>,
    /// The page that lists it.
    path: String,
    /// True if the inviter of one of them may not invite there any more, so that the link has no effect there.
    is_void: bool,
    /// True if withdrawing covers more than these organizations.
    is_whole: bool,
}

impl Managed {
    async fn of(app: &App, user: &User, request: &Request) -> Result<Self, Error> {
        const MISSING: Error = Error::NotFound("invitation");
        let id = request.path_param("id").parse().map_err(|_| MISSING)?;
        let mut conn = app.db.conn().await?;
        let invitation = invitations::find(&mut conn, id).await?.ok_or(MISSING)?;
        Self::by(&mut conn, user, invitation).await?.ok_or(MISSING)
    }

    async fn by(conn: &mut DbConn, user: &User, invitation: Invitation) -> store::Result<Option<Self>> {
        let is_sender = invitation_senders::is_sender(conn, invitation.id, user.id).await?;
        let (mut organizations, mut administered, mut is_void) = (Vec::new(), Vec::new(), false);
        for (invited, organization) in invitation_enrollments::list_of(conn, invitation.id).await? {
            let enrollment = enrollments::find(conn, user.id, organization.id).await?;
            if user.is_root || enrollment.is_some_and(|enrollment| enrollment.is_admin) {
                administered.push(organization.id);
                is_void |= !invited.counts(conn).await?;
                organizations.push(organization);
            }
        }
        let is_theirs = user.is_root || is_sender || !organizations.is_empty();
        let path = match administered.as_slice() {
            [id] => path_of(*id),
            _ => "/invitations/new".to_owned(),
        };
        let managed = Self { invitation, organizations, path, is_void, is_whole: true };
        Ok(is_theirs.then_some(managed))
    }

    fn part(&self) -> Part<'_> {
        Part { invitation: &self.invitation, organizations: &self.organizations, is_whole: self.is_whole }
    }

    fn email(&self) -> &str {
        self.invitation.email.as_deref().unwrap_or("an unknown address")
    }

    fn context(&self) -> Value {
        context! {
            id => self.invitation.id,
            name => &self.invitation.name,
            email => self.email(),
            path => &self.path,
            is_void => self.is_void,
            organizations => self.organizations.iter().map(|found| found.shown_name().to_owned()).collect::<Vec<_>>(),
            inserted_at => self.invitation.inserted_at.to_string(),
        }
    }
}
