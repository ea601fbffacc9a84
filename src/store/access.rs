//! Cached checks of which user may use which application.
//!
//! A connecting socket and a published event ask here. Neither waits for the database if the same question was asked a
//! moment ago. A commit of this process makes all earlier answers stale immediately, because the number of commits is
//! part of the key. That includes the answer of a reader that began before the commit and finishes after it. Changes
//! that another process (another node, the original) writes to the same database are seen when the lifetime of an
//! answer is over.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    hash::Hash,
    sync::Arc,
    time::Duration,
};

use quick_cache::sync::{Cache, EntryAction, EntryResult};
use tokio::time::Instant;

use super::{
    Db, DbConn, Error, Reference, Result,
    application_policies::{self, Policy, WithSecret},
    applications::{self, Application},
    enrollments, ownerships,
    reference::is_storable,
    sessions::{self, SessionHash},
    signing_secret::{SecretId, SigningSecret},
    token_scope::{Capability, TokenScope},
    user_suspensions::{self, Standing},
    user_tokens,
};

/// Limits of the cache.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Maximum number of cached answers of each kind.
    pub entries: usize,
    /// Lifetime of an answer.
    pub lifetime: Duration,
    /// Lifetime of an answer during a database outage: as far as this process can know, nothing can change in the
    /// database meanwhile.
    pub lifetime_in_outage: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { entries: 10_000, lifetime: Duration::from_secs(5), lifetime_in_outage: Duration::from_secs(300) }
    }
}

/// Maximum number of sockets in one look-up: as many as SQLite takes in a list, and a few milliseconds of work.
pub const PAGE: usize = 1000;

/// The cached look-ups. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Access(Arc<Caches>);

#[derive(Debug)]
struct Caches {
    db: Db,
    lifetime: Duration,
    lifetime_in_outage: Duration,
    sockets: Cache<(u64, SocketKey), Answer<SocketAccess>>,
    publishers: Cache<(u64, PublisherKey), Answer<PublisherAccess>>,
    applications: Cache<(u64, String), Answer<ApplicationAccess>>,
}

/// User, token and application of a user's socket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SocketKey {
    /// The user that its JWT was issued to.
    pub user_id: i32,
    /// The token that the JWT came from, if it says.
    pub token_id: Option<i32>,
    /// The session of the page that the JWT was issued to, if it says.
    pub session: Option<SessionHash>,
    /// The key of the application.
    pub app_key: String,
}

/// An open socket, with the credentials that it was opened with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum OpenSocket {
    /// A user's.
    User {
        /// User, token and application.
        key: SocketKey,
        /// The organization that let the user in, see [`SocketAccess::tag`].
        organization_id: Option<i32>,
    },
    /// One whose JWT was signed with a secret of the application.
    Application {
        /// The key of the application.
        app_key: String,
        /// The secret.
        secret: SecretId,
    },
}

impl OpenSocket {
    fn app_key(&self) -> &str {
        match self {
            Self::User { key, .. } => &key.app_key,
            Self::Application { app_key, .. } => app_key,
        }
    }
}

/// State of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No application has this key.
    Unknown,
    /// It is archived, or all its owners are.
    Archived,
    /// Sockets can be opened.
    Active,
}

/// Demands of an application on those who connect to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationAccess {
    /// Its id; 0 if there is none with this key.
    pub id: i32,
    /// Its state.
    pub state: State,
    /// Its demands.
    pub policy: Policy,
    /// The secrets whose JWTs open its sockets; none unless it accepts them.
    pub secrets: Vec<SigningSecret>,
}

impl ApplicationAccess {
    const UNKNOWN: Self = Self { id: 0, state: State::Unknown, policy: Policy::NONE, secrets: Vec::new() };

    /// Returns true if a socket may be open whose JWT was signed with this secret.
    pub fn admits(&self, secret: SecretId) -> bool {
        self.state == State::Active && self.secrets.iter().any(|one| one.id() == secret)
    }
}

