//! Rules of the business: one function for each action. It changes the rows, writes the audit entry, and has its effects follow
//! the commit.
//!
//! Entrances (REST, pages, admin, command line) parse, check permission, call an operation, and render. An operation takes
//! ids and reads the rows within its transaction, locked: of two requests that do the same at the same time, one does it
//! and writes the entry. It refuses by a [`Rule`] what no entrance may do.

pub mod accounts;
pub mod application_settings;
pub mod applications;
pub mod gathered;
pub mod invitations;
mod links;
mod mailing;
pub mod mails;
pub mod members;
pub mod organizations;
pub mod origins;
pub mod ownerships;
pub mod policies;
mod refusal;
mod slug;
pub mod token_uses;
pub mod tokens;

pub use self::{
    links::{Link, Recipient},
    mailing::Mailing,
    refusal::{Refusal, Rule},
};

use crate::store::{
    Result, Transaction,
    audit::{self, Actor, Differences, NewEntry},
    user_quotas::UserLimits,
    users::User,
};

/// Quota that a new row counts against.
#[derive(Clone, Copy, Debug)]
pub enum Quota<'a> {
    /// That of this user, unless the user is root.
    Of(&'a User, &'a UserLimits),
    /// None: the row is created by a root user for another user, by the command line, or with a new account.
    Unlimited,
}

/// Adds an entry to the audit log.
async fn record(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    action: &str,
    (resource, id): (&str, i32),
    details: &Differences,
) -> Result<()> {
    audit::record(tx, actor, &NewEntry { action, resource, resource_id: Some(id), details }).await
}
