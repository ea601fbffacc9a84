//! Effects of a commit: a [`Transaction`](super::Transaction) collects them as data, and [`Db`] carries them out as
//! soon as the commit is over.
//!
//! The function that changes a row adds the effect itself, so that no caller can forget it. This module knows neither
//! sockets nor mail: [`Db::with_effects`] takes a function that does.

use std::{fmt, sync::Arc};

use futures_util::future::BoxFuture;

use super::{Db, signing_secret::SecretId};

/// An action to carry out once a transaction is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Close the sockets that depended on this.
    Revoke(Revocation),
    /// A mail waits to be sent.
    MailQueued,
    /// The settings of single applications have changed, or have another key.
    ApplicationSettingsChanged,
}

/// A permission that is revoked; it determines which sockets close.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// The application was archived or deleted, or has a new key: this is the old one, which its sockets know.
    Application(String),
    /// The token opens no sessions any more.
    Token(i32),
    /// The user is no longer enrolled in the organization.
    Enrollment {
        /// The user.
        user_id: i32,
        /// The organization.
        organization_id: i32,
    },
    /// The organization no longer owns the application.
    Ownership {
        /// The key of the application.
        app_key: String,
        /// The organization.
        organization_id: i32,
    },
    /// The user was deleted, has lost root rights, or may not sign in any more.
    User(i32),
    /// All sessions of the user on this server's pages ended: the sockets of the user that came from no token.
    Pages(i32),
    /// This session on this server's pages ended: the sockets whose JWT names it, and those of the user whose JWT names
    /// neither a token nor a session, since it may have come from this one.
    Session {
        /// The user.
        user_id: i32,
        /// The session, as [`SessionHash`](super::sessions::SessionHash) writes it.
        id_hash: String,
    },
    /// The application has only these secrets left that sign JWTs.
    Secrets {
        /// The key of the application.
        app_key: String,
        /// The secrets whose sockets stay open.
        kept: Vec<SecretId>,
    },
}

/// Carries out the effects of commits.
#[derive(Clone)]
pub(super) struct Sink(Arc<CarryOut>);

type CarryOut = dyn Fn(Db, Vec<Effect>) -> BoxFuture<'static, ()> + Send + Sync;

impl Sink {
    pub(super) async fn carry_out(&self, db: &Db, effects: Vec<Effect>) {
        (self.0)(db.clone(), effects).await;
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sink").finish_non_exhaustive()
    }
}

impl Db {
    /// Returns a handle to the same database that carries out the effects of its commits by `carry_out`. A task that no
    /// request can cancel calls it after the commit. It is called more than once with the same effects if the database
    /// does not say whether the commit happened. It must not hold this database, which holds it: the database is passed
    /// to each call.
    #[must_use]
    pub fn with_effects(
        self,
        carry_out: impl Fn(Self, Vec<Effect>) -> BoxFuture<'static, ()> + Send + Sync + 'static,
    ) -> Self {
        Self { sink: Some(Sink(Arc::new(carry_out))), ..self }
    }
}
