//! The organizations of the visitor.

use minijinja::{Value, context};

use super::{members, organization_access::OrganizationAccess, paths};
use crate::{
    http::{Request, Response, StatusCode},
    operations::{Quota, accounts::SignUpMode, organizations as operations},
    store::{
        self, DbConn, Transaction,
        applications::{self, Application},
        enrollments::{self, Enrollment},
        invitation_enrollments,
        organizations::{Changes, Organization},
    },
    web::{
        App, Error,
        error::sentence,
        session::{Flash, Form, PageRequest},
    },
};

const PATH: &str = "/account/organizations";

/// Shows the organizations that the visitor is enrolled in, and a form for another one.
pub(in crate::web) async fn index(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of(&app, &request).await?;
    list(&app, &page, StatusCode::OK, &Form::default()).await
}

/// Creates an organization, with its creator as admin.
pub(in crate::web) async fn create(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of_form(&app, &request).await?;
    let user = page.require_user()?;
    let mut form = read_name(&request);
    if form.is_valid() && operations::slug_of(form.value("name")).is_none() {
        form.error("name", "needs a letter or digit that can stand in a URL");
    }
    if !form.is_valid() {
        return list(&app, &page, StatusCode::UNPROCESSABLE_ENTITY, &form).await;
    }
    let (actor, name) = (page.actor(), form.value("name"));
    let quota = Quota::Of(user, &app.quotas.limits);
    let creation = async |tx: &mut Transaction<'_>| operations::create_named(tx, &actor, name, user.id, quota).await;
    match app.db.transaction(creation).await {
        Ok(organization) => {
            let notice = Flash::notice("The organization is ready. Create an application, and invite your colleagues.");
            Ok(page.redirect(&paths::of_organization(&organization), notice))
        }
        Err(store::Error::Duplicate { .. }) => {
            form.error("name", "has already been taken");
            list(&app, &page, StatusCode::UNPROCESSABLE_ENTITY, &form).await
        }
        Err(error @ store::Error::QuotaUsedUp { .. }) => {
            form.error("base", sentence(&error.to_string()));
            list(&app, &page, StatusCode::UNPROCESSABLE_ENTITY, &form).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Shows an organization with its members and applications.
pub(in crate::web) async fn show(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of(&app, &request).await?;
    let access = OrganizationAccess::of(&app, &page, &request).await?;
    render(&app, &page, &access, StatusCode::OK, &Forms::of(&access)).await
}

/// Renames an organization. Its slug stays the same, and so does every path.
pub(in crate::web) async fn update(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of_form(&app, &request).await?;
    let access = OrganizationAccess::to_change(&app, &page, &request).await?;
    let form = read_name(&request);
    if !form.is_valid() {
        let forms = Forms { rename: form, ..Forms::of(&access) };
        return render(&app, &page, &access, StatusCode::UNPROCESSABLE_ENTITY, &forms).await;
    }
    let (id, actor, name) = (access.organization.id, page.actor(), form.value("name"));
    let changes = Changes { name: Some(name.to_owned()), ..Changes::default() };
    let renaming = app.db.transaction(async |tx| operations::update(tx, &actor, id, &changes).await);
    renaming.await.map_err(gone)?;
    Ok(page.redirect(&access.path(), Flash::notice("The organization is renamed.")))
}

/// Deletes an organization whose slug was typed, with its enrollments. Applications without another owner are archived,
/// and the sockets that depended on it close.
pub(in crate::web) async fn delete(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of_form(&app, &request).await?;
    let access = OrganizationAccess::to_change(&app, &page, &request).await?;
    let mut form = Form::read(request.params(), "organization", &["confirmation"]);
    if form.value("confirmation") != access.name().trim() {
        form.error("confirmation", "is not the name of the organization");
        let forms = Forms { deletion: form, ..Forms::of(&access) };
        return render(&app, &page, &access, StatusCode::UNPROCESSABLE_ENTITY, &forms).await;
    }
    let (id, actor) = (access.organization.id, page.actor());
    let deletion = app.db.transaction(async |tx| operations::delete(tx, &actor, id).await);
    deletion.await.map_err(gone)?;
    Ok(page.redirect(PATH, Flash::notice(format!("{} is deleted.", access.name()))))
}

/// The forms of an organization's page.
struct Forms {
    rename: Form,
    deletion: Form,
}

impl Forms {
    fn of(access: &OrganizationAccess) -> Self {
        let rename = Form::filled([("name", access.organization.name.as_deref())]);
        Self { rename, deletion: Form::default() }
    }
}

fn read_name(request: &Request) -> Form {
    let mut form = Form::read(request.params(), "organization", &["name"]);
    form.require(&["name"]);
    form
}

/// Maps the error of a change that came too late: another request was faster.
fn gone(error: store::Error) -> Error {
    match error {
        store::Error::NotFound => Error::NotFound("organization"),
        error => error.into(),
    }
}

async fn list(app: &App, page: &PageRequest, status: StatusCode, form: &Form) -> Result<Response, Error> {
    let user = page.require_user()?;
    let enrolled = enrollments::list_of(&mut app.db.conn().await?, user.id).await?;
    let row = |(enrollment, organization): &(Enrollment, Organization)| {
        context! {
            name => organization.shown_name(),
            slug => &organization.slug,
            path => paths::of_organization(organization),
            is_admin => enrollment.is_admin,
        }
    };
    let context = context! {
        title => "Organizations · pusher-lite",
        organizations => enrolled.iter().map(row).collect::<Vec<_>>(),
        form => form.context(),
    };
    page.render(status, "portal/organizations", "organizations", context)
}

async fn render(
    app: &App,
    page: &PageRequest,
    access: &OrganizationAccess,
    status: StatusCode,
    forms: &Forms,
) -> Result<Response, Error> {
    let mut conn = app.db.conn().await?;
    let (active, archived) = applications(&mut conn, access).await?;
    let context = context! {
        title => format!("{} · pusher-lite", access.name()),
        organization => access.context(),
        applications => active,
        archived,
        members => members::rows(&mut conn, page, access).await?,
        rename => forms.rename.context(),
        deletion => forms.deletion.context(),
        invitation => Form::default().context(),
        invitations => invitations(&mut conn, access).await?,
        opens_accounts => app.sign_up.mode(&mut conn).await? != SignUpMode::Off,
    };
    drop(conn);
    page.render(status, "portal/organization", "organizations", context)
}

/// Returns the pending invitations, for admins only.
async fn invitations(conn: &mut DbConn, access: &OrganizationAccess) -> store::Result<Vec<Value>> {
    if !access.is_admin {
        return Ok(Vec::new());
    }
    let pending = invitation_enrollments::list_of_organization(conn, access.organization.id).await?;
    let mut rows = Vec::with_capacity(pending.len());
    for (enrollment, invitation) in &pending {
        rows.push(context! {
            id => invitation.id,
            name => &invitation.name,
            email => invitation.email.as_deref().unwrap_or("an unknown address"),
            is_admin => enrollment.is_admin,
            is_void => !enrollment.counts(conn).await?,
            inserted_at => enrollment.inserted_at.to_string(),
        });
    }
    Ok(rows)
}

/// Returns the applications for the page: the active ones, and the archived ones.
async fn applications(conn: &mut DbConn, access: &OrganizationAccess) -> store::Result<(Vec<Value>, Vec<Value>)> {
    let all = applications::list_with_archived(conn, access.organization.id).await?;
    let (active, archived): (Vec<_>, Vec<_>) = all.iter().partition(|application| application.archived_at.is_none());
    let row = |application: &Application| access.application_context(application);
    Ok((active.into_iter().map(row).collect(), archived.into_iter().map(row).collect()))
}
