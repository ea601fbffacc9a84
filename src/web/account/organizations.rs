//! The organizations that one belongs to.

use minijinja::{Value, context};

use super::{members, paths, place::Place};
use crate::{
    app::App,
    http::{Request, Response, StatusCode},
    store::{
        self, DbConn, Transaction,
        applications::{self, Application},
        audit::{self, Actor, NewEntry},
        enrollments::{self, Enrollment},
        invitation_enrollments::{self, InvitationEnrollment},
        invitations::Invitation,
        organizations::{self, Changes, NewOrganization, Organization},
    },
    web::{
        Error, revocation,
        slug::slugify,
        visits::{Flash, Form, Visit},
    },
};

const PATH: &str = "/account/organizations";

/// Those that one is enrolled in, and a form for another one.
pub(in crate::web) async fn index(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of(&app, &request).await?;
    list(&app, &visit, StatusCode::OK, &Form::default()).await
}

/// Creates an organization, whose admin its creator is from then on.
pub(in crate::web) async fn create(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of_form(&app, &request).await?;
    let user = visit.require_user()?;
    let mut form = read_name(&request);
    let slug = slugify(form.value("name"));
    if slug.is_empty() && form.is_valid() {
        form.error("name", "needs a letter or digit that can stand in a URL");
    }
    if !form.is_valid() {
        return list(&app, &visit, StatusCode::UNPROCESSABLE_ENTITY, &form).await;
    }
    let (actor, name) = (visit.actor(), form.value("name"));
    let creation = app.db.transaction(async |tx| create_in(tx, user.id, &actor, name, &slug).await).await;
    match creation {
        Ok(organization) => {
            let notice =
                Flash::notice("The organization is there. Give it an application, and invite your colleagues.");
            Ok(visit.redirect(&paths::of_organization(&organization), notice))
        }
        Err(store::Error::Duplicate { .. }) => {
            form.error("name", "has already been taken");
            list(&app, &visit, StatusCode::UNPROCESSABLE_ENTITY, &form).await
        }
        Err(error) => Err(error.into()),
    }
}

/// An organization with its members and applications.
pub(in crate::web) async fn show(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of(&app, &request).await?;
    let place = Place::of(&app, &visit, &request).await?;
    page(&app, &visit, &place, StatusCode::OK, &Forms::of(&place)).await
}

/// Renames an organization. Its slug stays, and with it every path.
pub(in crate::web) async fn update(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of_form(&app, &request).await?;
    let place = Place::to_change(&app, &visit, &request).await?;
    let form = read_name(&request);
    if !form.is_valid() {
        let forms = Forms { rename: form, ..Forms::of(&place) };
        return page(&app, &visit, &place, StatusCode::UNPROCESSABLE_ENTITY, &forms).await;
    }
    let (id, actor, name) = (place.organization.id, visit.actor(), form.value("name"));
    let changes = Changes { name: Some(name.to_owned()), ..Changes::default() };
    let details = format!("name: {} → {name}", place.name());
    let renaming = app.db.transaction(async |tx| {
        organizations::update(tx, id, &changes).await?;
        audit::record(tx, &actor, &entry("update", id, &details)).await
    });
    renaming.await.map_err(gone)?;
    Ok(visit.redirect(&place.path(), Flash::notice("The organization is renamed.")))
}

/// Deletes an organization whose slug was typed, with its enrollments; applications that nobody else owns are archived,
/// and the sockets that lived by it end.
pub(in crate::web) async fn delete(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of_form(&app, &request).await?;
    let place = Place::to_change(&app, &visit, &request).await?;
    let mut form = Form::read(request.params(), "organization", &["confirmation"]);
    if form.value("confirmation") != place.name().trim() {
        form.error("confirmation", "is not the name of the organization");
        let forms = Forms { deletion: form, ..Forms::of(&place) };
        return page(&app, &visit, &place, StatusCode::UNPROCESSABLE_ENTITY, &forms).await;
    }
    let (id, actor) = (place.organization.id, visit.actor());
    let deletion = app.db.transaction(async |tx| {
        let deleted = organizations::delete(tx, id).await?;
        audit::record_deleted(tx, &actor, (id, place.organization.name.as_deref()), &deleted).await?;
        Ok(deleted)
    });
    let deleted = deletion.await.map_err(gone)?;
    revocation::organization_deleted(&app.hub, id, &deleted);
    Ok(visit.redirect(PATH, Flash::notice(format!("{} is deleted.", place.name()))))
}

