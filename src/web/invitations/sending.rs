//! Inviting somebody.

use chrono::TimeDelta;
use minijinja::{Value, context};

use super::{managing, name_of, page, path_of, token};
use crate::{
    app::App,
    auth::Attempt,
    http::{Request, Response, StatusCode},
    mail::{self, Letter},
    store::{
        self, DbConn, Reference, Transaction,
        audit::{self, Actor, NewEntry},
        credentials, enrollments, invitation_enrollments, invitation_senders,
        invitations::{self, INVITE, Invitation, RESOURCE},
        now,
        organizations::{self, Organization},
        users::User,
    },
    web::{
        Error,
        visits::{Flash, Form, Visit},
    },
};

/// How many mails with invitations one user may cause within an hour.
const MOST_AN_HOUR: i64 = 30;

const FIELDS: [&str; 5] = ["name", "email", "organization_id", "role", "is_admin"];

/// A form, and the invitations that the visitor sent and that wait to be accepted.
pub(in crate::web) async fn new(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of(&app, &request).await?;
    let user = visit.require_user()?;
    let form = Form::read(request.params(), "invitation", &FIELDS);
    let target = Target::of(&mut app.db.conn().await?, user, &form).await?;
    show(&app, &visit, StatusCode::OK, &target, &form).await
}

