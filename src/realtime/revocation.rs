//! Permissions that are taken away, and the sockets that lived by them.

use std::collections::{HashMap, HashSet};

use super::identity::{Basis, Credentials, Identity, Principal, SecretId};

/// A permission that is taken away. Ids and keys are those of [`Identity`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Revocation {
    /// The application is archived or deleted, or its key is no longer this one.
    Application(String),
    /// The token no longer opens sessions.
    Token(i64),
    /// The user is no longer enrolled in the organization.
    Enrollment {
        /// The user.
        user_id: i64,
        /// The organization.
        organization_id: i64,
    },
    /// The organization no longer owns the application.
    Ownership {
        /// The key of the application.
        app_key: String,
        /// The organization.
        organization_id: i64,
    },
    /// The user is no longer allowed anything, or is no longer root.
    User(i64),
    /// All sessions of the user on this server's pages ended: the sockets of the user that came from no token.
    Pages(i64),
    /// One session of the user on this server's pages ended: the sockets that came from it, and those of the user that
    /// came from neither a token nor a known session.
    Session {
        /// The user.
        user_id: i64,
        session: String,
    },
    /// Of the application's secrets, only these are left.
    Secrets {
        /// The key of the application.
        app_key: String,
        /// The secrets whose sockets stay open.
        kept: Vec<SecretId>,
    },
    /// Exactly this basis: some part of it is gone.
    Basis(Basis),
}

/// Many revocations, indexed: looking at a socket takes no longer than with one.
#[derive(Debug, Default)]
pub(super) struct Revoked<'a> {
    applications: HashSet<&'a str>,
    tokens: HashSet<i64>,
    /// User and organization.
    enrollments: HashSet<(i64, i64)>,
    /// Applications by organization.
    ownerships: HashMap<i64, HashSet<&'a str>>,
    users: HashSet<i64>,
    pages: HashSet<i64>,
    sessions: HashSet<&'a str>,
    /// Users of `sessions`.
    users_of_sessions: HashSet<i64>,
    /// Secrets that are left, by application. Of two lists of one application, both count.
    secrets: HashMap<&'a str, Vec<&'a [SecretId]>>,
    /// Parties, by application.
    bases: HashMap<&'a str, HashSet<&'a Principal>>,
}

impl<'a> Revoked<'a> {
    pub(super) fn new(revocations: &'a [Revocation]) -> Revoked<'a> {
        let mut revoked = Revoked::default();
        for revocation in revocations {
            match revocation {
                Revocation::Application(app_key) => drop(revoked.applications.insert(app_key)),
                Revocation::Token(id) => drop(revoked.tokens.insert(*id)),
                Revocation::Enrollment { user_id, organization_id } => {
                    revoked.enrollments.insert((*user_id, *organization_id));
                }
                Revocation::Ownership { app_key, organization_id } => {
                    revoked.ownerships.entry(*organization_id).or_default().insert(app_key);
                }
                Revocation::User(id) => drop(revoked.users.insert(*id)),
                Revocation::Pages(user_id) => drop(revoked.pages.insert(*user_id)),
                Revocation::Session { user_id, session } => {
                    revoked.sessions.insert(session);
                    revoked.users_of_sessions.insert(*user_id);
                }
                Revocation::Secrets { app_key, kept } => revoked.secrets.entry(app_key).or_default().push(kept),
                Revocation::Basis(Basis { app_key, principal }) => {
                    revoked.bases.entry(app_key).or_default().insert(principal);
                }
            }
        }
        revoked
    }

    /// Returns the keys of the applications that are gone.
    pub(super) fn applications(&self) -> impl Iterator<Item = &'a str> {
        self.applications.iter().copied()
    }

    /// Returns true if a socket of this identity lived by one of the revoked permissions.
    pub(super) fn includes(&self, identity: &Identity) -> bool {
        let Identity { app_key, principal, .. } = identity;
        self.applications.contains(&**app_key)
            || self.bases.get(&**app_key).is_some_and(|parties| parties.contains(principal))
            || match principal {
                Principal::User(credentials) => self.includes_user(app_key, credentials),
                Principal::Application(secret) => {
                    let mut kept = self.secrets.get(&**app_key).into_iter().flatten();
                    kept.any(|kept| !kept.contains(secret))
                }
            }
    }

