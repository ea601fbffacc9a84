//! Pages of signed-in users about their own data: tokens, organizations with their members and applications, and the
//! live console of each application.
//!
//! A page names its visitor (`PageRequest`) and its organization (`OrganizationAccess`), which also check permissions:
//! a page that the visitor may not see does not exist, and a forbidden change sends them back with a message. The rules
//! are those of the REST API.

pub(super) mod applications;
pub(super) mod console;
pub(super) mod members;
mod organization_access;
pub(super) mod organizations;
mod paths;
pub(super) mod policies;
mod snippets;
pub(super) mod tokens;

use super::{Error, session::PageRequest};
use crate::{
    http::{Request, Response},
    web::App,
};

/// Shows the visitor's own data.
pub(super) async fn home(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of(&app, &request).await?;
    let user = page.require_user()?;
    Ok(Response::see_other(&format!("/registrations/{}", user.id)))
}