/// User, token and application of a publisher, as the path names them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct PublisherKey {
    user_id: i32,
    token_id: Option<i32>,
    organization: String,
    application: String,
}

/// Permissions of a user on the sockets of an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketAccess {
    /// True if there is such a user, and the user is active.
    pub user_active: bool,
    /// True if every organization is open to the user.
    pub is_root: bool,
    /// True if the token that the JWT came from is still valid and its scope includes sockets, or if the JWT came from
    /// none.
    pub token_active: bool,
    /// True if the browser session of the page that the JWT was issued to is still active, or if the JWT was issued to
    /// none.
    pub session_active: bool,
    /// The id of the application with this key, if there is one, it is active, and an owner is not archived.
    pub application_id: Option<i32>,
    /// The organizations that own the application, are not archived, and have the user enrolled.
    pub organization_ids: Vec<i32>,
}

impl SocketAccess {
    /// Returns true if the socket may be opened (D5).
    pub fn may_connect(&self) -> bool {
        self.admits(self.tag())
    }

    /// Returns the organization that lets the user in: the first of several, and none for root users, who need none.
    pub fn tag(&self) -> Option<i32> {
        self.organization_ids.first().copied().filter(|_| !self.is_root)
    }

    /// Returns true if a socket may stay open that was admitted by this organization, or as a root user's. A socket
    /// that another organization would admit has to connect again: revoking that organization's permission would not
    /// find it otherwise.
    pub fn admits(&self, tag: Option<i32>) -> bool {
        let is_let_in = match tag {
            Some(organization_id) => self.organization_ids.contains(&organization_id),
            None => self.is_root,
        };
        self.user_active && self.token_active && self.session_active && self.application_id.is_some() && is_let_in
    }
}

/// Permissions of a user on an application through REST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublisherAccess {
    /// True if there is such a user.
    pub user_exists: bool,
    /// True if the user is active.
    pub user_active: bool,
    /// Scope of the token that the JWT came from; none if the token is not valid. A JWT that came from no token is not
    /// limited.
    pub token_scope: Option<TokenScope>,
    /// True if the user administers the organization of the path (D3); false when the token is not valid.
    pub is_admin: bool,
    /// The active application of that organization, looked up for admins only. None of an archived organization.
    pub application: Option<Application>,
}

impl Access {
    /// Creates an empty cache before this database.
    pub fn new(db: Db, limits: &Limits) -> Self {
        let entries = limits.entries.max(1);
        Self(Arc::new(Caches {
            db,
            lifetime: limits.lifetime,
            lifetime_in_outage: limits.lifetime_in_outage,
            sockets: Cache::new(entries),
            publishers: Cache::new(entries),
            applications: Cache::new(entries),
        }))
    }

    /// Returns the permissions of this user on a socket of the application with this key. The JWT came from this token,
    /// or was issued to a page of this session.
    ///
    /// # Errors
    ///
    /// Those of the database; they are not kept.
    pub async fn socket(
        &self,
        user_id: i32,
        token_id: Option<i32>,
        session: Option<SessionHash>,
        app_key: &str,
    ) -> Result<Arc<SocketAccess>> {
        // A key that no application can have would otherwise fill the cache with its length.
        let app_key = if is_storable(app_key) { app_key.to_owned() } else { String::new() };
        let key = SocketKey { user_id, token_id, session, app_key };
        let look_up = async |conn: &mut DbConn, key: &SocketKey| look_up_socket(conn, key).await;
        self.0.answer(&self.0.sockets, key, look_up).await
    }

    /// Returns the demands of the application with this key.
    ///
    /// # Errors
    ///
    /// Those of the database; they are not kept.
    pub async fn application(&self, app_key: &str) -> Result<Arc<ApplicationAccess>> {
        let app_key = if is_storable(app_key) { app_key.to_owned() } else { String::new() };
        let look_up = async |conn: &mut DbConn, app_key: &String| look_up_application(conn, app_key).await;
        self.0.answer(&self.0.applications, app_key, look_up).await
    }

