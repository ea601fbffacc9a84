//! The JWTs of the API and of sockets, as Guardian 0.13 issues and checks them.

use std::{
    borrow::Cow,
    fmt,
    num::{IntErrorKind, ParseIntError},
    sync::Arc,
    time::Duration,
};

use chrono::Utc;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use quick_cache::sync::Cache;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::Permissions;

/// How long the JWT of a session lives: ten days.
pub const SESSION_LIFETIME: Duration = Duration::from_secs(864_000);

/// The claim `iss`.
const ISSUER: &str = "ExPusherLite";

/// The longest JWT that is looked at; one of ours has some 400 bytes.
const MAX_BYTES: usize = 16 * 1024;

/// How many signed JWTs are remembered, in some 150 bytes each.
const REMEMBERED: usize = 10_000;

/// Issues and verifies JWTs: HS512, with the raw bytes of the secret. Cheap to clone.
///
/// A JWT that comes again is found by its SHA-256, so that its signature is checked and its claims are read once. The
/// claims that have to do with time are compared with the clock whenever it comes. Forged ones are not remembered.
#[derive(Clone)]
pub struct Jwt(Arc<Keys>);

struct Keys {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    signed: Cache<[u8; 32], Signed>,
}

/// What a JWT says that was issued here, whether it is valid now or not.
#[derive(Clone, Copy)]
struct Signed {
    times: Times,
    claims: Claims,
}

/// What a new JWT is to say.
#[derive(Clone, Copy, Debug)]
pub struct Grant {
    /// On whose behalf.
    pub user_id: i32,
    /// The row of `user_tokens` that it is issued for, if any: with it ends what sockets may do (D5).
    pub token_id: Option<i32>,
    /// What it allows.
    pub permissions: Permissions,
    /// How long from now.
    pub lifetime: Duration,
}

/// What a valid JWT says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The user of `sub`.
    pub user_id: Result<i32, NoUser>,
    /// The row of `user_tokens` that it was issued for, if it was issued here.
    pub token_id: Option<i32>,
    /// What it allows.
    pub permissions: Permissions,
}

/// Why a valid JWT says nothing of its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoUser {
    /// `sub` is missing or names no user by its form, so that there cannot be one.
    #[error("the JWT is of no user")]
    Unknown,
    /// `sub` names a user by what is no whole number.
    #[error("the JWT names its user by what is no id")]
    Malformed,
}

/// The JWT is malformed, forged, expired, or not valid yet; which of them is nobody's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the JWT is not valid")]
pub struct Invalid;

impl Jwt {
    /// Takes Guardian's `secret_key`, as it is written in the settings.
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
            signed: Cache::new(REMEMBERED),
        }))
    }

    /// A new JWT.
    pub fn issue(&self, grant: &Grant) -> String {
        let now = Utc::now().timestamp();
        let subject = format!("User:{}", grant.user_id);
        let mut claims = json!({
            "aud": subject,
            "exp": now.saturating_add_unsigned(grant.lifetime.as_secs()),
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
        jsonwebtoken::encode(&Header::new(Algorithm::HS512), &claims, &self.0.encoding)
            .expect("a map of strings and numbers can be signed with a shared secret")
    }

    /// Checks signature, issuer and times, and reads what counts.
    ///
    /// # Errors
    ///
    /// [`Invalid`], without a reason.
    pub fn verify(&self, jwt: &str) -> Result<Claims, Invalid> {
        self.verify_at(jwt, Utc::now().timestamp())
    }

    /// `now` is in seconds since 1970.
    fn verify_at(&self, jwt: &str, now: i64) -> Result<Claims, Invalid> {
        if jwt.len() > MAX_BYTES {
            return Err(Invalid);
        }
        let jwt = &*canonical(jwt);
        // Not the JWT itself: how long it takes to compare digests says nothing about those that are remembered.
        let digest = Sha256::digest(jwt).into();
        let signed = match self.0.signed.get(&digest) {
            Some(signed) => signed,
            None => {
                let signed = self.0.read(jwt)?;
                self.0.signed.insert(digest, signed);
                signed
            }
        };
        if signed.times.include(now) { Ok(signed.claims) } else { Err(Invalid) }
    }
}

impl Keys {
    /// Checks signature and issuer.
    fn read(&self, jwt: &str) -> Result<Signed, Invalid> {
        let decoded = jsonwebtoken::decode::<Map<String, Value>>(jwt, &self.decoding, &self.validation);
        let claims = decoded.map_err(|_| Invalid)?.claims;
        if claims.get("iss").is_some_and(|issuer| issuer != ISSUER) {
            return Err(Invalid);
        }
        Ok(Signed {
            times: Times::of(&claims),
            claims: Claims {
                user_id: user_id(claims.get("sub")),
                token_id: claims.get("tid").and_then(Value::as_i64).and_then(|id| id.try_into().ok()),
                permissions: Permissions::from_claim(claims.get("pem")),
            },
        })
    }
}

/// The one spelling of a JWT that is verified and remembered. The original's library takes payload and signature in the
/// standard alphabet of base64 too, and padded, as some programs write them; what is signed is the payload without.
fn canonical(jwt: &str) -> Cow<'_, str> {
    let Some((header, rest)) = jwt.split_once('.').filter(|_| jwt.contains(['+', '/', '='])) else {
        return Cow::Borrowed(jwt);
    };
    let bare = |part: &str| {
        let bare = part.trim_end_matches('=');
        let is_padding = part.len() <= bare.len().next_multiple_of(4);
        if is_padding { bare } else { part }.replace('+', "-").replace('/', "_")
    };
    Cow::Owned(format!("{header}.{}", rest.split('.').map(bare).collect::<Vec<_>>().join(".")))
}

