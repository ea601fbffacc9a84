//! Restrictions of a JWT and an application, as those of the sockets that the JWT opens.

use pusher_lite_protocol::presence::{MetaInfo, MetaInfoError};
use serde_json::value::RawValue;

use crate::{
    auth::jwt,
    realtime::{Restrictions, Rights, TopicRights},
};

/// Returns the restrictions of a socket that a JWT with these restrictions opens. `named_topics` are those of the
/// application's policy.
///
/// # Errors
///
/// [`MetaInfoError`] when the presence data is too long.
pub(super) fn of_socket(of_jwt: &jwt::Restrictions, named_topics: &str) -> Result<Restrictions, MetaInfoError> {
    let rights = |topic: &jwt::TopicGrant| {
        let jwt::Rights { join, send, presence } = topic.rights;
        TopicRights { pattern: topic.pattern.as_str().into(), rights: Rights { join, send, presence } }
    };
    let topics = of_jwt.topics.as_ref().map(|topics| topics.iter().map(rights).collect());
    let info = of_jwt.info.as_deref().map(|info| {
        let info: &RawValue = serde_json::from_str(info).expect("it was written as JSON");
        MetaInfo::check(info)
    });
    Ok(Restrictions { topics, named_topics: named_topics.lines().map(Box::from).collect(), info: info.transpose()? })
}
