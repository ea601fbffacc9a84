//! Setting of a new password by a mailed link. Viewing the link changes nothing; sending the form uses it up.

use minijinja::context;

use super::{asking, fields::new_password};
use crate::{
    auth::{
        Attempt,
        mailed_token::{self, RESET_LIFETIME, is_fresh},
    },
    http::{Request, Response, StatusCode},
    operations::{Link, accounts},
    store::{credentials::Credentials, mailed_tokens, now},
    web::{
        App, Error, password_changed,
        session::{Flash, Form, PageRequest},
    },
};

/// Shows the form to request a link.
pub(in crate::web) async fn new(app: App, request: Request) -> Result<Response, Error> {
    asking::new(&app, &request, Link::Reset).await
}

/// Mails a link.
pub(in crate::web) async fn create(app: App, request: Request) -> Result<Response, Error> {
    asking::create(&app, &request, Link::Reset).await
}

/// Asks for the new password.
pub(in crate::web) async fn edit(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of(&app, &request).await?;
    page.attempt(Attempt::Link, None)?;
    let token = request.path_param("token");
    match find(&app, &token).await? {
        Some(_) => render(&page, StatusCode::OK, &token, &Form::default()),
        None => asking::expired(&page, Link::Reset),
    }
}

/// Sets the password. The token is in the form, as in the original, or in the path.
pub(in crate::web) async fn update(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of_form(&app, &request).await?;
    page.attempt(Attempt::Link, None)?;
    let names = ["reset_password_token", "password", "password_confirmation"];
    let mut form = Form::read(request.params(), "password", &names);
    let token = match form.value("reset_password_token") {
        "" => request.path_param("token"),
        token => token.to_owned(),
    };
    let Some((found, forms)) = find(&app, &token).await? else {
        return asking::expired(&page, Link::Reset);
    };
    let Some(password) = new_password(&mut form).filter(|_| form.is_valid()) else {
        return render(&page, StatusCode::UNPROCESSABLE_ENTITY, &token, &form);
    };
    let hash = password.hash().await.map_err(Error::internal)?;
    let (actor, mailing, by) = (page.actor(), app.mailing(), (found.user.id, forms.as_slice()));
    let reset = app.db.record(async |tx| accounts::reset_password(tx, &actor, mailing, by, &hash).await);
    let Some(remaining) = reset.await? else {
        return asking::expired(&page, Link::Reset);
    };
    let said = password_changed::sentence(&remaining);
    let notice = format!("Your password is changed. Sign in with the new one.{said}");
    Ok(page.redirect(&password_changed::sign_in_path(&remaining), Flash::notice(notice)))
}

/// Returns the user whose password the token sets, and the forms in which the token may be stored.
async fn find(app: &App, token: &str) -> Result<Option<(Credentials, [String; 2])>, Error> {
    let Some(forms) = mailed_token::stored_forms(token) else { return Ok(None) };
    let found = mailed_tokens::find_reset(&mut app.db.conn().await?, &forms).await?;
    let found = found.filter(|found| is_fresh(found.reset_password_sent_at, RESET_LIFETIME, now()));
    Ok(found.map(|found| (found, forms)))
}

fn render(page: &PageRequest, status: StatusCode, token: &str, form: &Form) -> Result<Response, Error> {
    let context = context! { title => "Set a new password · pusher-lite", token, form => form.context() };
    page.render(status, "sign_in/new_password", "sign_in", context)
}
