//! Unlocking an account that too many wrong passwords locked. The link itself unlocks, as in the original: it opens
//! nothing but another try.

use super::{asking, links::Link};
use crate::{
    app::App,
    auth::{
        Attempt, lock,
        mailed_token::{self, UNLOCK_LIFETIME, is_fresh},
    },
    http::{Method, Request, Response, StatusCode},
    store::{
        self,
        audit::{self, NewEntry},
        credentials::{self, Credentials},
        mailed_tokens, now,
    },
    web::{
        Error,
        visits::{Flash, Visit},
    },
};

/// Asks where to mail a link.
pub(in crate::web) async fn new(app: App, request: Request) -> Result<Response, Error> {
    asking::new(&app, &request, Link::Unlock).await
}

/// Mails a link.
pub(in crate::web) async fn create(app: App, request: Request) -> Result<Response, Error> {
    asking::create(&app, &request, Link::Unlock).await
}

/// Unlocks the account that the link was mailed for.
pub(in crate::web) async fn edit(app: App, request: Request) -> Result<Response, Error> {
    if request.method() == Method::HEAD {
        return Ok(Response::empty(StatusCode::OK));
    }
    let visit = Visit::of(&app, &request).await?;
    visit.attempt(Attempt::Link, None)?;
    let token = request.path_param("token");
    let Some(forms) = mailed_token::stored_forms(&token) else {
        return asking::expired(&visit, Link::Unlock);
    };
    let found = mailed_tokens::find_unlock(&mut app.db.conn().await?, &forms).await?;
    let Some(found) = found.filter(|found| is_valid(found, &token)) else {
        return asking::expired(&visit, Link::Unlock);
    };
    let id = found.user.id;
    app.db
        .record(async |tx| {
            credentials::unlock(tx, id).await?;
            let entry = NewEntry { action: "unlock", resource: "users", resource_id: Some(id), details: "by mail" };
            audit::record(tx, &visit.actor(), &entry).await?;
            Ok::<_, store::Error>(())
        })
        .await?;
    Ok(visit.redirect("/sessions/new", Flash::notice("Your account is unlocked. You can sign in now.")))
}

/// A token of the original tells no age: it is valid as long as the lock it was made for.
fn is_valid(found: &Credentials, token: &str) -> bool {
    let is_ours = found.unlock_token.as_deref().is_some_and(mailed_token::is_hashed);
    let is_fresh = !is_ours || is_fresh(mailed_token::date_of(token), UNLOCK_LIFETIME, now());
    is_fresh && lock::is_locked(found.locked_at, now())
}
