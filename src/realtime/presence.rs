//! Who is in a topic: for each user one meta per joined socket. And what of it the members have not been told yet.
//!
//! Members are told of changes in one `presence_diff` for all since the last, so there are two truths: who is there, and
//! who is there as far as members know. A newcomer gets the second, as everyone has it, and the next diff like everyone.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use indexmap::IndexMap;
use pusher_lite_protocol::presence::{self, Meta, PhxRef};
use smallvec::SmallVec;

/// The metas of each user, oldest first.
#[derive(Debug, Default)]
pub(super) struct Presence {
    users: HashMap<Arc<str>, SmallVec<[Present; 1]>>,
    /// In order. One that came and went is still named here, and no longer in `users`.
    untold: Vec<(Arc<str>, PhxRef)>,
}

#[derive(Debug)]
struct Present {
    meta: Meta,
    known: Known,
}

/// What members know of a meta.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// That it is there, which is true.
    There,
    /// Not yet that it is there.
    NotYet,
    /// Not yet that it is there no more.
    Still,
}

/// The metas of some users, in the order in which the users came.
type Changes = IndexMap<Arc<str>, SmallVec<[Meta; 1]>>;

impl Presence {
    /// Who is there: the payload of REST's `presence_list`.
    pub(super) fn state(&self) -> String {
        self.state_where(|known| known != Known::Still)
    }

    /// Who is there as far as members know: the payload of `presence_state`.
    pub(super) fn known_state(&self) -> String {
        self.state_where(|known| known != Known::NotYet)
    }

    /// How many users are there, or are so as far as members know.
    pub(super) fn users(&self) -> usize {
        self.users.len()
    }

    /// Whether members may have to be told something.
    pub(super) fn has_changed(&self) -> bool {
        !self.untold.is_empty()
    }

    /// Adds a socket of the user's.
    pub(super) fn join(&mut self, user: &Arc<str>, meta: Meta) {
        self.users.entry(Arc::clone(user)).or_default().push(Present { meta, known: Known::NotYet });
        self.untold.push((Arc::clone(user), meta.phx_ref));
    }

    /// Takes a socket of the user's away. Nobody is told if nobody knew of it.
    pub(super) fn leave(&mut self, user: &Arc<str>, phx_ref: PhxRef) {
        let present = self.users.get_mut(user).and_then(|metas| metas.iter_mut().find(|of| of.meta.phx_ref == phx_ref));
        match present {
            Some(present) if present.known == Known::There => {
                present.known = Known::Still;
                self.untold.push((Arc::clone(user), phx_ref));
            }
            Some(Present { known: Known::NotYet, .. }) => {
                self.remove(user, phx_ref);
            }
            _ => {}
        }
    }

    /// The payload of a `presence_diff` with all that members have not been told, which they are herewith. None if it
    /// comes to nothing.
    pub(super) fn take_diff(&mut self) -> Option<String> {
        let (mut joins, mut leaves) = (Changes::new(), Changes::new());
        for (user, phx_ref) in std::mem::take(&mut self.untold) {
            let metas = self.users.get_mut(&user);
            let Some(present) = metas.and_then(|metas| metas.iter_mut().find(|of| of.meta.phx_ref == phx_ref)) else {
                continue;
            };
            let meta = present.meta;
            if present.known == Known::NotYet {
                present.known = Known::There;
                joins.entry(user).or_default().push(meta);
            } else {
                self.remove(&user, phx_ref);
                leaves.entry(user).or_default().push(meta);
            }
        }
        let changed = !joins.is_empty() || !leaves.is_empty();
        changed.then(|| presence::diff(users(&joins), users(&leaves)))
    }

    fn state_where(&self, counts: impl Fn(Known) -> bool) -> String {
        let users = self.users.iter().filter(|(_, metas)| metas.iter().any(|present| counts(present.known)));
        presence::state(users.map(|(user, metas)| {
            (&**user, metas.iter().filter(|present| counts(present.known)).map(|present| present.meta))
        }))
    }

    fn remove(&mut self, user: &Arc<str>, phx_ref: PhxRef) {
        if let Entry::Occupied(mut metas) = self.users.entry(Arc::clone(user)) {
            metas.get_mut().retain(|present| present.meta.phx_ref != phx_ref);
            if metas.get().is_empty() {
                metas.remove();
            }
        }
    }
}

