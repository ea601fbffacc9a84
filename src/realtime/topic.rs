//! Topics: `lobby:<app_key>:<topic>`.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

const LOBBY: &str = "lobby:";

/// A topic of an application, known to be well-formed. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Topic(Arc<str>);

/// Why a string is no topic that can be joined or published to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    /// It does not begin with `lobby:`.
    #[error("unmatched topic")]
    Unmatched,
    /// It names no application, or no topic in it.
    #[error("invalid topic")]
    Invalid,
}

impl Topic {
    /// Reads a topic as it stands on the wire. The topic's own name is all after the second colon, more colons included.
    ///
    /// # Errors
    ///
    /// [`TopicError::Unmatched`] without `lobby:` before it; [`TopicError::Invalid`] when the application or the name is
    /// missing or empty, or the name is `*`.
    ///
    /// ```
    /// use pusher_lite::realtime::Topic;
    /// let topic = Topic::parse("lobby:key:a:b").unwrap();
    /// assert_eq!((topic.app_key(), topic.name()), ("key", "a:b"));
    /// ```
    pub fn parse(text: &str) -> Result<Topic, TopicError> {
        let rest = text.strip_prefix(LOBBY).ok_or(TopicError::Unmatched)?;
        match rest.split_once(':') {
            Some((app_key, name)) if !app_key.is_empty() && is_name(name) => Ok(Topic(text.into())),
            _ => Err(TopicError::Invalid),
        }
    }

    /// The topic of that name in an application.
    ///
    /// # Errors
    ///
    /// [`TopicError::Invalid`] when the name is empty or `*`, and when the key is empty or has a colon in it, since that
    /// would be the topic of another application.
    pub fn new(app_key: &str, name: &str) -> Result<Topic, TopicError> {
        if app_key.is_empty() || app_key.contains(':') || !is_name(name) {
            return Err(TopicError::Invalid);
        }
        Ok(Topic(format!("{LOBBY}{app_key}:{name}").into()))
    }

    /// The topic as it stands on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The application that it belongs to.
    pub fn app_key(&self) -> &str {
        self.parts().0
    }

    /// Its name in the application.
    pub fn name(&self) -> &str {
        self.parts().1
    }

    fn parts(&self) -> (&str, &str) {
        self.0[LOBBY.len()..].split_once(':').expect("a topic has two colons")
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name != "*"
}

impl Borrow<str> for Topic {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_all_after_the_second_colon() {
        for (text, app_key, name) in
            [("lobby:k:t", "k", "t"), ("lobby:k:a:b", "k", "a:b"), ("lobby:k: ", "k", " "), ("lobby:k::", "k", ":")]
        {
            let topic = Topic::parse(text).unwrap();
            assert_eq!((topic.app_key(), topic.name(), topic.as_str()), (app_key, name, text));
            assert_eq!(Topic::new(app_key, name), Ok(topic));
        }
    }

    #[test]
    fn refuses_as_recorded() {
        for text in ["", "lobby", "room:1", "Lobby:a:b", "phoenix", " lobby:a:b"] {
            assert_eq!(Topic::parse(text), Err(TopicError::Unmatched), "{text}");
        }
        for text in ["lobby:", "lobby:x", "lobby::", "lobby:a:", "lobby::b", "lobby::a:b", "lobby:a:*"] {
            assert_eq!(Topic::parse(text), Err(TopicError::Invalid), "{text}");
        }
    }

    #[test]
    fn an_application_cannot_reach_into_another() {
        assert_eq!(Topic::new("victim:x", "t"), Err(TopicError::Invalid));
        assert_eq!(Topic::new("", "t"), Err(TopicError::Invalid));
        assert_eq!(Topic::new("k", "*"), Err(TopicError::Invalid));
        assert_eq!(Topic::new("k", ""), Err(TopicError::Invalid));
    }
}