/// Without the keys.
impl fmt::Debug for Jwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Jwt")
    }
}

/// The times that a JWT gives, in seconds since 1970. Each counts only if it is there and not null.
///
/// What is no number is later than every number, because Guardian compares by Erlang's order of terms: such an `exp`
/// has never passed, such an `nbf` or `iat` is never reached.
#[derive(Clone, Copy)]
struct Times {
    expiry: Option<f64>,
    beginning: Option<f64>,
    issued: Option<f64>,
}

impl Times {
    fn of(claims: &Map<String, Value>) -> Self {
        let seconds =
            |name| claims.get(name).filter(|time| !time.is_null()).map(|time| time.as_f64().unwrap_or(f64::INFINITY));
        Self { expiry: seconds("exp"), beginning: seconds("nbf"), issued: seconds("iat") }
    }

    fn include(&self, now: i64) -> bool {
        // Exact: seconds since 1970 need 31 of 53 bits.
        let now = now as f64;
        self.expiry.is_none_or(|expiry| expiry >= now)
            && self.beginning.is_none_or(|beginning| beginning <= now)
            && self.issued.is_none_or(|issued| issued <= now)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "d1As0fBqRZdpYJXXTDHeNjS3ftcGhev0u6vFNI4OWWqrvAwnOfVqwbcBfXhjtgvq";
    const NOW: i64 = 1_795_390_000;

    /// The claims of the recorded cases, changed by what the case changes; `null` takes a claim out.
    fn minted(algorithm: Algorithm, changes: Value) -> String {
        let mut claims = json!({
            "aud": "User:1", "exp": NOW + 864_000, "iat": NOW, "iss": "ExPusherLite",
            "jti": "00000000-0000-4000-8000-000000000000", "pem": {"admin": -1, "default": -1}, "sub": "User:1",
            "typ": "access",
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        jsonwebtoken::encode(&Header::new(algorithm), &claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap()
    }

    fn verify(changes: Value) -> Result<Claims, Invalid> {
        Jwt::new(SECRET).verify_at(&minted(Algorithm::HS512, changes), NOW)
    }

    const ADMIN: Claims = Claims { user_id: Ok(1), token_id: None, permissions: Permissions::ADMIN };

    #[test]
    fn claims_that_do_not_matter_may_be_anything() {
        for changes in [
            json!({}),
            json!({"typ": "refresh"}),
            json!({"typ": null}),
            json!({"jti": null}),
            json!({"aud": null}),
            json!({"iat": null}),
            json!({"iss": null}),
            json!({"foo": 1, "perms": {"x": 1}}),
        ] {
            assert_eq!(verify(changes.clone()), Ok(ADMIN), "{changes}");
        }
    }

    #[test]
    fn it_expires_after_the_second_of_exp() {
        for (exp, valid) in [
            (json!(NOW), true),
            (json!(NOW - 1), false),
            (json!(NOW as f64 + 1000.5), true),
            (json!((NOW + 1000).to_string()), true),
            (json!("yesterday"), true),
            (json!(0), false),
            (json!(-1), false),
        ] {
            assert_eq!(verify(json!({"exp": exp})).is_ok(), valid, "{exp}");
        }
        assert_eq!(verify(json!({"exp": null})), Ok(ADMIN), "without exp it does not expire");
    }

    #[test]
    fn a_claim_that_is_null_is_not_there() {
        let mut claims = Map::new();
        for name in ["exp", "nbf", "iat"] {
            claims.insert(name.to_owned(), Value::Null);
        }
        assert!(Times::of(&claims).include(NOW));
    }

    #[test]
    fn it_is_not_valid_before_nbf_and_iat() {
        for name in ["nbf", "iat"] {
            assert!(verify(json!({name: NOW})).is_ok(), "{name}");
            assert!(verify(json!({name: NOW - 10})).is_ok(), "{name}");
            assert_eq!(verify(json!({name: NOW + 1000})), Err(Invalid), "{name}");
            assert_eq!(verify(json!({name: NOW.to_string()})), Err(Invalid), "{name}");
        }
    }

    #[test]
    fn times_count_also_when_the_jwt_is_remembered() {
        let jwt = Jwt::new(SECRET);
        let token = minted(Algorithm::HS512, json!({"nbf": NOW, "exp": NOW + 1}));
        for (now, expected) in
            [(NOW, Ok(ADMIN)), (NOW + 2, Err(Invalid)), (NOW + 1, Ok(ADMIN)), (NOW - 1, Err(Invalid)), (NOW, Ok(ADMIN))]
        {
            assert_eq!(jwt.verify_at(&token, now), expected, "{now}");
        }
        assert_eq!(jwt.0.signed.len(), 1);
        let forged = format!("{token}x");
        assert_eq!([jwt.verify_at(&forged, NOW), jwt.verify_at(&forged, NOW)], [Err(Invalid); 2]);
        assert_eq!(jwt.0.signed.len(), 1, "what is forged is not remembered");
    }

    #[test]
    fn another_issuer_is_refused() {
        assert_eq!(verify(json!({"iss": "X"})), Err(Invalid));
        assert_eq!(verify(json!({"iss": 1})), Err(Invalid));
    }

    #[test]
    fn hs512_with_the_right_secret_only() {
        let jwt = Jwt::new(SECRET);
        for algorithm in [Algorithm::HS256, Algorithm::HS384] {
            assert_eq!(jwt.verify_at(&minted(algorithm, json!({})), NOW), Err(Invalid), "{algorithm:?}");
        }
        let right = minted(Algorithm::HS512, json!({}));
        assert_eq!(Jwt::new("another secret").verify_at(&right, NOW), Err(Invalid));
        let (unsigned, _) = right.rsplit_once('.').unwrap();
        let (_, claims) = unsigned.split_once('.').unwrap();
        // {"alg":"none","typ":"JWT"}
        let none = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.");
        for forged in [none.as_str(), unsigned, &format!("{unsigned}."), "", "garbage", "a.b.c", &"a".repeat(100_000)] {
            assert_eq!(jwt.verify_at(forged, NOW), Err(Invalid), "{forged}");
        }
    }

    #[test]
    fn the_subject_names_the_user() {
        for (subject, user_id) in [
            (json!("User:1"), Ok(1)),
            (json!("User:99999"), Ok(99_999)),
            (json!("Foo:1"), Err(NoUser::Unknown)),
            (json!(1), Err(NoUser::Unknown)),
            (json!("User:99999999999"), Err(NoUser::Unknown)),
            (json!("User:-99999999999"), Err(NoUser::Unknown)),
            (json!(null), Err(NoUser::Unknown)),
            (json!("User:"), Err(NoUser::Malformed)),
            (json!("User:abc"), Err(NoUser::Malformed)),
            (json!("User:1abc"), Err(NoUser::Malformed)),
            (json!("User: 1"), Err(NoUser::Malformed)),
        ] {
            assert_eq!(verify(json!({"sub": subject})).map(|claims| claims.user_id), Ok(user_id), "{subject}");
        }
    }

    #[test]
    fn permissions_are_those_of_pem() {
        let permissions = |pem| verify(json!({"pem": pem})).unwrap().permissions;
        assert_eq!(permissions(json!({"default": 3})), Permissions::CHANNEL);
        assert_eq!(permissions(json!(null)), Permissions::default());
        assert!(permissions(json!({"default": ["join_channel"]})).may_join());
    }

    #[test]
    fn what_is_issued_is_verified_and_names_its_token() {
        let jwt = Jwt::new(SECRET);
        let grant = Grant { user_id: 7, token_id: Some(9), permissions: Permissions::USER, lifetime: SESSION_LIFETIME };
        let claims = Claims { user_id: Ok(7), token_id: Some(9), permissions: Permissions::USER };
        assert_eq!(jwt.verify(&jwt.issue(&grant)), Ok(claims));
        let without = Grant { token_id: None, ..grant };
        assert_eq!(jwt.verify(&jwt.issue(&without)).unwrap().token_id, None);
    }

    #[test]
    fn it_is_issued_with_the_claims_of_the_original() {
        let grant = Grant { user_id: 1, token_id: None, permissions: Permissions::ADMIN, lifetime: SESSION_LIFETIME };
        let issued = Jwt::new(SECRET).issue(&grant);
        assert!(issued.split('.').count() == 3);
        let claims = jsonwebtoken::dangerous::insecure_decode::<Map<String, Value>>(&issued).unwrap().claims;
        let names: Vec<&str> = claims.keys().map(String::as_str).collect();
        assert_eq!(names, ["aud", "exp", "iat", "iss", "jti", "pem", "sub", "typ"]);
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 864_000);
        assert_eq!((claims["aud"].as_str(), claims["sub"].as_str()), (Some("User:1"), Some("User:1")));
    }

    #[test]
    fn jwts_of_the_original_stay_valid() {
        // Recorded: they expire in 2036, and one has expired in 2026.
        let jwt = Jwt::new(SECRET);
        let root_far = "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.eyJhdWQiOiJVc2VyOjEiLCJleHAiOjIxMTA3NDg4NjgsImlhdCI6MTc5NTM4ODg2OCwiaXNzIjoiRXhQdXNoZXJMaXRlIiwianRpIjoiZTA3YTQwMjctYzc3OC00Zjc4LWFmYTYtMDdjZmFiNWE3NjA5IiwicGVtIjp7ImFkbWluIjotMSwiZGVmYXVsdCI6LTF9LCJzdWIiOiJVc2VyOjEiLCJ0eXAiOiJhY2Nlc3MifQ.AQ6XPQHLE6wP69OgBipa1HYc8Q1_NpFhfgYpR7aTEF3Ofb1eW0MB5Vw9jDViiH6c9JLCeB_ByMWZkp4uObhTyw";
        let expired = "eyJhbGciOiJIUzUxMiIsInR5cCI6IkpXVCJ9.eyJhdWQiOiJVc2VyOjEiLCJleHAiOjE3OTUzODUyNjgsImlhdCI6MTc5NTM4MTY2OCwiaXNzIjoiRXhQdXNoZXJMaXRlIiwianRpIjoiZTUzNjRlYjMtNTAzZC00MGIyLWJiOTAtMGUxNjU1NjYzM2RhIiwicGVtIjp7ImFkbWluIjotMSwiZGVmYXVsdCI6LTF9LCJzdWIiOiJVc2VyOjEiLCJ0eXAiOiJhY2Nlc3MifQ.GYL8FE46THuTBdw7ExNbxuJ_FUX2QUE_bHUcKUatD4P0JCptZJhkkIdLrwNF9Qy_fUiJmgcwr4f--FaGRbYfYg";
        assert_eq!(jwt.verify_at(root_far, NOW), Ok(ADMIN));
        assert_eq!(jwt.verify_at(expired, NOW), Err(Invalid));
        assert_eq!(jwt.verify_at(expired, 1_795_385_268), Ok(ADMIN));
        for spelled in [format!("{root_far} "), format!(" {root_far}"), format!("\"{root_far}\"")] {
            assert_eq!(jwt.verify_at(&spelled, NOW), Err(Invalid), "{spelled}");
        }
    }

    #[test]
    fn payload_and_signature_may_be_spelled_as_standard_base64() {
        let jwt = Jwt::new(SECRET);
        // A payload that is to be padded, and has both characters that the alphabets write differently.
        let token = minted(Algorithm::HS512, json!({"a": "???>>>~~~\u{ff}\u{fe}\u{bf}"}));
        let [header, payload, signature] = token.split('.').collect::<Vec<_>>()[..] else {
            unreachable!("three parts")
        };
        assert!(payload.contains(['-', '_']) && payload.len() % 4 != 0, "{payload}");
        let standard = |part: &str| part.replace('-', "+").replace('_', "/");
        let padding = "=".repeat(payload.len().next_multiple_of(4) - payload.len());
        for spelled in [
            format!("{header}.{}.{}", standard(payload), standard(signature)),
            format!("{header}.{payload}{padding}.{signature}=="),
            format!("{token}="),
        ] {
            assert_eq!(jwt.verify_at(&spelled, NOW), Ok(ADMIN), "{spelled}");
        }
        assert_eq!(jwt.0.signed.len(), 1, "however it is spelled, it is remembered once");
        for spelled in [
            format!("{token}==="),
            format!("{header}.{payload}.={signature}"),
            format!("{header}=.{payload}.{signature}"),
            format!("{header}.{payload}.{signature}.="),
            format!("{header}.{payload}.="),
        ] {
            assert_eq!(jwt.verify_at(&spelled, NOW), Err(Invalid), "{spelled}");
        }
    }
}
