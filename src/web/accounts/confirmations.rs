//! Confirming an address: that of a new account, or another one that somebody wants instead of theirs.
//!
//! The link itself confirms, as in the original: it proves that the mail has arrived, and that is all a confirmation
//! says. A program that looks at links beforehand proves no less; when the reader follows the link after it, the page
//! says that they can just sign in. Only HEAD, which is meant to change nothing, does not confirm.

use super::{asking, letters, links::Link};
use crate::{
    app::App,
    auth::{
        Attempt,
        mailed_token::{self, CONFIRMATION_LIFETIME, is_fresh},
    },
    http::{Method, Request, Response, StatusCode},
    mail::Letter,
    store::{
        self,
        audit::{self, NewEntry},
        credentials::Credentials,
        email_changes::{self, EmailChange},
        mailed_tokens, now, user_tokens,
        users::{self, User},
    },
    web::{
        Error,
        visits::{Flash, Visit},
    },
};

/// Asks where to mail another link.
pub(in crate::web) async fn new(app: App, request: Request) -> Result<Response, Error> {
    asking::new(&app, &request, Link::Confirmation).await
}

/// Mails another link.
pub(in crate::web) async fn create(app: App, request: Request) -> Result<Response, Error> {
    asking::create(&app, &request, Link::Confirmation).await
}

/// Confirms the address that the link was mailed to.
pub(in crate::web) async fn edit(app: App, request: Request) -> Result<Response, Error> {
    if request.method() == Method::HEAD {
        return Ok(Response::empty(StatusCode::OK));
    }
    let visit = Visit::of(&app, &request).await?;
    visit.attempt(Attempt::Link, None)?;
    let Some(forms) = mailed_token::stored_forms(&request.path_param("token")) else {
        return asking::expired(&visit, Link::Confirmation);
    };
    let mut conn = app.db.conn().await?;
    let found = mailed_tokens::find_confirmation(&mut conn, &forms).await?;
    let change = email_changes::find_by_token(&mut conn, &forms).await?;
    drop(conn);
    let done = match (found, change) {
        (Some(found), _) => confirm(&app, &visit, &found, &forms).await?,
        (None, Some(change)) => change_address(&app, &visit, &change).await?,
        (None, None) => None,
    };
    match done {
        Some(message) => Ok(visit.redirect("/sessions/new", Flash::notice(message))),
        None => asking::expired(&visit, Link::Confirmation),
    }
}

/// The first time, with a mail that says how to begin.
async fn confirm(
    app: &App,
    visit: &Visit,
    found: &Credentials,
    forms: &[String],
) -> Result<Option<&'static str>, Error> {
    if !is_fresh(found.confirmation_sent_at, CONFIRMATION_LIFETIME, now()) {
        return Ok(None);
    }
    let user = &found.user;
    let confirmed = app
        .db
        .record(async |tx| {
            if !mailed_tokens::use_confirmation(tx, user.id, forms).await? {
                return Ok(false);
            }
            let entry = NewEntry { action: "confirm", resource: "users", resource_id: Some(user.id), details: "" };
            audit::record(tx, &visit.actor(), &entry).await?;
            let token = user_tokens::first_active_of(tx, user.id).await?;
            if let (None, Some(token), Some(email)) = (user.confirmed_at, token, &user.email) {
                let name = user.name.as_deref().unwrap_or_default();
                let url = &format!("{}/account", app.pages.site.base_url);
                let letter = Letter::Welcome { name, token: &token.token, url };
                letters::write(tx, app, email, &letter).await?;
            }
            Ok::<_, store::Error>(true)
        })
        .await?;
    app.accounts.postbox.wake();
    Ok(confirmed.then_some("Your email address is confirmed. You can sign in now."))
}

/// The old address is told that it counts no more.
async fn change_address(app: &App, visit: &Visit, change: &EmailChange) -> Result<Option<&'static str>, Error> {
    if !is_fresh(Some(change.inserted_at), CONFIRMATION_LIFETIME, now()) {
        return Ok(None);
    }
    let changed = app
        .db
        .record(async |tx| {
            let before = users::find(tx, change.user_id).await?;
            if !email_changes::carry_out(tx, change).await? {
                return Ok(false);
            }
            if let Some(User { name, email: Some(old), .. }) = &before {
                let (name, url) = (name.as_deref().unwrap_or_default(), &app.pages.site.base_url);
                letters::write(tx, app, old, &Letter::AddressChanged { name, email: &change.email, url }).await?;
            }
            let details = format!("address: {}", change.email);
            let id = Some(change.user_id);
            let entry = NewEntry { action: "update", resource: "users", resource_id: id, details: &details };
            audit::record(tx, &visit.actor(), &entry).await?;
            Ok(true)
        })
        .await;
    app.accounts.postbox.wake();
    match changed {
        Ok(changed) => Ok(changed.then_some("Your new email address is confirmed. From now on, sign in with it.")),
        // Somebody else has signed up with it since.
        Err(store::Error::Duplicate { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
