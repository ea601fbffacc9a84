//! Confirmation of an address: that of a new account, or the new address of an existing one.
//!
//! Opening the link changes nothing, so that programs which look at links in mails confirm nothing. The page asks for
//! the password of the account: the reader of the mail may not be the person who chose it, since it is possible to sign
//! up with the address of another person. For a new account the reader may set a new password instead.

use minijinja::context;

use super::{
    asking,
    fields::new_password,
    links::scope,
    password_check,
    pending::{Done, Password, Pending},
};
use crate::{
    auth::Attempt,
    http::{Request, Response, StatusCode},
    operations::Link,
    web::{
        App, Error,
        session::{Flash, Form, PageRequest, Trust},
    },
};

/// Shows the form to request another link.
pub(in crate::web) async fn new(app: App, request: Request) -> Result<Response, Error> {
    asking::new(&app, &request, Link::Confirmation).await
}

/// Mails another link.
pub(in crate::web) async fn create(app: App, request: Request) -> Result<Response, Error> {
    asking::create(&app, &request, Link::Confirmation).await
}

/// Asks for the password.
pub(in crate::web) async fn edit(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of(&app, &request).await?;
    page.attempt(Attempt::Link, None)?;
    let token = request.path_param("token");
    match Pending::find(&app, &token).await? {
        Some(pending) => render(&page, StatusCode::OK, &token, &pending, &Form::default()),
        None => asking::expired(&page, Link::Confirmation),
    }
}

/// Confirms the address that the link was mailed to, for a visitor who knows the password or sets a new one.
pub(in crate::web) async fn update(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of_form(&app, &request).await?;
    page.attempt(Attempt::Link, None)?;
    let token = request.path_param("token");
    let Some(pending) = Pending::find(&app, &token).await? else {
        return asking::expired(&page, Link::Confirmation);
    };
    let names = ["current_password", "password", "password_confirmation"];
    let mut form = Form::read(request.params(), scope(Link::Confirmation), &names);
    while let Some(password) = check_passwords(&app, &page, &pending, &mut form).await? {
        match pending.carry_out(&app, &page, &password).await? {
            Done::Confirmed(message) => return Ok(page.redirect("/sessions/new", Flash::notice(message))),
            Done::Gone => return asking::expired(&page, Link::Confirmation),
            // Another check tells whether what was typed is wrong by now, or was only hashed again.
            Done::OtherPassword => {}
        }
    }
    render(&page, StatusCode::UNPROCESSABLE_ENTITY, &token, &pending, &form)
}

/// Checks the password of the account; or hashes the new one, if the link may set one. `None` with the error in the form.
async fn check_passwords(
    app: &App,
    page: &PageRequest,
    pending: &Pending,
    form: &mut Form,
) -> Result<Option<Password>, Error> {
    let wants_new = !form.value("password").is_empty() || !form.value("password_confirmation").is_empty();
    if wants_new && pending.may_set_password() {
        return match new_password(form).filter(|_| form.is_valid()) {
            Some(password) => Ok(Some(Password::New(password.hash().await.map_err(Error::internal)?))),
            None => Ok(None),
        };
    }
    form.require(&["current_password"]);
    if !form.is_valid() {
        return Ok(None);
    }
    // By the client only: strangers who try to sign in with the address must not stop the reader of the mail.
    page.attempt(Attempt::SignIn, None)?;
    let email = pending.account_email();
    let outcome =
        password_check::check(app, email, form.value("current_password"), &page.actor(), Trust::Unknown).await?;
    let proven = outcome.proven();
    if proven.is_none() {
        form.error("current_password", "is wrong");
    }
    Ok(proven.map(Password::Current))
}

fn render(
    page: &PageRequest,
    status: StatusCode,
    token: &str,
    pending: &Pending,
    form: &Form,
) -> Result<Response, Error> {
    let context = context! {
        title => "Confirm your address · pusher-lite",
        token,
        email => pending.new_email(),
        has_password => pending.has_password(),
        may_set_password => pending.may_set_password(),
        form => form.context(),
    };
    page.render(status, "sign_in/confirm", "sign_in", context)
}
