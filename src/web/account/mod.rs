//! What people who are signed in see of their own: tokens, organizations with their members and applications, and the
//! live console of each application.
//!
//! A page says who looks (`Visit`) and at which organization (`Place`), which is also what refuses: what somebody
//! may not see is not there, what they may not change sends them back with a message. The rules are those of the REST
//! API.

pub(super) mod applications;
pub(super) mod console;
pub(super) mod members;
pub(super) mod organizations;
mod paths;
mod place;
mod snippets;
pub(super) mod tokens;

use super::{Error, visits::Visit};
use crate::{
    app::App,
    http::{Request, Response},
};

/// The page with one's own data.
pub(super) async fn home(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of(&app, &request).await?;
    let user = visit.require_user()?;
    Ok(Response::see_other(&format!("/registrations/{}", user.id)))
}
