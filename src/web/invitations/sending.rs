//! Sending of invitations.

use minijinja::{Value, context};

use super::{managing, path_of, render};
use crate::{
    auth::Attempt,
    http::{Request, Response, StatusCode},
    mail,
    operations::{
        Refusal,
        accounts::SignUpMode,
        invitations::{self as operations, NewInvitation},
    },
    store::{
        self, DbConn, Reference, credentials, enrollments,
        organizations::{self, Organization},
        users::User,
    },
    web::{
        App, Error,
        session::{Form, PageRequest},
    },
};

const FIELDS: [&str; 5] = ["name", "email", "organization_id", "role", "is_admin"];

/// Shows a form, and the pending invitations that the visitor sent.
pub(in crate::web) async fn new(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of(&app, &request).await?;
    let user = page.require_user()?;
    let form = Form::read(request.params(), "invitation", &FIELDS);
    let target = Target::of(&mut app.db.conn().await?, user, &form).await?;
    show(&app, &page, StatusCode::OK, &target, &form).await
}

/// Sends an invitation by mail.
pub(in crate::web) async fn create(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of_form(&app, &request).await?;
    let user = page.require_user()?;
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
        return show(&app, &page, StatusCode::UNPROCESSABLE_ENTITY, &target, &form).await;
    }
    if let Err(error) = page.attempt(Attempt::Invitation, Some(form.value("email"))) {
        form.error("base", error.in_words());
        return Ok(error.with_retry_after(show(&app, &page, error.status(), &target, &form).await?));
    }
    let (actor, mailing, new) = (page.actor(), app.mailing(), new_invitation(user, &target, &form));
    match app.db.record(async |tx| operations::invite(tx, &actor, mailing, &new).await).await {
        Ok(()) => {
            let notice = page.mail_notice(format!("An invitation to {} is on its way.", new.email));
            return Ok(page.redirect(&target.path(), notice));
        }
        Err(Refusal::Store(store::Error::Duplicate { .. })) => {
            form.error("email", "is invited already; send that invitation again");
        }
        Err(Refusal::Rule(rule)) => form.error("base", rule.message()),
        Err(Refusal::Store(error)) => return Err(error.into()),
    }
    show(&app, &page, StatusCode::UNPROCESSABLE_ENTITY, &target, &form).await
}

/// Target of an invitation.
struct Target {
    organization: Option<Organization>,
    /// Other organizations that the visitor could invite to.
    choices: Vec<Organization>,
}

impl Target {
    /// Returns the target that the form names as `organization_id`. Only admins invite into an organization; for others
    /// it does not exist.
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

    /// Returns the page that the visitor came from, and goes back to.
    fn path(&self) -> String {
        self.organization.as_ref().map_or_else(|| "/invitations/new".to_owned(), |found| path_of(found.id))
    }
}

fn new_invitation<'a>(inviter: &'a User, target: &'a Target, form: &'a Form) -> NewInvitation<'a> {
    let name = Some(form.value("name")).filter(|name| !name.is_empty());
    let is_admin = form.value("role") == "admin";
    NewInvitation { inviter, organization: target.organization.as_ref(), name, email: form.value("email"), is_admin }
}

async fn check(conn: &mut DbConn, user: &User, target: &Target, form: &mut Form) -> Result<(), Error> {
    form.require(&["email"]);
    let email = form.value("email").to_owned();
    if !email.is_empty() && !mail::is_address(&email) {
        form.error("email", "is not an email address");
    }
    if user.email.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(&email)) {
        form.error("email", "is your own");
    }
    if let Some(organization) = &target.organization {
        // An admin of the organization sees its members, and learns nothing more by this.
        if is_member(conn, &email, organization.id).await? {
            form.error("email", "is a member of this organization already");
        }
    }
    Ok(())
}

async fn is_member(conn: &mut DbConn, email: &str, organization_id: i32) -> store::Result<bool> {
    match credentials::find_by_email(conn, email).await? {
        Some(found) => Ok(enrollments::find(conn, found.user.id, organization_id).await?.is_some()),
        None => Ok(false),
    }
}

async fn show(
    app: &App,
    page: &PageRequest,
    status: StatusCode,
    target: &Target,
    form: &Form,
) -> Result<Response, Error> {
    let user = page.require_user()?;
    let choice = |organization: &Organization| vec![organization.id.to_string(), organization.shown_name().to_owned()];
    let choices: Vec<_> = target.choices.iter().map(choice).collect();
    let organization = target.organization.as_ref().map(|organization| {
        context! { id => organization.id, name => organization.shown_name(), path => path_of(organization.id) }
    });
    let mut conn = app.db.conn().await?;
    let pending: Vec<Value> = managing::list(&mut conn, user).await?;
    let context = context! {
        title => "Invite a user · pusher-lite",
        form => form.context(),
        organization,
        choices,
        pending,
        opens_accounts => app.sign_up.mode(&mut conn).await? != SignUpMode::Off,
    };
    drop(conn);
    render(page, status, "invitation_new", context)
}