/// The forms of an organization's page.
struct Forms {
    rename: Form,
    deletion: Form,
}

impl Forms {
    fn of(place: &Place) -> Self {
        let rename = Form::filled([("name", place.organization.name.as_deref())]);
        Self { rename, deletion: Form::default() }
    }
}

fn read_name(request: &Request) -> Form {
    let mut form = Form::read(request.params(), "organization", &["name"]);
    form.require(&["name"]);
    form
}

async fn create_in(
    tx: &mut Transaction<'_>,
    user_id: i32,
    actor: &Actor,
    name: &str,
    slug: &str,
) -> store::Result<Organization> {
    let slug = organizations::free_slug(tx, slug).await?;
    let new = NewOrganization { name, slug: &slug, archived_at: None };
    let organization = organizations::create(tx, &new, user_id).await?;
    audit::record(tx, actor, &entry("create", organization.id, name)).await?;
    Ok(organization)
}

fn entry<'a>(action: &'a str, id: i32, details: &'a str) -> NewEntry<'a> {
    NewEntry { action, resource: "organizations", resource_id: Some(id), details }
}

/// Somebody else was quicker.
fn gone(error: store::Error) -> Error {
    match error {
        store::Error::NotFound => Error::NotFound("organization"),
        error => error.into(),
    }
}

async fn list(app: &App, visit: &Visit, status: StatusCode, form: &Form) -> Result<Response, Error> {
    let user = visit.require_user()?;
    let enrolled = enrollments::list_of(&mut app.db.conn().await?, user.id).await?;
    let row = |(enrollment, organization): &(Enrollment, Organization)| {
        context! {
            name => organization.name.as_deref().or(organization.slug.as_deref()).unwrap_or("Unnamed organization"),
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
    visit.page(status, "account/organizations", "organizations", context)
}

async fn page(app: &App, visit: &Visit, place: &Place, status: StatusCode, forms: &Forms) -> Result<Response, Error> {
    let mut conn = app.db.conn().await?;
    let (active, archived) = applications(&mut conn, place).await?;
    let context = context! {
        title => format!("{} · pusher-lite", place.name()),
        organization => place.context(),
        applications => active,
        archived,
        members => members::rows(&mut conn, visit, place).await?,
        rename => forms.rename.context(),
        deletion => forms.deletion.context(),
        invitation => Form::default().context(),
        invitations => invitations(&mut conn, place).await?,
    };
    drop(conn);
    visit.page(status, "account/organization", "organizations", context)
}

/// Who is invited and has not accepted yet, which is for admins to know.
async fn invitations(conn: &mut DbConn, place: &Place) -> store::Result<Vec<Value>> {
    if !place.is_admin {
        return Ok(Vec::new());
    }
    let row = |(enrollment, invitation): &(InvitationEnrollment, Invitation)| {
        context! {
            id => invitation.id,
            name => &invitation.name,
            email => invitation.email.as_deref().unwrap_or("an unknown address"),
            is_admin => enrollment.is_admin,
            inserted_at => enrollment.inserted_at.to_string(),
        }
    };
    let pending = invitation_enrollments::list_of_organization(conn, place.organization.id).await?;
    Ok(pending.iter().map(row).collect())
}

/// The applications for the page: those in use, and those that are archived.
async fn applications(conn: &mut DbConn, place: &Place) -> store::Result<(Vec<Value>, Vec<Value>)> {
    let all = applications::list_with_archived(conn, place.organization.id).await?;
    let (active, archived): (Vec<_>, Vec<_>) = all.iter().partition(|application| application.archived_at.is_none());
    let row = |application: &Application| place.application_context(application);
    Ok((active.into_iter().map(row).collect(), archived.into_iter().map(row).collect()))
}
