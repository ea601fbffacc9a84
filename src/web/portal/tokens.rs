//! The visitor's own tokens, which backends exchange for JWTs.

use minijinja::{Value, context};

use crate::{
    http::{
        Request, Response, StatusCode,
        header::{CACHE_CONTROL, HeaderValue},
    },
    operations::{Quota, tokens as operations},
    store::{
        self,
        user_token_uses::{self, Use},
        user_tokens::{self, UserToken},
    },
    web::{
        App, Error,
        error::sentence,
        pages,
        session::{Flash, PageRequest},
    },
};

const PATH: &str = "/account/tokens";

/// Shows all tokens, with their last use.
pub(in crate::web) async fn index(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of(&app, &request).await?;
    render(&app, &page, &request, None).await
}

/// Creates a token and shows it: on this page alone, which is not cached.
pub(in crate::web) async fn create(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of_form(&app, &request).await?;
    let (user, actor) = (page.require_user()?, page.actor());
    let quota = Quota::Of(user, &app.quotas.limits);
    let created = app.db.transaction(async |tx| operations::create(tx, &actor, user.id, quota).await);
    let token = match created.await {
        Err(error @ store::Error::QuotaUsedUp { .. }) => {
            return Ok(page.redirect(PATH, Flash::error(sentence(&error.to_string()))));
        }
        created => created?,
    };
    let page = render(&app, &page, &request, Some(&token)).await?;
    Ok(page.header(CACHE_CONTROL, HeaderValue::from_static("no-store")))
}

/// Invalidates a token, and closes the sockets whose JWT came from it.
pub(in crate::web) async fn delete(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of_form(&app, &request).await?;
    let (user, actor) = (page.require_user()?, page.actor());
    let id = request.path_param("id").parse().map_err(|_| Error::NotFound("token"))?;
    let found = user_tokens::find_of(&mut app.db.conn().await?, user.id, id).await?;
    let token = found.ok_or(Error::NotFound("token"))?;
    if token.invalidated_at.is_none() {
        app.db.transaction(async |tx| operations::invalidate(tx, &actor, id).await).await?;
    }
    Ok(page.redirect(PATH, Flash::notice("The token is invalidated. Its connections are closed.")))
}

/// Invalidates all valid tokens, and closes the sockets whose JWT came from one of them.
pub(in crate::web) async fn delete_all(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of_form(&app, &request).await?;
    let (user, actor) = (page.require_user()?, page.actor());
    app.db.transaction(async |tx| operations::invalidate_all(tx, &actor, user.id).await).await?;
    let notice = "All tokens are invalidated. Their connections are closed.";
    Ok(page.redirect(PATH, Flash::notice(notice)))
}

async fn render(
    app: &App,
    page: &PageRequest,
    request: &Request,
    created: Option<&UserToken>,
) -> Result<Response, Error> {
    let user = page.require_user()?;
    let tokens = user_token_uses::list(&mut app.db.conn().await?, user.id).await?;
    let (valid, invalidated): (Vec<_>, Vec<_>) = tokens.iter().partition(|(token, _)| token.invalidated_at.is_none());
    let context = context! {
        title => "Tokens · pusher-lite",
        created => created.map(|token| &token.token),
        valid => valid.into_iter().map(row).collect::<Vec<_>>(),
        invalidated => invalidated.into_iter().map(row).collect::<Vec<_>>(),
        ..pages::address(&app.pages.site, request)
    };
    let status = if created.is_some() { StatusCode::CREATED } else { StatusCode::OK };
    page.render(status, "portal/tokens", "tokens", context)
}

fn row((token, last): &(UserToken, Option<Use>)) -> Value {
    context! {
        id => token.id,
        ending => token.ending(),
        created => token.inserted_at.to_string(),
        invalidated => token.invalidated_at.map(|at| at.to_string()),
        used => last.as_ref().map(|last| last.used_at.to_string()),
        ip => last.as_ref().and_then(|last| last.ip.as_deref()),
    }
}
