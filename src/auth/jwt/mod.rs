//! The JWTs of the API and of sockets, as Guardian 0.13 issues and checks them, and those that backends sign for sockets.

mod remembered;
mod restrictions;
mod signed;
mod spelling;
#[cfg(test)]
mod tests;
mod times;

use std::{
    fmt,
    num::{IntErrorKind, ParseIntError},
    sync::Arc,
    time::Duration,
};

use chrono::{NaiveDateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Map, Value, json};
use uuid::Uuid;

pub use self::restrictions::{NAMES as RESTRICTIONS, NotUnderstood, Restrictions, Rights, TopicGrant};
pub use self::signed::{Presented, SignedClaims};

use self::{remembered::Remembered, times::Times};
use super::Permissions;
use crate::store::sessions::SessionHash;

/// Lifetime of a session's JWT: ten days.
pub const SESSION_LIFETIME: Duration = Duration::from_secs(864_000);

/// The claim `iss`.
const ISSUER: &str = "ExPusherLite";

/// The beginning of the names of claims that the original does not know. A JWT with any of them opens sockets and nothing else:
/// each says so, or restricts the JWT further. That includes claims of later versions.
pub const OWN_CLAIMS: &str = "pusher_lite:";

/// The claim of JWTs that open sockets and nothing else. Its value names the purpose that the JWT was issued for.
pub const USE_CLAIM: &str = "pusher_lite:use";

/// The claim of JWTs that are issued to a page: the session that the page was opened in, as [`SessionHash`] writes it. The
/// JWT ends with it.
pub const SESSION_CLAIM: &str = "pusher_lite:session";

/// The longest JWT that is looked at; one of ours has some 400 bytes, unless it is restricted.
pub const MAX_BYTES: usize = 16 * 1024;

/// Issues and verifies JWTs: HS512, with the raw bytes of the secret. Cheap to clone.
///
/// A JWT that comes again is found by its text, so that its signature is checked and its claims are read once. The
/// claims that have to do with time are compared with the clock whenever it comes. Forged ones are not remembered.
#[derive(Clone)]
pub struct Jwt(Arc<Keys>);

struct Keys {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    signed: Remembered<Signed>,
}

/// Contents of a JWT that was issued here, whether it is valid now or not.
#[derive(Clone)]
struct Signed {
    times: Times,
    claims: Claims,
}

/// Contents of a new JWT.
#[derive(Clone, Copy, Debug)]
pub struct Grant {
    /// User in whose name it acts.
    pub user_id: i32,
    /// The row of `user_tokens` that it is issued for, if any: the rights of its sockets end with that token (D5).
    pub token_id: Option<i32>,
    /// Permissions that it gives.
    pub permissions: Permissions,
    /// Scope of its use.
    pub scope: Scope,
    /// Lifetime from now on.
    pub lifetime: Duration,
    /// Expiry of the token that it is issued for, in UTC. The JWT expires no later.
    pub not_after: Option<NaiveDateTime>,
}

/// Scope of a JWT; for JWTs that only open sockets, the purpose that they are issued for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Sockets and `/api`, as far as its permissions go.
    Full,
    /// Sockets of a browser whose backend asked for the JWT with `channel=true` (D10).
    Channel,
    /// Sockets of the console of an application, for as long as the session goes on in which it was opened.
    Console(SessionHash),
    /// Sockets of the chat of `/demo`.
    Demo,
}

impl Scope {
    /// Returns the value of [`USE_CLAIM`]; none if the claim is absent.
    fn to_claim(self) -> Option<&'static str> {
        match self {
            Self::Full => None,
            Self::Channel => Some("channel"),
            Self::Console(_) => Some("console"),
            Self::Demo => Some("demo"),
        }
    }

    /// Value of [`SESSION_CLAIM`]; none where the claim is absent.
    fn session(self) -> Option<SessionHash> {
        match self {
            Self::Console(session) => Some(session),
            Self::Full | Self::Channel | Self::Demo => None,
        }
    }
}

/// Contents of a valid JWT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The user of `sub`.
    pub user_id: Result<i32, NoUser>,
    /// The row of `user_tokens` that it was issued for, if it was issued here.
    pub token_id: Option<i32>,
    /// The session of the page that it was issued to, if it says: it ends with it.
    pub session: Option<SessionHash>,
    /// Permissions that it gives.
    pub permissions: Permissions,
    /// Restrictions of the sockets that it opens, if it has any.
    pub restrictions: Option<Arc<Restrictions>>,
    /// True if it opens sockets and nothing else: it has a claim that begins with [`OWN_CLAIMS`].
    pub is_for_sockets_only: bool,
    /// The second of its expiry, since 1970, if it expires.
    pub expires_at: Option<i64>,
}

/// Reason why a valid JWT has no user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoUser {
    /// `sub` is missing, or its form names no user, so that there cannot be one.
    #[error("the JWT is of no user")]
    Unknown,
    /// `sub` names a user by something other than a whole number.
    #[error("the JWT names its user by what is no id")]
    Malformed,
}

/// Reason why a JWT is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// It is no JWT, is too long, has a critical extension, or a claim with a value that is not understood.
    #[error("malformed JWT")]
    Malformed,
    /// It is signed with another algorithm than it may be.
    #[error("JWT with another algorithm")]
    Algorithm,
    /// Another secret signed it.
    #[error("bad signature")]
    Signature,
    /// It names another application.
    #[error("other application in JWT")]
    OtherApplication,
    /// It is no longer valid, since this time in seconds since 1970.
    #[error("JWT expired at {}", time(*.0))]
    Expired(i64),
    /// It is not valid yet.
    #[error("JWT not valid yet")]
    NotYet,
    /// It has no claim `exp`.
    #[error("JWT without exp")]
    NoExpiry,
    /// Its `exp` is too far in the future.
    #[error("JWT with an exp too far ahead")]
    LivesTooLong,
}

