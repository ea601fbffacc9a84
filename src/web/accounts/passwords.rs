//! Setting a new password by a link that was mailed. Looking at the link changes nothing; sending the form uses it up.

use minijinja::context;

use super::{asking, fields::check_new_password, letters, links::Link};
use crate::{
    app::App,
    auth::{
        Attempt,
        mailed_token::{self, RESET_LIFETIME, is_fresh},
        password,
    },
    http::{Request, Response, StatusCode},
    mail::Letter,
    store::{
        self, Transaction,
        audit::{self, NewEntry},
        credentials::{self, Credentials},
        email_changes, mailed_tokens, now, rememberables, sessions,
        users::User,
    },
    web::{
        Error,
        visits::{Flash, Form, Visit},
    },
};

/// Asks where to mail a link.
pub(in crate::web) async fn new(app: App, request: Request) -> Result<Response, Error> {
    asking::new(&app, &request, Link::Reset).await
}

/// Mails a link.
pub(in crate::web) async fn create(app: App, request: Request) -> Result<Response, Error> {
    asking::create(&app, &request, Link::Reset).await
}

/// Asks for the new password.
pub(in crate::web) async fn edit(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of(&app, &request).await?;
    visit.attempt(Attempt::Link, None)?;
    let token = request.path_param("token");
    match find(&app, &token).await? {
        Some(_) => page(&visit, StatusCode::OK, &token, &Form::default()),
        None => asking::expired(&visit, Link::Reset),
    }
}

/// Sets it. The token is in the form, as in the original, or in the path.
pub(in crate::web) async fn update(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of_form(&app, &request).await?;
    visit.attempt(Attempt::Link, None)?;
    let names = ["reset_password_token", "password", "password_confirmation"];
    let mut form = Form::read(request.params(), "password", &names);
    let token = match form.value("reset_password_token") {
        "" => request.path_param("token"),
        token => token.to_owned(),
    };
    let Some((found, forms)) = find(&app, &token).await? else {
        return asking::expired(&visit, Link::Reset);
    };
    check_new_password(&mut form);
    if !form.is_valid() {
        return page(&visit, StatusCode::UNPROCESSABLE_ENTITY, &token, &form);
    }
    let hash = password::hash(form.value("password")).await.map_err(Error::internal)?;
    let changed = app
        .db
        .record(async |tx| {
            if !mailed_tokens::use_reset(tx, found.user.id, &forms).await? {
                return Ok(false);
            }
            credentials::unlock(tx, found.user.id).await?;
            change(tx, &app, &visit, &found.user, &hash).await?;
            Ok::<_, store::Error>(true)
        })
        .await?;
    if !changed {
        return asking::expired(&visit, Link::Reset);
    }
    app.hub.close_tokenless(found.user.id.into());
    app.accounts.postbox.wake();
    Ok(visit.redirect("/sessions/new", Flash::notice("Your password is changed. Sign in with the new one.")))
}

/// Changes a user's password: whoever is signed in with the old one, anywhere, is so no more, and the owner gets a mail.
pub(super) async fn change(
    tx: &mut Transaction<'_>,
    app: &App,
    visit: &Visit,
    user: &User,
    hash: &str,
) -> store::Result<()> {
    credentials::set_password(tx, user.id, hash).await?;
    sessions::delete_all_of(tx, user.id).await?;
    rememberables::delete_all_of(tx, user.id).await?;
    // Whoever knew the old password may have asked for another address.
    email_changes::delete(tx, user.id).await?;
    let entry = NewEntry { action: "change_password", resource: "users", resource_id: Some(user.id), details: "" };
    audit::record(tx, &visit.actor(), &entry).await?;
    let (name, url) = (user.name.as_deref().unwrap_or_default(), &format!("{}/passwords/new", app.pages.site.base_url));
    let letter = Letter::PasswordChanged { name, url };
    letters::write(tx, app, user.email.as_deref().unwrap_or_default(), &letter).await
}

/// Whose password the token sets, and the forms in which it may be stored.
async fn find(app: &App, token: &str) -> Result<Option<(Credentials, [String; 2])>, Error> {
    let Some(forms) = mailed_token::stored_forms(token) else { return Ok(None) };
    let found = mailed_tokens::find_reset(&mut app.db.conn().await?, &forms).await?;
    let found = found.filter(|found| is_fresh(found.reset_password_sent_at, RESET_LIFETIME, now()));
    Ok(found.map(|found| (found, forms)))
}

fn page(visit: &Visit, status: StatusCode, token: &str, form: &Form) -> Result<Response, Error> {
    let context = context! { title => "Set a new password · pusher-lite", token, form => form.context() };
    visit.page(status, "accounts/new_password", "sign_in", context)
}
