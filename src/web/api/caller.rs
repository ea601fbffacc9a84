//! Who is asking.

use super::Error;
use crate::{
    app::App,
    auth::{Permissions, jwt::Claims},
    http::Request,
    store::{self, DbConn, Reference, Transaction, audit, enrollments, users},
};

/// The user on whose behalf a request is made.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) user: users::User,
    permissions: Permissions,
    /// Where the request comes from.
    ip: String,
}

impl Caller {
    /// The user of the request's JWT.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthenticated`] without a valid JWT; [`Error::NotFound`] when its user is no more, 400 when it names none by
    /// what is no id.
    pub(super) async fn of(app: &App, request: &Request, conn: &mut DbConn) -> Result<Self, Error> {
        let claims = claims(app, request)?;
        let user = users::find(conn, claims.user_id?).await?;
        let ip = request.client_addr().to_string();
        Ok(Self { user: user.ok_or(Error::NotFound("user"))?, permissions: claims.permissions, ip })
    }

    /// Tells the audit log what the caller does to a row, in the very transaction that does it.
    pub(super) async fn record(
        &self,
        tx: &mut Transaction<'_>,
        action: &str,
        (resource, id): (&str, i32),
        differences: &audit::Differences,
    ) -> store::Result<()> {
        let details = differences.as_str();
        audit::record(tx, &self.actor(), &audit::NewEntry { action, resource, resource_id: Some(id), details }).await
    }

    /// Whom the audit log names.
    pub(super) fn actor(&self) -> audit::Actor {
        audit::Actor { id: Some(self.user.id), name: self.user.email.clone(), ip: Some(self.ip.clone()) }
    }

    /// Refuses a JWT without the permission `api_admin`.
    pub(super) fn require_admin_permission(&self) -> Result<(), Error> {
        if self.permissions.may_administer() { Ok(()) } else { Err(Error::Forbidden) }
    }

    /// Refuses those who do not administer the organization that a path names (D3), and those whose JWT has not the
    /// permission to.
    pub(super) async fn require_admin_of(&self, conn: &mut DbConn, organization: Reference<'_>) -> Result<(), Error> {
        self.require_admin_permission()?;
        let is_admin = enrollments::administers(conn, self.user.id, self.user.is_root, organization).await?;
        if is_admin { Ok(()) } else { Err(Error::Forbidden) }
    }

    /// Refuses everybody but this user and root users (D4).
    pub(super) fn require_self(&self, user_id: i32) -> Result<(), Error> {
        if self.user.is_root || self.user.id == user_id { Ok(()) } else { Err(Error::Forbidden) }
    }
}

/// What the request's JWT says.
///
/// # Errors
///
/// [`Error::Unauthenticated`] without a valid one.
pub(super) fn claims(app: &App, request: &Request) -> Result<Claims, Error> {
    let jwt = request.bearer_token().ok_or(Error::Unauthenticated)?;
    app.jwt.verify(jwt).map_err(|_| Error::Unauthenticated)
}
