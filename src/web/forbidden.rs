//! Reasons why a socket is not opened.

use std::fmt;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};

use super::connect::WrongParameter;
use crate::auth::jwt::Invalid;

/// Reason for a 403 to a socket. The texts contain no part of the request but the time at which its JWT expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forbidden {
    /// A parameter is missing or not a string.
    Parameter(&'static str),
    /// The parameter `vsn` asks for an unsupported version.
    Version,
    /// The user's name is too long.
    NameTooLong,
    /// The JWT is not valid.
    Jwt(Invalid),
    /// The JWT does not permit to join topics.
    NotPermitted,
    /// The JWT names no user.
    NoUser,
    /// There is no active user with the id in the JWT.
    UserEnded,
    /// The token that the JWT came from is not valid, or its scope includes no sockets.
    TokenEnded,
    /// The session of the page that the JWT was issued to has ended.
    SessionEnded,
    /// No application has this key.
    UnknownApplication,
    /// The application is archived, or all its owners are.
    Archived,
    /// No organization that owns the application has the user enrolled.
    NotEnrolled,
    /// The JWT is restricted to another name of its sockets.
    OtherName,
    /// The application demands JWTs that are restricted to it.
    NotRestricted,
    /// The application does not accept JWTs that are signed with its secret.
    NotAccepted,
    /// The secret of the application is too weak to sign JWTs.
    WeakSecret,
    /// The application does not allow pages of this origin.
    Origin,
}

impl Forbidden {
    /// Returns the reason as text, the same for all refusals of a kind.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Parameter(_) => "parameter missing",
            Self::Version => "unsupported vsn",
            Self::NameTooLong => "name too long",
            Self::Jwt(Invalid::Malformed) => "malformed JWT",
            Self::Jwt(Invalid::Algorithm) => "JWT with another algorithm",
            Self::Jwt(Invalid::Signature) => "bad signature",
            Self::Jwt(Invalid::OtherApplication) => "other application in JWT",
            Self::Jwt(Invalid::Expired(_)) => "JWT expired",
            Self::Jwt(Invalid::NotYet) => "JWT not valid yet",
            Self::Jwt(Invalid::NoExpiry) => "JWT without exp",
            Self::Jwt(Invalid::LivesTooLong) => "JWT with an exp too far ahead",
            Self::NotPermitted => "not permitted by JWT",
            Self::NoUser => "no user in JWT",
            Self::UserEnded => "user not active",
            Self::TokenEnded => "token not valid",
            Self::SessionEnded => "session ended",
            Self::UnknownApplication => "unknown app_key",
            Self::Archived => "application archived",
            Self::NotEnrolled => "not enrolled",
            Self::OtherName => "other name in JWT",
            Self::NotRestricted => "JWT not restricted to the application",
            Self::NotAccepted => "signed JWTs not accepted",
            Self::WeakSecret => "weak application secret",
            Self::Origin => "origin not allowed",
        }
    }

    /// Returns advice to the developer of the client.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Parameter(_) => "Pass app_key, unique_identifier and guardian_token, each a string.",
            Self::Version => "Use a phoenix.js from 1.2 to 1.8, or no vsn.",
            Self::NameTooLong => "Choose a shorter unique_identifier.",
            Self::Jwt(Invalid::Malformed) => "Pass the JWT as it was issued: three parts with dots between them.",
            Self::Jwt(Invalid::Algorithm) => "Sign with HS256, HS384 or HS512.",
            Self::Jwt(Invalid::Signature) => {
                "Get the JWT from this server, or sign it with the app_secret of the application in app_key."
            }
            Self::Jwt(Invalid::OtherApplication) => "Get a JWT for the application in app_key.",
            Self::Jwt(Invalid::Expired(_)) => "Get another JWT and connect with it.",
            Self::Jwt(Invalid::NotYet) => "Set the clock of the server that made the JWT.",
            Self::Jwt(Invalid::NoExpiry) => "Add the claim exp, in seconds since 1970.",
            Self::Jwt(Invalid::LivesTooLong) => "Sign JWTs that expire earlier.",
            Self::NotPermitted | Self::NoUser => "Get the JWT from POST /api/sessions.",
            Self::UserEnded => "Get a JWT of another user: this one is suspended, not confirmed, or gone.",
            Self::TokenEnded => "Get a JWT with a token that is valid and whose scope includes sockets.",
            Self::SessionEnded => "Sign in again.",
            Self::UnknownApplication => "Compare app_key with the key on the application's page.",
            Self::Archived => "Restore the application on its page.",
            Self::NotEnrolled => "Have an admin invite the user into an organization that owns the application.",
            Self::OtherName => "Connect with the unique_identifier that the JWT names.",
            Self::NotRestricted => "Pass app_key when you get the JWT, or sign it with the app_secret.",
            Self::NotAccepted => "Allow signed JWTs on the application's page.",
            Self::WeakSecret => "Rotate the secret on the application's page, and sign with the new one.",
            Self::Origin => "Add the page's origin to the allowed origins on the application's page.",
        }
    }
}

impl From<WrongParameter> for Forbidden {
    fn from(wrong: WrongParameter) -> Self {
        match wrong {
            WrongParameter::Missing(name) => Self::Parameter(name),
            WrongParameter::Version => Self::Version,
        }
    }
}

/// Writes the reason with its details.
impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parameter(name) => write!(f, "{name} missing"),
            Self::Jwt(invalid) => invalid.fmt(f),
            _ => f.write_str(self.reason()),
        }
    }
}

/// Labels of the metric that counts refused sockets.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ForbiddenLabels {
    reason: Reason,
}

/// The text of a reason, as a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Reason(&'static str);

impl From<Forbidden> for ForbiddenLabels {
    fn from(forbidden: Forbidden) -> Self {
        Self { reason: Reason(forbidden.reason()) }
    }
}

impl EncodeLabelValue for Reason {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        EncodeLabelValue::encode(&self.0, encoder)
    }
}
