//! Sign-up, and the page, change and deletion of the visitor's own account.

use minijinja::context;

use super::{
    changes, deletion,
    fields::{check_email, new_password},
};
use crate::{
    auth::{Attempt, NewPassword},
    http::{Params, Request, Response, StatusCode},
    operations::{
        Refusal, Rule,
        accounts::{self, SignUp, SignUpMode},
    },
    store::{self, credentials, email_changes, users::User},
    web::{
        App, Error,
        session::{Flash, Form, PageRequest},
    },
};

/// The scope of the forms' fields.
const SCOPE: &str = "registration";
/// Number of attempts to sign up: another request may take the same address or slug at the same time.
const TRIES: usize = 3;

/// Shows the form for name, address, password, and the name of an organization.
pub(in crate::web) async fn new(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of(&app, &request).await?;
    if page.user().is_some() {
        return Ok(page.redirect("/account", None));
    }
    match app.sign_up.mode(&mut app.db.conn().await?).await? {
        SignUpMode::Open => sign_up_page(&app, &page, StatusCode::OK, &Form::default()),
        closed => closed_page(&page, closed),
    }
}

/// Creates the account. Other fields of the form, such as `is_root` (D17), are ignored.
pub(in crate::web) async fn create(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of_form(&app, &request).await?;
    let mode = app.sign_up.mode(&mut app.db.conn().await?).await?;
    if mode != SignUpMode::Open {
        return closed_page(&page, mode);
    }
    let names = ["name", "email", "password", "password_confirmation", "organization_name"];
    let mut form = Form::read(request.params(), SCOPE, &names);
    form.fill("organization_name", original_organization_name(request.params()));
    form.require(&["name", "organization_name"]);
    check_email(&mut form);
    check_domain(&app, &mut form).await?;
    let Some(password) = new_password(&mut form).filter(|_| form.is_valid()) else {
        return sign_up_page(&app, &page, StatusCode::UNPROCESSABLE_ENTITY, &form);
    };
    page.attempt_by_form(Attempt::SignUp, &mut form, |status, form| sign_up_page(&app, &page, status, form))?;
    match sign_up(&app, &page, &form, &password).await? {
        // The first root user came meanwhile.
        Err(_) => closed_page(&page, app.sign_up.mode(&mut app.db.conn().await?).await?),
        Ok(()) => Ok(page.redirect("/registrations/sent", None)),
    }
}

/// Shows that a mail is on its way, or what to do on servers that send none.
pub(in crate::web) async fn sent(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of(&app, &request).await?;
    let context = context! { title => "Your sign-up · pusher-lite", mailbox => app.pages.site.mailbox };
    page.render(StatusCode::OK, "sign_in/sent", "sign_up", context)
}

/// Shows the visitor's own account.
pub(in crate::web) async fn show(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of(&app, &request).await?;
    let user = own(&page, &request)?;
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
    page.render(StatusCode::OK, "sign_in/show", "account", context)
}

/// Shows the form for changes.
pub(in crate::web) async fn edit(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of(&app, &request).await?;
    let user = own(&page, &request)?;
    let form = Form::filled([("name", user.name.as_deref()), ("email", user.email.as_deref())]);
    edit_page(&page, StatusCode::OK, &form)
}

/// Changes name, address or password.
pub(in crate::web) async fn update(app: App, request: Request) -> Result<Response, Error> {
    let mut page = PageRequest::of_form(&app, &request).await?;
    let user = own(&page, &request)?.clone();
    let names = ["name", "email", "password", "password_confirmation", "current_password"];
    let mut form = Form::read(request.params(), SCOPE, &names);
    match changes::apply(&app, &mut page, &user, &mut form).await? {
        Some(message) => Ok(page.redirect(&format!("/registrations/{}", user.id), Flash::notice(message))),
        None => edit_page(&page, StatusCode::UNPROCESSABLE_ENTITY, &form),
    }
}

/// Asks whether to delete the account, and lists the consequences.
pub(in crate::web) async fn leave(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of(&app, &request).await?;
    let user = own(&page, &request)?;
    deletion::render(&app, &page, user, StatusCode::OK, &Form::default()).await
}

