//! The pages that ask for an address, to mail a link there, and those that a link leads to when it is good for nothing.

use minijinja::context;

use super::{
    fields::check_email,
    links::{Link, Recipient},
};
use crate::{
    app::App,
    http::{Request, Response, StatusCode},
    store::credentials,
    web::{
        Error,
        visits::{Flash, Form, Visit},
    },
};

/// Asks for the address.
pub(super) async fn new(app: &App, request: &Request, link: Link) -> Result<Response, Error> {
    let visit = Visit::of(app, request).await?;
    page(&visit, StatusCode::OK, link, &Form::default())
}

/// Mails the link, if the address has an account that it is for.
pub(super) async fn create(app: &App, request: &Request, link: Link) -> Result<Response, Error> {
    let visit = Visit::of_form(app, request).await?;
    let mut form = Form::read(request.params(), link.scope(), &["email"]);
    check_email(&mut form);
    if !form.is_valid() {
        return page(&visit, StatusCode::UNPROCESSABLE_ENTITY, link, &form);
    }
    visit.attempt_by_form(link.attempt(), &mut form, |status, form| page(&visit, status, link, form))?;
    mail(app, link, form.value("email")).await?;
    Ok(visit.redirect("/sessions/new", Flash::notice(notice(link))))
}

/// What is shown to somebody whose link is used, replaced or too old: why, and how to get another one.
pub(super) fn expired(visit: &Visit, link: Link) -> Result<Response, Error> {
    let context = context! { title => "This link is not valid any more · pusher-lite", link => link.scope() };
    visit.page(StatusCode::GONE, "accounts/expired", "", context)
}

fn page(visit: &Visit, status: StatusCode, link: Link, form: &Form) -> Result<Response, Error> {
    let (template, title) = match link {
        Link::Confirmation => ("accounts/confirmation", "Confirm your address · pusher-lite"),
        Link::Reset => ("accounts/forgotten", "Forgot your password? · pusher-lite"),
        Link::Unlock => ("accounts/unlock", "Unlock your account · pusher-lite"),
    };
    visit.page(status, template, "sign_in", context! { title, form => form.context() })
}

fn notice(link: Link) -> &'static str {
    match link {
        Link::Confirmation => {
            "If this address waits to be confirmed, a mail with a link is on its way. The link is valid for five days."
        }
        Link::Reset => {
            "If this address has an account, a mail with a link is on its way. The link is valid for two days."
        }
        Link::Unlock => {
            "If the account with this address is locked, a mail with a link is on its way. The link is valid for five minutes."
        }
    }
}

/// For nobody the same is done, as far as the time tells.
async fn mail(app: &App, link: Link, email: &str) -> Result<(), Error> {
    let found = credentials::find_by_email(&mut app.db.conn().await?, email).await?;
    let found = found.filter(|found| link.is_for(found));
    let to = found.as_ref().map_or_else(|| Recipient::nobody(email), Recipient::of);
    app.db.record(async |tx| link.send(tx, app, to).await).await?;
    app.accounts.postbox.wake();
    Ok(())
}
