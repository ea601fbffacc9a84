//! Unlocking of an account that too many wrong passwords locked. Opening the link changes nothing; its page has a
//! button.

use minijinja::context;

use super::asking;
use crate::{
    auth::{
        Attempt, lock,
        mailed_token::{self, UNLOCK_LIFETIME, is_fresh},
    },
    http::{Request, Response, StatusCode},
    operations::{Link, accounts},
    store::{self, credentials::Credentials, mailed_tokens, now},
    web::{
        App, Error,
        session::{Flash, PageRequest},
    },
};

/// Shows the form to request a link.
pub(in crate::web) async fn new(app: App, request: Request) -> Result<Response, Error> {
    asking::new(&app, &request, Link::Unlock).await
}

/// Mails a link.
pub(in crate::web) async fn create(app: App, request: Request) -> Result<Response, Error> {
    asking::create(&app, &request, Link::Unlock).await
}

/// Asks whether to unlock the account that the link was mailed for.
pub(in crate::web) async fn edit(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of(&app, &request).await?;
    page.attempt(Attempt::Link, None)?;
    let token = request.path_param("token");
    match find(&app, &token).await? {
        Some(_) => {
            let context = context! { title => "Unlock your account · pusher-lite", token };
            page.render(StatusCode::OK, "sign_in/unlock_now", "sign_in", context)
        }
        None => asking::expired(&page, Link::Unlock),
    }
}

/// Unlocks the account.
pub(in crate::web) async fn update(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of_form(&app, &request).await?;
    page.attempt(Attempt::Link, None)?;
    let Some(found) = find(&app, &request.path_param("token")).await? else {
        return asking::expired(&page, Link::Unlock);
    };
    let (id, actor) = (found.user.id, page.actor());
    match app.db.record(async |tx| accounts::unlock(tx, &actor, id).await).await {
        Ok(true) => {}
        Ok(false) | Err(store::Error::NotFound) => return asking::expired(&page, Link::Unlock),
        Err(error) => return Err(error.into()),
    }
    Ok(page.redirect("/sessions/new", Flash::notice("Your account is unlocked. You can sign in now.")))
}

/// Returns the account that the token unlocks; none when the token was used or is too old.
async fn find(app: &App, token: &str) -> Result<Option<Credentials>, Error> {
    let Some(forms) = mailed_token::stored_forms(token) else { return Ok(None) };
    let found = mailed_tokens::find_unlock(&mut app.db.conn().await?, &forms).await?;
    Ok(found.filter(|found| is_valid(found, token)))
}

/// Returns true if the token is valid. A token of the original has no date: it is valid as long as the lock it was made
/// for.
fn is_valid(found: &Credentials, token: &str) -> bool {
    let is_ours = found.unlock_token.as_deref().is_some_and(mailed_token::is_hashed);
    let is_fresh = !is_ours || is_fresh(mailed_token::date_of(token), UNLOCK_LIFETIME, now());
    is_fresh && lock::is_locked(found.locked_at, now())
}