/// Deletes the account.
pub(in crate::web) async fn delete(app: App, request: Request) -> Result<Response, Error> {
    let mut page = PageRequest::of_form(&app, &request).await?;
    let user = page.require_user()?.clone();
    let mut form = Form::read(request.params(), SCOPE, &["current_password"]);
    if deletion::leave(&app, &page, &user, &mut form).await? {
        page.forget();
        return Ok(page.redirect("/", Flash::notice("Your account is deleted.")));
    }
    deletion::render(&app, &page, &user, StatusCode::UNPROCESSABLE_ENTITY, &form).await
}

/// Checks that the address of a valid form may sign up.
async fn check_domain(app: &App, form: &mut Form) -> Result<(), Error> {
    if form.value("email").is_empty() {
        return Ok(());
    }
    match app.sign_up.check_sign_up(&mut app.db.conn().await?, form.value("email")).await {
        Err(Refusal::Rule(rule @ Rule::OtherMailDomain)) => form.error("email", rule.message()),
        Err(Refusal::Store(error)) => return Err(error.into()),
        // The operation checks again.
        Ok(()) | Err(Refusal::Rule(_)) => {}
    }
    Ok(())
}

/// Signs up the visitor with a valid form. If the address has an account, its owner is told instead; either way the
/// password is hashed and a mail is written.
async fn sign_up(
    app: &App,
    page: &PageRequest,
    form: &Form,
    password: &NewPassword,
) -> Result<Result<(), Rule>, Error> {
    let hash = password.hash().await.map_err(Error::internal)?;
    let (name, email, organization) = (form.value("name"), form.value("email"), form.value("organization_name"));
    let (actor, new) = (page.actor(), SignUp { name, email, password: &hash, organization });
    for _ in 0..TRIES {
        let (policy, mailing) = (&app.sign_up, app.mailing());
        match app.db.transaction(async |tx| accounts::sign_up(tx, &actor, policy, mailing, &new).await).await {
            Ok(()) => return Ok(Ok(())),
            Err(Refusal::Store(store::Error::Duplicate { .. })) => {}
            Err(Refusal::Store(error)) => return Err(error.into()),
            Err(Refusal::Rule(rule)) => return Ok(Err(rule)),
        }
    }
    Err(Error::Unavailable("others sign up with the same name at the same time".into()))
}

/// Returns the signed-in user, if the path names them: for the visitor, accounts of other users do not exist.
fn own<'a>(page: &'a PageRequest, request: &Request) -> Result<&'a User, Error> {
    let user = page.require_user()?;
    if request.path_param("id").parse() == Ok(user.id) { Ok(user) } else { Err(Error::NotFound("user")) }
}

/// Returns the name of the organization from its place in the original's form.
fn original_organization_name(params: &Params) -> Option<String> {
    let registration = params.value(SCOPE).ok().flatten()?;
    let name = registration.pointer("/enrollments/0/organization/name")?;
    Some(name.as_str()?.to_owned())
}

fn sign_up_page(app: &App, page: &PageRequest, status: StatusCode, form: &Form) -> Result<Response, Error> {
    let domains = app.sign_up.domains().to_vec();
    let context = context! { title => "Sign up · pusher-lite", domains, form => form.context() };
    page.render(status, "sign_in/sign_up", "sign_up", context)
}

/// Shows why sign-up is closed, and the way to an account.
fn closed_page(page: &PageRequest, mode: SignUpMode) -> Result<Response, Error> {
    let takes_invited = mode == SignUpMode::Invited;
    let context = context! { title => "Sign-up is closed · pusher-lite", takes_invited };
    page.render(StatusCode::FORBIDDEN, "sign_in/sign_up_closed", "sign_up", context)
}

fn edit_page(page: &PageRequest, status: StatusCode, form: &Form) -> Result<Response, Error> {
    page.render(
        status,
        "sign_in/edit",
        "account",
        context! { title => "Your data · pusher-lite", form => form.context() },
    )
}
