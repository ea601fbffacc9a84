//! Every path that is answered, but for the files of `assets/dist`.

use super::{Error, health, pages};
use crate::{
    app::App,
    http::{Method, Router},
};

/// The table of routes.
pub(super) type Routes = Router<App, Error>;

#[rustfmt::skip]
pub(super) fn table() -> Routes {
    Router::default()
        .route(Method::GET, "/", pages::home)

        .route(Method::GET, "/health/live", health::live)
        .route(Method::GET, "/health/ready", health::ready)
}
