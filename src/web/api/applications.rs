//! Applications, nested under their organization: for its admins alone (D3).

use serde_json::{Value, json};

use super::{
    Error,
    caller::Caller,
    changeset::{Change, Changeset},
    created, data, timestamp,
};
use crate::{
    http::{Request, Response, StatusCode},
    operations::applications::{self as operations, MadeIn},
    store::{
        self, DbConn, Reference, Transaction,
        applications::{self, Application, Changes, NewApplication},
        organizations,
    },
    web::App,
};

/// Answers with the active applications of the organization, without secrets for a token that only reads.
pub(in crate::web) async fn index(app: App, request: Request, caller: Caller) -> Result<Response, Error> {
    let mut conn = app.db.conn().await?;
    let organization = request.path_param("organization_id");
    let organization = Reference::parse(&organization);
    caller.require_admin_of(&mut conn, organization).await?;
    let applications = applications::list(&mut conn, organization).await?;
    let shown = applications.iter().map(|application| view(&caller, application));
    Ok(data(StatusCode::OK, shown.collect::<Vec<_>>()))
}

/// Answers with one of them, by id or key.
pub(in crate::web) async fn show(app: App, request: Request, caller: Caller) -> Result<Response, Error> {
    let application = find(&caller, &request, &mut app.db.conn().await?).await?;
    Ok(data(StatusCode::OK, view(&caller, &application)))
}

/// Creates an application. Generates its key and secret if none are given (D14).
pub(in crate::web) async fn create(app: App, request: Request, caller: Caller) -> Result<Response, Error> {
    let mut conn = app.db.conn().await?;
    let organization = request.path_param("organization_id");
    caller.require_admin_of(&mut conn, Reference::parse(&organization)).await?;
    let mut changes = Changeset::to_create(&request, "application")?;
    let organization = organizations::find(&mut conn, caller.user(), Reference::parse(&organization)).await?;
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
    let actor = caller.actor();
    let insert =
        async |tx: &mut Transaction<'_>| operations::create(tx, &actor, organization.id, &new, MadeIn::Elsewhere).await;
    let application = app.db.transaction(insert).await.map_err(|error| taken(&changes, error))?;
    let path = format!("/api/organizations/{}/applications/{}", organization.id, application.id);
    Ok(created(&path, view(&caller, &application)))
}

/// Changes an application. A key or secret that is emptied is generated anew.
pub(in crate::web) async fn update(app: App, request: Request, caller: Caller) -> Result<Response, Error> {
    let mut conn = app.db.conn().await?;
    let organization = request.path_param("organization_id");
    caller.require_admin_of(&mut conn, Reference::parse(&organization)).await?;
    let mut changeset = Changeset::to_update(&request, "application")?;
    let before = find_in(&mut conn, &request, &organization).await?;
    drop(conn);
    let changes = read_changes(&mut changeset)?;
    let actor = caller.actor();
    let update = async |tx: &mut Transaction<'_>| operations::update(tx, &actor, before.id, &changes, None).await;
    let (application, _) = app.db.transaction(update).await.map_err(|error| taken(&changeset, error))?;
    Ok(data(StatusCode::OK, view(&caller, &application)))
}

/// Archives an application and closes its sockets (D5).
pub(in crate::web) async fn delete(app: App, request: Request, caller: Caller) -> Result<Response, Error> {
    let application = find(&caller, &request, &mut app.db.conn().await?).await?;
    let actor = caller.actor();
    let archive = async |tx: &mut Transaction<'_>| operations::archive(tx, &actor, application.id).await;
    let archived = app.db.transaction(archive).await?.ok_or(Error::NotFound("application"))?;
    Ok(data(StatusCode::OK, view(&caller, &archived)))
}

/// Gives an application a new secret. The one before signs JWTs until it is ended.
pub(in crate::web) async fn rotate_secret(app: App, request: Request, caller: Caller) -> Result<Response, Error> {
    let application = find(&caller, &request, &mut app.db.conn().await?).await?;
    let actor = caller.actor();
    let rotate = async |tx: &mut Transaction<'_>| operations::rotate_secret(tx, &actor, application.id).await;
    let rotated = app.db.transaction(rotate).await.map_err(gone)?;
    Ok(data(StatusCode::OK, view(&caller, &rotated)))
}

/// Ends the secret that a rotation replaced, and closes the sockets whose JWT it signed.
pub(in crate::web) async fn end_previous_secret(app: App, request: Request, caller: Caller) -> Result<Response, Error> {
    let application = find(&caller, &request, &mut app.db.conn().await?).await?;
    let actor = caller.actor();
    let end = async |tx: &mut Transaction<'_>| operations::end_previous_secret(tx, &actor, application.id).await;
    let ended = app.db.transaction(end).await.map_err(gone)?.ok_or(Error::NotFound("previous secret"))?;
    Ok(data(StatusCode::OK, view(&caller, &ended)))
}

fn view(caller: &Caller, application: &Application) -> Value {
    let Application { id, name, app_key, app_secret, archived_at } = application;
    let app_secret = app_secret.as_ref().filter(|_| caller.may_see_secrets());
    json!({
        "id": id, "name": name, "app_key": app_key, "app_secret": app_secret, "archived_at": timestamp(*archived_at),
    })
}

pub(super) async fn find(caller: &Caller, request: &Request, conn: &mut DbConn) -> Result<Application, Error> {
    let organization = request.path_param("organization_id");
    caller.require_admin_of(conn, Reference::parse(&organization)).await?;
    find_in(conn, request, &organization).await
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

/// Reads a key given by the caller.
fn app_key(changeset: &mut Changeset) -> Change<String> {
    match changeset.text("app_key") {
        Change::Set(key) if !operations::is_key(&key) => {
            changeset.invalid("app_key");
            Change::Keep
        }
        change => change,
    }
}

fn taken(changeset: &Changeset, error: store::Error) -> Error {
    match error {
        store::Error::Duplicate { field } => changeset.taken(field),
        error => gone(error),
    }
}

/// Maps the error of a change that came too late: another request was faster.
fn gone(error: store::Error) -> Error {
    match error {
        store::Error::NotFound => Error::NotFound("application"),
        error => error.into(),
    }
}
