//! Permissions of a JWT: its claim `pem`, as Guardian writes and reads it.

use serde_json::{Map, Value};

/// Joining channels, and so connecting at all.
const JOIN_CHANNEL: i64 = 1;
/// Sending messages on channels.
const SEND_MESSAGE: i64 = 2;
/// Changing organizations and their applications, and publishing, through REST.
const API_ADMIN: i64 = 1;

/// The two sets of permissions as bit masks. -1 has every bit, including those of permissions yet to come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    default: i64,
    admin: i64,
}

impl Permissions {
    /// All of `default`: what every user's JWT carries.
    pub const USER: Self = Self { default: -1, admin: 0 };

    /// All of both sets: for users who administer an organization.
    pub const ADMIN: Self = Self { default: -1, admin: -1 };

    /// Permissions to join channels and send messages, and nothing else.
    pub const CHANNEL: Self = Self { default: JOIN_CHANNEL | SEND_MESSAGE, admin: 0 };

    /// Returns true if the JWT allows opening sockets and joining channels.
    pub fn may_join(self) -> bool {
        self.default & JOIN_CHANNEL != 0
    }

    /// Returns true if the JWT allows sending messages on channels (D6).
    pub fn may_send(self) -> bool {
        self.default & SEND_MESSAGE != 0
    }

    /// Returns true if the JWT allows changes and publishing through REST.
    pub fn may_administer(self) -> bool {
        self.admin & API_ADMIN != 0
    }

    /// Reads the claim. A missing claim, or one that is neither a mask nor a list of names, allows nothing; unknown
    /// names are ignored.
    pub(super) fn from_claim(pem: Option<&Value>) -> Self {
        let set = |name, permissions| pem.and_then(|pem| pem.get(name)).map_or(0, |set| mask(set, permissions));
        Self {
            default: set("default", &[("join_channel", JOIN_CHANNEL), ("send_message", SEND_MESSAGE)]),
            admin: set("admin", &[("api_admin", API_ADMIN)]),
        }
    }

    /// Writes the claim: a set without permissions is left out.
    pub(super) fn to_claim(self) -> Value {
        let sets = [("default", self.default), ("admin", self.admin)];
        let sets = sets.into_iter().filter(|(_, mask)| *mask != 0);
        Value::Object(sets.map(|(name, mask)| (name.to_owned(), mask.into())).collect::<Map<_, _>>())
    }
}

fn mask(set: &Value, permissions: &[(&str, i64)]) -> i64 {
    let named = |name: &Value| permissions.iter().find(|(known, _)| name == known).map_or(0, |(_, bit)| *bit);
    match set {
        Value::Number(mask) => mask.as_i64().unwrap_or(0),
        Value::Array(names) => names.iter().map(named).fold(0, |mask, bit| mask | bit),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Returns `(may_join, may_send, may_administer)` of a claim.
    fn of(pem: Value) -> (bool, bool, bool) {
        let permissions = Permissions::from_claim(Some(&pem));
        (permissions.may_join(), permissions.may_send(), permissions.may_administer())
    }

    #[test]
    fn masks_hold_a_bit_for_each_permission_and_minus_one_all() {
        assert_eq!(of(json!({"default": -1, "admin": -1})), (true, true, true));
        assert_eq!(of(json!({"default": 1})), (true, false, false));
        assert_eq!(of(json!({"default": 2})), (false, true, false));
        assert_eq!(of(json!({"default": 3, "admin": 2})), (true, true, false));
        assert_eq!(of(json!({"default": 0, "admin": 1})), (false, false, true));
    }

    #[test]
    fn lists_of_names_work_as_well() {
        assert_eq!(of(json!({"default": ["join_channel"], "admin": ["api_admin"]})), (true, false, true));
        assert_eq!(of(json!({"default": ["send_message", "fly", 1, null]})), (false, true, false));
        assert_eq!(of(json!({"default": ["api_admin"], "admin": ["join_channel"]})), (false, false, false));
    }

    #[test]
    fn anything_else_allows_nothing() {
        for pem in [json!(null), json!("-1"), json!(-1), json!([]), json!({"default": "-1", "admin": "-1"})] {
            assert_eq!(of(pem), (false, false, false));
        }
        assert_eq!(of(json!({"default": 1.0, "admin": {"api_admin": true}})), (false, false, false));
        assert_eq!(Permissions::from_claim(None), Permissions::default());
    }

    #[test]
    fn claims_are_written_as_the_original_writes_them() {
        assert_eq!(Permissions::ADMIN.to_claim(), json!({"default": -1, "admin": -1}));
        assert_eq!(Permissions::USER.to_claim(), json!({"default": -1}));
        assert_eq!(Permissions::CHANNEL.to_claim(), json!({"default": 3}));
    }
}
