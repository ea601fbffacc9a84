//! The organization that a page is about, and what the visitor may do there.

use minijinja::{Value, context};

use super::paths;
use crate::{
    app::App,
    http::Request,
    store::{
        DbConn, Reference,
        applications::{self, Application},
        enrollments,
        organizations::{self, Organization},
    },
    web::{
        Error,
        visits::{Flash, Visit},
    },
};

/// An organization that the visitor may see.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) organization: Organization,
    /// Whether the visitor may change it: its admins and root users.
    pub(super) is_admin: bool,
    /// Whether the visitor belongs to it, which a root user need not.
    pub(super) is_enrolled: bool,
}

impl Place {
    /// The organization that the path names as `slug`.
    ///
    /// # Errors
    ///
    /// Sends those who are not signed in to do so; [`Error::NotFound`] when the visitor can see no such organization.
    pub(super) async fn of(app: &App, visit: &Visit, request: &Request) -> Result<Self, Error> {
        let user = visit.require_user()?;
        let slug = request.path_param("slug");
        let mut conn = app.db.conn().await?;
        let found = organizations::find(&mut conn, user, Reference::parse(&slug)).await?;
        let organization = found.ok_or(Error::NotFound("organization"))?;
        let enrollment = enrollments::find(&mut conn, user.id, organization.id).await?;
        let is_admin = user.is_root || enrollment.as_ref().is_some_and(|enrollment| enrollment.is_admin);
        Ok(Self { organization, is_admin, is_enrolled: enrollment.is_some() })
    }

    /// As [`Place::of`], for a visitor who is going to change it.
    ///
    /// # Errors
    ///
    /// Those of [`Place::of`]; sends members who are no admins back to the organization's page with a message.
    pub(super) async fn to_change(app: &App, visit: &Visit, request: &Request) -> Result<Self, Error> {
        let place = Self::of(app, visit, request).await?;
        place.require_admin(visit)?;
        Ok(place)
    }

    /// Refuses members who are no admins, as [`Place::to_change`] does.
    pub(super) fn require_admin(&self, visit: &Visit) -> Result<(), Error> {
        if self.is_admin {
            return Ok(());
        }
        let refusal = Flash::error("Only the admins of this organization can do that.");
        Err(Error::elsewhere(visit.redirect(&self.path(), refusal)))
    }

    /// The application that the path names as `app_key`, whether active or archived.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when this organization has none.
    pub(super) async fn application(&self, conn: &mut DbConn, request: &Request) -> Result<Application, Error> {
        let app_key = request.path_param("app_key");
        let found = applications::find_owned(conn, self.organization.id, Reference::parse(&app_key)).await?;
        found.ok_or(Error::NotFound("application"))
    }

    /// The organization's page.
    pub(super) fn path(&self) -> String {
        paths::of_organization(&self.organization)
    }

    /// An application's page.
    pub(super) fn path_of(&self, application: &Application) -> String {
        paths::of_application(&self.organization, application)
    }

    /// The organization's name, or what else there is to call it.
    pub(super) fn name(&self) -> &str {
        let Organization { name, slug, .. } = &self.organization;
        name.as_deref().or(slug.as_deref()).unwrap_or("Unnamed organization")
    }

    /// As templates have it.
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

    /// One of its applications, as templates have it: without the secret.
    pub(super) fn application_context(&self, application: &Application) -> Value {
        context! {
            name => name_of(application),
            app_key => &application.app_key,
            path => self.path_of(application),
            archived => application.archived_at.map(|at| at.to_string()),
        }
    }
}

/// The application's name, or what else there is to call it.
pub(super) fn name_of(application: &Application) -> &str {
    application.name.as_deref().or(application.app_key.as_deref()).unwrap_or("Unnamed application")
}
