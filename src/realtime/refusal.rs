//! What is not done for a client, and why, in words that metrics count by.

use pusher_lite_protocol::reply;

/// Makes the enum and the table of its words from one list.
macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident: $what:literal, $reason:literal;)*) => {
        /// What is not done for a client, and why.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Refusal {
            $($(#[$doc])* $name,)*
        }

        impl Refusal {
            /// All there are.
            pub const ALL: [Refusal; [$($reason),*].len()] = [$(Refusal::$name),*];

            /// What was asked for: `connect`, `join`, `push` or `publish`.
            pub fn what(self) -> &'static str {
                match self {
                    $(Refusal::$name => $what,)*
                }
            }

            /// Why it was refused.
            pub fn reason(self) -> &'static str {
                match self {
                    $(Refusal::$name => $reason,)*
                }
            }
        }
    };
}

refusals! {
    /// A socket for an unknown application, by a user who may not use it, or with parameters that cannot be used.
    ConnectForbidden: "connect", "forbidden";
    /// A socket beyond those that there may be in all.
    ConnectServerFull: "connect", "server full";
    /// A socket beyond those that its application may have.
    ConnectApplicationFull: "connect", "application full";
    /// A socket beyond those that its client's address may have.
    ConnectAddressFull: "connect", "address full";
    /// A socket of an address that has opened too many just now.
    ConnectTooFast: "connect", "too fast";
    /// A topic that cannot be one.
    JoinInvalid: "join", "invalid";
    /// A topic of another application.
    JoinUnauthorized: "join", "unauthorized";
    /// More topics than a socket may join.
    JoinTooMany: "join", "too many channels";
    /// A topic whose name is too long.
    JoinTooLong: "join", "too long";
    /// A message on a topic that nothing serves, or that the socket has not joined.
    PushUnmatched: "push", "unmatched topic";
    /// A push without the permission to send.
    PushForbidden: "push", "forbidden";
    /// A push of an event that only the server sends.
    PushReserved: "push", "reserved event";
    /// A push whose event is no string, or whose payload is no object.
    PushMalformed: "push", "malformed";
    /// A push of an event whose name is too long.
    PushTooLong: "push", "too long";
    /// More events than the socket or its application may push.
    PushRateLimited: "push", "rate limited";
    /// An event that only the server sends.
    PublishReserved: "publish", "reserved event";
    /// An event whose payload is no object.
    PublishMalformed: "publish", "malformed";
    /// An event or a topic whose name is too long.
    PublishTooLong: "publish", "too long";
    /// More events than the application may have.
    PublishRateLimited: "publish", "rate limited";
    /// More was published to a topic than can be written to its members.
    PublishOverloaded: "publish", "overloaded";
}

impl Refusal {
    /// The refusal that the payload of a reply says, if it says one.
    pub(super) fn of_reply(payload: &str) -> Option<Refusal> {
        match payload {
            reply::OK => None,
            reply::UNMATCHED_TOPIC => Some(Refusal::PushUnmatched),
            reply::INVALID => Some(Refusal::JoinInvalid),
            reply::UNAUTHORIZED => Some(Refusal::JoinUnauthorized),
            reply::TOO_MANY_CHANNELS => Some(Refusal::JoinTooMany),
            reply::TOPIC_TOO_LONG => Some(Refusal::JoinTooLong),
            reply::EVENT_TOO_LONG => Some(Refusal::PushTooLong),
            reply::RATE_LIMITED => Some(Refusal::PushRateLimited),
            reply::FORBIDDEN => Some(Refusal::PushForbidden),
            reply::RESERVED_EVENT => Some(Refusal::PushReserved),
            reply::PAYLOAD_NOT_OBJECT | reply::EVENT_NOT_STRING => Some(Refusal::PushMalformed),
            _ => None,
        }
    }
}
