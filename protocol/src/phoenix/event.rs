//! Names of events with a meaning in the protocol.

/// Client to server: join a topic.
pub const JOIN: &str = "phx_join";
/// Client to server: leave a topic.
pub const LEAVE: &str = "phx_leave";
/// Client to server, on [`PHOENIX_TOPIC`]: still there?
pub const HEARTBEAT: &str = "heartbeat";
/// Server to client: the answer to the message with the same `ref`.
pub const REPLY: &str = "phx_reply";
/// Server to client: the channel has ended, in answer to a leave or because it was joined again.
pub const CLOSE: &str = "phx_close";
/// Server to client: the online users, without the joiner itself.
pub const PRESENCE_STATE: &str = "presence_state";
/// Server to client: users who joined and left.
pub const PRESENCE_DIFF: &str = "presence_diff";
/// [`PRESENCE_STATE`] as JSON text.
pub const PRESENCE_STATE_JSON: &str = r#""presence_state""#;
/// [`PRESENCE_DIFF`] as JSON text.
pub const PRESENCE_DIFF_JSON: &str = r#""presence_diff""#;
/// Over REST: closes a user's sockets. Never an event for clients.
pub const DISCONNECT: &str = "disconnect";
/// Prefix of the events by which clients pass replies on within themselves: phoenix.js and the clients modelled on it call
/// that of message 5 `chan_reply_5`. No server sends them.
pub const REPLY_IN_CLIENT: &str = "chan_reply_";

/// The topic of heartbeats; no client can join it.
pub const PHOENIX_TOPIC: &str = "phoenix";