    /// Returns those of these open sockets, at most [`PAGE`], that may not stay open. Reads the database and not the
    /// cache. If there are such sockets, it clears the cache, since another process has written to the database, or a token
    /// has expired.
    ///
    /// # Errors
    ///
    /// Database errors; the state of all of these sockets is unknown then.
    pub async fn ended(&self, open: &[OpenSocket]) -> Result<Vec<OpenSocket>> {
        let mut conn = self.0.db.conn().await?;
        let app_keys = distinct(open.iter().map(OpenSocket::app_key));
        let applications = look_up_applications(&mut conn, &app_keys).await?;
        let keys = open.iter().filter_map(|open| match open {
            OpenSocket::User { key, .. } => Some(key),
            OpenSocket::Application { .. } => None,
        });
        let mut users = look_up_sockets(&mut conn, &keys.collect::<Vec<_>>()).await?.into_iter();
        let mut is_ended = |open: &&OpenSocket| match open {
            OpenSocket::User { organization_id, .. } => {
                !users.next().is_some_and(|access| access.admits(*organization_id))
            }
            OpenSocket::Application { app_key, secret } => {
                !applications.get(app_key.as_str()).is_some_and(|access| access.admits(*secret))
            }
        };
        let ended: Vec<_> = open.iter().filter(|open| is_ended(open)).cloned().collect();
        if !ended.is_empty() {
            self.0.db.generation.advance();
        }
        Ok(ended)
    }

    /// Returns the permissions of this user on the application that a REST path names, for a JWT that came from this
    /// token.
    ///
    /// # Errors
    ///
    /// Database errors; they are not cached.
    pub async fn publisher(
        &self,
        user_id: i32,
        token_id: Option<i32>,
        organization: &str,
        application: &str,
    ) -> Result<Arc<PublisherAccess>> {
        let [organization, application] =
            [organization, application].map(|name| if is_storable(name) { name.to_owned() } else { String::new() });
        let key = PublisherKey { user_id, token_id, organization, application };
        let look_up = async |conn: &mut DbConn, key: &PublisherKey| look_up_publisher(conn, key).await;
        self.0.answer(&self.0.publishers, key, look_up).await
    }
}

/// An answer, and the time since which it has been given.
type Answer<T> = (Arc<T>, Instant);

impl Caches {
    /// Returns the cached answer, or a new one. Concurrent callers with the same key wait for one look-up.
    async fn answer<K, T>(
        &self,
        cache: &Cache<(u64, K), Answer<T>>,
        key: K,
        look_up: impl AsyncFnOnce(&mut DbConn, &K) -> Result<T>,
    ) -> Result<Arc<T>>
    where
        K: Clone + Eq + Hash,
    {
        let key = (self.db.generation(), key);
        let keep_if_fresh = |_: &_, (value, since): &mut Answer<T>| {
            if since.elapsed() < self.lifetime {
                EntryAction::Retain(Arc::clone(value))
            } else {
                EntryAction::ReplaceWithGuard
            }
        };
        let (guard, old) = match cache.entry_async(&key, keep_if_fresh).await {
            EntryResult::Retained(value) => return Ok(value),
            EntryResult::Vacant(guard) => (guard, None),
            EntryResult::Replaced(guard, old) => (guard, Some(old)),
            EntryResult::Removed(..) | EntryResult::Timeout => unreachable!("neither removed nor timed"),
        };
        let now = Instant::now();
        let looked_up = async { look_up(&mut self.db.conn().await?, &key.1).await };
        let (value, since) = match (looked_up.await, old) {
            (Ok(value), _) => (Arc::new(value), now),
            (Err(Error::Unavailable(_)), Some((value, since))) if since.elapsed() < self.lifetime_in_outage => {
                (value, since)
            }
            (Err(error), _) => return Err(error),
        };
        // Refused only if the entry was removed meanwhile; the answer is still right.
        let _ = guard.insert((Arc::clone(&value), since));
        Ok(value)
    }
}

