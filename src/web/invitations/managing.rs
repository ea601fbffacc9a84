//! Invitations that wait to be accepted: the mail sent again, or the invitation taken back.
//!
//! That is for whoever invited, for the admins of an organization somebody is invited to, and for root users. To others
//! there is no such invitation; and an organization's admins learn nothing of the other organizations.

use minijinja::{Value, context};

use super::{name_of, page, path_of, sending};
use crate::{
    app::App,
    auth::Attempt,
    http::{Request, Response, StatusCode},
    store::{
        self, DbConn, Reference, Transaction,
        audit::{self, Actor, NewEntry},
        enrollments, invitation_enrollments, invitation_senders,
        invitations::{self, Invitation, RESEND, RESOURCE},
        organizations::{self, Organization},
        users::User,
    },
    web::{
        Error,
        visits::{Flash, Visit},
    },
};

/// Asks whether to send the mail again: a link alone sends nothing.
pub(in crate::web) async fn ask_to_resend(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of(&app, &request).await?;
    let managed = Managed::of(&app, visit.require_user()?, &request).await?;
    let title = "Send the invitation again · pusher-lite";
    page(&visit, StatusCode::OK, "invitation_resend", context! { title, invitation => managed.context() })
}

/// Sends the mail again, with the same link.
pub(in crate::web) async fn resend(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of_form(&app, &request).await?;
    let user = visit.require_user()?;
    let managed = Managed::of(&app, user, &request).await?;
    if sending::is_over_limit(&mut app.db.conn().await?, user).await? {
        return Ok(visit.redirect(&managed.path, Flash::error(sending::limit_message())));
    }
    visit.attempt(Attempt::Invitation, Some(managed.email()))?;
    let (actor, organization) = (visit.actor(), managed.organizations.first());
    let (id, details) = (managed.invitation.id, managed.email());
    app.db
        .record(async |tx| {
            let entry = NewEntry { action: RESEND, resource: RESOURCE, resource_id: Some(id), details };
            audit::record(tx, &actor, &entry).await?;
            sending::write(tx, &app, &managed.invitation, user, organization).await
        })
        .await?;
    app.accounts.postbox.wake();
    let notice = Flash::notice(format!("Another mail to {} is on its way.", managed.email()));
    Ok(visit.redirect(&managed.path, notice))
}

/// Takes the invitation back: that into the organization which the form names as `organization_id`, or else all that is
/// the visitor's to take back.
pub(in crate::web) async fn withdraw(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of_form(&app, &request).await?;
    let user = visit.require_user()?;
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
    let actor = visit.actor();
    app.db.record(async |tx| withdraw_in(tx, &actor, user, &managed).await).await?;
    let notice = Flash::notice(format!("The invitation to {} is withdrawn.", managed.email()));
    Ok(visit.redirect(&managed.path, notice))
}

/// Those that the user sent and that wait to be accepted, for templates.
pub(super) async fn list(conn: &mut DbConn, user: &User) -> store::Result<Vec<Value>> {
    let mut rows = Vec::new();
    for invitation in invitations::list_by(conn, user.id).await? {
        let managed = Managed::by(conn, user, invitation).await?;
        rows.extend(managed.map(|managed| managed.context()));
    }
    Ok(rows)
}

/// An invitation, as far as it is somebody's business.
struct Managed {
    invitation: Invitation,
    /// The organizations in it that are.
    organizations: Vec<Organization>,
    /// The page that lists it.
    path: String,
    /// Whether taking it back is not about these organizations alone.
    is_whole: bool,
    is_root: bool,
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
        let (mut organizations, mut administered) = (Vec::new(), Vec::new());
        for (invited, organization) in invitation_enrollments::list_of(conn, invitation.id).await? {
            let enrollment = enrollments::find(conn, user.id, organization.id).await?;
            let is_admin = user.is_root || enrollment.is_some_and(|enrollment| enrollment.is_admin);
            if is_admin {
                administered.push(organization.id);
            }
            if is_admin || invited.inviter_id == Some(user.id) {
                organizations.push(organization);
            }
        }
        let is_theirs = user.is_root || is_sender || !organizations.is_empty();
        let path = match administered.as_slice() {
            [id] => path_of(*id),
            _ => "/invitations/new".to_owned(),
        };
        let managed = Self { invitation, organizations, path, is_whole: true, is_root: user.is_root };
        Ok(is_theirs.then_some(managed))
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
            organizations => self.organizations.iter().map(|found| name_of(found).to_owned()).collect::<Vec<_>>(),
            inserted_at => self.invitation.inserted_at.to_string(),
        }
    }
}

async fn withdraw_in(tx: &mut Transaction<'_>, actor: &Actor, user: &User, managed: &Managed) -> store::Result<()> {
    let id = managed.invitation.id;
    // First what hangs on it, as accepting does: in another order two transactions would wait for each other.
    for organization in &managed.organizations {
        invitation_enrollments::delete(tx, id, organization.id).await?;
    }
    if managed.is_whole && managed.is_root {
        invitations::delete(tx, id).await?;
    } else {
        if managed.is_whole {
            invitation_senders::delete(tx, id, user.id).await?;
        }
        invitations::delete_if_bare(tx, id).await?;
    }
    let from: Vec<&str> = managed.organizations.iter().map(name_of).collect();
    let details = &format!("{} {}", managed.email(), from.join(", "));
    let entry = NewEntry { action: "withdraw", resource: RESOURCE, resource_id: Some(id), details: details.trim_end() };
    audit::record(tx, actor, &entry).await
}
