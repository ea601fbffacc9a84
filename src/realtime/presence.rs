//! Who is in a topic: for each user one meta per joined socket.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use pusher_lite_protocol::presence::{self, Meta, PhxRef};
use smallvec::SmallVec;

/// The metas of each user, oldest first.
#[derive(Debug, Default)]
pub(super) struct Presence {
    users: HashMap<Arc<str>, SmallVec<[Meta; 1]>>,
}

impl Presence {
    /// Everyone: the payload of `presence_state`.
    pub(super) fn state(&self) -> String {
        presence::state(self.users.iter().map(|(user, metas)| (user.as_ref(), metas.as_slice())))
    }

    /// Adds a socket of the user's. Returns the payload of the `presence_diff`.
    pub(super) fn join(&mut self, user: &Arc<str>, meta: Meta) -> String {
        self.users.entry(Arc::clone(user)).or_default().push(meta);
        presence::joined(user, meta)
    }

    /// Takes a socket of the user's away. Returns the payload of the `presence_diff`, if it was there.
    pub(super) fn leave(&mut self, user: &Arc<str>, phx_ref: PhxRef) -> Option<String> {
        let Entry::Occupied(mut metas) = self.users.entry(Arc::clone(user)) else {
            return None;
        };
        let at = metas.get().iter().position(|meta| meta.phx_ref == phx_ref)?;
        let meta = metas.get_mut().remove(at);
        if metas.get().is_empty() {
            metas.remove();
        }
        Some(presence::left(user, meta))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta(number: u64) -> Meta {
        Meta { phx_ref: PhxRef(number), online_at: number }
    }

    #[test]
    fn a_user_is_there_until_the_last_socket_leaves() {
        let (mut presence, alice) = (Presence::default(), Arc::from("alice"));
        assert_eq!(presence.state(), "{}");
        assert_eq!(presence.join(&alice, meta(1)), presence::joined("alice", meta(1)));
        presence.join(&alice, meta(2));
        presence.join(&alice, meta(3));
        assert_eq!(presence.state(), presence::state([("alice", &[meta(1), meta(2), meta(3)][..])]));

        assert_eq!(presence.leave(&alice, PhxRef(2)), Some(presence::left("alice", meta(2))));
        assert_eq!(presence.leave(&alice, PhxRef(2)), None);
        assert_eq!(presence.state(), presence::state([("alice", &[meta(1), meta(3)][..])]));
        presence.leave(&alice, PhxRef(1));
        presence.leave(&alice, PhxRef(3));
        assert_eq!(presence.state(), "{}");
        assert_eq!(presence.leave(&alice, PhxRef(3)), None);
    }
}
