//! Reasons why a socket is not opened. Operators see them, clients do not.

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};

/// Reason for a 403 to a socket. The texts are for the log and for metrics, and contain no part of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Forbidden {
    /// A parameter is missing, is not a string, or asks for an unsupported version.
    Parameters,
    /// The user's name is too long.
    NameTooLong,
    /// The JWT is malformed, signed with another secret, or has expired.
    Jwt,
    /// The JWT does not permit to join topics.
    NotPermitted,
    /// The JWT names no user.
    NoUser,
    /// The application is unknown or archived, the user does not belong to an organization that owns it, or the token
    /// is invalid or its scope includes no sockets.
    NoAccess,
    /// The session of the page that the JWT was issued to has ended.
    SessionEnded,
    /// The JWT is restricted to another application.
    OtherApplication,
    /// The JWT is restricted to another name of its sockets.
    OtherName,
}

impl Forbidden {
    /// Returns the reason as text.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Parameters => "parameters",
            Self::NameTooLong => "name too long",
            Self::Jwt => "jwt",
            Self::NotPermitted => "not permitted",
            Self::NoUser => "no user",
            Self::NoAccess => "no access",
            Self::SessionEnded => "session ended",
            Self::OtherApplication => "other application in JWT",
            Self::OtherName => "other name in JWT",
        }
    }
}

/// Labels of the metric that counts refused sockets.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ForbiddenLabels {
    pub(super) reason: Forbidden,
}

impl EncodeLabelValue for Forbidden {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> std::fmt::Result {
        EncodeLabelValue::encode(&self.reason(), encoder)
    }
}
