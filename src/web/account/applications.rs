//! The applications of an organization: its members see them, its admins change them.

use minijinja::context;

use super::{
    place::{Place, name_of},
    snippets,
};
use crate::{
    app::App,
    http::{Request, Response, StatusCode},
    store::{
        self,
        applications::{self, Application, Changes, NewApplication},
        audit::{self, NewEntry},
    },
    web::{
        Error, revocation,
        visits::{Flash, Form, Visit},
    },
};

/// A form for a new application.
pub(in crate::web) async fn new(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of(&app, &request).await?;
    let place = Place::to_change(&app, &visit, &request).await?;
    new_page(&visit, &place, StatusCode::OK, &Form::default())
}

/// Creates an application, with a key and a secret of its own.
pub(in crate::web) async fn create(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of_form(&app, &request).await?;
    let place = Place::to_change(&app, &visit, &request).await?;
    let form = read_name(&request);
    if !form.is_valid() {
        return new_page(&visit, &place, StatusCode::UNPROCESSABLE_ENTITY, &form);
    }
    let (organization_id, actor, name) = (place.organization.id, visit.actor(), form.value("name"));
    let [app_key, app_secret] = [(); 2].map(|()| applications::new_key());
    let new = NewApplication { name, app_key: &app_key, app_secret: &app_secret, archived_at: None };
    let creation = app.db.transaction(async |tx| {
        let application = applications::create(tx, organization_id, &new).await?;
        audit::record(tx, &actor, &entry("create", &application, name)).await?;
        Ok(application)
    });
    let application = creation.await.map_err(gone)?;
    Ok(visit.redirect(&place.path_of(&application), Flash::notice("The application is ready. Here is how to use it.")))
}

/// An application: its key, its secret for admins, and how to use it.
pub(in crate::web) async fn show(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of(&app, &request).await?;
    let place = Place::of(&app, &visit, &request).await?;
    let application = place.application(&mut app.db.conn().await?, &request).await?;
    let form = Form::filled([("name", application.name.as_deref())]);
    page(&app, &visit, &request, &place, &application, (StatusCode::OK, form))
}

/// Renames an application.
pub(in crate::web) async fn update(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of_form(&app, &request).await?;
    let place = Place::to_change(&app, &visit, &request).await?;
    let application = place.application(&mut app.db.conn().await?, &request).await?;
    let form = read_name(&request);
    if !form.is_valid() {
        return page(&app, &visit, &request, &place, &application, (StatusCode::UNPROCESSABLE_ENTITY, form));
    }
    let name = form.value("name");
    let changes = Changes { name: Some(name.to_owned()), ..Changes::default() };
    change(&app, &visit, &application, "update", &changes, &format!("name: {} → {name}", name_of(&application)))
        .await?;
    Ok(visit.redirect(&place.path_of(&application), Flash::notice("The application is renamed.")))
}

/// Gives an application another secret.
pub(in crate::web) async fn rotate_secret(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of_form(&app, &request).await?;
    let place = Place::to_change(&app, &visit, &request).await?;
    let application = place.application(&mut app.db.conn().await?, &request).await?;
    let changes = Changes { app_secret: Some(applications::new_key()), ..Changes::default() };
    change(&app, &visit, &application, "update", &changes, "another secret").await?;
    Ok(visit.redirect(&place.path_of(&application), Flash::notice("The application has a new secret.")))
}

/// Archives an application and closes its sockets.
pub(in crate::web) async fn archive(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of_form(&app, &request).await?;
    let place = Place::to_change(&app, &visit, &request).await?;
    let application = place.application(&mut app.db.conn().await?, &request).await?;
    if application.archived_at.is_none() {
        let changes = Changes { archived_at: Some(Some(store::now())), ..Changes::default() };
        change(&app, &visit, &application, "archive", &changes, name_of(&application)).await?;
    }
    revocation::application_taken_away(&app.hub, &application);
    let notice = "The application is archived. Nothing can connect with its key until it is restored.";
    Ok(visit.redirect(&place.path_of(&application), Flash::notice(notice)))
}

/// Takes an archived application back into use.
pub(in crate::web) async fn restore(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of_form(&app, &request).await?;
    let place = Place::to_change(&app, &visit, &request).await?;
    let application = place.application(&mut app.db.conn().await?, &request).await?;
    if application.archived_at.is_some() {
        let changes = Changes { archived_at: Some(None), ..Changes::default() };
        change(&app, &visit, &application, "restore", &changes, name_of(&application)).await?;
    }
    Ok(visit.redirect(&place.path_of(&application), Flash::notice("The application is in use again.")))
}

fn read_name(request: &Request) -> Form {
    let mut form = Form::read(request.params(), "application", &["name"]);
    form.require(&["name"]);
    form
}

/// Changes an application and notes it in the audit log.
async fn change(
    app: &App,
    visit: &Visit,
    application: &Application,
    action: &str,
    changes: &Changes,
    details: &str,
) -> Result<(), Error> {
    let actor = visit.actor();
    let change = app.db.transaction(async |tx| {
        applications::update(tx, application.id, changes).await?;
        audit::record(tx, &actor, &entry(action, application, details)).await
    });
    change.await.map_err(gone)
}

fn entry<'a>(action: &'a str, application: &Application, details: &'a str) -> NewEntry<'a> {
    NewEntry { action, resource: "applications", resource_id: Some(application.id), details }
}

/// Somebody else was quicker.
fn gone(error: store::Error) -> Error {
    match error {
        store::Error::NotFound => Error::NotFound("application"),
        error => error.into(),
    }
}

fn new_page(visit: &Visit, place: &Place, status: StatusCode, form: &Form) -> Result<Response, Error> {
    let context = context! {
        title => format!("New application · {} · pusher-lite", place.name()),
        organization => place.context(),
        form => form.context(),
    };
    visit.page(status, "account/new_application", "organizations", context)
}

fn page(
    app: &App,
    visit: &Visit,
    request: &Request,
    place: &Place,
    application: &Application,
    (status, form): (StatusCode, Form),
) -> Result<Response, Error> {
    let is_active = application.archived_at.is_none();
    let context = context! {
        title => format!("{} · {} · pusher-lite", name_of(application), place.name()),
        organization => place.context(),
        application => place.application_context(application),
        // What admins alone may see stays out of the page of others.
        secret => application.app_secret.as_ref().filter(|_| place.is_admin),
        snippets => if is_active { Some(snippets::of(app, request, place, application)?) } else { None },
        form => form.context(),
    };
    visit.page(status, "account/application", "organizations", context)
}
