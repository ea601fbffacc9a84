use proptest::prelude::*;
use pusher_lite_protocol::{
    Vsn,
    phoenix::presence::{diff, state},
    presence::{Changes, MetaInfo},
};
use serde_json::Value;

use super::*;
use crate::realtime::tests::View;

fn meta(number: u64) -> Meta {
    Meta { id: MetaId(number), online_at: number, info: None }
}

fn changes(users: &[(&str, &[u64])]) -> Changes {
    users.iter().map(|(user, metas)| (Arc::from(*user), metas.iter().copied().map(meta).collect())).collect()
}

fn written(users: &[(&str, &[u64])]) -> String {
    written_metas(&changes(users))
}

fn written_metas(changes: &Changes) -> String {
    state(changes.iter().map(|(user, metas)| (&**user, metas.iter())))
}

fn told(joins: &[(&str, &[u64])], leaves: &[(&str, &[u64])]) -> Option<Diff> {
    Some(Diff { joins: changes(joins), leaves: changes(leaves) })
}

impl Presence {
    fn written(&self) -> String {
        self.state(Dialect::Phoenix(Vsn::V2))
    }

    fn written_known(&self) -> String {
        self.known_state(Dialect::Phoenix(Vsn::V2))
    }

    fn leave_as(&mut self, user: &Arc<str>, id: u64) {
        self.leave(&PresenceKey { user: Arc::clone(user), id: MetaId(id) });
    }
}

#[test]
fn a_user_is_there_until_the_last_socket_leaves() {
    let (mut presence, alice) = (Presence::default(), Arc::from("alice"));
    assert_eq!(presence.written(), "{}");
    presence.join(&alice, meta(1));
    assert_eq!(presence.take_diff(), told(&[("alice", &[1])], &[]));
    presence.join(&alice, meta(2));
    presence.join(&alice, meta(3));
    assert_eq!(presence.take_diff(), told(&[("alice", &[2, 3])], &[]));
    assert_eq!(presence.written(), written(&[("alice", &[1, 2, 3])]));

    presence.leave_as(&alice, 2);
    presence.leave_as(&alice, 2);
    assert_eq!(presence.take_diff(), told(&[], &[("alice", &[2])]));
    assert_eq!(presence.take_diff(), None);
    presence.leave_as(&alice, 1);
    presence.leave_as(&alice, 3);
    assert_eq!(presence.written(), "{}");
    assert_eq!(presence.take_diff(), told(&[], &[("alice", &[1, 3])]));
    presence.leave_as(&alice, 3);
    assert!(!presence.has_changed() && presence.users.is_empty() && presence.bytes() == 0);
}

#[test]
fn what_members_do_not_know_is_not_in_what_they_know() {
    let (mut presence, alice, bob) = (Presence::default(), Arc::from("alice"), Arc::from("bob"));
    presence.join(&alice, meta(1));
    presence.take_diff();
    presence.leave_as(&alice, 1);
    presence.join(&alice, meta(2));
    presence.join(&bob, meta(3));
    assert_eq!(presence.written_known(), written(&[("alice", &[1])]));
    presence.leave_as(&bob, 3);
    assert_eq!(presence.written(), written(&[("alice", &[2])]));
    assert_eq!(presence.take_diff(), told(&[("alice", &[2])], &[("alice", &[1])]));
    assert_eq!(presence.written_known(), presence.written());
}

#[test]
fn who_comes_and_goes_untold_leaves_no_trace() {
    let (mut presence, alice) = (Presence::default(), Arc::from("alice"));
    presence.join(&alice, meta(1));
    presence.leave_as(&alice, 1);
    assert_eq!(presence.take_diff(), None);
    assert!(!presence.has_changed() && presence.users.is_empty() && presence.bytes() == 0);
}

#[test]
fn who_comes_back_before_the_leave_was_told_never_left() {
    let (mut presence, alice) = (Presence::default(), Arc::from("alice"));
    presence.join(&alice, meta(1));
    presence.take_diff();
    presence.leave_as(&alice, 1);
    presence.join(&alice, meta(1));
    assert_eq!(presence.take_diff(), None);
    assert_eq!(presence.written(), written(&[("alice", &[1])]));
    assert_eq!(presence.written_known(), presence.written());
    presence.leave_as(&alice, 1);
    assert_eq!(presence.take_diff(), told(&[], &[("alice", &[1])]));
    assert!(!presence.has_changed() && presence.users.is_empty() && presence.bytes() == 0);
}

#[test]
fn another_meta_by_the_same_ref_is_told_in_a_diff_of_its_own() {
    let (mut presence, alice) = (Presence::default(), Arc::from("alice"));
    let again = |online_at| Meta { online_at, ..meta(1) };
    let of_alice = |meta: Meta| Changes::from([(Arc::clone(&alice), [meta].into_iter().collect())]);
    presence.join(&alice, meta(1));
    presence.take_diff();
    presence.leave_as(&alice, 1);
    presence.join(&alice, again(7));
    assert_eq!(presence.written(), written_metas(&of_alice(again(7))));
    assert_eq!(presence.written_known(), written_metas(&of_alice(meta(1))));
    assert_eq!(presence.take_diff(), told(&[], &[("alice", &[1])]));
    assert_eq!(presence.take_diff(), Some(Diff { joins: of_alice(again(7)), leaves: Changes::new() }));
    assert_eq!(presence.take_diff(), None);
    assert_eq!(presence.written_known(), written_metas(&of_alice(again(7))));
}

