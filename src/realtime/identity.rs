//! The identity of a socket.

use std::sync::Arc;

use super::restrictions::{Restrictions, Rights};

/// Basis of a socket: the rights that it was let in for. Many sockets may share it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Basis {
    /// The application that it connected to.
    pub app_key: Arc<str>,
    /// The user that the JWT was issued to.
    pub user_id: i64,
    /// The token that the JWT came from, if the JWT names it.
    pub token_id: Option<i64>,
    /// The browser session of the page that the JWT was issued to, if the JWT names it: an id, and no secret.
    pub session: Option<Arc<str>>,
    /// The organization whose enrollment let the user in; `None` for users who need none.
    pub organization_id: Option<i64>,
}

/// Identity of a socket: its user and client, and its basis.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The application that it connected to; it can join topics of no other.
    pub app_key: Arc<str>,
    /// The client's own name for itself: the key of its presence. Several sockets may share it.
    pub unique_identifier: Arc<str>,
    /// The user that the JWT was issued to.
    pub user_id: i64,
    /// The token that the JWT came from, if the JWT names it.
    pub token_id: Option<i64>,
    /// The browser session of the page that the JWT was issued to, if the JWT names it: an id, and no secret.
    pub session: Option<Arc<str>>,
    /// The organization whose enrollment let the user in; `None` for users who need none.
    pub organization_id: Option<i64>,
    /// True if the socket may push events.
    pub may_send: bool,
    /// What the JWT restricts the socket to, if it does.
    pub restrictions: Option<Arc<Restrictions>>,
}

impl Identity {
    /// Returns the rights on the topic of this name.
    pub(crate) fn rights_on(&self, name: &str) -> Rights {
        self.restrictions.as_ref().map_or(Rights::ALL, |restrictions| restrictions.rights_on(name))
    }

    /// Returns the socket's basis.
    pub fn basis(&self) -> Basis {
        let Identity { app_key, user_id, token_id, session, organization_id, .. } = self;
        Basis {
            app_key: Arc::clone(app_key),
            user_id: *user_id,
            token_id: *token_id,
            session: session.clone(),
            organization_id: *organization_id,
        }
    }
}