    fn includes_user(&self, app_key: &str, credentials: &Credentials) -> bool {
        let Credentials { user_id, token_id, session, organization_id } = credentials;
        self.users.contains(user_id)
            || token_id.is_some_and(|id| self.tokens.contains(&id))
            || session.as_deref().is_some_and(|session| self.sessions.contains(session))
            || token_id.is_none()
                && (self.pages.contains(user_id) || session.is_none() && self.users_of_sessions.contains(user_id))
            || organization_id.is_some_and(|id| {
                self.enrollments.contains(&(*user_id, id))
                    || self.ownerships.get(&id).is_some_and(|owned| owned.contains(app_key))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_ends_what_lived_by_it_and_nothing_else() {
        let identity = |principal| Identity {
            app_key: "key".into(),
            unique_identifier: "alice".into(),
            principal,
            may_send: true,
            restrictions: None,
            expires_at: None,
        };
        let user = |token_id, session: Option<&str>, organization_id| {
            let session = session.map(Into::into);
            identity(Principal::User(Credentials { user_id: 1, token_id, session, organization_id }))
        };
        let session = |user_id, session: &str| Revocation::Session { user_id, session: session.to_owned() };
        let key = |app_key: &str| app_key.to_owned();
        let secrets = |app_key: &str, kept: &[u128]| Revocation::Secrets {
            app_key: app_key.to_owned(),
            kept: kept.iter().copied().map(SecretId).collect(),
        };
        // By token and organization, by token as root, from a page, from a page with a known session, by a secret.
        let sockets = [
            user(Some(2), None, Some(3)),
            user(Some(2), None, None),
            user(None, None, Some(3)),
            user(None, Some("a"), Some(3)),
            identity(Principal::Application(SecretId(5))),
        ];
        for (revocation, ends) in [
            (Revocation::Application(key("key")), [true, true, true, true, true]),
            (Revocation::Application(key("other")), [false, false, false, false, false]),
            (Revocation::Token(2), [true, true, false, false, false]),
            (Revocation::Token(1), [false, false, false, false, false]),
            (Revocation::Enrollment { user_id: 1, organization_id: 3 }, [true, false, true, true, false]),
            (Revocation::Enrollment { user_id: 1, organization_id: 4 }, [false, false, false, false, false]),
            (Revocation::Enrollment { user_id: 2, organization_id: 3 }, [false, false, false, false, false]),
            (Revocation::Ownership { app_key: key("key"), organization_id: 3 }, [true, false, true, true, false]),
            (Revocation::Ownership { app_key: key("key"), organization_id: 4 }, [false, false, false, false, false]),
            (Revocation::Ownership { app_key: key("other"), organization_id: 3 }, [false, false, false, false, false]),
            (Revocation::User(1), [true, true, true, true, false]),
            (Revocation::User(2), [false, false, false, false, false]),
            (Revocation::Pages(1), [false, false, true, true, false]),
            (Revocation::Pages(2), [false, false, false, false, false]),
            (session(1, "a"), [false, false, true, true, false]),
            (session(1, "b"), [false, false, true, false, false]),
            (session(2, "b"), [false, false, false, false, false]),
            (Revocation::Basis(sockets[0].basis()), [true, false, false, false, false]),
            (Revocation::Basis(sockets[1].basis()), [false, true, false, false, false]),
            (Revocation::Basis(sockets[2].basis()), [false, false, true, false, false]),
            (Revocation::Basis(sockets[3].basis()), [false, false, false, true, false]),
            (Revocation::Basis(sockets[4].basis()), [false, false, false, false, true]),
            (secrets("key", &[5]), [false, false, false, false, false]),
            (secrets("key", &[4, 5]), [false, false, false, false, false]),
            (secrets("key", &[4]), [false, false, false, false, true]),
            (secrets("key", &[]), [false, false, false, false, true]),
            (secrets("other", &[]), [false, false, false, false, false]),
            (
                Revocation::Basis(Basis { app_key: "other".into(), ..sockets[0].basis() }),
                [false, false, false, false, false],
            ),
        ] {
            let revocations = [Revocation::Token(99), revocation];
            let revoked = Revoked::new(&revocations);
            assert_eq!(sockets.each_ref().map(|identity| revoked.includes(identity)), ends, "{revocations:?}");
        }
    }
}
