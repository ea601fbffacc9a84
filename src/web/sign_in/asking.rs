//! The pages that ask for an address, to mail a link to it, and the pages of links that are no longer valid.

use minijinja::context;

use super::{
    fields::check_email,
    links::{attempt, scope},
};
use crate::{
    http::{Request, Response, StatusCode},
    operations::{Link, Recipient, accounts},
    store::credentials,
    web::{
        App, Error,
        session::{Form, PageRequest},
    },
};

/// Shows the form for the address.
pub(super) async fn new(app: &App, request: &Request, link: Link) -> Result<Response, Error> {
    let page = PageRequest::of(app, request).await?;
    render(&page, StatusCode::OK, link, &Form::default())
}

/// Mails the link, if the address has an account that needs it.
pub(super) async fn create(app: &App, request: &Request, link: Link) -> Result<Response, Error> {
    let page = PageRequest::of_form(app, request).await?;
    let mut form = Form::read(request.params(), scope(link), &["email"]);
    check_email(&mut form);
    if !form.is_valid() {
        return render(&page, StatusCode::UNPROCESSABLE_ENTITY, link, &form);
    }
    page.attempt_by_form(attempt(link), &mut form, |status, form| render(&page, status, link, form))?;
    mail(app, &page, link, form.value("email")).await?;
    Ok(page.redirect("/sessions/new", page.mail_notice(notice(link))))
}

/// Shows the page of a link that is used, replaced or too old: the reason, and how to get another one.
pub(super) fn expired(page: &PageRequest, link: Link) -> Result<Response, Error> {
    let context = context! { title => "This link is no longer valid · pusher-lite", link => scope(link) };
    page.render(StatusCode::GONE, "sign_in/expired", "", context)
}

fn render(page: &PageRequest, status: StatusCode, link: Link, form: &Form) -> Result<Response, Error> {
    let (template, title) = match link {
        Link::Confirmation => ("sign_in/confirmation", "Confirm your address · pusher-lite"),
        Link::Reset => ("sign_in/forgotten", "Forgot your password? · pusher-lite"),
        Link::Unlock => ("sign_in/unlock", "Unlock your account · pusher-lite"),
    };
    page.render(status, template, "sign_in", context! { title, form => form.context() })
}

fn notice(link: Link) -> &'static str {
    match link {
        Link::Confirmation => {
            "If this address is not confirmed yet, a mail with a link is on its way. The link is valid for five days."
        }
        Link::Reset => {
            "If this address has an account, a mail with a link is on its way. The link is valid for two days."
        }
        Link::Unlock => {
            "If the account with this address is locked, a mail with a link is on its way. The link is valid for five minutes."
        }
    }
}

/// Mails the link. For an unknown address it does the same work, as far as the time can tell.
async fn mail(app: &App, page: &PageRequest, link: Link, email: &str) -> Result<(), Error> {
    let found = credentials::find_by_email(&mut app.db.conn().await?, email).await?;
    let found = found.filter(|found| link.is_for(found));
    let to = found.as_ref().map_or_else(|| Recipient::nobody(email), Recipient::of);
    let (actor, mailing) = (page.actor(), app.mailing());
    let written = app.db.record(async |tx| accounts::ask_for_link(tx, &actor, mailing, link, to).await);
    Ok(written.await?)
}
