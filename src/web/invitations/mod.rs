//! Invitations: to this server, or into an organization.
//!
//! Whoever invites never learns whether the address has an account: the page, its message and the mail are the same. The
//! link in the mail proves the address; it is good once and does not expire, as in the original.

mod accepting;
mod invited;
mod managing;
mod sending;
mod token;

pub(super) use self::{
    accepting::{accept, edit},
    managing::{ask_to_resend, resend, withdraw},
    sending::{create, new},
};

use minijinja::Value;

use super::{Error, visits::Visit};
use crate::{
    http::{Response, StatusCode},
    store::organizations::Organization,
};

/// What an organization is called.
fn name_of(organization: &Organization) -> &str {
    organization.name.as_deref().or(organization.slug.as_deref()).unwrap_or("Unnamed organization")
}

/// Where its page is.
fn path_of(organization_id: i32) -> String {
    format!("/account/organizations/{organization_id}")
}

fn page(visit: &Visit, status: StatusCode, name: &str, context: Value) -> Result<Response, Error> {
    visit.page(status, &format!("accounts/{name}"), "", context)
}
