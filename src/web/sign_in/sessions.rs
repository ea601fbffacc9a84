//! Sign-in and sign-out.

use minijinja::context;

use super::password_check::{self, Outcome};
use crate::{
    http::{Request, Response, StatusCode},
    web::{
        App, Error,
        session::{Flash, Form, PageRequest, local_path},
    },
};

/// Page after signing in, if the visitor did not ask for another one.
const HOME: &str = "/account";

const REFUSED: &str = "The email address or the password is wrong. After five wrong passwords an account is locked for \
    20 minutes, and its owner gets a mail.";
const UNCONFIRMED: &str = "Confirm your email address first: follow the link in the mail that you got when you signed \
    up, or have another one sent.";

const UNCONFIRMED_WITHOUT_MAIL: &str = "Your email address is not confirmed yet, and this server sends no mail with a link \
    to do so. Ask its operator to confirm your address in the admin.";
const SUSPENDED: &str = "This account is suspended. Ask the operator of this server to reinstate it.";

/// Shows the form for address and password.
pub(in crate::web) async fn new(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of(&app, &request).await?;
    if page.user().is_some() {
        return Ok(page.redirect(&destination(&request), None));
    }
    render(&page, &request, StatusCode::OK, &Form::default())
}

/// Signs in, and redirects to the page that asked for it.
pub(in crate::web) async fn create(app: App, request: Request) -> Result<Response, Error> {
    let mut page = PageRequest::of_form(&app, &request).await?;
    let mut form = Form::read(request.params(), "session", &["email", "password", "remember"]);
    form.require(&["email", "password"]);
    if !form.is_valid() {
        return render(&page, &request, StatusCode::UNPROCESSABLE_ENTITY, &form);
    }
    let again = |status: StatusCode, form: &Form| render(&page, &request, status, form);
    let trust = page.attempt_sign_in_by_form(&mut form, again).await?;
    loop {
        let (email, password) = (form.value("email"), form.value("password"));
        let (status, reason) = match password_check::check(&app, email, password, &page.actor(), trust).await? {
            Outcome::Welcome(user, password) => {
                if page.sign_in(user, &password, form.is_checked("remember")).await? {
                    return Ok(page.redirect(&destination(&request), Flash::notice("You are signed in.")));
                }
                // The hash has changed since. Another check tells whether it is still that of the password.
                continue;
            }
            Outcome::Unconfirmed(_) if app.pages.site.has_mail() => (StatusCode::FORBIDDEN, UNCONFIRMED),
            Outcome::Unconfirmed(_) => (StatusCode::FORBIDDEN, UNCONFIRMED_WITHOUT_MAIL),
            Outcome::Suspended(_) => (StatusCode::FORBIDDEN, SUSPENDED),
            Outcome::Refused => (StatusCode::UNAUTHORIZED, REFUSED),
        };
        form.error("base", reason);
        return render(&page, &request, status, &form);
    }
}

/// Signs out, in this browser.
pub(in crate::web) async fn delete(app: App, request: Request) -> Result<Response, Error> {
    let mut page = PageRequest::of_form(&app, &request).await?;
    page.sign_out().await?;
    Ok(page.redirect("/", Flash::notice("You are signed out.")))
}

fn render(page: &PageRequest, request: &Request, status: StatusCode, form: &Form) -> Result<Response, Error> {
    let return_to = request.params().text("return_to").filter(|path| local_path(path).is_some());
    let context = context! { title => "Sign in · pusher-lite", form => form.context(), return_to };
    page.render(status, "sign_in/sign_in", "sign_in", context)
}

fn destination(request: &Request) -> String {
    let asked_for = request.params().text("return_to").filter(|path| local_path(path).is_some());
    asked_for.unwrap_or_else(|| HOME.to_owned())
}
