//! The pages for people.

use minijinja::{Value, context};

use super::{Error, session::PageRequest};
use crate::{
    http::{Request, Response, StatusCode},
    store::{
        applications,
        demo::{self, Demo},
    },
    web::{App, Site},
};

/// Shows the home page: this server and its use, with its own address filled in.
pub(super) async fn home(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of(&app, &request).await?;
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
    page.render(StatusCode::OK, "home", "home", context)
}

/// Shows a small chat, if there is demo data.
pub(super) async fn chat(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of(&app, &request).await?;
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
    page.render(StatusCode::OK, "demo", "demo", context)
}

/// Returns the demo data, if it is enabled and in the database.
pub(super) async fn demo_data(app: &App) -> Result<Demo, Error> {
    if !app.pages.site.demo {
        return Err(Error::NoRoute);
    }
    demo::find(&mut app.db.conn().await?).await?.ok_or(Error::NoRoute)
}

/// Returns the address of this server for snippets, as `public_url`, `host` and `ssl`: that of the settings, otherwise
/// that of this request.
pub(super) fn address(site: &Site, request: &Request) -> Value {
    let public_url = site.public_url.clone().unwrap_or_else(|| request.origin());
    let (scheme, host) = public_url.split_once("://").unwrap_or(("http", &public_url));
    context! { public_url => &public_url, host, ssl => scheme == "https" }
}
