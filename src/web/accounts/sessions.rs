//! Signing in and out.

use minijinja::context;

use super::sign_in::{self, Outcome};
use crate::{
    app::App,
    auth::Attempt,
    http::{Request, Response, StatusCode},
    web::{
        Error,
        visits::{Flash, Form, Visit, local_path},
    },
};

/// Where those go who did not ask for another page.
const HOME: &str = "/account";

const REFUSED: &str = "The email address or the password is wrong. After five wrong passwords an account is locked for \
    20 minutes, and its owner gets a mail.";
const UNCONFIRMED: &str = "Confirm your email address first: follow the link in the mail that you got when you signed \
    up, or have another one sent.";

/// Asks for address and password.
pub(in crate::web) async fn new(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of(&app, &request).await?;
    if visit.user().is_some() {
        return Ok(visit.redirect(&destination(&request), None));
    }
    page(&visit, &request, StatusCode::OK, &Form::default())
}

/// Signs in, and leads to the page that asked for it.
pub(in crate::web) async fn create(app: App, request: Request) -> Result<Response, Error> {
    let mut visit = Visit::of_form(&app, &request).await?;
    let mut form = Form::read(request.params(), "session", &["email", "password", "remember"]);
    form.require(&["email", "password"]);
    if !form.is_valid() {
        return page(&visit, &request, StatusCode::UNPROCESSABLE_ENTITY, &form);
    }
    visit.attempt_by_form(Attempt::SignIn, &mut form, |status, form| page(&visit, &request, status, form))?;
    match sign_in::check(&app, form.value("email"), form.value("password"), &visit.actor()).await? {
        Outcome::Welcome(user) => {
            visit.sign_in(user).await?;
            if form.is_checked("remember") {
                visit.stay_signed_in().await?;
            }
            Ok(visit.redirect(&destination(&request), Flash::notice("You are signed in.")))
        }
        Outcome::Unconfirmed => {
            form.error("base", UNCONFIRMED);
            page(&visit, &request, StatusCode::FORBIDDEN, &form)
        }
        Outcome::Refused => {
            form.error("base", REFUSED);
            page(&visit, &request, StatusCode::UNAUTHORIZED, &form)
        }
    }
}

/// Signs out, in this browser.
pub(in crate::web) async fn delete(app: App, request: Request) -> Result<Response, Error> {
    let mut visit = Visit::of_form(&app, &request).await?;
    visit.sign_out().await?;
    Ok(visit.redirect("/", Flash::notice("You are signed out.")))
}

fn page(visit: &Visit, request: &Request, status: StatusCode, form: &Form) -> Result<Response, Error> {
    let return_to = request.params().text("return_to").filter(|path| local_path(path).is_some());
    let context = context! { title => "Sign in · pusher-lite", form => form.context(), return_to };
    visit.page(status, "accounts/sign_in", "sign_in", context)
}

fn destination(request: &Request) -> String {
    let asked_for = request.params().text("return_to").filter(|path| local_path(path).is_some());
    asked_for.unwrap_or_else(|| HOME.to_owned())
}
