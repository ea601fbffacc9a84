//! Applications, nested under their organization: for its admins alone (D3).

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
        applications::{self, Application, Changes, NewApplication},
        audit::Differences,
        organizations,
    },
    web::revocation,
};

/// The active applications of the organization.
pub(in crate::web) async fn index(app: App, request: Request) -> Result<Response, Error> {
    let mut conn = app.db.conn().await?;
    let organization = request.path_param("organization_id");
    require_admin(&app, &request, &mut conn, &organization).await?;
    let applications = applications::list(&mut conn, Reference::parse(&organization)).await?;
    Ok(data(StatusCode::OK, applications.iter().map(view).collect::<Vec<_>>()))
}

/// One of them, by id or key.
pub(in crate::web) async fn show(app: App, request: Request) -> Result<Response, Error> {
    let (_, application) = find(&app, &request, &mut app.db.conn().await?).await?;
    Ok(data(StatusCode::OK, view(&application)))
}

/// Creates an application. Its key and secret are made here when none are given (D14).
pub(in crate::web) async fn create(app: App, request: Request) -> Result<Response, Error> {
    let mut conn = app.db.conn().await?;
    let organization = request.path_param("organization_id");
    let caller = require_admin(&app, &request, &mut conn, &organization).await?;
    let mut changes = Changeset::to_create(&request, "application")?;
    let organization = organizations::find(&mut conn, &caller.user, Reference::parse(&organization)).await?;
    let organization = organization.ok_or(Error::NotFound("organization"))?;
    drop(conn);

    let name = changes.text("name").value();
    if name.is_none() {
        changes.blank("name");
    }
    let app_key = app_key(&mut changes).value().unwrap_or_else(applications::new_key);
    let app_secret = changes.text("app_secret").value().unwrap_or_else(applications::new_key);
    let archived_at = changes.time("archived_at").value();
    changes.finish()?;

    let name = name.unwrap_or_default();
    let new = NewApplication { name: &name, app_key: &app_key, app_secret: &app_secret, archived_at };
    let insert = async |tx: &mut Transaction<'_>| {
        let application = applications::create(tx, organization.id, &new).await?;
        let mut differences = differences(None, &application);
        differences.note("organization_id", organization.id);
        caller.record(tx, "create", ("applications", application.id), &differences).await?;
        Ok(application)
    };
    let application = app.db.transaction(insert).await.map_err(|error| taken(&changes, error))?;
    let path = format!("/api/organizations/{}/applications/{}", organization.id, application.id);
    Ok(created(&path, view(&application)))
}

/// Changes an application. A key or secret that is emptied is made anew.
pub(in crate::web) async fn update(app: App, request: Request) -> Result<Response, Error> {
    let mut conn = app.db.conn().await?;
    let organization = request.path_param("organization_id");
    let caller = require_admin(&app, &request, &mut conn, &organization).await?;
    let mut changeset = Changeset::to_update(&request, "application")?;
    let before = find_in(&mut conn, &request, &organization).await?;
    drop(conn);
    let changes = read_changes(&mut changeset)?;
    let update = async |tx: &mut Transaction<'_>| {
        let updated = applications::update(tx, before.id, &changes).await?;
        let differences = differences(Some(&before), &updated);
        if !differences.is_empty() {
            caller.record(tx, "update", ("applications", updated.id), &differences).await?;
        }
        Ok(updated)
    };
    let application = app.db.transaction(update).await.map_err(|error| taken(&changeset, error))?;
    if application.archived_at.is_some() || application.app_key != before.app_key {
        revocation::application_taken_away(&app.hub, &before);
    }
    Ok(data(StatusCode::OK, view(&application)))
}

/// Archives an application and closes its sockets (D5).
pub(in crate::web) async fn delete(app: App, request: Request) -> Result<Response, Error> {
    let (caller, application) = find(&app, &request, &mut app.db.conn().await?).await?;
    let archive = async |tx: &mut Transaction<'_>| {
        let archived = applications::archive(tx, application.id).await?;
        let mut differences = Differences::default();
        differences.column("name", None, application.name.as_deref());
        caller.record(tx, "archive", ("applications", application.id), &differences).await?;
        Ok::<_, store::Error>(archived)
    };
    let archived = app.db.transaction(archive).await?;
    revocation::application_taken_away(&app.hub, &application);
    Ok(data(StatusCode::OK, view(&archived)))
}

fn view(application: &Application) -> Value {
    let Application { id, name, app_key, app_secret, archived_at } = application;
    json!({
        "id": id, "name": name, "app_key": app_key, "app_secret": app_secret, "archived_at": timestamp(*archived_at),
    })
}

async fn require_admin(app: &App, request: &Request, conn: &mut DbConn, organization: &str) -> Result<Caller, Error> {
    let caller = Caller::of(app, request, conn).await?;
    caller.require_admin_of(conn, Reference::parse(organization)).await?;
    Ok(caller)
}

async fn find(app: &App, request: &Request, conn: &mut DbConn) -> Result<(Caller, Application), Error> {
    let organization = request.path_param("organization_id");
    let caller = require_admin(app, request, conn, &organization).await?;
    Ok((caller, find_in(conn, request, &organization).await?))
}

async fn find_in(conn: &mut DbConn, request: &Request, organization: &str) -> Result<Application, Error> {
    let id = request.path_param("id");
    let found = applications::find_active(conn, Reference::parse(organization), Reference::parse(&id)).await?;
    found.ok_or(Error::NotFound("application"))
}

fn read_changes(changeset: &mut Changeset) -> Result<Changes, Error> {
    let name = changeset.text("name");
    if name == Change::Clear {
        changeset.blank("name");
    }
    let anew = |change: Change<String>| match change {
        Change::Keep => None,
        Change::Clear => Some(applications::new_key()),
        Change::Set(value) => Some(value),
    };
    let changes = Changes {
        name: name.value(),
        app_key: anew(app_key(changeset)),
        app_secret: anew(changeset.text("app_secret")),
        archived_at: changeset.time("archived_at").nullable(),
    };
    changeset.finish()?;
    Ok(changes)
}

/// A key given by the caller. It may hold no colon: topics are `lobby:<app_key>:<topic>`, and those of `key:a` would be
/// topics of the application `key`.
fn app_key(changeset: &mut Changeset) -> Change<String> {
    match changeset.text("app_key") {
        Change::Set(key) if key.contains(':') => {
            changeset.invalid("app_key");
            Change::Keep
        }
        change => change,
    }
}

/// What the audit log is told of an application that was created or changed.
fn differences(before: Option<&Application>, after: &Application) -> Differences {
    let mut differences = Differences::default();
    let old = |column: fn(&Application) -> Option<&str>| before.and_then(column);
    differences.column("name", old(|before| before.name.as_deref()), after.name.as_deref());
    differences.column("app_key", old(|before| before.app_key.as_deref()), after.app_key.as_deref());
    if before.is_some_and(|before| before.app_secret != after.app_secret) {
        differences.secret("app_secret");
    }
    let [was, is] = [before.and_then(|before| before.archived_at), after.archived_at].map(timestamp);
    differences.column("archived_at", was.as_deref(), is.as_deref());
    differences
}

fn taken(changeset: &Changeset, error: store::Error) -> Error {
    match error {
        store::Error::Duplicate { field } => changeset.taken(field),
        store::Error::NotFound => Error::NotFound("application"),
        error => error.into(),
    }
}