#[test]
fn a_description_is_told_and_weighs_as_much_as_it_is_long() {
    let (mut presence, alice) = (Presence::default(), Arc::from("alice"));
    let info = MetaInfo::check(serde_json::from_str(r#"{"name":"Alice"}"#).unwrap()).unwrap();
    let described = Meta { info: Some(info.clone()), ..meta(2) };
    presence.join(&alice, meta(1));
    let without = presence.bytes();
    presence.join(&alice, described.clone());
    assert_eq!(presence.bytes(), 2 * without + info.as_str().len());
    let joins = Changes::from([(Arc::clone(&alice), [meta(1), described.clone()].into_iter().collect())]);
    assert!(presence.written().contains(r#","info":{"name":"Alice"}}"#), "{}", presence.written());
    assert_eq!(presence.take_diff(), Some(Diff { joins, leaves: Changes::new() }));

    presence.leave_as(&alice, 2);
    assert_eq!(presence.written(), written(&[("alice", &[1])]));
    let leaves = Changes::from([(Arc::clone(&alice), [described.clone()].into_iter().collect())]);
    assert_eq!(presence.take_diff(), Some(Diff { joins: Changes::new(), leaves }));
    assert_eq!(presence.bytes(), without);

    // The same id with another description is another meta.
    presence.join(&alice, Meta { info: described.info, ..meta(1) });
    assert_eq!(presence.take_diff(), told(&[], &[("alice", &[1])]));
}

#[derive(Debug, Clone)]
enum Step {
    Join {
        user: u8,
    },
    Leave {
        which: prop::sample::Index,
    },
    /// A socket that has left comes back with its id, with another meta or the same.
    Return {
        which: prop::sample::Index,
        anew: bool,
    },
    Tell,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..6u8).prop_map(|user| Step::Join { user }),
        3 => any::<prop::sample::Index>().prop_map(|which| Step::Leave { which }),
        2 => (any::<prop::sample::Index>(), any::<bool>()).prop_map(|(which, anew)| Step::Return { which, anew }),
        2 => Just(Step::Tell),
    ]
}

/// A server, its members with what they see, and the actual presence.
#[derive(Default)]
struct Model {
    presence: Presence,
    members: Vec<(Arc<str>, Meta, View)>,
    left: Vec<(Arc<str>, Meta)>,
    joined: u64,
    /// True once a socket has come back. The order of a user's metas is open then.
    is_unordered: bool,
}

impl Model {
    fn take(&mut self, step: Step) {
        match step {
            Step::Join { user } => {
                self.joined += 1;
                self.join(Arc::from(user.to_string()), meta(self.joined));
            }
            Step::Leave { which } if !self.members.is_empty() => {
                let (user, meta, _) = self.members.remove(which.index(self.members.len()));
                self.presence.leave(&PresenceKey { user: Arc::clone(&user), id: meta.id });
                self.left.push((user, meta));
            }
            Step::Return { which, anew } if !self.left.is_empty() => {
                let (user, meta) = self.left.remove(which.index(self.left.len()));
                let online_at = meta.online_at + 1000 * u64::from(anew);
                self.is_unordered = true;
                self.join(user, Meta { online_at, ..meta });
            }
            Step::Leave { .. } | Step::Return { .. } => {}
            Step::Tell => self.tell(),
        }
        let mut truth = Changes::new();
        for (user, meta, _) in &self.members {
            truth.entry(Arc::clone(user)).or_default().push(meta.clone());
        }
        assert!(self.is_seen(&View::of(&written_metas(&truth))));
        let users = &self.presence.users;
        let bytes: usize = users
            .iter()
            .map(|(user, metas)| metas.iter().map(|present| written_len(user, &present.meta)).sum::<usize>())
            .sum();
        assert_eq!(self.presence.bytes(), bytes);
    }

    /// Returns true if a client with this view sees the actual presence.
    fn is_seen(&self, view: &View) -> bool {
        let truth = View::of(&self.presence.written());
        if self.is_unordered { view.clone().sorted() == truth.sorted() } else { *view == truth }
    }

    fn all_see_who_is_there(&self) -> bool {
        self.members.iter().all(|(_, _, view)| self.is_seen(view))
    }

    fn join(&mut self, user: Arc<str>, meta: Meta) {
        let mut view = View::new();
        view.receive("presence_state", &serde_json::from_str(&self.presence.written_known()).unwrap());
        self.presence.join(&user, meta.clone());
        self.members.push((user, meta, view));
    }

    /// Tells the members, as a room does.
    fn tell(&mut self) {
        while let Some(changes) = self.presence.take_diff() {
            let diff: Value = serde_json::from_str(&diff(&changes)).unwrap();
            for (_, _, view) in &mut self.members {
                view.receive("presence_diff", &diff);
            }
        }
        assert!(!self.presence.has_changed());
    }
}

proptest! {
    #[test]
    fn after_every_diff_each_member_sees_who_is_there(steps in prop::collection::vec(step(), 1..80)) {
        let mut model = Model::default();
        for step in steps {
            model.take(step);
            prop_assert!(model.presence.has_changed() || model.all_see_who_is_there());
        }
        model.tell();
        prop_assert!(model.all_see_who_is_there());
    }
}
