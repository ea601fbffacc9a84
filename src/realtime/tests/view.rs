//! A client's view of presence messages: phoenix.js's `Presence`, as in 1.8.

use std::collections::BTreeMap;

use serde_json::Value;

/// Presence as a client sees it: each user's metas.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::realtime) struct View {
    users: BTreeMap<String, Vec<Value>>,
    /// Diffs that came before the state.
    pending: Option<Vec<Value>>,
}

impl View {
    /// Makes the view of a client that has joined, and has no presence yet.
    pub(in crate::realtime) fn new() -> View {
        View { users: BTreeMap::new(), pending: Some(Vec::new()) }
    }

    /// Makes the view of REST's `presence_list`.
    pub(in crate::realtime) fn of(state: &str) -> View {
        View { users: users(&serde_json::from_str(state).unwrap()), pending: None }
    }

    /// Sorts each user's metas by `phx_ref`.
    pub(in crate::realtime) fn sorted(mut self) -> View {
        self.users.values_mut().for_each(|metas| metas.sort_by_key(phx_ref));
        self
    }

    pub(in crate::realtime) fn len(&self) -> usize {
        self.users.len()
    }

    /// Returns the users, in alphabetical order.
    pub(in crate::realtime) fn users(&self) -> impl Iterator<Item = &str> {
        self.users.keys().map(String::as_str)
    }

    /// Applies a message.
    pub(in crate::realtime) fn receive(&mut self, event: &str, payload: &Value) {
        match event {
            "presence_state" => {
                let pending = self.pending.take();
                self.sync_state(payload);
                pending.unwrap_or_default().iter().for_each(|diff| self.sync_diff(diff));
            }
            "presence_diff" => match &mut self.pending {
                Some(pending) => pending.push(payload.clone()),
                None => self.sync_diff(payload),
            },
            _ => {}
        }
    }

    /// Applies a state, as a diff to the view before it.
    fn sync_state(&mut self, state: &Value) {
        let new = users(state);
        let without = |of: &BTreeMap<String, Vec<Value>>, other: &BTreeMap<String, Vec<Value>>| {
            let mut of = of.clone();
            for (user, metas) in &mut of {
                let known = refs(other.get(user).map_or(&[], Vec::as_slice));
                metas.retain(|meta| !known.contains(&phx_ref(meta)));
            }
            of.retain(|_, metas| !metas.is_empty());
            of
        };
        let (joins, leaves) = (without(&new, &self.users), without(&self.users, &new));
        self.sync(joins, leaves);
    }

    fn sync_diff(&mut self, diff: &Value) {
        self.sync(users(&diff["joins"]), users(&diff["leaves"]));
    }

    /// Applies joins first. A user's earlier metas come before the new ones. Leaves are found by `phx_ref`.
    fn sync(&mut self, joins: BTreeMap<String, Vec<Value>>, leaves: BTreeMap<String, Vec<Value>>) {
        for (user, metas) in joins {
            let mut before = self.users.remove(&user).unwrap_or_default();
            let joined = refs(&metas);
            assert!(before.iter().all(|meta| !joined.contains(&phx_ref(meta))), "told twice that {user} joined");
            before.extend(metas);
            self.users.insert(user, before);
        }
        for (user, metas) in leaves {
            let left = refs(&metas);
            let current = self.users.get_mut(&user).expect("who leaves was there");
            let before = current.len();
            current.retain(|meta| !left.contains(&phx_ref(meta)));
            assert_eq!(current.len() + left.len(), before, "what leaves was there");
            if current.is_empty() {
                self.users.remove(&user);
            }
        }
    }
}

fn users(payload: &Value) -> BTreeMap<String, Vec<Value>> {
    let users = payload.as_object().unwrap();
    users.iter().map(|(user, presence)| (user.clone(), presence["metas"].as_array().unwrap().clone())).collect()
}

fn phx_ref(meta: &Value) -> String {
    meta["phx_ref"].as_str().unwrap().to_owned()
}

fn refs(metas: &[Value]) -> Vec<String> {
    metas.iter().map(phx_ref).collect()
}

/// The cases of phoenix.js's own test suite, so that this is the client that it claims to be.
mod as_phoenix_js_tests_it {
    use serde_json::json;

    use super::*;

    fn presence(refs: &[&str]) -> Value {
        json!({"metas": refs.iter().map(|phx_ref| json!({"phx_ref": phx_ref})).collect::<Vec<_>>()})
    }

    fn state() -> Value {
        json!({"u1": presence(&["1"]), "u2": presence(&["2"]), "u3": presence(&["3"])})
    }

    fn diff(joins: Value, leaves: Value) -> Value {
        json!({"joins": joins, "leaves": leaves})
    }

    fn synced(messages: &[(&str, Value)]) -> View {
        let mut view = View::new();
        messages.iter().for_each(|(event, payload)| view.receive(event, payload));
        view
    }

    #[test]
    fn a_state_takes_the_place_of_what_was() {
        assert_eq!(synced(&[("presence_state", state())]), View::of(&state().to_string()));
        let before = json!({"u3": presence(&["3", "3.old"]), "u4": presence(&["4"])});
        let now = json!({"u1": presence(&["1"]), "u3": presence(&["3", "3.new"])});
        let view = synced(&[("presence_state", before), ("presence_state", now.clone())]);
        assert_eq!(view, View::of(&now.to_string()));
    }

    #[test]
    fn a_diff_adds_metas_and_removes_users_without_any() {
        let change = diff(json!({"u1": presence(&["1.2"])}), json!({"u2": presence(&["2"])}));
        let expected = json!({"u1": presence(&["1", "1.2"]), "u3": presence(&["3"])});
        assert_eq!(synced(&[("presence_state", state()), ("presence_diff", change)]), View::of(&expected.to_string()));
    }

    #[test]
    fn a_diff_leaves_the_users_other_metas() {
        let change = diff(json!({}), json!({"u1": presence(&["1"])}));
        let view = synced(&[("presence_state", json!({"u1": presence(&["1", "1.2"])})), ("presence_diff", change)]);
        assert_eq!(view, View::of(&json!({"u1": presence(&["1.2"])}).to_string()));
    }

    #[test]
    fn a_diff_before_the_state_is_kept_for_after_it() {
        let change = diff(json!({}), json!({"u2": presence(&["2"])}));
        let mut view = synced(&[("presence_diff", change)]);
        assert_eq!(view.len(), 0);
        view.receive("presence_state", &json!({"u1": presence(&["1"]), "u2": presence(&["2"])}));
        assert_eq!(view, View::of(&json!({"u1": presence(&["1"])}).to_string()));
    }
}
