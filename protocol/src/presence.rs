//! The users in a topic, and for each of them one meta per joined socket.

use std::sync::Arc;

use indexmap::IndexMap;
use pusher_lite_json_text::check_surrogates;
use serde_json::value::RawValue;
use smallvec::SmallVec;

/// One joined socket of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// Identifies this meta; clients match the metas of a leave by it.
    pub id: MetaId,
    /// Time of the join, in milliseconds since 1970.
    pub online_at: u64,
    /// The description of the user by the application, if there is one.
    pub info: Option<MetaInfo>,
}

/// Id of a meta. None is used twice, not even by two runs of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MetaId(pub u64);

/// The application's description of a user, as JSON text: for example a name and the address of a picture. Clones share
/// the text. Every member gets it, so only [`MetaInfo::check`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetaInfo(
    /// One pointer: most metas have no info, and should not take up more for it.
    Arc<String>,
);

/// Reason why JSON cannot describe a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MetaInfoError {
    /// It is longer than [`MetaInfo::MAX_BYTES`].
    #[error("info must not be longer than {} bytes", MetaInfo::MAX_BYTES)]
    TooLong,
    /// A `\u` escape in it names half of a surrogate pair.
    #[error("info must not escape half a surrogate pair")]
    LoneSurrogate,
}

impl MetaInfo {
    /// The longest info, in bytes.
    pub const MAX_BYTES: usize = 1024;

    /// Checks JSON that shall describe a user.
    ///
    /// # Errors
    ///
    /// [`MetaInfoError`].
    pub fn check(json: &RawValue) -> Result<MetaInfo, MetaInfoError> {
        let json = json.get();
        if json.len() > MetaInfo::MAX_BYTES {
            return Err(MetaInfoError::TooLong);
        }
        check_surrogates(json).map_err(|_| MetaInfoError::LoneSurrogate)?;
        Ok(MetaInfo(Arc::new(json.to_owned())))
    }

    /// Returns the JSON text, with its spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The metas of some users, in the order in which the users came. Each user has at least one.
pub type Changes = IndexMap<Arc<str>, SmallVec<[Meta; 1]>>;

/// Users who came and went since the members were told last. Clients apply the joins first.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// The metas that came.
    pub joins: Changes,
    /// The metas that went.
    pub leaves: Changes,
}

/// Some users, each with some metas. Each user must have at least one.
pub trait Users<'a, M>: IntoIterator<Item = (&'a str, M)> {}

impl<'a, M, U: IntoIterator<Item = (&'a str, M)>> Users<'a, M> for U {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn info_is_bounded_and_can_be_read_by_every_receiver() {
        let check = |json: &str| MetaInfo::check(serde_json::from_str(json).unwrap());
        let longest = format!(r#""{}""#, "x".repeat(MetaInfo::MAX_BYTES - 2));
        assert_eq!(check(&longest).unwrap().as_str(), longest);
        assert_eq!(check(&format!("[{longest}]")), Err(MetaInfoError::TooLong));
        assert_eq!(check(r#"{"name":"\ud83d"}"#), Err(MetaInfoError::LoneSurrogate));
        assert_eq!(check(r#" {"b" : 1, "a":null} "#).unwrap().as_str(), r#"{"b" : 1, "a":null}"#);
        assert_eq!(size_of::<Option<MetaInfo>>(), size_of::<usize>());
    }
}
