//! The identity of a socket.

use std::sync::Arc;

use super::restrictions::{Restrictions, Rights};

/// Basis of a socket: the rights that it was let in for. Many sockets may share it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Basis {
    /// The application that it connected to.
    pub app_key: Arc<str>,
    /// The party that vouches for it.
    pub principal: Principal,
}

/// The party that vouches for a socket, by the JWT that it was opened with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Principal {
    /// A user: this server issued the JWT.
    User(Credentials),
    /// The application: its backend signed the JWT with this secret.
    Application(SecretId),
}

/// The user that a JWT was issued to, and what the JWT lives by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Credentials {
    /// The user that the JWT was issued to.
    pub user_id: i64,
    /// The token that the JWT came from, if the JWT names it.
    pub token_id: Option<i64>,
    /// The browser session of the page that the JWT was issued to, if the JWT names it: an id, and no secret.
    pub session: Option<Arc<str>>,
    /// The organization whose enrollment let the user in; `None` for users who need none.
    pub organization_id: Option<i64>,
}

/// Name of one secret of an application. It does not reveal the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SecretId(pub u128);

/// Identity of a socket: its party and client, and its rights.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The application that it connected to; it can join topics of no other.
    pub app_key: Arc<str>,
    /// The client's own name for itself: the key of its presence. Several sockets may share it.
    pub unique_identifier: Arc<str>,
    /// The party that vouches for it.
    pub principal: Principal,
    /// True if the socket may push events.
    pub may_send: bool,
    /// What the JWT and the application restrict the socket to, if they do.
    pub restrictions: Option<Arc<Restrictions>>,
    /// Time at which the socket is closed because its JWT expires, in seconds since 1970; `None` if it outlives the JWT.
    pub expires_at: Option<i64>,
}

impl Principal {
    /// Returns the id of the user who vouches for the socket, if one does.
    pub fn user_id(&self) -> Option<i64> {
        match self {
            Principal::User(credentials) => Some(credentials.user_id),
            Principal::Application(_) => None,
        }
    }
}

impl Identity {
    /// Returns the rights on the topic of this name.
    pub(crate) fn rights_on(&self, name: &str) -> Rights {
        self.restrictions.as_ref().map_or(Rights::ALL, |restrictions| restrictions.rights_on(name))
    }

    /// Returns the socket's basis.
    pub fn basis(&self) -> Basis {
        Basis { app_key: Arc::clone(&self.app_key), principal: self.principal.clone() }
    }
}
