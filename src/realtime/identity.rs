//! Who is at the other end of a socket.

use std::sync::Arc;

/// Who is at the other end of a socket, and what it lives by.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The application that it connected to; it can join topics of no other.
    pub app_key: Arc<str>,
    /// What the client calls itself: the key of its presence. Several sockets may share it.
    pub unique_identifier: Arc<str>,
    /// The user that the JWT was issued to.
    pub user_id: i64,
    /// The token that the JWT came from, if it says.
    pub token_id: Option<i64>,
    /// The organization whose enrollment let the user in; `None` for those who need none.
    pub organization_id: Option<i64>,
    /// Whether it may push events.
    pub may_send: bool,
}
