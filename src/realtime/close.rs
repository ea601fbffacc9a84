//! Every way in which the server ends a connection.

use bytes::Bytes;

use super::frame;

/// Why a connection ends, and so the code and reason in its close frame. Codes matter: phoenix.js 1.6.16 to 1.8.15 does
/// not come back after 1000. Where the original gives no reason, neither is one given here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Close {
    /// The client asked for it, with this code or none.
    Client(Option<u16>),
    /// A message that cannot be read.
    Malformed,
    /// Bytes that are no WebSocket frames.
    Protocol,
    /// Text that is not UTF-8.
    Utf8,
    /// A message over the limit.
    TooBig,
    /// Nothing was received for the idle timeout.
    Idle,
    /// REST's event `disconnect` for this user.
    Disconnected,
    /// The application, token or enrollment that it lived by is gone.
    Revoked,
    /// It does not read what is sent to it.
    TooSlow,
    /// The server stops.
    Shutdown,
}

impl Close {
    /// A word for each kind, which metrics and logs have; see [`Close::kind`].
    pub(super) const KINDS: [&'static str; 10] = [
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
    ];

    /// The place of this kind's word in [`Close::KINDS`].
    pub(super) fn kind(self) -> usize {
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
        }
    }

    /// The close code (RFC 6455, section 7.4), and a reason for whoever debugs the client.
    pub(super) fn code_and_reason(self) -> (Option<u16>, &'static str) {
        match self {
            Close::Client(code) => (code, ""),
            Close::Disconnected => (Some(1000), ""),
            Close::Idle => (Some(1001), ""),
            Close::Protocol => (Some(1002), ""),
            Close::Utf8 => (Some(1007), ""),
            Close::Revoked => (Some(1008), "no longer authorized"),
            Close::TooBig => (Some(1009), "message too big"),
            Close::Malformed => (Some(1011), ""),
            Close::Shutdown => (Some(1012), ""),
            Close::TooSlow => (Some(1013), "reading too slowly"),
        }
    }

    /// The frame that says so.
    pub(super) fn frame(self) -> Bytes {
        let (code, reason) = self.code_and_reason();
        frame::close(code, reason)
    }
}
