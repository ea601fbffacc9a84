//! Restrictions of a socket: the topics that it may join, and its rights on them.

use std::sync::Arc;

use pusher_lite_protocol::presence::MetaInfo;

/// What a socket was let in for, beyond its application and name.
#[derive(Debug, Clone, Default)]
pub struct Restrictions {
    /// The only topics that it may join; `None` for all but [`Restrictions::named_topics`].
    pub topics: Option<Vec<TopicRights>>,
    /// Patterns of the topics that only a JWT opens that lists its topics.
    pub named_topics: Arc<[Box<str>]>,
    /// The description of its user in presence.
    pub info: Option<MetaInfo>,
}

/// The rights on the topics that a pattern names.
#[derive(Debug, Clone)]
pub struct TopicRights {
    /// A topic's name, in which `*` stands for any run of characters.
    pub pattern: Box<str>,
    /// The rights.
    pub rights: Rights,
}

/// Rights on a topic.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rights {
    /// Joining it, and receiving its events.
    pub join: bool,
    /// Sending events.
    pub send: bool,
    /// Being seen in its presence.
    pub presence: bool,
}

impl Rights {
    /// All rights.
    pub const ALL: Self = Self { join: true, send: true, presence: true };

    fn and(self, other: Self) -> Self {
        Self { join: self.join || other.join, send: self.send || other.send, presence: self.presence || other.presence }
    }
}

impl Restrictions {
    /// Returns the rights on the topic of this name: those of all patterns that fit it together.
    pub(crate) fn rights_on(&self, name: &str) -> Rights {
        let Some(topics) = &self.topics else {
            let must_be_named = self.named_topics.iter().any(|pattern| fits(pattern, name));
            return if must_be_named { Rights::default() } else { Rights::ALL };
        };
        let fitting = topics.iter().filter(|topic| fits(&topic.pattern, name));
        fitting.fold(Rights::default(), |rights, topic| rights.and(topic.rights))
    }
}

/// Returns true if the pattern fits the whole name, byte by byte. Takes time in the length of both, whatever the pattern: each
/// part between two `*` is searched for once, behind the one before.
fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let beginning = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(beginning) else { return false };
    let Some(end) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns_fit_whole_names() {
        for (pattern, names, others) in [
            ("news", &["news"][..], &["", "new", "newss", "News", "*"][..]),
            ("room-*", &["room-", "room-1", "room-*"], &["room", "aroom-1", "Room-1"]),
            ("*", &["", "a", "**", "a\nb"], &[]),
            ("a*b", &["ab", "aab", "abab", "a*b"], &["a", "b", "abc", "ba"]),
            ("ab*bc", &["abbc", "ab1bc"], &["abc", "ab"]),
            ("*a*a*", &["aa", "xaxax"], &["a", ""]),
            ("*é", &["é", "xé"], &["e\u{301}", "é "]),
            ("", &[""], &["a"]),
        ] {
            assert!(names.iter().all(|name| fits(pattern, name)), "{pattern}");
            assert!(!others.iter().any(|name| fits(pattern, name)), "{pattern}");
        }
    }

    /// The definition: `*` is nothing, or one character and `*`.
    fn fits_by_definition(pattern: &[char], name: &[char]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some(('*', rest)) => {
                fits_by_definition(rest, name) || !name.is_empty() && fits_by_definition(pattern, &name[1..])
            }
            Some((first, rest)) => name.first() == Some(first) && fits_by_definition(rest, &name[1..]),
        }
    }

    proptest! {
        #[test]
        fn a_star_is_any_run_of_characters(pattern in "[ab*é]{0,8}", name in "[abé]{0,8}") {
            let characters = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(fits(&pattern, &name), fits_by_definition(&characters(&pattern), &characters(&name)));
        }
    }

    #[test]
    fn rights_of_patterns_that_fit_add_up() {
        let (join, send) = (Rights { join: true, ..Rights::default() }, Rights { send: true, ..Rights::default() });
        let topics =
            [("both*", join), ("*both", send)].map(|(pattern, rights)| TopicRights { pattern: pattern.into(), rights });
        let restrictions = Restrictions { topics: Some(topics.into()), ..Restrictions::default() };
        assert_eq!(restrictions.rights_on("both"), Rights { presence: false, ..Rights::ALL });
        assert_eq!(restrictions.rights_on("both1"), join);
        assert_eq!(restrictions.rights_on("other"), Rights::default());
        assert_eq!(Restrictions::default().rights_on("other"), Rights::ALL);
    }

    #[test]
    fn topics_that_must_be_named_are_closed_to_who_names_none() {
        let named_topics: Arc<[Box<str>]> = ["private-*", "exact"].map(Box::from).into();
        let unnamed = Restrictions { named_topics, ..Restrictions::default() };
        for name in ["private-", "private-1", "exact"] {
            assert_eq!(unnamed.rights_on(name), Rights::default(), "{name}");
        }
        for name in ["private", "Private-1", "exactly"] {
            assert_eq!(unnamed.rights_on(name), Rights::ALL, "{name}");
        }
        let topics = vec![TopicRights { pattern: "*".into(), rights: Rights::ALL }];
        let named = Restrictions { topics: Some(topics), ..unnamed };
        assert_eq!(named.rights_on("private-1"), Rights::ALL);
    }
}
