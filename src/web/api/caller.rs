//! Recognition of the callers of `/api`.
//!
//! The table of routes calls [`Credential::recognize`] before the handler of every route except those registered as
//! open. A handler gets the result, and has no other way to a user. A JWT is accepted here unless it is for sockets
//! only, or its token is not valid. Each route also says what it needs of the scope of that token, which the database
//! has: no claim of a JWT says it.

use super::{Error, permit::Permit};
use crate::{
    auth::{Permissions, jwt::Claims},
    http::{Method, Request},
    operations::{Quota, gathered::Deed},
    store::{
        DbConn, Reference, audit, enrollments,
        token_scope::Capability,
        user_suspensions::{self, Standing},
        user_token_settings::TokenSettings,
        user_tokens, users,
    },
    web::{App, session::count_change},
};

/// Proof that the JWT of a request is valid for a route. Its implementations have private fields, so that nothing but
/// [`Credential::recognize`] makes one.
pub(in crate::web) trait Credential: Send + Sized {
    /// Checks the JWT of the request, and that the scope of its token permits what the route needs.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthenticated`] without an accepted JWT, and when a root user suspended the account;
    /// [`Error::OutOfScope`]; [`Error::NotFound`] when there is no such user, 400 when the JWT names its user by something that is no id;
    /// [`Error::TooManyChanges`].
    fn recognize(app: &App, request: &Request, needs: Capability) -> impl Future<Output = Result<Self, Error>> + Send;
}

/// Authenticated user of an API request.
#[derive(Debug)]
pub(in crate::web) struct Caller {
    user: users::User,
    permissions: Permissions,
    /// Settings of the token that the JWT came from; a JWT that came from none is not limited.
    token: TokenSettings,
    permit: Permit,
    /// Address that the request comes from.
    ip: String,
}

impl Credential for Caller {
    async fn recognize(app: &App, request: &Request, needs: Capability) -> Result<Self, Error> {
        let Claims { user_id, token_id, permissions, .. } = claims(app, request)?;
        let (user_id, mut conn) = (user_id?, app.db.conn().await?);
        let user = match user_suspensions::standing(&mut conn, user_id).await? {
            Standing::Active(user) => user,
            Standing::Ended => return Err(Error::Unauthenticated),
            Standing::Missing => return Err(Error::NotFound("user")),
        };
        let token = user_tokens::settings_of_origin(&mut conn, token_id, user_id).await?;
        let token = token.ok_or(Error::Unauthenticated)?;
        let permit = Permit::check(Some(token.scope), needs)?;
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            count_change(app, &user)?;
        }
        Ok(Self { user, permissions, token, permit, ip: request.client_addr().to_string() })
    }
}

/// Proof that the caller may publish to the application that the path names (D3).
#[derive(Debug)]
pub(in crate::web) struct Publisher {
    user_id: i32,
    application_id: i32,
    app_key: String,
    /// Kept as the proof alone.
    _permit: Permit,
    /// Address that the request comes from.
    ip: String,
}

impl Credential for Publisher {
    /// Answers from the cache, if the same user, token and application were looked up a moment ago.
    async fn recognize(app: &App, request: &Request, needs: Capability) -> Result<Self, Error> {
        let Claims { user_id, token_id, permissions, .. } = claims(app, request)?;
        let (organization, application) = (request.path_param("organization_id"), request.path_param("application_id"));
        let user_id = user_id?;
        let access = app.access.publisher(user_id, token_id, &organization, &application).await?;
        if !access.user_exists {
            return Err(Error::NotFound("user"));
        }
        if !access.user_active {
            return Err(Error::Unauthenticated);
        }
        let permit = Permit::check(access.token_scope, needs)?;
        if !permissions.may_administer() || !access.is_admin {
            return Err(Error::Forbidden);
        }
        let application = access.application.as_ref().ok_or(Error::NotFound("application"))?;
        let app_key = application.app_key.clone().ok_or(Error::NotFound("application"))?;
        let ip = request.client_addr().to_string();
        Ok(Self { user_id, application_id: application.id, app_key, _permit: permit, ip })
    }
}

impl Publisher {
    /// Returns the key of the application.
    pub(super) fn app_key(&self) -> &str {
        &self.app_key
    }

    /// Records in the audit log what the caller does to sockets.
    pub(super) fn note(&self, app: &App, deed: Deed, about: &str) {
        let actor = audit::Actor { id: Some(self.user_id), name: None, ip: Some(self.ip.clone()) };
        app.accounts.gathered.note(&app.db, self.user_id, actor, deed, self.application_id, about);
    }
}

/// Returns the claims of a JWT that is valid outside of sockets.
fn claims(app: &App, request: &Request) -> Result<Claims, Error> {
    let jwt = request.bearer_token().ok_or(Error::Unauthenticated)?;
    let claims = app.jwt.verify(jwt).map_err(|_| Error::Unauthenticated)?;
    if claims.is_for_sockets_only { Err(Error::Unauthenticated) } else { Ok(claims) }
}

impl Caller {
    /// Returns the user, as the database has it.
    pub(super) fn user(&self) -> &users::User {
        &self.user
    }

    /// Returns the settings of the token that the caller's JWT came from.
    pub(super) fn token(&self) -> &TokenSettings {
        &self.token
    }

    /// Returns true if the caller may see the secrets of applications. Whoever has one can do more than read.
    pub(super) fn may_see_secrets(&self) -> bool {
        self.permit.includes(Capability::Manage)
    }

    /// Returns the quota that new rows of the caller count against.
    pub(super) fn quota<'a>(&'a self, app: &'a App) -> Quota<'a> {
        Quota::Of(&self.user, &app.quotas.limits)
    }

    /// Returns the actor for the audit log.
    pub(super) fn actor(&self) -> audit::Actor {
        audit::Actor { id: Some(self.user.id), name: self.user.email.clone(), ip: Some(self.ip.clone()) }
    }

    /// Refuses a JWT without the permission `api_admin`.
    pub(super) fn require_admin_permission(&self) -> Result<(), Error> {
        if self.permissions.may_administer() { Ok(()) } else { Err(Error::Forbidden) }
    }

    /// Refuses callers who do not administer the organization that a path names (D3), and those whose JWT does not
    /// permit it.
    pub(super) async fn require_admin_of(&self, conn: &mut DbConn, organization: Reference<'_>) -> Result<(), Error> {
        self.require_admin_permission()?;
        let is_admin = enrollments::administers(conn, self.user.id, self.user.is_root, organization).await?;
        if is_admin { Ok(()) } else { Err(Error::Forbidden) }
    }

    /// Refuses callers other than this user and root users (D4).
    pub(super) fn require_self(&self, user_id: i32) -> Result<(), Error> {
        if self.user.is_root || self.user.id == user_id { Ok(()) } else { Err(Error::Forbidden) }
    }
}
