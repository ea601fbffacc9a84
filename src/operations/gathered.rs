//! Frequent actions of a user on an application, gathered for the audit log: entries stay forever, so not every event
//! of a console and every kick gets one of its own.

use std::{
    collections::{HashMap, hash_map},
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::{
    store::{
        Db,
        audit::{self, Actor, Differences, NewEntry},
        users,
    },
    tasks::Tasks,
};

/// Time for which actions are gathered. The first action is recorded immediately, and starts it.
const GATHER: Duration = Duration::from_secs(60);
/// Maximum number of texts in an entry.
const NAMED: usize = 20;
/// Maximum number of characters of a text in an entry.
const SHOWN: usize = 100;
/// Maximum number of users and applications that are gathered for at the same time. Beyond that, entries contain only
/// the number of actions.
const KEYS: usize = 10_000;

/// Kind of action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deed {
    /// Sockets of a `unique_identifier` are closed.
    Disconnect,
    /// An event is published by the console.
    Publish,
}

/// Gathers deeds. Cheap to clone: all clones are one.
#[derive(Clone)]
pub struct Gathered {
    tasks: Tasks,
    entries: Arc<Mutex<HashMap<Key, Entry>>>,
}

/// User, action and application.
type Key = (i32, Deed, i32);

#[derive(Debug)]
struct Entry {
    actor: Actor,
    count: usize,
    texts: Vec<String>,
}

impl Deed {
    fn action(self) -> &'static str {
        match self {
            Self::Disconnect => "disconnect",
            Self::Publish => "publish",
        }
    }
}

impl Gathered {
    /// Nothing gathered yet.
    pub(crate) fn new(tasks: Tasks) -> Self {
        Self { tasks, entries: Arc::default() }
    }

    /// Notes a deed of this user: `text` says whom or what it was about.
    pub fn note(&self, db: &Db, user_id: i32, actor: Actor, deed: Deed, application_id: i32, text: &str) {
        let key = (user_id, deed, application_id);
        let shown: String = text.chars().take(SHOWN).collect();
        let mut all = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = all.len() >= KEYS;
        match all.entry(key) {
            hash_map::Entry::Occupied(mut entry) => entry.get_mut().add(shown),
            hash_map::Entry::Vacant(_) if is_full => {
                tracing::warn!(
                    user_id,
                    action = deed.action(),
                    "The audit log omits details: too many users act at the same time."
                );
            }
            hash_map::Entry::Vacant(place) => {
                let mut first = Entry { actor: actor.clone(), count: 0, texts: Vec::new() };
                first.add(shown);
                place.insert(Entry { actor, count: 0, texts: Vec::new() });
                let (gathered, db) = (self.clone(), db.clone());
                tokio::spawn(async move {
                    let tasks = gathered.tasks.clone();
                    tasks.survive("entry of the audit log", first.write(&db, key)).await;
                    tokio::time::sleep(GATHER).await;
                    tasks.survive("entry of the audit log", gathered.write(&db, key)).await;
                });
            }
        }
    }

    /// Writes all gathered actions; called before the server stops.
    pub async fn flush(&self, db: &Db) {
        let keys: Vec<Key> = self.entries.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect();
        for key in keys {
            self.write(db, key).await;
        }
    }

    async fn write(&self, db: &Db, key: Key) {
        let taken = self.entries.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
        if let Some(entry) = taken.filter(|entry| entry.count > 0) {
            entry.write(db, key).await;
        }
    }
}

impl Entry {
    fn add(&mut self, text: String) {
        self.count += 1;
        if self.texts.len() < NAMED && !self.texts.contains(&text) {
            self.texts.push(text);
        }
    }

    async fn write(&self, db: &Db, (_, deed, application_id): Key) {
        let (resource_id, details) = (Some(application_id), &self.details());
        let new = NewEntry { action: deed.action(), resource: "applications", resource_id, details };
        let written = db.record(async |tx| {
            let user = match self.actor.id {
                Some(id) => users::find(tx, id).await?,
                None => None,
            };
            let actor = Actor { name: user.and_then(|user| user.email), ..self.actor.clone() };
            audit::record(tx, &actor, &new).await
        });
        if let Err(error) = written.await {
            tracing::warn!(%error, action = deed.action(), "Could not write to the audit log.");
        }
    }

    fn details(&self) -> Differences {
        let mut details = Differences::default();
        if self.count > 1 {
            details.note("times", self.count);
        }
        details.texts("of", self.texts.iter().map(String::as_str));
        details
    }
}

impl fmt::Debug for Gathered {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Gathered").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_tells_how_often_and_names_a_few() {
        let mut entry = Entry { actor: Actor::default(), count: 1, texts: vec!["a".to_owned()] };
        entry.add("a".to_owned());
        entry.add("b\n".to_owned());
        assert_eq!(entry.details().as_str(), "times: 3; of: \"a\", \"b\\n\"");
        (0..1000).for_each(|number| entry.add(number.to_string()));
        assert_eq!((entry.count, entry.texts.len()), (1003, NAMED));
    }
}
