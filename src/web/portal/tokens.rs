//! The visitor's own tokens, which backends exchange for JWTs.

use chrono::{NaiveDateTime, TimeDelta};
use minijinja::{Value, context, value::Serde};

use crate::{
    http::{
        Request, Response, StatusCode,
        header::{CACHE_CONTROL, HeaderValue},
    },
    operations::{Quota, tokens as operations},
    store::{
        self, now,
        token_scope::TokenScope,
        user_token_uses::{self, ListedToken},
        user_tokens::{self, UserToken},
    },
    web::{
        App, Error,
        error::sentence,
        pages,
        session::{Flash, Form, PageRequest},
        token_form,
    },
};

const PATH: &str = "/account/tokens";

/// Choice of a token without an expiry.
const NEVER: &str = "never";
/// Choice of a date of the user's own.
const ON_A_DATE: &str = "date";
/// Choices of a time from now on, with its days.
const PERIODS: [(&str, &str, i64); 3] = [("30", "In 30 days", 30), ("90", "In 90 days", 90), ("365", "In a year", 365)];

/// Part of the page that depends on the form for a new token.
enum Asked<'a> {
    /// The form, empty or with what was typed and its errors.
    Form(&'a Form),
    /// The token that was created.
    Created(&'a UserToken),
}

/// Shows all tokens with their last use, and a form for a new one.
pub(in crate::web) async fn index(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of(&app, &request).await?;
    let form = Form::filled([("scope", Some(TokenScope::Publish.name())), ("expires", Some(NEVER))]);
    render(&app, &page, &request, StatusCode::OK, Asked::Form(&form)).await
}

/// Creates a token and shows it: on this page alone, which is not cached.
pub(in crate::web) async fn create(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of_form(&app, &request).await?;
    let (user, actor) = (page.require_user()?, page.actor());
    let mut form = Form::read(request.params(), "token", &["name", "scope", "expires", token_form::LAST_DAY]);
    let expires_at = chosen_expiry(&mut form);
    let Some(new) = token_form::read(&mut form, expires_at) else {
        return render(&app, &page, &request, StatusCode::UNPROCESSABLE_ENTITY, Asked::Form(&form)).await;
    };
    let quota = Quota::Of(user, &app.quotas.limits);
    let created = app.db.transaction(async |tx| operations::create(tx, &actor, user.id, &new, quota).await);
    let token = match created.await {
        Err(error @ store::Error::QuotaUsedUp { .. }) => {
            return Ok(page.redirect(PATH, Flash::error(sentence(&error.to_string()))));
        }
        created => created?,
    };
    let page = render(&app, &page, &request, StatusCode::CREATED, Asked::Created(&token)).await?;
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

/// Returns the expiry that the form says. What contradicts itself becomes an error of the form.
fn chosen_expiry(form: &mut Form) -> Option<NaiveDateTime> {
    let last_day = token_form::end_of_last_day(form);
    let choice = form.value("expires").to_owned();
    let has_date = !form.value(token_form::LAST_DAY).is_empty();
    if choice == ON_A_DATE {
        form.require(&[token_form::LAST_DAY]);
        return last_day;
    }
    if has_date {
        form.error(
            "expires",
            "must be \u{201c}On a date\u{201d} for the date to count; choose that, or empty the date",
        );
    }
    let days = PERIODS.iter().find(|(name, ..)| *name == choice).map(|(.., days)| *days);
    if days.is_none() && choice != NEVER {
        form.error("expires", "is invalid");
    }
    days.map(|days| now() + TimeDelta::days(days))
}

async fn render(
    app: &App,
    page: &PageRequest,
    request: &Request,
    status: StatusCode,
    asked: Asked<'_>,
) -> Result<Response, Error> {
    let user = page.require_user()?;
    let tokens = user_token_uses::list(&mut app.db.conn().await?, user.id).await?;
    let (valid, invalid): (Vec<_>, Vec<_>) = tokens.iter().partition(|listed| listed.is_valid);
    let (form, created) = match asked {
        Asked::Form(form) => (Some(form.context()), None),
        Asked::Created(token) => (None, Some(&token.token)),
    };
    let periods = PERIODS.map(|(name, label, _)| (name, label));
    let expiries: Vec<_> = [(NEVER, "Never")].into_iter().chain(periods).chain([(ON_A_DATE, "On a date")]).collect();
    let scopes =
        token_form::SCOPES.map(|(name, label)| (name, label, TokenScope::parse(name).map(TokenScope::sentence)));
    let context = context! {
        title => "Tokens · pusher-lite",
        created,
        form,
        scopes => Serde(scopes),
        expiries => Serde(expiries),
        max_name => operations::MAX_NAME_CHARACTERS,
        valid => valid.into_iter().map(row).collect::<Vec<_>>(),
        invalid => invalid.into_iter().map(row).collect::<Vec<_>>(),
        ..pages::address(&app.pages.site, request)
    };
    page.render(status, "portal/tokens", "tokens", context)
}

fn row(listed: &ListedToken) -> Value {
    let ListedToken { token, settings, last_use, .. } = listed;
    context! {
        id => token.id,
        ending => token.ending(),
        name => settings.name.as_deref(),
        scope => token_form::label_of(settings.scope),
        expires => settings.expires_at.map(|at| at.to_string()),
        created => token.inserted_at.to_string(),
        invalidated => token.invalidated_at.map(|at| at.to_string()),
        used => last_use.as_ref().map(|last| last.used_at.to_string()),
        ip => last_use.as_ref().and_then(|last| last.ip.as_deref()),
    }
}