async fn look_up_socket(conn: &mut DbConn, key: &SocketKey) -> Result<SocketAccess> {
    let found = look_up_sockets(conn, &[key]).await?;
    Ok(found.into_iter().next().expect("there is an answer for each key"))
}

async fn look_up_application(conn: &mut DbConn, app_key: &str) -> Result<ApplicationAccess> {
    let mut found = look_up_applications(conn, &[app_key]).await?;
    Ok(found.remove(app_key).unwrap_or(ApplicationAccess::UNKNOWN))
}

/// Looks up the demands of these applications, in three queries regardless of their number. One that does not exist is not
/// in the answer.
async fn look_up_applications(conn: &mut DbConn, app_keys: &[&str]) -> Result<HashMap<String, ApplicationAccess>> {
    let applications = applications::among(conn, app_keys).await?;
    let ids = distinct(applications.iter().map(|application| application.id));
    let mut policies: HashMap<i32, WithSecret> = application_policies::among(conn, &ids).await?.into_iter().collect();
    let shared = ownerships::shared(conn, &ids, &[]).await?;
    let access_of = |application: Application| {
        let with_secret = policies.remove(&application.id).unwrap_or_default();
        let is_active = application.archived_at.is_none() && shared.is_open(application.id);
        let access = ApplicationAccess {
            id: application.id,
            state: if is_active { State::Active } else { State::Archived },
            secrets: with_secret.signing_secrets(application.app_secret.as_deref()),
            policy: with_secret.policy,
        };
        Some((application.app_key?, access))
    };
    Ok(applications.into_iter().filter_map(access_of).collect())
}

/// Looks up the permissions of all these sockets of users, in five queries regardless of their number. This is the only place
/// that knows what a socket depends on, both for connecting and for open sockets.
async fn look_up_sockets(conn: &mut DbConn, keys: &[&SocketKey]) -> Result<Vec<SocketAccess>> {
    let user_ids = distinct(keys.iter().map(|key| key.user_id));
    let users = user_suspensions::active_among(conn, &user_ids).await?;
    let users: HashMap<i32, _> = users.into_iter().map(|user| (user.id, user)).collect();
    let token_ids = distinct(keys.iter().filter_map(|key| key.token_id));
    let tokens = user_tokens::active_among(conn, &token_ids).await?;
    let to_connect = tokens.into_iter().filter(|(.., settings)| settings.scope.permits(Capability::Connect));
    let tokens: HashSet<_> = to_connect.map(|(id, user_id, _)| (id, user_id)).collect();
    let names = distinct(keys.iter().filter_map(|key| key.session));
    let sessions: HashSet<_> = sessions::active_among(conn, &names).await?.into_iter().collect();
    let app_keys = distinct(keys.iter().map(|key| key.app_key.as_str()));
    let applications = applications::among(conn, &app_keys).await?;
    let applications = applications.into_iter().filter(|application| application.archived_at.is_none());
    let applications: HashMap<String, i32> =
        applications.filter_map(|application| Some((application.app_key?, application.id))).collect();
    let application_ids = distinct(applications.values().copied());
    let shared = ownerships::shared(conn, &application_ids, &user_ids).await?;
    let access_of = |key: &&SocketKey| {
        let user = users.get(&key.user_id);
        let application_id = applications.get(&key.app_key).copied().filter(|id| shared.is_open(*id));
        SocketAccess {
            user_active: user.is_some(),
            is_root: user.is_some_and(|user| user.is_root),
            token_active: key.token_id.is_none_or(|id| tokens.contains(&(id, key.user_id))),
            session_active: key.session.is_none_or(|session| sessions.contains(&(session, key.user_id))),
            application_id,
            organization_ids: application_id.map_or_else(Vec::new, |id| shared.organizations(id, key.user_id)),
        }
    };
    Ok(keys.iter().map(access_of).collect())
}

