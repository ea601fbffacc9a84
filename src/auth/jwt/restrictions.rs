//! Restrictions of JWTs that open sockets: to an application, a name, topics.

use serde_json::{Map, Value, json};

/// The restrictions, as `POST /api/sessions` calls them, in the order of `CLAIMS`.
pub const NAMES: [&str; 4] = ["app_key", "unique_identifier", "topics", "info"];

/// The claims of a JWT that hold them.
const CLAIMS: [&str; 4] =
    ["pusher_lite:app_key", "pusher_lite:unique_identifier", "pusher_lite:topics", "pusher_lite:info"];

/// Maximum number of topics, each a name or a pattern.
const MOST_TOPICS: usize = 100;

/// The restrictions of a JWT. What is `None` is not restricted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restrictions {
    /// The key of the only application that the JWT opens sockets of.
    pub app_key: Option<String>,
    /// The only name that its sockets may have.
    pub unique_identifier: Option<String>,
    /// The only topics that its sockets may join, with the rights on them.
    pub topics: Option<Vec<TopicGrant>>,
    /// The description of its user in presence, as JSON.
    pub info: Option<Box<str>>,
}

/// The rights on some topics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicGrant {
    /// A topic's name, in which `*` stands for any run of characters.
    pub pattern: String,
    /// The rights.
    pub rights: Rights,
}

/// Rights on a topic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// Joining it, and receiving its events.
    pub join: bool,
    /// Sending events.
    pub send: bool,
    /// Being seen in its presence.
    pub presence: bool,
}

/// Error: a restriction that is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {message}")]
pub struct NotUnderstood {
    /// The name of the restriction.
    pub field: &'static str,
    /// The expected value, for people.
    pub message: &'static str,
}

const NAME: &str = "must be a string that is not empty";
const TOPICS: &str = "must be a list of at most 100 topics, each a string, or an object with name and rights";
const RIGHTS: &str = "must give each topic rights out of join, send and presence";

impl Rights {
    /// All rights.
    pub const ALL: Self = Self { join: true, send: true, presence: true };

    fn parse(rights: &Value) -> Option<Self> {
        let names = rights.as_array()?;
        let has = |name: &str| names.iter().any(|other| other == name);
        let are_known = names.iter().all(|name| Self::ALL.names().iter().any(|known| name == known));
        are_known.then(|| Self { join: has("join"), send: has("send"), presence: has("presence") })
    }

    fn names(self) -> Vec<&'static str> {
        let all = [("join", self.join), ("send", self.send), ("presence", self.presence)];
        all.into_iter().filter_map(|(name, has)| has.then_some(name)).collect()
    }
}

impl TopicGrant {
    /// All rights on every topic.
    pub fn everything() -> Self {
        Self { pattern: "*".to_owned(), rights: Rights::ALL }
    }

    fn parse(topic: &Value) -> Result<Self, &'static str> {
        let (name, rights) = match topic {
            Value::String(name) => (name.as_str(), Rights::ALL),
            Value::Object(topic) if topic.len() == 2 => {
                let name = topic.get("name").and_then(Value::as_str).ok_or(TOPICS)?;
                (name, topic.get("rights").and_then(Rights::parse).ok_or(RIGHTS)?)
            }
            _ => return Err(TOPICS),
        };
        if name.is_empty() { Err(TOPICS) } else { Ok(Self { pattern: name.to_owned(), rights }) }
    }

    fn to_json(&self) -> Value {
        match self.rights {
            Rights::ALL => json!(self.pattern),
            rights => json!({ "name": self.pattern, "rights": rights.names() }),
        }
    }
}

impl Restrictions {
    /// Reads them from the values of [`NAMES`].
    ///
    /// # Errors
    ///
    /// [`NotUnderstood`], naming the first that is malformed.
    pub fn read(values: [Option<Value>; NAMES.len()]) -> Result<Self, NotUnderstood> {
        let [app_key, unique_identifier, list, info] = values;
        Ok(Self {
            app_key: app_key.map(|app_key| name("app_key", app_key)).transpose()?,
            unique_identifier: unique_identifier.map(|own| name("unique_identifier", own)).transpose()?,
            topics: list.map(|list| topics(&list)).transpose()?,
            info: info.map(|data| data.to_string().into()),
        })
    }

