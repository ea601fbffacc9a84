//! The organization of a page, and the visitor's permissions there.

use minijinja::{Value, context};

use super::paths;
use crate::{
    http::Request,
    store::{
        DbConn, Reference,
        applications::{self, Application},
        enrollments,
        organizations::{self, Organization},
    },
    web::{
        App, Error,
        session::{Flash, PageRequest},
    },
};

/// An organization that the visitor may see.
#[derive(Debug)]
pub(super) struct OrganizationAccess {
    pub(super) organization: Organization,
    /// True if the visitor may change it: its admins and root users.
    pub(super) is_admin: bool,
    /// True if the visitor belongs to it; a root user need not.
    pub(super) is_enrolled: bool,
}

impl OrganizationAccess {
    /// Returns the organization that the path names as `slug`.
    ///
    /// # Errors
    ///
    /// Sends visitors who are not signed in to do so; [`Error::NotFound`] when the visitor can see no such
    /// organization.
    pub(super) async fn of(app: &App, page: &PageRequest, request: &Request) -> Result<Self, Error> {
        let user = page.require_user()?;
        let slug = request.path_param("slug");
        let mut conn = app.db.conn().await?;
        let found = organizations::find(&mut conn, user, Reference::parse(&slug)).await?;
        let organization = found.ok_or(Error::NotFound("organization"))?;
        let enrollment = enrollments::find(&mut conn, user.id, organization.id).await?;
        let is_admin = user.is_root || enrollment.as_ref().is_some_and(|enrollment| enrollment.is_admin);
        Ok(Self { organization, is_admin, is_enrolled: enrollment.is_some() })
    }

    /// Returns the organization as [`OrganizationAccess::of`] does, for a visitor who is going to change it.
    ///
    /// # Errors
    ///
    /// The errors of [`OrganizationAccess::of`]; sends members who are not admins back to the organization's page with
    /// a message.
    pub(super) async fn to_change(app: &App, page: &PageRequest, request: &Request) -> Result<Self, Error> {
        let access = Self::of(app, page, request).await?;
        access.require_admin(page)?;
        Ok(access)
    }

    /// Refuses members who are not admins, as [`OrganizationAccess::to_change`] does.
    pub(super) fn require_admin(&self, page: &PageRequest) -> Result<(), Error> {
        if self.is_admin {
            return Ok(());
        }
        let refusal = Flash::error("Only the admins of this organization can do that.");
        Err(Error::elsewhere(page.redirect(&self.path(), refusal)))
    }

    /// Returns the application that the path names as `app_key`, whether active or archived.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when this organization has none.
    pub(super) async fn application(&self, conn: &mut DbConn, request: &Request) -> Result<Application, Error> {
        let app_key = request.path_param("app_key");
        let found = applications::find_owned(conn, self.organization.id, Reference::parse(&app_key)).await?;
        found.ok_or(Error::NotFound("application"))
    }

    /// Returns the path of the organization's page.
    pub(super) fn path(&self) -> String {
        paths::of_organization(&self.organization)
    }

    /// Returns the path of an application's page.
    pub(super) fn path_of(&self, application: &Application) -> String {
        paths::of_application(&self.organization, application)
    }

    /// Returns the organization's name, or a substitute.
    pub(super) fn name(&self) -> &str {
        self.organization.shown_name()
    }

    /// Returns the values for templates.
    pub(super) fn context(&self) -> Value {
        context! {
            id => self.organization.id,
            name => self.name(),
            slug => &self.organization.slug,
            path => self.path(),
            is_admin => self.is_admin,
            is_enrolled => self.is_enrolled,
        }
    }

    /// Returns the values of one of its applications for templates: without the secret.
    pub(super) fn application_context(&self, application: &Application) -> Value {
        context! {
            name => name_of(application),
            app_key => &application.app_key,
            path => self.path_of(application),
            archived => application.archived_at.map(|at| at.to_string()),
        }
    }
}

/// Returns the application's name, or a substitute.
pub(super) fn name_of(application: &Application) -> &str {
    application.name.as_deref().or(application.app_key.as_deref()).unwrap_or("Unnamed application")
}
