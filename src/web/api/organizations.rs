//! Organizations: everybody may list those they are enrolled in and create their own; admins may change them.

use serde_json::{Value, json};

use super::{
    Error,
    caller::Caller,
    changeset::{Change, Changeset},
    created, data, timestamp,
};
use crate::{
    app::App,
    http::{Request, Response, StatusCode},
    store::{
        self, DbConn, Reference, Transaction,
        audit::{self, Differences},
        organizations::{self, Changes, NewOrganization, Organization},
    },
    web::{revocation, slug::slugify},
};

/// The organizations that the caller may see.
pub(in crate::web) async fn index(app: App, request: Request) -> Result<Response, Error> {
    let mut conn = app.db.conn().await?;
    let caller = Caller::of(&app, &request, &mut conn).await?;
    let organizations = organizations::list(&mut conn, &caller.user).await?;
    Ok(data(StatusCode::OK, organizations.iter().map(view).collect::<Vec<_>>()))
}

/// One of them, by id or slug (D13).
pub(in crate::web) async fn show(app: App, request: Request) -> Result<Response, Error> {
    let mut conn = app.db.conn().await?;
    let caller = Caller::of(&app, &request, &mut conn).await?;
    let organization = find(&mut conn, &caller, &request).await?;
    Ok(data(StatusCode::OK, view(&organization)))
}

/// Creates an organization, whose admin the caller is from then on.
pub(in crate::web) async fn create(app: App, request: Request) -> Result<Response, Error> {
    let caller = Caller::of(&app, &request, &mut app.db.conn().await?).await?;
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
    let insert = async |tx: &mut Transaction<'_>| {
        let organization = organizations::create(tx, &new, caller.user.id).await?;
        let differences = differences(None, &organization);
        caller.record(tx, "create", ("organizations", organization.id), &differences).await?;
        Ok(organization)
    };
    let organization = app.db.transaction(insert).await.map_err(|error| taken(&changes, error))?;
    Ok(created(&format!("/api/organizations/{}", organization.id), view(&organization)))
}

/// Changes an organization (D3). Its slug stays when its name changes, and is made anew when it is emptied.
pub(in crate::web) async fn update(app: App, request: Request) -> Result<Response, Error> {
    let mut conn = app.db.conn().await?;
    let caller = Caller::of(&app, &request, &mut conn).await?;
    caller.require_admin_permission()?;
    let mut changeset = Changeset::to_update(&request, "organization")?;
    let organization = find_to_administer(&mut conn, &caller, &request).await?;
    drop(conn);
    let changes = read_changes(&mut changeset, &organization)?;
    let update = async |tx: &mut Transaction<'_>| {
        let updated = organizations::update(tx, organization.id, &changes).await?;
        let differences = differences(Some(&organization), &updated);
        if !differences.is_empty() {
            caller.record(tx, "update", ("organizations", updated.id), &differences).await?;
        }
        Ok(updated)
    };
    let organization = app.db.transaction(update).await.map_err(|error| taken(&changeset, error))?;
    Ok(data(StatusCode::OK, view(&organization)))
}

/// Deletes an organization with its enrollments; applications that nobody else owns are archived (D3).
pub(in crate::web) async fn delete(app: App, request: Request) -> Result<Response, Error> {
    let mut conn = app.db.conn().await?;
    let caller = Caller::of(&app, &request, &mut conn).await?;
    caller.require_admin_permission()?;
    let organization = find_to_administer(&mut conn, &caller, &request).await?;
    drop(conn);
    let delete = async |tx: &mut Transaction<'_>| {
        let deleted = organizations::delete(tx, organization.id).await?;
        let named = (organization.id, organization.name.as_deref());
        audit::record_deleted(tx, &caller.actor(), named, &deleted).await?;
        Ok(deleted)
    };
    match app.db.transaction(delete).await {
        Ok(deleted) => revocation::organization_deleted(&app.hub, organization.id, &deleted),
        Err(store::Error::NotFound) => return Err(Error::NotFound("organization")),
        Err(error) => return Err(error.into()),
    }
    Ok(Response::no_content())
}

fn view(organization: &Organization) -> Value {
    let Organization { id, name, slug, archived_at } = organization;
    json!({ "id": id, "name": name, "slug": slug, "archived_at": timestamp(*archived_at) })
}

async fn find(conn: &mut DbConn, caller: &Caller, request: &Request) -> Result<Organization, Error> {
    let id = request.path_param("id");
    let found = organizations::find(conn, &caller.user, Reference::parse(&id)).await?;
    found.ok_or(Error::NotFound("organization"))
}

/// 404 for those who cannot see it, 401 for those who can but do not administer it.
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

/// The slug of the name that is given, or of the one before. Notes that it is blank when nothing of it can be spelled.
fn make_slug(changeset: &mut Changeset, name_before: Option<&str>) -> Option<String> {
    let name = if changeset.has("name") { changeset.given_text("name") } else { name_before };
    let slug = name.map(slugify).filter(|slug| !slug.is_empty());
    if slug.is_none() {
        changeset.blank("slug");
    }
    slug
}

/// What the audit log is told of an organization that was created or changed.
fn differences(before: Option<&Organization>, after: &Organization) -> Differences {
    let mut differences = Differences::default();
    let old = |column: fn(&Organization) -> Option<&str>| before.and_then(column);
    differences.column("name", old(|before| before.name.as_deref()), after.name.as_deref());
    differences.column("slug", old(|before| before.slug.as_deref()), after.slug.as_deref());
    let [was, is] = [before.and_then(|before| before.archived_at), after.archived_at].map(timestamp);
    differences.column("archived_at", was.as_deref(), is.as_deref());
    differences
}

fn taken(changeset: &Changeset, error: store::Error) -> Error {
    match error {
        store::Error::Duplicate { field } => changeset.taken(field),
        store::Error::NotFound => Error::NotFound("organization"),
        error => error.into(),
    }
}