    /// Reads them from the claims of a JWT that was issued here; `None` if there are none.
    pub(super) fn of_claims(claims: &Map<String, Value>) -> Result<Option<Self>, NotUnderstood> {
        let read = Self::read(CLAIMS.map(|claim| claims.get(claim).cloned()))?;
        Ok((read != Self::default()).then_some(read))
    }

    /// Adds them to the claims of a new JWT.
    pub(super) fn write(&self, claims: &mut Map<String, Value>) {
        let topics = self.topics.as_ref().map(|topics| topics.iter().map(TopicGrant::to_json).collect());
        let info = self.info.as_deref().map(|info| serde_json::from_str(info).expect("it was written as JSON"));
        let [app_key, own] = [&self.app_key, &self.unique_identifier].map(|name| name.as_deref().map(Value::from));
        for (claim, value) in CLAIMS.into_iter().zip([app_key, own, topics, info]) {
            claims.extend(value.map(|value| (claim.to_owned(), value)));
        }
    }
}

fn name(field: &'static str, value: Value) -> Result<String, NotUnderstood> {
    match value {
        Value::String(name) if !name.is_empty() => Ok(name),
        _ => Err(NotUnderstood { field, message: NAME }),
    }
}

fn topics(list: &Value) -> Result<Vec<TopicGrant>, NotUnderstood> {
    let refused = |message| NotUnderstood { field: "topics", message };
    let list = list.as_array().filter(|list| list.len() <= MOST_TOPICS).ok_or(refused(TOPICS))?;
    list.iter().map(|topic| TopicGrant::parse(topic).map_err(refused)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: Value) -> Result<Restrictions, NotUnderstood> {
        Restrictions::read(NAMES.map(|name| values.get(name).cloned()))
    }

    #[test]
    fn what_is_written_is_read() {
        let restrictions = read(json!({
            "app_key": "key", "unique_identifier": "alice", "info": {"name": "Alice"},
            "topics": ["room-*", {"name": "news", "rights": ["join", "presence"]}, {"name": "x", "rights": []}],
        }))
        .unwrap();
        let mut claims = Map::new();
        restrictions.write(&mut claims);
        assert_eq!(claims["pusher_lite:topics"][1], json!({"name": "news", "rights": ["join", "presence"]}));
        assert_eq!(Restrictions::of_claims(&claims), Ok(Some(restrictions)));
        assert_eq!(Restrictions::of_claims(&Map::new()), Ok(None));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let many = vec!["t"; MOST_TOPICS + 1];
        for (values, field) in [
            (json!({"app_key": ""}), "app_key"),
            (json!({"app_key": null}), "app_key"),
            (json!({"app_key": 7}), "app_key"),
            (json!({"unique_identifier": ["alice"]}), "unique_identifier"),
            (json!({"topics": "room-*"}), "topics"),
            (json!({"topics": {"0": "room-*"}}), "topics"),
            (json!({"topics": [""]}), "topics"),
            (json!({"topics": [1]}), "topics"),
            (json!({"topics": [{"name": "news"}]}), "topics"),
            (json!({"topics": [{"name": "news", "rights": "join"}]}), "topics"),
            (json!({"topics": [{"name": "news", "rights": ["admin"]}]}), "topics"),
            (json!({"topics": [{"name": "news", "rights": ["join"], "right": ["send"]}]}), "topics"),
            (json!({"topics": many}), "topics"),
        ] {
            assert_eq!(read(values.clone()).unwrap_err().field, field, "{values}");
        }
        assert_eq!(read(json!({"topics": []})).unwrap().topics, Some(Vec::new()), "no topic at all");
    }
}
