//! The names of events that mean something to the protocol.

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
/// Server to client: who is there, without the joiner itself.
pub const PRESENCE_STATE: &str = "presence_state";
/// Server to client: who came and went.
pub const PRESENCE_DIFF: &str = "presence_diff";
/// Over REST: closes a user's sockets. Never an event for clients.
pub const DISCONNECT: &str = "disconnect";

/// The topic of heartbeats; nobody can join it.
pub const PHOENIX_TOPIC: &str = "phoenix";

/// Whether clients and REST may not publish an event of this name, because receivers take it for the server's own.
///
/// ```
/// use pusher_lite_protocol::event;
/// assert!(event::is_reserved("phx_close"));
/// assert!(event::is_reserved("presence_diff"));
/// assert!(!event::is_reserved("heartbeat")); // an ordinary name on an ordinary topic
/// ```
pub fn is_reserved(event: &str) -> bool {
    event.starts_with("phx_") || matches!(event, PRESENCE_STATE | PRESENCE_DIFF | DISCONNECT)
}