/// Writes a time as ISO 8601; of a time that the calendar does not have, only the seconds.
fn time(seconds: i64) -> String {
    let time = chrono::DateTime::from_timestamp(seconds, 0);
    time.map_or_else(|| seconds.to_string(), |time| time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
}

impl Jwt {
    /// Takes Guardian's `secret_key`, as it stands in the settings.
    pub fn new(secret: &str) -> Self {
        let mut validation = Validation::new(Algorithm::HS512);
        // The times are checked below, as Guardian does.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        Self(Arc::new(Keys {
            encoding: EncodingKey::from_secret(secret.as_bytes()),
            decoding: DecodingKey::from_secret(secret.as_bytes()),
            validation,
            signed: Remembered::default(),
        }))
    }

    /// Returns a new JWT without restrictions.
    pub fn issue(&self, grant: &Grant) -> String {
        self.issue_restricted(grant, &Restrictions::default())
    }

    /// Returns a new JWT. One with restrictions is for sockets only, whatever its scope.
    pub fn issue_restricted(&self, grant: &Grant, restrictions: &Restrictions) -> String {
        let now = Utc::now().timestamp();
        let subject = format!("User:{}", grant.user_id);
        let expiry = now.saturating_add_unsigned(grant.lifetime.as_secs());
        let not_after = grant.not_after.map_or(i64::MAX, |time| time.and_utc().timestamp());
        let mut claims = json!({
            "aud": subject,
            "exp": expiry.min(not_after),
            "iat": now,
            "iss": ISSUER,
            "jti": Uuid::new_v4().to_string(),
            "pem": grant.permissions.to_claim(),
            "sub": subject,
            "typ": "access",
        });
        if let Some(id) = grant.token_id {
            claims["tid"] = id.into();
        }
        if let Some(purpose) = grant.scope.to_claim() {
            claims[USE_CLAIM] = purpose.into();
        }
        if let Some(session) = grant.scope.session() {
            claims[SESSION_CLAIM] = session.to_string().into();
        }
        restrictions.write(claims.as_object_mut().expect("it was written as an object"));
        jsonwebtoken::encode(&Header::new(Algorithm::HS512), &claims, &self.0.encoding)
            .expect("a map of strings and numbers can be signed with a shared secret")
    }

    /// Checks signature, issuer and times, and reads the claims.
    ///
    /// # Errors
    ///
    /// [`Invalid`].
    pub fn verify(&self, jwt: &str) -> Result<Claims, Invalid> {
        self.verify_at(jwt, Utc::now().timestamp())
    }

    /// Verifies at the time `now`, in seconds since 1970.
    fn verify_at(&self, jwt: &str, now: i64) -> Result<Claims, Invalid> {
        if jwt.len() > MAX_BYTES {
            return Err(Invalid::Malformed);
        }
        let jwt = &*spelling::canonical(jwt);
        let signed = match self.0.signed.get(jwt) {
            Some(signed) => signed,
            None => {
                let signed = self.0.read(jwt)?;
                self.0.signed.insert(jwt, signed.clone());
                signed
            }
        };
        signed.times.check(now)?;
        Ok(signed.claims)
    }
}

impl Keys {
    /// Checks signature and issuer, and that the header has no critical extensions.
    fn read(&self, jwt: &str) -> Result<Signed, Invalid> {
        let decoded = jsonwebtoken::decode::<Map<String, Value>>(jwt, &self.decoding, &self.validation);
        let claims = decoded?.claims;
        if claims.get("iss").is_some_and(|issuer| issuer != ISSUER) || spelling::has_critical_extensions(jwt) {
            return Err(Invalid::Malformed);
        }
        let restrictions = Restrictions::of_claims(&claims).map_err(|_| Invalid::Malformed)?.map(Arc::new);
        let times = Times::of(&claims);
        Ok(Signed {
            times,
            claims: Claims {
                expires_at: times.expires_at(),
                user_id: user_id(claims.get("sub")),
                token_id: token_id(claims.get("tid"))?,
                session: session(claims.get(SESSION_CLAIM))?,
                permissions: Permissions::from_claim(claims.get("pem")),
                restrictions,
                is_for_sockets_only: claims.keys().any(|claim| claim.starts_with(OWN_CLAIMS)),
            },
        })
    }
}

/// Omits the keys.
impl fmt::Debug for Jwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Jwt")
    }
}

/// Returns the row of `user_tokens` that `tid` names. A value that is no id names a token that cannot be looked up, and
/// so is invalid.
fn token_id(claim: Option<&Value>) -> Result<Option<i32>, Invalid> {
    let Some(claim) = claim.filter(|claim| !claim.is_null()) else { return Ok(None) };
    claim.as_i64().and_then(|id| id.try_into().ok()).map(Some).ok_or(Invalid::Malformed)
}

/// The session that [`SESSION_CLAIM`] names. What is no name is of a session that cannot be looked up, and so not be valid.
fn session(claim: Option<&Value>) -> Result<Option<SessionHash>, Invalid> {
    let Some(claim) = claim else { return Ok(None) };
    claim.as_str().and_then(SessionHash::parse).map(Some).ok_or(Invalid::Malformed)
}

/// The id in `User:1`.
fn user_id(subject: Option<&Value>) -> Result<i32, NoUser> {
    let id =
        subject.and_then(Value::as_str).and_then(|subject| subject.strip_prefix("User:")).ok_or(NoUser::Unknown)?;
    id.parse().map_err(|error: ParseIntError| match error.kind() {
        IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => NoUser::Unknown,
        _ => NoUser::Malformed,
    })
}
