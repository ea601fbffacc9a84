//! One's own tokens: what backends exchange for JWTs.

use minijinja::{Value, context};

use crate::{
    app::App,
    http::{
        Request, Response, StatusCode,
        header::{CACHE_CONTROL, HeaderValue},
    },
    store::{
        self,
        audit::{self, NewEntry},
        user_token_uses::{self, Use},
        user_tokens::{self, UserToken},
    },
    web::{
        Error, pages, revocation,
        visits::{Flash, Visit},
    },
};

const PATH: &str = "/account/tokens";

/// All tokens, with their last use.
pub(in crate::web) async fn index(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of(&app, &request).await?;
    page(&app, &visit, &request, None).await
}

/// Creates a token and shows it: on this page alone, which nobody keeps.
pub(in crate::web) async fn create(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of_form(&app, &request).await?;
    let (user, actor) = (visit.require_user()?, visit.actor());
    let created = app.db.transaction(async |tx| {
        let token = user_tokens::create(tx, user.id).await?;
        let details = format!("a token that ends in {}", ending(&token));
        let entry =
            NewEntry { action: "create", resource: "user_tokens", resource_id: Some(token.id), details: &details };
        audit::record(tx, &actor, &entry).await?;
        Ok::<_, store::Error>(token)
    });
    let token = created.await?;
    let page = page(&app, &visit, &request, Some(&token)).await?;
    Ok(page.header(CACHE_CONTROL, HeaderValue::from_static("no-store")))
}

/// Invalidates a token, and closes the sockets whose JWT came from it.
pub(in crate::web) async fn delete(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of_form(&app, &request).await?;
    let (user, actor) = (visit.require_user()?, visit.actor());
    let id = request.path_param("id").parse().map_err(|_| Error::NotFound("token"))?;
    let found = user_tokens::find_of(&mut app.db.conn().await?, user.id, id).await?;
    let token = found.ok_or(Error::NotFound("token"))?;
    if token.invalidated_at.is_none() {
        let invalidation = app.db.transaction(async |tx| {
            user_tokens::invalidate(tx, id).await?;
            let details = format!("the token that ends in {}", ending(&token));
            let entry =
                NewEntry { action: "invalidate", resource: "user_tokens", resource_id: Some(id), details: &details };
            audit::record(tx, &actor, &entry).await
        });
        invalidation.await?;
    }
    revocation::token_invalidated(&app.hub, id);
    Ok(visit.redirect(PATH, Flash::notice("The token is invalidated. What was connected with it is disconnected.")))
}

async fn page(app: &App, visit: &Visit, request: &Request, created: Option<&UserToken>) -> Result<Response, Error> {
    let user = visit.require_user()?;
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
    visit.page(status, "account/tokens", "tokens", context)
}

fn row((token, last): &(UserToken, Option<Use>)) -> Value {
    context! {
        id => token.id,
        ending => ending(token),
        created => token.inserted_at.to_string(),
        invalidated => token.invalidated_at.map(|at| at.to_string()),
        used => last.as_ref().map(|last| last.used_at.to_string()),
        ip => last.as_ref().and_then(|last| last.ip.as_deref()),
    }
}

/// By what people tell their tokens apart: the last four of 32 hexadecimal digits. Nothing of one that is short.
fn ending(token: &UserToken) -> &str {
    let shown = token.token.char_indices().rev().nth(3).filter(|(start, _)| *start >= 12);
    shown.map_or("", |(start, _)| &token.token[start..])
}
