//! Signing up, and looking at, changing and deleting one's own account.

use minijinja::context;

use super::{
    changes, departure,
    fields::{check_email, check_new_password},
    sign_up::sign_up,
};
use crate::{
    app::App,
    auth::Attempt,
    http::{Params, Request, Response, StatusCode},
    store::{credentials, email_changes, users::User},
    web::{
        Error,
        visits::{Flash, Form, Visit},
    },
};

/// The scope of the forms' fields.
const SCOPE: &str = "registration";

/// Asks for name, address, password, and the name of an organization.
pub(in crate::web) async fn new(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of(&app, &request).await?;
    match visit.user() {
        Some(_) => Ok(visit.redirect("/account", None)),
        None => sign_up_page(&visit, StatusCode::OK, &Form::default()),
    }
}

/// Creates the account. What else the form says, such as `is_root` (D17), is not looked at.
pub(in crate::web) async fn create(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of_form(&app, &request).await?;
    let names = ["name", "email", "password", "password_confirmation", "organization_name"];
    let mut form = Form::read(request.params(), SCOPE, &names);
    form.fill("organization_name", original_organization_name(request.params()));
    form.require(&["name", "organization_name"]);
    check_email(&mut form);
    check_new_password(&mut form);
    if !form.is_valid() {
        return sign_up_page(&visit, StatusCode::UNPROCESSABLE_ENTITY, &form);
    }
    visit.attempt_by_form(Attempt::SignUp, &mut form, |status, form| sign_up_page(&visit, status, form))?;
    sign_up(&app, &form, &visit.actor()).await?;
    Ok(visit.redirect("/registrations/sent", None))
}

/// Says that a mail is on its way.
pub(in crate::web) async fn sent(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of(&app, &request).await?;
    let context = context! { title => "Check your mail · pusher-lite", mailbox => app.pages.site.mailbox };
    visit.page(StatusCode::OK, "accounts/sent", "sign_up", context)
}

/// One's own account.
pub(in crate::web) async fn show(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of(&app, &request).await?;
    let user = own(&visit, &request)?;
    let mut conn = app.db.conn().await?;
    let wanted = email_changes::find(&mut conn, user.id).await?;
    let signed_in = credentials::last_sign_ins(&mut conn, user.id).await?;
    let context = context! {
        title => "Your data · pusher-lite",
        wanted_email => wanted.map(|wanted| wanted.email),
        sign_in_count => signed_in.count,
        last_sign_in_at => signed_in.last_at.map(|at| at.and_utc().to_rfc3339()),
        last_sign_in_ip => signed_in.last_ip,
    };
    visit.page(StatusCode::OK, "accounts/show", "account", context)
}

/// Asks what to change.
pub(in crate::web) async fn edit(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of(&app, &request).await?;
    let user = own(&visit, &request)?;
    let form = Form::filled([("name", user.name.as_deref()), ("email", user.email.as_deref())]);
    edit_page(&visit, StatusCode::OK, &form)
}

/// Changes name, address or password.
pub(in crate::web) async fn update(app: App, request: Request) -> Result<Response, Error> {
    let mut visit = Visit::of_form(&app, &request).await?;
    let user = own(&visit, &request)?.clone();
    let names = ["name", "email", "password", "password_confirmation", "current_password"];
    let mut form = Form::read(request.params(), SCOPE, &names);
    match changes::apply(&app, &mut visit, &user, &mut form).await? {
        Some(message) => Ok(visit.redirect(&format!("/registrations/{}", user.id), Flash::notice(message))),
        None => edit_page(&visit, StatusCode::UNPROCESSABLE_ENTITY, &form),
    }
}

/// Asks whether to delete one's account, and says what that means.
pub(in crate::web) async fn leave(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of(&app, &request).await?;
    let user = own(&visit, &request)?;
    departure::page(&app, &visit, user, StatusCode::OK, &Form::default()).await
}

/// Deletes one's account.
pub(in crate::web) async fn delete(app: App, request: Request) -> Result<Response, Error> {
    let mut visit = Visit::of_form(&app, &request).await?;
    let user = visit.require_user()?.clone();
    let mut form = Form::read(request.params(), SCOPE, &["current_password"]);
    if departure::depart(&app, &visit, &user, &mut form).await? {
        visit.forget();
        return Ok(visit.redirect("/", Flash::notice("Your account is deleted.")));
    }
    departure::page(&app, &visit, &user, StatusCode::UNPROCESSABLE_ENTITY, &form).await
}

/// Who is signed in, if the path names them: the accounts of others are not there.
fn own<'a>(visit: &'a Visit, request: &Request) -> Result<&'a User, Error> {
    let user = visit.require_user()?;
    if request.path_param("id").parse() == Ok(user.id) { Ok(user) } else { Err(Error::NotFound("user")) }
}

/// Where the original's form has the name of the organization.
fn original_organization_name(params: &Params) -> Option<String> {
    let registration = params.value(SCOPE).ok().flatten()?;
    let name = registration.pointer("/enrollments/0/organization/name")?;
    Some(name.as_str()?.to_owned())
}

fn sign_up_page(visit: &Visit, status: StatusCode, form: &Form) -> Result<Response, Error> {
    let context = context! { title => "Sign up · pusher-lite", form => form.context() };
    visit.page(status, "accounts/sign_up", "sign_up", context)
}

fn edit_page(visit: &Visit, status: StatusCode, form: &Form) -> Result<Response, Error> {
    visit.page(
        status,
        "accounts/edit",
        "account",
        context! { title => "Your data · pusher-lite", form => form.context() },
    )
}
