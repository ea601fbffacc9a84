//! Topics of applications.

use std::{
    borrow::Borrow,
    hash::{Hash, Hasher},
    sync::Arc,
};

use pusher_lite_protocol::{Spelling, TopicName};

/// A topic of an application, known to be well-formed. Cheap to clone. Each protocol has a name of its own for it on the
/// wire.
#[derive(Debug, Clone)]
pub struct Topic {
    /// Key and name with a colon between them, see [`Topic::as_str`].
    text: Arc<str>,
    key_len: usize,
}

/// An application's key and a name that make no topic which can be joined or published to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("invalid topic")]
pub struct TopicError;

impl Topic {
    /// Makes the topic of that name in an application.
    ///
    /// # Errors
    ///
    /// [`TopicError`] when the name is empty or `*`, and when the key is empty or has a colon in it, since that could be
    /// the topic of another application.
    ///
    /// ```
    /// use pusher_lite::realtime::Topic;
    /// let topic = Topic::new("key", "a:b").unwrap();
    /// assert_eq!((topic.app_key(), topic.name()), ("key", "a:b"));
    /// ```
    pub fn new(app_key: &str, name: &str) -> Result<Topic, TopicError> {
        if app_key.is_empty() || app_key.contains(':') || name.is_empty() || name == "*" {
            return Err(TopicError);
        }
        Ok(Topic { text: [app_key, ":", name].concat().into(), key_len: app_key.len() })
    }

    /// Returns the key of the topic's application.
    pub fn app_key(&self) -> &str {
        &self.text[..self.key_len]
    }

    /// Returns the topic's name in the application.
    pub fn name(&self) -> &str {
        &self.text[self.key_len + 1..]
    }

    /// Returns key and name with a colon between them. Two topics never have the same, since no key has a colon.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the topic of a notice.
    pub(crate) fn spelled<'a>(&'a self, spelling: Spelling<'a>) -> TopicName<'a> {
        TopicName { app_key: self.app_key(), name: self.name(), spelling }
    }
}

// A topic is its text, so that tables by topic can be searched without making one.

impl PartialEq for Topic {
    fn eq(&self, other: &Topic) -> bool {
        self.text == other.text
    }
}

impl Eq for Topic {}

impl Hash for Topic {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.text.hash(hasher);
    }
}

impl Borrow<str> for Topic {
    fn borrow(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_topic_has_a_key_and_a_name() {
        for (app_key, name) in [("k", "t"), ("k", "a:b"), ("k", " "), ("k", ":"), ("é", "☃"), ("k", "lobby:k:t")] {
            let topic = Topic::new(app_key, name).unwrap();
            assert_eq!((topic.app_key(), topic.name()), (app_key, name));
            assert_eq!(topic.as_str(), format!("{app_key}:{name}"));
            assert!(HashSet::from([topic.clone()]).contains(topic.as_str()), "it is found without making another");
        }
        assert_ne!(Topic::new("k", "t"), Topic::new("k", "u"));
    }

    #[test]
    fn an_application_cannot_reach_into_another() {
        for (app_key, name) in [("victim:x", "t"), (":", "t"), ("", "t"), ("k", "*"), ("k", ""), ("", "")] {
            assert_eq!(Topic::new(app_key, name), Err(TopicError), "{app_key} {name}");
        }
    }
}
