//! The reasons for which the server ends a connection.

/// The reason for which a connection ends, and so the code and reason in its close frame. Codes matter: phoenix.js
/// 1.6.16 to 1.8.15 does not come back after 1000. Where the original gives no reason, this server gives none either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Close {
    /// The client asked for it, with this code or none.
    Client(Option<u16>),
    /// A message that the server cannot read.
    Malformed,
    /// Bytes that are no WebSocket frames.
    Protocol,
    /// Text that is not UTF-8.
    Utf8,
    /// A message over the limit.
    TooBig,
    /// Nothing received for the idle timeout.
    Idle,
    /// REST's event `disconnect` for this user.
    Disconnected,
    /// The application, token or enrollment that it lived by is gone.
    Revoked,
    /// The JWT expired, and the application closes such sockets.
    Expired,
    /// A client that does not read what the server sends.
    TooSlow,
    /// A connection that uses much of an exhausted memory budget.
    Evicted,
    /// The server stops.
    Shutdown,
    /// A panic in the code for this socket, or for one of its topics.
    Fault,
}

impl Close {
    /// A word for each kind, for metrics and logs; see [`Close::kind`].
    pub(crate) const KINDS: [&'static str; 13] = [
        "client",
        "malformed",
        "protocol",
        "utf8",
        "too big",
        "idle",
        "disconnected",
        "revoked",
        "too slow",
        "shutdown",
        "evicted",
        "fault",
        "expired",
    ];

    /// Returns the index of this kind's word in [`Close::KINDS`].
    pub(crate) fn kind(self) -> usize {
        match self {
            Close::Client(_) => 0,
            Close::Malformed => 1,
            Close::Protocol => 2,
            Close::Utf8 => 3,
            Close::TooBig => 4,
            Close::Idle => 5,
            Close::Disconnected => 6,
            Close::Revoked => 7,
            Close::TooSlow => 8,
            Close::Shutdown => 9,
            Close::Evicted => 10,
            Close::Fault => 11,
            Close::Expired => 12,
        }
    }

    /// Returns the close code (RFC 6455, section 7.4), and a reason for those who debug the client.
    pub(crate) fn code_and_reason(self) -> (Option<u16>, &'static str) {
        match self {
            Close::Client(code) => (code, ""),
            Close::Disconnected => (Some(1000), ""),
            Close::Idle => (Some(1001), ""),
            Close::Protocol => (Some(1002), ""),
            Close::Utf8 => (Some(1007), ""),
            Close::Revoked => (Some(1008), "no longer authorized"),
            Close::TooBig => (Some(1009), "message too big"),
            Close::Malformed | Close::Fault => (Some(1011), ""),
            Close::Shutdown => (Some(1012), ""),
            Close::TooSlow => (Some(1013), "reading too slowly"),
            // A code of this server's own: clients of all versions come back after it, and ours with another JWT.
            Close::Expired => (Some(4401), "JWT expired"),
            Close::Evicted => (Some(1013), "the server is short of memory"),
        }
    }
}
