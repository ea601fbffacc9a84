//! Submitted forms of the admin, and the result of saving them.

use super::Form;
use crate::{
    auth::PasswordHash,
    operations::{self, Mailing, Rule},
    store::{
        self, DbConn, Reference,
        admin::{applications, organizations, users},
        credentials,
    },
};

/// A submitted form.
pub(super) struct Draft<'a> {
    /// The typed values; also collects their errors.
    pub(super) form: Form,
    /// Hash of the typed password, if there is one.
    pub(super) password: Option<PasswordHash>,
    /// Parts of letters about a new password or address.
    pub(super) mailing: Mailing<'a>,
}

/// Result of a saved form.
#[derive(Clone, Copy, Debug)]
pub(super) struct Saved {
    /// The primary key.
    pub(super) id: i32,
    /// False if all values were already so.
    pub(super) has_changed: bool,
}

impl Saved {
    /// Returns the outcome for a row that was created.
    pub(super) fn created(id: i32) -> Self {
        Self { id, has_changed: true }
    }
}

/// Reason why nothing was saved.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The form has errors, which it holds.
    Invalid,
    /// A rule of the business.
    Rule(Rule),
    /// Another reason, as a sentence.
    Because(&'static str),
    /// An error of the database.
    Store(store::Error),
}

impl From<store::Error> for Refusal {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

impl From<operations::Refusal> for Refusal {
    fn from(refusal: operations::Refusal) -> Self {
        match refusal {
            operations::Refusal::Rule(rule) => Self::Rule(rule),
            operations::Refusal::Store(error) => Self::Store(error),
        }
    }
}

impl Draft<'_> {
    /// Refuses a form with errors.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        if self.form.is_valid() { Ok(()) } else { Err(Refusal::Invalid) }
    }

    /// Returns the user whose address or id is in the field `user`, or else in that of another name.
    pub(super) async fn user(&mut self, conn: &mut DbConn, field: &'static str) -> store::Result<Option<i32>> {
        let typed = self.form.value(field).to_owned();
        let id = match typed.parse() {
            Ok(id) => users::find(conn, id).await?.map(|(user, _)| user.id),
            Err(_) => credentials::find_by_email(conn, &typed).await?.map(|found| found.user.id),
        };
        self.found(field, id, "is no user's address or id")
    }

    /// Returns the organization whose slug or id is in the field `organization`.
    pub(super) async fn organization(&mut self, conn: &mut DbConn) -> store::Result<Option<i32>> {
        let typed = self.form.value("organization").to_owned();
        let id = organizations::find(conn, Reference::parse(&typed)).await?.map(|organization| organization.id);
        self.found("organization", id, "is no organization's slug or id")
    }

    /// Returns the application whose key or id is in the field `application`.
    pub(super) async fn application(&mut self, conn: &mut DbConn) -> store::Result<Option<i32>> {
        let typed = self.form.value("application").to_owned();
        let id = applications::find(conn, Reference::parse(&typed)).await?.map(|(application, _)| application.id);
        self.found("application", id, "is no application's key or id")
    }

    /// Records an error beside a field that names nothing. An empty field is reported elsewhere.
    fn found(&mut self, field: &'static str, id: Option<i32>, message: &str) -> store::Result<Option<i32>> {
        if id.is_none() && !self.form.value(field).is_empty() {
            self.form.error(field, message);
        }
        Ok(id)
    }
}
