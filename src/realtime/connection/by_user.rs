//! The sockets of one user, found without looking at those of others.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, BuildHasherDefault, Hasher},
};

use dashmap::{DashMap, Entry};

use super::connection::{Connection, SocketId};
use crate::realtime::identity::Identity;

/// Sockets by the hash of application and `unique_identifier`. Two users may share a hash, so the caller of a lookup
/// compares identities.
#[derive(Debug, Default)]
pub(crate) struct ByUser {
    sockets: DashMap<u64, Ids, BuildHasherDefault<Hashed>>,
    hasher: RandomState,
}

/// Hasher for a key that is a keyed hash already: the key is its own hash.
#[derive(Debug, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("the keys are numbers")
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// Ids of one user's sockets. Most users have one socket, which needs no allocation of its own.
#[derive(Debug)]
enum Ids {
    One(SocketId),
    Many(Vec<SocketId>),
}

impl ByUser {
    pub(crate) fn add(&self, connection: &Connection) {
        let (hash, id) = (self.hash_of(&connection.identity), connection.id);
        match self.sockets.entry(hash) {
            Entry::Vacant(entry) => drop(entry.insert(Ids::One(id))),
            Entry::Occupied(mut entry) => match entry.get_mut() {
                Ids::Many(ids) => ids.push(id),
                Ids::One(other) => {
                    let both = vec![*other, id];
                    entry.insert(Ids::Many(both));
                }
            },
        }
    }

    pub(crate) fn remove(&self, connection: &Connection) {
        self.sockets.remove_if_mut(&self.hash_of(&connection.identity), |_, ids| match ids {
            Ids::One(id) => *id == connection.id,
            Ids::Many(ids) => {
                if let Some(at) = ids.iter().position(|id| *id == connection.id) {
                    ids.swap_remove(at);
                }
                ids.is_empty()
            }
        });
    }

    /// Returns the sockets of this user, and rarely one of another user.
    pub(crate) fn find(&self, app_key: &str, unique_identifier: &str) -> Vec<SocketId> {
        match self.sockets.get(&self.hash(app_key, unique_identifier)).as_deref() {
            None => Vec::new(),
            Some(Ids::One(id)) => vec![*id],
            Some(Ids::Many(ids)) => ids.clone(),
        }
    }

    fn hash_of(&self, identity: &Identity) -> u64 {
        self.hash(&identity.app_key, &identity.unique_identifier)
    }

    fn hash(&self, app_key: &str, unique_identifier: &str) -> u64 {
        self.hasher.hash_one((app_key, unique_identifier))
    }
}

#[cfg(test)]
mod tests {
    use pusher_lite_protocol::Vsn;

    use super::*;
    use crate::realtime::tests::connection;

    #[tokio::test]
    async fn sockets_are_found_by_user_until_they_are_removed() {
        let by_user = ByUser::default();
        let mut alice = Vec::new();
        for id in 1..=3 {
            alice.push(connection(id, "alice", Vsn::V2).await);
            by_user.add(&alice.last().unwrap().0);
        }
        let (bob, _stream) = connection(4, "bob", Vsn::V2).await;
        by_user.add(&bob);
        assert_eq!(by_user.find("key", "alice"), [1, 2, 3]);
        assert_eq!(by_user.find("key", "bob"), [4]);
        assert!(by_user.find("ke", "yalice").is_empty() && by_user.find("other", "bob").is_empty());
        by_user.remove(&alice[0].0);
        by_user.remove(&alice[0].0);
        assert_eq!(by_user.find("key", "alice").len(), 2);
        for (connection, _) in &alice {
            by_user.remove(connection);
        }
        by_user.remove(&bob);
        assert!(by_user.sockets.is_empty());
    }
}