/// Invites somebody by mail.
pub(in crate::web) async fn create(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of_form(&app, &request).await?;
    let user = visit.require_user()?;
    let mut form = Form::read(request.params(), "invitation", &FIELDS);
    // The form of an organization's page has a checkbox, this one's page has both roles to choose from.
    if form.is_checked("is_admin") {
        form.fill("role", Some("admin".to_owned()));
    }
    let mut conn = app.db.conn().await?;
    let target = Target::of(&mut conn, user, &form).await?;
    check(&mut conn, user, &target, &mut form).await?;
    drop(conn);
    if !form.is_valid() {
        return show(&app, &visit, StatusCode::UNPROCESSABLE_ENTITY, &target, &form).await;
    }
    if let Err(error) = visit.attempt(Attempt::Invitation, Some(form.value("email"))) {
        form.error("base", error.in_words());
        return Ok(error.with_retry_after(show(&app, &visit, error.status(), &target, &form).await?));
    }
    let (actor, new) = (visit.actor(), New::of(user, &target, &form));
    match app.db.record(async |tx| invite(tx, &app, &actor, &new).await).await {
        Ok(()) => {
            app.accounts.postbox.wake();
            let notice = Flash::notice(format!("An invitation to {} is on its way.", new.email));
            Ok(visit.redirect(&target.path(), notice))
        }
        Err(store::Error::Duplicate { .. }) => {
            form.error("email", "is invited already; you can have the mail sent again");
            show(&app, &visit, StatusCode::UNPROCESSABLE_ENTITY, &target, &form).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether this user caused so many mails with invitations that they have to wait.
pub(super) async fn is_over_limit(conn: &mut DbConn, user: &User) -> store::Result<bool> {
    Ok(invitations::count_sent_by(conn, user.id, now() - TimeDelta::hours(1)).await? >= MOST_AN_HOUR)
}

/// What whoever has to wait is told.
pub(super) fn limit_message() -> String {
    format!("You have sent {MOST_AN_HOUR} invitations within an hour; send more a little later.")
}

/// The mail, as somebody else sees who invites them.
pub(super) async fn write(
    tx: &mut Transaction<'_>,
    app: &App,
    invitation: &Invitation,
    inviter: &User,
    organization: Option<&Organization>,
) -> store::Result<()> {
    let url = &token::url(tx, app, invitation).await?;
    let inviter = inviter.name.as_deref().or(inviter.email.as_deref()).unwrap_or_default();
    let name = invitation.name.as_deref().unwrap_or_default();
    let letter = Letter::Invitation { name, inviter, organization: organization.map(name_of), url };
    app.accounts.postbox.write(tx, invitation.email.as_deref().unwrap_or_default(), &letter).await
}

/// What somebody is invited to.
struct Target {
    organization: Option<Organization>,
    /// Where else the visitor could invite somebody.
    choices: Vec<Organization>,
}

impl Target {
    /// What the form names as `organization_id`; only admins invite into an organization, to others there is none.
    async fn of(conn: &mut DbConn, user: &User, form: &Form) -> Result<Self, Error> {
        let mut choices = Vec::new();
        for organization in organizations::list(conn, user).await? {
            let enrollment = enrollments::find(conn, user.id, organization.id).await?;
            if enrollment.is_some_and(|enrollment| enrollment.is_admin) {
                choices.push(organization);
            }
        }
        let reference = form.value("organization_id");
        if reference.is_empty() {
            return Ok(Self { organization: None, choices });
        }
        let found = organizations::find(conn, user, Reference::parse(reference)).await?;
        let may_invite = |found: &Organization| user.is_root || choices.iter().any(|choice| choice.id == found.id);
        let organization = found.filter(may_invite).ok_or(Error::NotFound("organization"))?;
        Ok(Self { organization: Some(organization), choices })
    }

    /// Where the visitor came from, and goes on.
    fn path(&self) -> String {
        self.organization.as_ref().map_or_else(|| "/invitations/new".to_owned(), |found| path_of(found.id))
    }
}

/// An invitation to be.
struct New<'a> {
    inviter: &'a User,
    organization: Option<&'a Organization>,
    name: Option<&'a str>,
    email: &'a str,
    is_admin: bool,
}

impl<'a> New<'a> {
    fn of(inviter: &'a User, target: &'a Target, form: &'a Form) -> Self {
        let name = Some(form.value("name")).filter(|name| !name.is_empty());
        let is_admin = form.value("role") == "admin";
        Self { inviter, organization: target.organization.as_ref(), name, email: form.value("email"), is_admin }
    }

    fn details(&self) -> String {
        match self.organization {
            Some(organization) => {
                let role = if self.is_admin { "admin" } else { "member" };
                format!("{} to {} as {role}", self.email, name_of(organization))
            }
            None => self.email.to_owned(),
        }
    }
}

async fn check(conn: &mut DbConn, user: &User, target: &Target, form: &mut Form) -> Result<(), Error> {
    form.require(&["email"]);
    let email = form.value("email").to_owned();
    if !email.is_empty() && !mail::is_address(&email) {
        form.error("email", "is no email address");
    }
    if user.email.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(&email)) {
        form.error("email", "is your own");
    }
    if let Some(organization) = &target.organization {
        // Whoever administers the organization sees who belongs to it, and learns nothing more by this.
        if is_member(conn, &email, organization.id).await? {
            form.error("email", "belongs to this organization already");
        }
    }
    if is_over_limit(conn, user).await? {
        form.error("base", limit_message());
    }
    Ok(())
}

async fn is_member(conn: &mut DbConn, email: &str, organization_id: i32) -> store::Result<bool> {
    match credentials::find_by_email(conn, email).await? {
        Some(found) => Ok(enrollments::find(conn, found.user.id, organization_id).await?.is_some()),
        None => Ok(false),
    }
}

/// [`store::Error::Duplicate`] when the very same was done before.
async fn invite(tx: &mut Transaction<'_>, app: &App, actor: &Actor, new: &New<'_>) -> store::Result<()> {
    let invitation = match invitations::find_by_email(tx, new.email).await? {
        Some(invitation) => invitation,
        None => invitations::create(tx, new.name, new.email).await?,
    };
    let again = store::Error::Duplicate { field: "email" };
    match new.organization {
        Some(organization) => {
            if invitation_enrollments::find(tx, invitation.id, organization.id).await?.is_some() {
                return Err(again);
            }
            let (id, inviter_id) = (organization.id, new.inviter.id);
            invitation_enrollments::create(tx, invitation.id, id, new.is_admin, inviter_id).await?;
        }
        None if invitation_senders::is_sender(tx, invitation.id, new.inviter.id).await? => return Err(again),
        None => invitation_senders::create(tx, invitation.id, new.inviter.id).await?,
    }
    let details = &new.details();
    let entry = NewEntry { action: INVITE, resource: RESOURCE, resource_id: Some(invitation.id), details };
    audit::record(tx, actor, &entry).await?;
    write(tx, app, &invitation, new.inviter, new.organization).await
}

async fn show(app: &App, visit: &Visit, status: StatusCode, target: &Target, form: &Form) -> Result<Response, Error> {
    let user = visit.require_user()?;
    let choice = |organization: &Organization| vec![organization.id.to_string(), name_of(organization).to_owned()];
    let choices: Vec<_> = target.choices.iter().map(choice).collect();
    let organization = target.organization.as_ref().map(|organization| {
        context! { id => organization.id, name => name_of(organization), path => path_of(organization.id) }
    });
    let pending: Vec<Value> = managing::list(&mut app.db.conn().await?, user).await?;
    let title = "Invite somebody · pusher-lite";
    page(visit, status, "invitation_new", context! { title, form => form.context(), organization, choices, pending })
}
