//! Who may use which application, answered from memory.
//!
//! A socket that connects and an event that is published ask here; neither waits for the database when the same was
//! asked a moment ago. A commit of this process makes every answer from before it stale at once, because the number of
//! commits is part of the key: also the answer of a reader that began before the commit and finishes after it. What
//! others write to the same database (another node, the original) is seen when an answer's lifetime is over.

use std::{hash::Hash, sync::Arc, time::Duration};

use quick_cache::sync::{Cache, EntryAction, EntryResult};
use tokio::time::Instant;

use super::{
    Db, DbConn, Error, Reference, Result,
    applications::{self, Application},
    enrollments, ownerships,
    reference::is_storable,
    user_tokens, users,
};

/// What the cache may take up.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The most answers to keep, of each kind.
    pub entries: usize,
    /// How long an answer is given without looking again.
    pub lifetime: Duration,
    /// How long it is given while the database is not available: what is kept cannot have changed there meanwhile, as far
    /// as this process can know.
    pub lifetime_in_outage: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { entries: 10_000, lifetime: Duration::from_secs(5), lifetime_in_outage: Duration::from_secs(300) }
    }
}

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
}

/// Who wants to open a socket, and where.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct SocketKey {
    user_id: i32,
    token_id: Option<i32>,
    app_key: String,
}

/// Who wants to publish, and where, as the path has it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct PublisherKey {
    user_id: i32,
    organization: String,
    application: String,
}

/// What a user may do with an application through a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketAccess {
    /// Whether there is such a user.
    pub user_exists: bool,
    /// Whether every organization is open to the user.
    pub is_root: bool,
    /// Whether the token that the JWT came from is still valid; also when it came from none.
    pub token_active: bool,
    /// The id of the application with this key, if there is one and it is active.
    pub application_id: Option<i32>,
    /// The organizations that own the application and have the user enrolled.
    pub organization_ids: Vec<i32>,
}

impl SocketAccess {
    /// Whether the socket may be opened (D5).
    pub fn may_connect(&self) -> bool {
        let is_member = self.is_root || !self.organization_ids.is_empty();
        self.user_exists && self.token_active && self.application_id.is_some() && is_member
    }
}

/// What a user may do with an application through REST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublisherAccess {
    /// Whether there is such a user.
    pub user_exists: bool,
    /// Whether the user administers the organization of the path (D3).
    pub is_admin: bool,
    /// The active application of that organization, looked up for admins only.
    pub application: Option<Application>,
}

impl Access {
    /// An empty cache before this database.
    pub fn new(db: Db, limits: &Limits) -> Self {
        let entries = limits.entries.max(1);
        Self(Arc::new(Caches {
            db,
            lifetime: limits.lifetime,
            lifetime_in_outage: limits.lifetime_in_outage,
            sockets: Cache::new(entries),
            publishers: Cache::new(entries),
        }))
    }

    /// What this user may do on a socket of the application with this key, with a JWT that came from this token.
    ///
    /// # Errors
    ///
    /// Those of the database; they are not kept.
    pub async fn socket(&self, user_id: i32, token_id: Option<i32>, app_key: &str) -> Result<Arc<SocketAccess>> {
        // A key that no application can have would otherwise fill the cache with its length.
        let app_key = if is_storable(app_key) { app_key.to_owned() } else { String::new() };
        let key = SocketKey { user_id, token_id, app_key };
        let look_up = async |conn: &mut DbConn, key: &SocketKey| look_up_socket(conn, key).await;
        self.0.answer(&self.0.sockets, key, look_up).await
    }

    /// What this user may do with the application that a REST path names.
    ///
    /// # Errors
    ///
    /// Those of the database; they are not kept.
    pub async fn publisher(&self, user_id: i32, organization: &str, application: &str) -> Result<Arc<PublisherAccess>> {
        let [organization, application] =
            [organization, application].map(|name| if is_storable(name) { name.to_owned() } else { String::new() });
        let key = PublisherKey { user_id, organization, application };
        let look_up = async |conn: &mut DbConn, key: &PublisherKey| look_up_publisher(conn, key).await;
        self.0.answer(&self.0.publishers, key, look_up).await
    }
}

/// An answer, and since when it has been given.
type Answer<T> = (Arc<T>, Instant);

impl Caches {
    /// The kept answer, or a new one. Those who ask for the same at once wait for one look-up.
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
        // Refused only when the entry was removed meanwhile; the answer is right all the same.
        let _ = guard.insert((Arc::clone(&value), since));
        Ok(value)
    }
}

async fn look_up_socket(conn: &mut DbConn, key: &SocketKey) -> Result<SocketAccess> {
    let user = users::find(conn, key.user_id).await?;
    let token_active = match key.token_id {
        Some(id) => user_tokens::is_active(conn, id, key.user_id).await?,
        None => true,
    };
    let application = applications::find_by_key(conn, &key.app_key).await?;
    let application_id = application.filter(|found| found.archived_at.is_none()).map(|found| found.id);
    let organization_ids = match application_id {
        Some(id) => ownerships::organizations_shared(conn, id, key.user_id).await?,
        None => Vec::new(),
    };
    let is_root = user.as_ref().is_some_and(|user| user.is_root);
    Ok(SocketAccess { user_exists: user.is_some(), is_root, token_active, application_id, organization_ids })
}

async fn look_up_publisher(conn: &mut DbConn, key: &PublisherKey) -> Result<PublisherAccess> {
    let Some(user) = users::find(conn, key.user_id).await? else {
        return Ok(PublisherAccess { user_exists: false, is_admin: false, application: None });
    };
    let organization = Reference::parse(&key.organization);
    let is_admin = enrollments::administers(conn, user.id, user.is_root, organization).await?;
    let application = if is_admin {
        applications::find_active(conn, organization, Reference::parse(&key.application)).await?
    } else {
        None
    };
    Ok(PublisherAccess { user_exists: true, is_admin, application })
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
        let key = SocketKey { user_id: demo.guest_id, token_id: None, app_key: demo.app_key.clone() };
        let overtaken = async |conn: &mut DbConn, key: &SocketKey| {
            let read = look_up_socket(conn, key).await?;
            let application_id = read.application_id.expect("the demo application is active");
            db.transaction(async |tx| applications::archive(tx, application_id).await).await?;
            Ok(read)
        };
        let old = access.0.answer(&access.0.sockets, key, overtaken).await.unwrap();
        assert!(old.may_connect());
        assert!(!access.socket(demo.guest_id, None, &demo.app_key).await.unwrap().may_connect());
    }
}