fn distinct<T: Ord>(all: impl Iterator<Item = T>) -> Vec<T> {
    all.collect::<BTreeSet<_>>().into_iter().collect()
}

async fn look_up_publisher(conn: &mut DbConn, key: &PublisherKey) -> Result<PublisherAccess> {
    let refused = |user_exists| PublisherAccess {
        user_exists,
        user_active: false,
        token_scope: None,
        is_admin: false,
        application: None,
    };
    let user = match user_suspensions::standing(conn, key.user_id).await? {
        Standing::Missing => return Ok(refused(false)),
        Standing::Ended => return Ok(refused(true)),
        Standing::Active(user) => user,
    };
    let settings = user_tokens::settings_of_origin(conn, key.token_id, key.user_id).await?;
    let token_scope = settings.map(|settings| settings.scope);
    let organization = Reference::parse(&key.organization);
    let is_admin = token_scope.is_some() && enrollments::administers(conn, user.id, user.is_root, organization).await?;
    let application = if is_admin {
        applications::find_to_publish(conn, organization, Reference::parse(&key.application)).await?
    } else {
        None
    };
    Ok(PublisherAccess { user_exists: true, user_active: true, token_scope, is_admin, application })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{DatabaseUrl, Options, demo};

    #[tokio::test(flavor = "multi_thread")]
    async fn a_reader_that_a_writer_overtakes_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(folder.path().join("test.db"));
        let db = Db::connect(&url, &Options::default()).await.unwrap();
        db.migrate().await.unwrap();
        demo::seed(&db, "hash").await.unwrap();
        let demo = demo::find(&mut db.conn().await.unwrap()).await.unwrap().unwrap();

        let access = Access::new(db.clone(), &Limits { lifetime: Duration::from_secs(86_400), ..Limits::default() });
        let key = SocketKey { user_id: demo.guest_id, token_id: None, session: None, app_key: demo.app_key.clone() };
        let overtaken = async |conn: &mut DbConn, key: &SocketKey| {
            let read = look_up_socket(conn, key).await?;
            let application_id = read.application_id.expect("the demo application is active");
            db.transaction(async |tx| applications::archive(tx, application_id).await).await?;
            Ok(read)
        };
        let old = access.0.answer(&access.0.sockets, key, overtaken).await.unwrap();
        assert!(old.may_connect());
        assert!(!access.socket(demo.guest_id, None, None, &demo.app_key).await.unwrap().may_connect());
    }
    #[tokio::test(flavor = "multi_thread")]
    async fn an_outage_is_bridged_for_as_long_as_the_limit_says() {
        let folder = tempfile::tempdir().unwrap();
        let url = DatabaseUrl::Sqlite(folder.path().join("test.db"));
        let db = Db::connect(&url, &Options::default()).await.unwrap();
        let key = || SocketKey { user_id: 1, token_id: None, session: None, app_key: "key".to_owned() };
        let member = SocketAccess {
            user_active: true,
            is_root: false,
            token_active: true,
            session_active: true,
            application_id: Some(1),
            organization_ids: vec![1],
        };
        for (lifetime_in_outage, is_bridged) in [(Duration::from_secs(300), true), (Duration::ZERO, false)] {
            let limits = Limits { lifetime: Duration::ZERO, lifetime_in_outage, ..Limits::default() };
            let Access(caches) = Access::new(db.clone(), &limits);
            caches.answer(&caches.sockets, key(), async |_, _| Ok(member.clone())).await.unwrap();
            let unavailable = async |_: &mut DbConn, _: &SocketKey| Err(Error::Unavailable("gone".to_owned()));
            let answer = caches.answer(&caches.sockets, key(), unavailable).await;
            assert_eq!(answer.is_ok_and(|access| access.may_connect()), is_bridged, "{lifetime_in_outage:?}");
        }
    }
}
