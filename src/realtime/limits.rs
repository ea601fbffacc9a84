//! What the hub's connections may use.

use std::time::Duration;

use super::quotas::Quotas;

/// What one connection may use, and all of them together. Sizes are in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest message that a client may send, and what the names and refs of its joined topics may take up
    /// together. A longer message closes the socket with 1009. Default: 1 MiB.
    pub message_bytes: usize,
    /// What may wait for a client that reads too slowly. When it would be exceeded, that client is closed with 1013 and
    /// nobody else. What is written in one go may be longer (a large `presence_state`), if nothing waits before it.
    /// Default: 2 MiB.
    pub outbox_bytes: usize,
    /// The topics that one socket may join. Default: 100, as in Phoenix.
    pub channels_per_socket: usize,
    /// The longest name of a topic and of an event. Default: 1,024.
    pub name_bytes: usize,
    /// A socket from which nothing came for so long is closed with 1001. Pings count, what is sent to it does not.
    /// Default: 60 s.
    pub idle_timeout: Duration,
    /// The long-poll sessions that may be open at once. They need no TCP connection while nobody polls, so that
    /// nothing else bounds them. Default: 100 000.
    pub longpoll_sessions: usize,
    /// How long a poll waits for messages; a session that is not polled for one and a half times as long ends. The
    /// clients' own timeout is 20 s. Default: 10 s.
    pub longpoll_window: Duration,
    /// For how long at most changes in who is in a topic are gathered before its members are told, when there are many
    /// members or many changes; with few, they are told at once. Zero: always at once. Default: 100 ms.
    pub presence_window: Duration,
    /// What all of them may use together, and those of one application or address. Default: no limits.
    pub quotas: Quotas,
    /// How long a closing socket may take to read what waits for it and to close its side. Default: 5 s.
    pub linger: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            message_bytes: 1 << 20,
            outbox_bytes: 2 << 20,
            channels_per_socket: 100,
            name_bytes: 1024,
            idle_timeout: Duration::from_secs(60),
            longpoll_sessions: 100_000,
            longpoll_window: Duration::from_secs(10),
            presence_window: Duration::from_millis(100),
            quotas: Quotas::default(),
            linger: Duration::from_secs(5),
        }
    }
}
