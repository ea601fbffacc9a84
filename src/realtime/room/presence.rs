//! Presence in a topic: for each user one meta per joined socket. It also holds the changes that the members have not
//! been told yet.
//!
//! Members are told of changes in one difference for all since the last. So there are two truths: the actual
//! presence, and the presence as members know it. A newcomer gets the second, like all others, and then the next diff
//! like all others.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use pusher_lite_protocol::{
    Dialect,
    presence::{Diff, Meta, MetaId},
};
use smallvec::SmallVec;

/// The metas of each user, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Presence {
    users: HashMap<Arc<str>, Metas>,
    /// Approximate length of [`Presence::known_state`].
    bytes: usize,
    /// Changes that members have not been told, in order. A meta that came and went is still named here, but no longer
    /// in `users`.
    untold: Vec<(Arc<str>, MetaId)>,
}

/// The metas of one user, oldest first.
type Metas = SmallVec<[Present; 1]>;

#[derive(Debug)]
struct Present {
    meta: Meta,
    known: Known,
}

/// A meta in a presence.
#[derive(Debug, Clone)]
pub(crate) struct PresenceKey {
    pub(crate) user: Arc<str>,
    pub(crate) id: MetaId,
}

/// A meta in JSON, without the name and the description of its user.
const META_BYTES: usize = 64;

/// Members' knowledge of a meta.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// They know that it is there, which is true.
    There,
    /// They do not know yet that it is there.
    NotYet,
    /// They do not know yet that it has left.
    Still,
}

impl Presence {
    /// Returns the presence as a dialect writes it.
    pub(crate) fn state(&self, dialect: Dialect) -> String {
        self.state_where(dialect, |known| known != Known::Still)
    }

    /// Returns the presence as members know it and a dialect writes it.
    pub(crate) fn known_state(&self, dialect: Dialect) -> String {
        self.state_where(dialect, |known| known != Known::NotYet)
    }

    /// Returns the number of users who are present, actually or as far as members know.
    pub(crate) fn users(&self) -> usize {
        self.users.len()
    }

    /// Returns the approximate length of the state: the cost of a join.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns true if there may be changes to tell the members.
    pub(crate) fn has_changed(&self) -> bool {
        !self.untold.is_empty()
    }

    /// Adds a socket of the user's. It may come back with its old id, as a socket of another node does that seemed to be
    /// gone. Then it is not told again if members never heard that it had left.
    pub(crate) fn join(&mut self, user: &Arc<str>, meta: Meta) {
        let metas = self.users.entry(Arc::clone(user)).or_default();
        self.bytes -= retain(user, metas, |present| present.meta.id != meta.id || present.known != Known::NotYet);
        if let Some(present) = metas.iter_mut().find(|present| present.meta.id == meta.id) {
            if present.meta == meta {
                present.known = Known::There;
                return;
            }
            // Another meta with the same id is told as a leave and a join.
            present.known = Known::Still;
        }
        self.bytes += written_len(user, &meta);
        self.untold.push((Arc::clone(user), meta.id));
        metas.push(Present { meta, known: Known::NotYet });
    }

    /// Removes a socket of the user's. Members are not told if they did not know of it.
    pub(crate) fn leave(&mut self, key: &PresenceKey) {
        let PresenceKey { user, id } = key;
        let Some(metas) = self.users.get_mut(user) else { return };
        let is_there = |present: &&mut Present| present.meta.id == *id && present.known != Known::Still;
        match metas.iter_mut().find(is_there) {
            Some(present) if present.known == Known::There => {
                present.known = Known::Still;
                self.untold.push((Arc::clone(user), *id));
            }
            Some(_) => self.remove(user, *id, Known::NotYet),
            None => {}
        }
    }

    /// Takes the changes that members have not been told; they count as told. `None` if there are none.
    ///
    /// A meta that left and a new one with the same id need two differences: clients apply the leaves of one after its
    /// joins, so that they would lose both.
    pub(crate) fn take_diff(&mut self) -> Option<Diff> {
        let (mut diff, mut later) = (Diff::default(), Vec::new());
        for (user, id) in std::mem::take(&mut self.untold) {
            match self.find_untold(&user, id) {
                None => {}
                Some((meta, Known::Still)) => {
                    self.remove(&user, id, Known::Still);
                    if self.find_untold(&user, id).is_some() {
                        later.push((Arc::clone(&user), id));
                    }
                    diff.leaves.entry(user).or_default().push(meta);
                }
                Some((meta, _)) => {
                    let change = (user, id);
                    if !later.contains(&change) {
                        self.now_known(&change.0, id);
                        diff.joins.entry(change.0).or_default().push(meta);
                    }
                }
            }
        }
        self.untold = later;
        let has_changed = !diff.joins.is_empty() || !diff.leaves.is_empty();
        has_changed.then_some(diff)
    }

    /// Returns the next change of this meta to tell members: first that an old one has left, then that a new one is
    /// there.
    fn find_untold(&self, user: &Arc<str>, id: MetaId) -> Option<(Meta, Known)> {
        let metas = self.users.get(user)?.iter().filter(|present| present.meta.id == id);
        let untold = metas.filter(|present| present.known != Known::There);
        untold.min_by_key(|present| present.known != Known::Still).map(|present| (present.meta.clone(), present.known))
    }

    fn now_known(&mut self, user: &Arc<str>, id: MetaId) {
        let mut metas = self.users.get_mut(user).into_iter().flatten();
        let new = metas.find(|present| present.meta.id == id && present.known == Known::NotYet);
        if let Some(present) = new {
            present.known = Known::There;
        }
    }

    fn state_where(&self, dialect: Dialect, counts: impl Fn(Known) -> bool) -> String {
        let users = self.users.iter().filter(|(_, metas)| metas.iter().any(|present| counts(present.known)));
        dialect.write_presence(users.map(|(user, metas)| {
            (&**user, metas.iter().filter(|present| counts(present.known)).map(|present| &present.meta))
        }))
    }

    fn remove(&mut self, user: &Arc<str>, id: MetaId, known: Known) {
        if let Entry::Occupied(mut metas) = self.users.entry(Arc::clone(user)) {
            self.bytes -= retain(user, metas.get_mut(), |present| present.meta.id != id || present.known != known);
            if metas.get().is_empty() {
                metas.remove();
            }
        }
    }
}

/// Keeps some of a user's metas, and returns the approximate length of the others in JSON.
fn retain(user: &str, metas: &mut Metas, mut keep: impl FnMut(&Present) -> bool) -> usize {
    let mut removed = 0;
    metas.retain(|present| {
        let keeps = keep(present);
        if !keeps {
            removed += written_len(user, &present.meta);
        }
        keeps
    });
    removed
}

/// Returns the approximate length of one meta of a user in JSON.
fn written_len(user: &str, meta: &Meta) -> usize {
    let name: usize = user.bytes().map(|byte| if byte < b' ' { 6 } else { 1 }).sum();
    name + META_BYTES + meta.info.as_ref().map_or(0, |info| info.as_str().len())
}

#[cfg(test)]
mod tests;
