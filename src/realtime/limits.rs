//! Limits of the hub's connections.

use std::time::Duration;

use super::usage::quotas::Quotas;

/// Limits of one connection, and of all of them together. Sizes are in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The largest message that a client may send. Also the limit for the names and refs of its joined topics together.
    /// A longer message closes the socket with 1009. Default: 1 MiB.
    pub message_bytes: usize,
    /// The largest payload of a published event, which no socket pushes; a larger one is refused. Default: 8 MB.
    pub event_bytes: usize,
    /// Bytes that may wait for a client that reads too slowly, behind the first message that waits, or behind the bytes
    /// that are written together with it. If more waits when something else is sent, the server closes this client with
    /// 1013, and no other. So every accepted message can be sent, however large: a `presence_state`, an event of
    /// [`Limits::event_bytes`]. Long-poll sessions may have more waiting, see [`Limits::polled_outbox_bytes`]. Default:
    /// 2 MiB.
    pub outbox_bytes: usize,
    /// Memory of the messages on their way to all clients together. Messages that many clients share count once. Over
    /// the limit, the server closes the clients with most waiting bytes with 1013. Default: 512 MiB.
    pub outbox_memory: usize,
    /// Memory of incomplete messages, and of those that wait because their client is paused (see
    /// [`Limits::reply_bytes_per_second`]), of all clients together. Over the limit, the server closes the largest and
    /// slowest of these clients with 1013. Default: 256 MiB.
    pub partial_memory: usize,
    /// The topics that one socket may join. Default: 100, as in Phoenix.
    pub channels_per_socket: usize,
    /// Bytes a second that a socket may make the server send, apart from the events that it pushes: answers to its
    /// messages, and presence lists when it joins a topic again. The burst is ten seconds' worth; the server reads
    /// later from a socket beyond that. Zero means no limit. Default: 1 MiB.
    pub reply_bytes_per_second: u32,
    /// The longest name of a topic and of an event. Default: 1,024.
    pub name_bytes: usize,
    /// Idle timeout. The server closes a socket with 1001 when nothing came from it for so long. Pings from the client
    /// count; frames to the client do not. Default: 60 s.
    pub idle_timeout: Duration,
    /// Long-poll sessions that may be open together. They need no TCP connection between two polls, so that nothing
    /// else limits them. Default: 100 000.
    pub longpoll_sessions: usize,
    /// Time for which a poll waits for messages. A session that is not polled for one and a half times as long ends.
    /// The clients' own timeout is 20 s. Default: 10 s.
    pub longpoll_window: Duration,
    /// The longest time for which changes in presence are gathered before the members of a topic are told, when there
    /// are many members or many changes. With few, members are told immediately. Zero: always immediately. Default: 100
    /// ms.
    pub presence_window: Duration,
    /// Quotas of all connections together, and of those of one application or address. Default: no limits.
    pub quotas: Quotas,
    /// Time that a closing socket has to read the waiting bytes and to close its side. Default: 5 s.
    pub linger: Duration,
}

impl Limits {
    /// Returns the limit like [`Limits::outbox_bytes`] for a long-poll session, to which nothing is sent between two
    /// polls. It is larger by one event of the largest size, but at most five times as much.
    pub fn polled_outbox_bytes(&self) -> usize {
        self.outbox_bytes.saturating_add(self.event_bytes.min(self.outbox_bytes.saturating_mul(4)))
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            message_bytes: 1 << 20,
            event_bytes: 8_000_000,
            outbox_bytes: 2 << 20,
            outbox_memory: 512 << 20,
            partial_memory: 256 << 20,
            channels_per_socket: 100,
            reply_bytes_per_second: 1 << 20,
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
