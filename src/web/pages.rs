//! The pages for people.

use minijinja::context;

use super::Error;
use crate::{
    app::App,
    http::{Request, Response, StatusCode},
};

/// What this server is and how to use it, with its own address filled in.
pub(super) async fn home(app: App, _request: Request) -> Result<Response, Error> {
    let (scheme, host) = app.public_url.split_once("://").unwrap_or(("http", &app.public_url));
    let context = context! {
        title => "pusher-lite: real time on your own server",
        demo => false,
        public_url => &*app.public_url,
        host,
        ssl => scheme == "https",
        app_key => "YOUR_APP_KEY",
        org_slug => "YOUR_ORGANIZATION",
    };
    app.views.page(StatusCode::OK, "home", context)
}
