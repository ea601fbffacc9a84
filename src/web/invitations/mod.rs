//! Invitations: to this server, or into an organization.
//!
//! An inviter never learns whether the address has an account: the page, its message and the mail are the same. The
//! link in the mail proves the address; it is valid once and does not expire, as in the original.

mod accepting;
mod invited;
mod managing;
mod sending;

pub(super) use self::{
    accepting::{accept, edit},
    managing::{ask_to_resend, resend, withdraw},
    sending::{create, new},
};

use minijinja::Value;

use super::{Error, session::PageRequest};
use crate::http::{Response, StatusCode};

/// Returns the path of its page.
fn path_of(organization_id: i32) -> String {
    format!("/account/organizations/{organization_id}")
}

fn render(page: &PageRequest, status: StatusCode, name: &str, context: Value) -> Result<Response, Error> {
    page.render(status, &format!("sign_in/{name}"), "", context)
}
