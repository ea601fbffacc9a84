//! Refused requests, by reason.

/// Makes the enum and the table of its words from one list.
macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident: $what:literal, $reason:literal;)*) => {
        /// Reason for which the server refuses a request of a client.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Refusal {
            $($(#[$doc])* $name,)*
        }

        impl Refusal {
            /// All reasons.
            pub const ALL: [Refusal; [$($reason),*].len()] = [$(Refusal::$name),*];

            /// Returns the request: `connect`, `join`, `push` or `publish`.
            pub fn what(self) -> &'static str {
                match self {
                    $(Refusal::$name => $what,)*
                }
            }

            /// Returns the reason, as metrics name it.
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
    /// A socket over the limit of the server.
    ConnectServerFull: "connect", "server full";
    /// A socket over the limit of its application.
    ConnectApplicationFull: "connect", "application full";
    /// A socket over the limit of its client's address.
    ConnectAddressFull: "connect", "address full";
    /// A socket of an address that opens them too fast.
    ConnectTooFast: "connect", "too fast";
    /// A topic that is not well-formed.
    JoinInvalid: "join", "invalid";
    /// A topic of another application.
    JoinUnauthorized: "join", "unauthorized";
    /// A topic that the JWT does not name.
    JoinNotInJwt: "join", "topic not in JWT";
    /// More topics than a socket may join.
    JoinTooMany: "join", "too many channels";
    /// A topic whose name is too long.
    JoinTooLong: "join", "too long";
    /// A message on a topic that nothing serves, or that the socket has not joined.
    PushUnmatched: "push", "unmatched topic";
    /// A push without the permission to send.
    PushForbidden: "push", "forbidden";
    /// A push on a topic that the JWT names without the right to send.
    PushNotInJwt: "push", "sending not in JWT";
    /// A push of an event that only the server sends.
    PushReserved: "push", "reserved event";
    /// A push whose event is no string, or whose payload is no object.
    PushMalformed: "push", "malformed";
    /// A push of an event whose name is too long.
    PushTooLong: "push", "too long";
    /// An event over the rate limit of the socket or its application.
    PushRateLimited: "push", "rate limited";
    /// An event that only the server sends.
    PublishReserved: "publish", "reserved event";
    /// An event whose payload is no object.
    PublishMalformed: "publish", "malformed";
    /// An event or a topic whose name is too long.
    PublishTooLong: "publish", "too long";
    /// An event whose payload is too large.
    PublishTooLarge: "publish", "too large";
    /// An event over the rate limit of the application.
    PublishRateLimited: "publish", "rate limited";
    /// An event for an overloaded topic: more is published to it than can be written to its members.
    PublishOverloaded: "publish", "overloaded";
}
