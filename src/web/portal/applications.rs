//! The applications of an organization: its members see them, its admins change them.

use minijinja::context;

use super::{
    organization_access::{OrganizationAccess, name_of},
    policies::is_weak,
    snippets,
};
use crate::{
    http::{Request, Response, StatusCode},
    operations::applications::{self as operations, MadeIn},
    store::{
        self,
        application_policies::{self, WithSecret},
        applications::{self, Application, Changes, NewApplication},
    },
    web::{
        App, Error,
        session::{Flash, Form, PageRequest},
    },
};

/// Shows a form for a new application.
pub(in crate::web) async fn new(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of(&app, &request).await?;
    let access = OrganizationAccess::to_change(&app, &page, &request).await?;
    new_page(&page, &access, StatusCode::OK, &Form::default())
}

/// Creates an application, with a key and a secret of its own.
pub(in crate::web) async fn create(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of_form(&app, &request).await?;
    let access = OrganizationAccess::to_change(&app, &page, &request).await?;
    let form = read_name(&request);
    if !form.is_valid() {
        return new_page(&page, &access, StatusCode::UNPROCESSABLE_ENTITY, &form);
    }
    let (organization_id, actor, name) = (access.organization.id, page.actor(), form.value("name"));
    let [app_key, app_secret] = [(); 2].map(|()| applications::new_key());
    let new = NewApplication { name, app_key: &app_key, app_secret: &app_secret, archived_at: None };
    let creation =
        app.db.transaction(async |tx| operations::create(tx, &actor, organization_id, &new, MadeIn::Portal).await);
    let application = creation.await.map_err(gone)?;
    Ok(page.redirect(&access.path_of(&application), Flash::notice("The application is ready. Here is how to use it.")))
}

/// Shows an application: its key, its secret for admins, and its use.
pub(in crate::web) async fn show(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of(&app, &request).await?;
    let access = OrganizationAccess::of(&app, &page, &request).await?;
    let application = access.application(&mut app.db.conn().await?, &request).await?;
    let form = Form::filled([("name", application.name.as_deref())]);
    render(&app, &page, &request, &access, &application, (StatusCode::OK, form)).await
}

/// Renames an application.
pub(in crate::web) async fn update(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of_form(&app, &request).await?;
    let access = OrganizationAccess::to_change(&app, &page, &request).await?;
    let application = access.application(&mut app.db.conn().await?, &request).await?;
    let form = read_name(&request);
    if !form.is_valid() {
        let answer = (StatusCode::UNPROCESSABLE_ENTITY, form);
        return render(&app, &page, &request, &access, &application, answer).await;
    }
    let actor = page.actor();
    let changes = Changes { name: Some(form.value("name").to_owned()), ..Changes::default() };
    let change = app.db.transaction(async |tx| operations::update(tx, &actor, application.id, &changes, None).await);
    change.await.map_err(gone)?;
    Ok(page.redirect(&access.path_of(&application), Flash::notice("The application is renamed.")))
}

/// Gives an application another secret.
pub(in crate::web) async fn rotate_secret(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of_form(&app, &request).await?;
    let access = OrganizationAccess::to_change(&app, &page, &request).await?;
    let application = access.application(&mut app.db.conn().await?, &request).await?;
    let actor = page.actor();
    let change = app.db.transaction(async |tx| operations::rotate_secret(tx, &actor, application.id).await);
    change.await.map_err(gone)?;
    let notice = "The application has a new secret. The one before signs JWTs until you end it.";
    Ok(page.redirect(&access.path_of(&application), Flash::notice(notice)))
}

/// Ends the secret that a rotation replaced, and closes the sockets whose JWT it signed.
pub(in crate::web) async fn end_previous_secret(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of_form(&app, &request).await?;
    let access = OrganizationAccess::to_change(&app, &page, &request).await?;
    let application = access.application(&mut app.db.conn().await?, &request).await?;
    let actor = page.actor();
    let end = app.db.transaction(async |tx| operations::end_previous_secret(tx, &actor, application.id).await);
    end.await.map_err(gone)?;
    let notice = "The previous secret is ended. Sockets whose JWT it signed are closed.";
    Ok(page.redirect(&access.path_of(&application), Flash::notice(notice)))
}

/// Archives an application and closes its sockets.
pub(in crate::web) async fn archive(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of_form(&app, &request).await?;
    let access = OrganizationAccess::to_change(&app, &page, &request).await?;
    let application = access.application(&mut app.db.conn().await?, &request).await?;
    let actor = page.actor();
    let change = app.db.transaction(async |tx| operations::archive(tx, &actor, application.id).await);
    change.await.map_err(gone)?;
    let notice = "The application is archived. Clients cannot connect with its key until it is restored.";
    Ok(page.redirect(&access.path_of(&application), Flash::notice(notice)))
}

/// Restores an archived application.
pub(in crate::web) async fn restore(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of_form(&app, &request).await?;
    let access = OrganizationAccess::to_change(&app, &page, &request).await?;
    let application = access.application(&mut app.db.conn().await?, &request).await?;
    let actor = page.actor();
    let change = app.db.transaction(async |tx| operations::restore(tx, &actor, application.id).await);
    change.await.map_err(gone)?;
    Ok(page.redirect(&access.path_of(&application), Flash::notice("The application is restored.")))
}

fn read_name(request: &Request) -> Form {
    let mut form = Form::read(request.params(), "application", &["name"]);
    form.require(&["name"]);
    form
}

/// Maps the error of a change that came too late: another request was faster.
pub(super) fn gone(error: store::Error) -> Error {
    match error {
        store::Error::NotFound => Error::NotFound("application"),
        error => error.into(),
    }
}

fn new_page(
    page: &PageRequest,
    access: &OrganizationAccess,
    status: StatusCode,
    form: &Form,
) -> Result<Response, Error> {
    let context = context! {
        title => format!("New application · {} · pusher-lite", access.name()),
        organization => access.context(),
        form => form.context(),
    };
    page.render(status, "portal/new_application", "organizations", context)
}

async fn render(
    app: &App,
    page: &PageRequest,
    request: &Request,
    access: &OrganizationAccess,
    application: &Application,
    (status, form): (StatusCode, Form),
) -> Result<Response, Error> {
    let is_active = application.archived_at.is_none();
    let WithSecret { policy, previous_secret } =
        application_policies::find(&mut app.db.conn().await?, application.id).await?;
    let context = context! {
        title => format!("{} · {} · pusher-lite", name_of(application), access.name()),
        organization => access.context(),
        application => access.application_context(application),
        // The page of ordinary members has no secret.
        secret => application.app_secret.as_ref().filter(|_| access.is_admin),
        is_weak => is_weak(application),
        accepts_signed => policy.accepts_signed,
        has_previous_secret => previous_secret.is_some(),
        snippets => if is_active { Some(snippets::of(app, request, access, application)?) } else { None },
        form => form.context(),
    };
    page.render(status, "portal/application", "organizations", context)
}
