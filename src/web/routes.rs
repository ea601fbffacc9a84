//! Every path that is answered, but for the files of `assets/dist`.

use super::{Error, demo, health, pages, socket};
use crate::{
    app::App,
    http::{Method, Router},
};

/// The table of routes.
pub(super) type Routes = Router<App, Error>;

#[rustfmt::skip]
pub(super) fn table() -> Routes {
    Router::default()
        .route(Method::GET,  "/",              pages::home)
        .route(Method::GET,  "/demo",          pages::chat)
        .route(Method::POST, "/demo/session",  demo::create_session)
        .route(Method::POST, "/demo/messages", demo::create_message)

        .any("/socket/websocket", socket::connect)

        .route(Method::GET, "/health/live",  health::live)
        .route(Method::GET, "/health/ready", health::ready)
}
