//! What somebody wants a row to be, and what becomes of it.

use super::{Closing, Form};
use crate::{
    mail::Postbox,
    store::{
        self, DbConn, Reference,
        admin::{applications, organizations, users},
        applications::Application,
        audit::Differences,
        credentials,
    },
};

/// A form that was sent, and who sent it.
pub(super) struct Draft {
    /// What was typed; also where it is noted what is wrong with it.
    pub(super) form: Form,
    /// The hash of the password that was typed, if one was.
    pub(super) password_hash: Option<String>,
    /// The root user who asks for it.
    pub(super) actor_id: i32,
    /// Where the letters are put that tell of a new password or address.
    pub(super) postbox: Postbox,
    /// Where the links in them lead, without a slash at the end.
    pub(super) base_url: String,
}

/// What was written.
#[derive(Debug, Default)]
pub(super) struct Saved {
    /// The primary key.
    pub(super) id: i32,
    /// What changed, for the audit log; nothing when all was as it is already.
    pub(super) differences: Differences,
    /// The applications that this archives along, each of which has an entry of its own there.
    pub(super) archived: Vec<Application>,
    /// The sockets that this ends.
    pub(super) closing: Closing,
}

/// Why nothing was written.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The draft's form says what is wrong.
    Invalid,
    /// For a reason that is said in a sentence.
    Because(&'static str),
    /// The database's reason.
    Store(store::Error),
}

impl From<store::Error> for Refusal {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

impl Draft {
    /// Refuses a form with errors.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        if self.form.is_valid() { Ok(()) } else { Err(Refusal::Invalid) }
    }

    /// The user whose address or id is in the field `user`, or else in that of another name.
    pub(super) async fn user(&mut self, conn: &mut DbConn, field: &'static str) -> store::Result<Option<i32>> {
        let typed = self.form.value(field).to_owned();
        let id = match typed.parse() {
            Ok(id) => users::find(conn, id).await?.map(|(user, _)| user.id),
            Err(_) => credentials::find_by_email(conn, &typed).await?.map(|found| found.user.id),
        };
        self.found(field, id, "is no user's address or id")
    }

    /// The organization whose slug or id is in the field `organization`.
    pub(super) async fn organization(&mut self, conn: &mut DbConn) -> store::Result<Option<i32>> {
        let typed = self.form.value("organization").to_owned();
        let id = organizations::find(conn, Reference::parse(&typed)).await?.map(|organization| organization.id);
        self.found("organization", id, "is no organization's slug or id")
    }

    /// The application whose key or id is in the field `application`.
    pub(super) async fn application(&mut self, conn: &mut DbConn) -> store::Result<Option<i32>> {
        let typed = self.form.value("application").to_owned();
        let id = applications::find(conn, Reference::parse(&typed)).await?.map(|(application, _)| application.id);
        self.found("application", id, "is no application's key or id")
    }

    /// Notes an error beside a field that names nothing, but for one that is empty: that is noted elsewhere.
    fn found(&mut self, field: &'static str, id: Option<i32>, message: &str) -> store::Result<Option<i32>> {
        if id.is_none() && !self.form.value(field).is_empty() {
            self.form.error(field, message);
        }
        Ok(id)
    }
}
