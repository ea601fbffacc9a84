//! The payloads of `phx_reply`, as JSON text.

/// The reason of a reply with the status `error`.
macro_rules! error {
    ($reason:literal) => {
        concat!(r#"{"status":"error","response":{"reason":""#, $reason, r#""}}"#)
    };
}

/// Joined, left, or alive.
pub const OK: &str = r#"{"status":"ok","response":{}}"#;
/// A topic that does not exist, or that this socket has not joined.
pub const UNMATCHED_TOPIC: &str = error!("unmatched topic");
/// A join of `lobby:` without an application or a topic. The bare string is the original's.
pub const INVALID: &str = r#"{"status":"error","response":"invalid"}"#;
/// A join of another application's topic.
pub const UNAUTHORIZED: &str = error!("unauthorized");
/// A join of a topic that the JWT does not name.
pub const TOPIC_NOT_IN_JWT: &str = error!("topic not in JWT");
/// A join beyond the limit of channels of one socket.
pub const TOO_MANY_CHANNELS: &str = error!("too many channels joined");
/// A join of a topic whose name is too long.
pub const TOPIC_TOO_LONG: &str = error!("topic too long");
/// A push of an event whose name is too long.
pub const EVENT_TOO_LONG: &str = error!("event too long");
/// A push beyond the rate limit of the socket or its application.
pub const RATE_LIMITED: &str = error!("rate limited");
/// A push without the permission `send_message`.
pub const FORBIDDEN: &str = error!("forbidden");
/// A push on a topic that the JWT names without the right to send.
pub const SENDING_NOT_IN_JWT: &str = error!("sending not in JWT");
/// A push of an event that only the server may send.
pub const RESERVED_EVENT: &str = error!("reserved event");
/// A push whose payload is not a JSON object.
pub const PAYLOAD_NOT_OBJECT: &str = error!("payload must be an object");
/// A push whose event is not a string.
pub const EVENT_NOT_STRING: &str = error!("event must be a string");
