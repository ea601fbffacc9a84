//! The pages for people.

use minijinja::{Value, context};

use super::{Error, visits::Visit};
use crate::{
    app::{App, Site},
    http::{Request, Response, StatusCode},
    store::{
        applications,
        demo::{self, Demo},
    },
};

/// What this server is and how to use it, with its own address filled in.
pub(super) async fn home(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of(&app, &request).await?;
    let demo = match app.pages.site.demo {
        true => demo::find(&mut app.db.conn().await?).await?,
        false => None,
    };
    let context = context! {
        title => "pusher-lite: real time on your own server",
        app_key => demo.as_ref().map_or("YOUR_APP_KEY", |demo| &demo.app_key),
        org_slug => demo.as_ref().map_or("YOUR_ORGANIZATION", |demo| &demo.organization),
        demo => demo.is_some(),
        ..address(&app.pages.site, &request)
    };
    visit.page(StatusCode::OK, "home", "home", context)
}

/// A small chat, when there is demo data to chat on.
pub(super) async fn chat(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of(&app, &request).await?;
    let demo = demo_data(&app).await?;
    let application = applications::find_by_key(&mut app.db.conn().await?, &demo.app_key).await?;
    let context = context! {
        title => "Live demo · pusher-lite",
        app_name => application.and_then(|application| application.name),
        app_key => demo.app_key,
        org_slug => demo.organization,
        demo => true,
        ..address(&app.pages.site, &request)
    };
    visit.page(StatusCode::OK, "demo", "demo", context)
}

/// The demo data, where it is to be shown and there.
pub(super) async fn demo_data(app: &App) -> Result<Demo, Error> {
    if !app.pages.site.demo {
        return Err(Error::NoRoute);
    }
    demo::find(&mut app.db.conn().await?).await?.ok_or(Error::NoRoute)
}

/// How snippets reach this server, as `public_url`, `host` and `ssl`: as the settings say, else as this request did.
pub(super) fn address(site: &Site, request: &Request) -> Value {
    let public_url = site.public_url.clone().unwrap_or_else(|| request.origin());
    let (scheme, host) = public_url.split_once("://").unwrap_or(("http", &public_url));
    context! { public_url => &public_url, host, ssl => scheme == "https" }
}