fn users(changes: &Changes) -> impl Iterator<Item = (&str, impl Iterator<Item = Meta>)> {
    changes.iter().map(|(user, metas)| (&**user, metas.iter().copied()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::realtime::tests::View;

    fn meta(number: u64) -> Meta {
        Meta { phx_ref: PhxRef(number), online_at: number }
    }

    fn written(users: &[(&str, &[u64])]) -> String {
        presence::state(users.iter().map(|(user, metas)| (*user, metas.iter().copied().map(meta))))
    }

    fn diff(joins: &[(&str, &[u64])], leaves: &[(&str, &[u64])]) -> Option<String> {
        Some(format!(r#"{{"joins":{},"leaves":{}}}"#, written(joins), written(leaves)))
    }

    #[test]
    fn a_user_is_there_until_the_last_socket_leaves() {
        let (mut presence, alice) = (Presence::default(), Arc::from("alice"));
        assert_eq!(presence.state(), "{}");
        presence.join(&alice, meta(1));
        assert_eq!(presence.take_diff(), diff(&[("alice", &[1])], &[]));
        presence.join(&alice, meta(2));
        presence.join(&alice, meta(3));
        assert_eq!(presence.take_diff(), diff(&[("alice", &[2, 3])], &[]));
        assert_eq!(presence.state(), written(&[("alice", &[1, 2, 3])]));

        presence.leave(&alice, PhxRef(2));
        presence.leave(&alice, PhxRef(2));
        assert_eq!(presence.take_diff(), diff(&[], &[("alice", &[2])]));
        assert_eq!(presence.take_diff(), None);
        presence.leave(&alice, PhxRef(1));
        presence.leave(&alice, PhxRef(3));
        assert_eq!(presence.state(), "{}");
        assert_eq!(presence.take_diff(), diff(&[], &[("alice", &[1, 3])]));
        presence.leave(&alice, PhxRef(3));
        assert!(!presence.has_changed() && presence.users.is_empty());
    }

    #[test]
    fn what_members_do_not_know_is_not_in_what_they_know() {
        let (mut presence, alice, bob) = (Presence::default(), Arc::from("alice"), Arc::from("bob"));
        presence.join(&alice, meta(1));
        presence.take_diff();
        presence.leave(&alice, PhxRef(1));
        presence.join(&alice, meta(2));
        presence.join(&bob, meta(3));
        assert_eq!(presence.known_state(), written(&[("alice", &[1])]));
        presence.leave(&bob, PhxRef(3));
        assert_eq!(presence.state(), written(&[("alice", &[2])]));
        assert_eq!(presence.take_diff(), diff(&[("alice", &[2])], &[("alice", &[1])]));
        assert_eq!(presence.known_state(), presence.state());
    }

    #[test]
    fn who_comes_and_goes_untold_leaves_no_trace() {
        let (mut presence, alice) = (Presence::default(), Arc::from("alice"));
        presence.join(&alice, meta(1));
        presence.leave(&alice, PhxRef(1));
        assert_eq!(presence.take_diff(), None);
        assert!(!presence.has_changed() && presence.users.is_empty());
    }

    #[derive(Debug, Clone)]
    enum Step {
        Join { user: u8 },
        Leave { which: prop::sample::Index },
        Tell,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..6u8).prop_map(|user| Step::Join { user }),
            3 => any::<prop::sample::Index>().prop_map(|which| Step::Leave { which }),
            2 => Just(Step::Tell),
        ]
    }

    /// A server, its members with what they see, and who is there in truth.
    #[derive(Default)]
    struct Model {
        presence: Presence,
        members: Vec<(Arc<str>, PhxRef, View)>,
        joined: u64,
    }

    impl Model {
        fn take(&mut self, step: Step) {
            match step {
                Step::Join { user } => {
                    let user = Arc::from(user.to_string());
                    let mut view = View::new();
                    view.receive("presence_state", &serde_json::from_str(&self.presence.known_state()).unwrap());
                    self.joined += 1;
                    self.presence.join(&user, meta(self.joined));
                    self.members.push((user, PhxRef(self.joined), view));
                }
                Step::Leave { which } if !self.members.is_empty() => {
                    let (user, phx_ref, _) = self.members.remove(which.index(self.members.len()));
                    self.presence.leave(&user, phx_ref);
                }
                Step::Leave { .. } => {}
                Step::Tell => self.tell(),
            }
            let mut truth = Changes::new();
            for (user, phx_ref, _) in &self.members {
                truth.entry(Arc::clone(user)).or_default().push(meta(phx_ref.0));
            }
            assert_eq!(View::of(&self.presence.state()), View::of(&presence::state(users(&truth))));
        }

        fn tell(&mut self) {
            let Some(diff) = self.presence.take_diff() else { return };
            let diff: Value = serde_json::from_str(&diff).unwrap();
            for (_, _, view) in &mut self.members {
                view.receive("presence_diff", &diff);
            }
        }
    }

    proptest! {
        #[test]
        fn after_every_diff_each_member_sees_who_is_there(steps in prop::collection::vec(step(), 1..80)) {
            let mut model = Model::default();
            for step in steps {
                model.take(step);
                if !model.presence.has_changed() {
                    let truth = View::of(&model.presence.state());
                    prop_assert!(model.members.iter().all(|(_, _, view)| *view == truth));
                }
            }
            model.tell();
            let truth = View::of(&model.presence.state());
            prop_assert!(model.members.iter().all(|(_, _, view)| *view == truth));
        }
    }
}
