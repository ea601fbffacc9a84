//! Organizations: all users may list those that they are enrolled in and create their own; admins may change them.

use serde_json::{Value, json};

use super::{
    Error,
    caller::Caller,
    changeset::{Change, Changeset},
    created, data, timestamp,
};
use crate::{
    http::{Request, Response, StatusCode},
    operations::organizations as operations,
    store::{
        self, DbConn, Reference, Transaction,
        organizations::{self, Changes, NewOrganization, Organization},
    },
    web::App,
};

/// Answers with the organizations that the caller may see.
pub(in crate::web) async fn index(app: App, _request: Request, caller: Caller) -> Result<Response, Error> {
    let mut conn = app.db.conn().await?;
    let organizations = organizations::list(&mut conn, caller.user()).await?;
    Ok(data(StatusCode::OK, organizations.iter().map(view).collect::<Vec<_>>()))
}

/// Answers with one of them, by id or slug (D13).
pub(in crate::web) async fn show(app: App, request: Request, caller: Caller) -> Result<Response, Error> {
    let mut conn = app.db.conn().await?;
    let organization = find(&mut conn, &caller, &request).await?;
    Ok(data(StatusCode::OK, view(&organization)))
}

/// Creates an organization, with the caller as its admin.
pub(in crate::web) async fn create(app: App, request: Request, caller: Caller) -> Result<Response, Error> {
    let mut changes = Changeset::to_create(&request, "organization")?;
    let name = changes.text("name").value();
    let slug = match changes.text("slug") {
        Change::Set(slug) => Some(slug),
        _ => make_slug(&mut changes, None),
    };
    let archived_at = changes.time("archived_at").value();
    if name.is_none() {
        changes.blank("name");
    }
    changes.finish()?;

    let new = NewOrganization { name: &name.unwrap_or_default(), slug: &slug.unwrap_or_default(), archived_at };
    let (actor, quota) = (caller.actor(), caller.quota(&app));
    let insert = async |tx: &mut Transaction<'_>| operations::create(tx, &actor, &new, caller.user().id, quota).await;
    let organization = app.db.transaction(insert).await.map_err(|error| taken(&changes, error))?;
    Ok(created(&format!("/api/organizations/{}", organization.id), view(&organization)))
}

/// Changes an organization (D3). Its slug stays when its name changes, and is generated anew when it is emptied.
pub(in crate::web) async fn update(app: App, request: Request, caller: Caller) -> Result<Response, Error> {
    let mut conn = app.db.conn().await?;
    caller.require_admin_permission()?;
    let mut changeset = Changeset::to_update(&request, "organization")?;
    let organization = find_to_administer(&mut conn, &caller, &request).await?;
    drop(conn);
    let changes = read_changes(&mut changeset, &organization)?;
    let actor = caller.actor();
    let update = async |tx: &mut Transaction<'_>| operations::update(tx, &actor, organization.id, &changes).await;
    let (organization, _) = app.db.transaction(update).await.map_err(|error| taken(&changeset, error))?;
    Ok(data(StatusCode::OK, view(&organization)))
}

/// Deletes an organization with its enrollments; applications without another owner are archived (D3).
pub(in crate::web) async fn delete(app: App, request: Request, caller: Caller) -> Result<Response, Error> {
    let mut conn = app.db.conn().await?;
    caller.require_admin_permission()?;
    let organization = find_to_administer(&mut conn, &caller, &request).await?;
    drop(conn);
    let actor = caller.actor();
    let delete = async |tx: &mut Transaction<'_>| operations::delete(tx, &actor, organization.id).await;
    match app.db.transaction(delete).await {
        Ok(()) => Ok(Response::no_content()),
        Err(store::Error::NotFound) => Err(Error::NotFound("organization")),
        Err(error) => Err(error.into()),
    }
}

fn view(organization: &Organization) -> Value {
    let Organization { id, name, slug, archived_at } = organization;
    json!({ "id": id, "name": name, "slug": slug, "archived_at": timestamp(*archived_at) })
}

async fn find(conn: &mut DbConn, caller: &Caller, request: &Request) -> Result<Organization, Error> {
    let id = request.path_param("id");
    let found = organizations::find(conn, caller.user(), Reference::parse(&id)).await?;
    found.ok_or(Error::NotFound("organization"))
}

/// Returns the organization: 404 for callers who cannot see it, 401 for those who can but do not administer it.
async fn find_to_administer(conn: &mut DbConn, caller: &Caller, request: &Request) -> Result<Organization, Error> {
    let organization = find(conn, caller, request).await?;
    caller.require_admin_of(conn, Reference::Id(organization.id)).await?;
    Ok(organization)
}

fn read_changes(changeset: &mut Changeset, organization: &Organization) -> Result<Changes, Error> {
    let name = changeset.text("name");
    if name == Change::Clear {
        changeset.blank("name");
    }
    let name = name.value();
    let slug = match changeset.text("slug") {
        Change::Keep => None,
        Change::Set(slug) => Some(slug),
        Change::Clear => make_slug(changeset, organization.name.as_deref()),
    };
    let archived_at = changeset.time("archived_at").nullable();
    changeset.finish()?;
    Ok(Changes { name, slug, archived_at })
}

/// Returns the slug of the given name, or of the previous one. Records that it is blank if no character of the name can
/// be spelled.
fn make_slug(changeset: &mut Changeset, name_before: Option<&str>) -> Option<String> {
    let name = if changeset.has("name") { changeset.given_text("name") } else { name_before };
    let slug = name.and_then(operations::slug_of);
    if slug.is_none() {
        changeset.blank("slug");
    }
    slug
}

fn taken(changeset: &Changeset, error: store::Error) -> Error {
    match error {
        store::Error::Duplicate { field } => changeset.taken(field),
        store::Error::NotFound => Error::NotFound("organization"),
        error => error.into(),
    }
}
