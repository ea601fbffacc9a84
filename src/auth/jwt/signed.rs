//! JWTs that an application's backend signs with the application's secret.

use std::time::Duration;

use chrono::Utc;
use jsonwebtoken::{Algorithm, DecodingKey, TokenData, Validation, errors::ErrorKind};
use serde_json::{Map, Value};

use super::{
    Invalid, MAX_BYTES,
    restrictions::{NAMES, Restrictions},
    spelling,
};
use crate::store::signing_secret::{SecretId, SigningSecret};

/// The algorithms, all with a shared secret: an algorithm with a public key would take the secret for that key.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512];

/// Difference between the clocks of the backend and of this server that is forgiven.
const LEEWAY: Duration = Duration::from_secs(60);

/// The claim, or the parameter `kid` of the header, that names the application.
const APP_KEY: &str = "app_key";

/// The parts of a JWT that can be read before its signature is checked: whether, and as which application's, it presents
/// itself.
#[derive(Debug)]
pub struct Presented {
    algorithm: Algorithm,
    names: Vec<Value>,
}

/// Contents of a valid JWT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedClaims {
    /// The secret that it was signed with.
    pub secret: SecretId,
    /// Its restrictions, beyond the application.
    pub restrictions: Restrictions,
    /// Time of its expiry, in seconds since 1970.
    pub expires_at: i64,
}

impl Presented {
    /// Reads header and claims. Returns `None` unless the JWT names an application, as those of backends do and those of this
    /// server do not.
    pub fn read(jwt: &str) -> Option<Self> {
        if jwt.len() > MAX_BYTES {
            return None;
        }
        let TokenData { header, claims, .. } =
            jsonwebtoken::dangerous::insecure_decode::<Map<String, Value>>(jwt).ok()?;
        let names: Vec<Value> = header.kid.map(Value::from).into_iter().chain(claims.get(APP_KEY).cloned()).collect();
        (!names.is_empty()).then_some(Self { algorithm: header.alg, names })
    }

    /// Verifies the JWT for the application with this key and these secrets, of which one must have signed it.
    ///
    /// Required are the claim `exp`, at most `longest` from now, and the name of the application, in the header as `kid` or as
    /// claim `app_key`, byte by byte the same; where both are, in both.
    ///
    /// # Errors
    ///
    /// [`Invalid`].
    pub fn verify(
        &self,
        jwt: &str,
        app_key: &str,
        secrets: &[SigningSecret],
        longest: Duration,
    ) -> Result<SignedClaims, Invalid> {
        self.verify_at(jwt, app_key, secrets, longest, Utc::now().timestamp())
    }

    fn verify_at(
        &self,
        jwt: &str,
        app_key: &str,
        secrets: &[SigningSecret],
        longest: Duration,
        now: i64,
    ) -> Result<SignedClaims, Invalid> {
        if !ALGORITHMS.contains(&self.algorithm) {
            return Err(Invalid::Algorithm);
        }
        if spelling::has_critical_extensions(jwt) {
            return Err(Invalid::Malformed);
        }
        if self.names.iter().any(|name| name != app_key) {
            return Err(Invalid::OtherApplication);
        }
        let (secret, claims) = secrets.iter().find_map(|secret| self.claims(jwt, secret)).ok_or(Invalid::Signature)?;
        let leeway = LEEWAY.as_secs().cast_signed();
        let time = |name| match claims.get(name) {
            None => Ok(None),
            Some(time) => time.as_f64().map(|seconds| Some(seconds as i64)).ok_or(Invalid::Malformed),
        };
        let expires_at = time("exp")?.ok_or(Invalid::NoExpiry)?;
        let ends_at = expires_at.saturating_add(leeway);
        if ends_at < now {
            return Err(Invalid::Expired(expires_at));
        }
        let latest = now.saturating_add_unsigned(longest.as_secs()).saturating_add(leeway);
        if expires_at > latest {
            return Err(Invalid::LivesTooLong);
        }
        let begins_at = time("nbf")?.max(time("iat")?);
        if begins_at.is_some_and(|begins_at| begins_at > now.saturating_add(leeway)) {
            return Err(Invalid::NotYet);
        }
        let restrictions = Restrictions::read(NAMES.map(|name| claims.get(name).cloned()));
        Ok(SignedClaims {
            secret: secret.id(),
            restrictions: restrictions.map_err(|_| Invalid::Malformed)?,
            expires_at: ends_at,
        })
    }

    /// Returns the claims if this secret signed them.
    fn claims<'a>(&self, jwt: &str, secret: &'a SigningSecret) -> Option<(&'a SigningSecret, Map<String, Value>)> {
        let mut validation = Validation::new(self.algorithm);
        // The times are checked by the caller, which tells why.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        let decoded = jsonwebtoken::decode(jwt, &DecodingKey::from_secret(secret.key()), &validation);
        Some((secret, decoded.ok()?.claims))
    }
}

impl From<jsonwebtoken::errors::Error> for Invalid {
    fn from(error: jsonwebtoken::errors::Error) -> Self {
        match error.kind() {
            ErrorKind::InvalidSignature => Self::Signature,
            ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => Self::Algorithm,
            _ => Self::Malformed,
        }
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header};
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_795_390_000;
    const KEY: &str = "key";
    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    const OTHER: &str = "f81d4fae-7dec-4bd0-a765-00a0c91e6bf6";
    const DAY: Duration = Duration::from_secs(86_400);

    fn sign(algorithm: Algorithm, kid: Option<&str>, claims: &Value, secret: &str) -> String {
        let header = Header { kid: kid.map(str::to_owned), ..Header::new(algorithm) };
        jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
    }

    /// Verifies a JWT for the application `key`, which has these secrets.
    fn verify_with(jwt: &str, secrets: &[&str]) -> Option<Result<SignedClaims, Invalid>> {
        let secrets: Vec<_> = secrets.iter().map(|secret| SigningSecret::of(secret).unwrap()).collect();
        Some(Presented::read(jwt)?.verify_at(jwt, KEY, &secrets, DAY, NOW))
    }

    fn verify(claims: &Value) -> Result<SignedClaims, Invalid> {
        verify_with(&sign(Algorithm::HS256, Some(KEY), claims, SECRET), &[SECRET]).unwrap()
    }

    #[test]
    fn each_algorithm_and_each_way_to_name_the_application_will_do() {
        let [with, without] = [json!({"exp": NOW, "app_key": KEY}), json!({"exp": NOW})];
        for algorithm in ALGORITHMS {
            for (kid, claims) in [(Some(KEY), &with), (Some(KEY), &without), (None, &with)] {
                let jwt = sign(algorithm, kid, claims, SECRET);
                let claims = verify_with(&jwt, &[OTHER, SECRET]).unwrap().unwrap();
                assert_eq!(claims.secret, SigningSecret::of(SECRET).unwrap().id());
            }
        }
        assert!(Presented::read(&sign(Algorithm::HS256, None, &without, SECRET)).is_none(), "it names none");
    }

    #[test]
    fn another_application_is_refused_whatever_names_it() {
        for (kid, app_key) in [
            (Some("other"), None),
            (Some("Key"), None),
            (Some("key "), None),
            (Some(KEY), Some(json!("other"))),
            (Some("other"), Some(json!(KEY))),
            (None, Some(json!("KEY"))),
            (None, Some(json!("k\u{65}\u{301}y"))),
            (None, Some(json!(["key"]))),
            (None, Some(json!(null))),
            (None, Some(json!("*"))),
        ] {
            let mut claims = json!({"exp": NOW});
            if let Some(app_key) = &app_key {
                claims["app_key"] = app_key.clone();
            }
            let jwt = sign(Algorithm::HS256, kid, &claims, SECRET);
            assert_eq!(verify_with(&jwt, &[SECRET]), Some(Err(Invalid::OtherApplication)), "{kid:?} {app_key:?}");
        }
    }

    #[test]
    fn only_the_secrets_of_the_application_sign() {
        let jwt = sign(Algorithm::HS512, Some(KEY), &json!({"exp": NOW}), SECRET);
        for secrets in [&[][..], &[OTHER]] {
            assert_eq!(verify_with(&jwt, secrets), Some(Err(Invalid::Signature)));
        }
        let (text, signature) = jwt.rsplit_once('.').unwrap();
        let forged =
            format!("{text}.{}", if signature.starts_with('A') { "B" } else { "A" }.to_owned() + &signature[1..]);
        assert_eq!(verify_with(&forged, &[SECRET]), Some(Err(Invalid::Signature)));
        assert_eq!(verify_with(&format!("{text}."), &[SECRET]), Some(Err(Invalid::Signature)));
    }

    #[test]
    fn another_algorithm_is_refused() {
        use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
        let jwt = sign(Algorithm::HS256, Some(KEY), &json!({"exp": NOW}), SECRET);
        let (_, rest) = jwt.split_once('.').unwrap();
        for (alg, refusal) in [
            ("HS512", Some(Err(Invalid::Signature))),
            ("RS256", Some(Err(Invalid::Algorithm))),
            ("ES256", Some(Err(Invalid::Algorithm))),
            ("none", None),
            ("hs256", None),
        ] {
            let header = BASE64_URL_SAFE_NO_PAD.encode(json!({"alg": alg, "typ": "JWT", "kid": KEY}).to_string());
            assert_eq!(verify_with(&format!("{header}.{rest}"), &[SECRET]), refusal, "{alg}");
        }
        let header = BASE64_URL_SAFE_NO_PAD.encode(json!({"alg": "HS256", "kid": KEY, "crit": ["b64"]}).to_string());
        assert_eq!(verify_with(&format!("{header}.{rest}"), &[SECRET]), Some(Err(Invalid::Malformed)));
    }

    #[test]
    fn times_are_required_bounded_and_forgiven_a_minute() {
        let day = DAY.as_secs().cast_signed();
        for (claims, refusal) in [
            (json!({}), Some(Invalid::NoExpiry)),
            (json!({"exp": null}), Some(Invalid::Malformed)),
            (json!({"exp": NOW.to_string()}), Some(Invalid::Malformed)),
            (json!({"exp": NOW - 60}), None),
            (json!({"exp": NOW - 61}), Some(Invalid::Expired(NOW - 61))),
            (json!({"exp": NOW + day + 60}), None),
            (json!({"exp": NOW + day + 61}), Some(Invalid::LivesTooLong)),
            (json!({"exp": 1e300}), Some(Invalid::LivesTooLong)),
            (json!({"exp": -1e300}), Some(Invalid::Expired(i64::MIN))),
            (json!({"exp": NOW + 1, "iat": NOW + 60, "nbf": NOW + 60}), None),
            (json!({"exp": NOW + 1, "iat": NOW + 61}), Some(Invalid::NotYet)),
            (json!({"exp": NOW + 1, "nbf": NOW + 61}), Some(Invalid::NotYet)),
            (json!({"exp": NOW + 1, "iat": "now"}), Some(Invalid::Malformed)),
        ] {
            assert_eq!(verify(&claims).err(), refusal, "{claims}");
        }
    }

    #[test]
    fn restrictions_are_read_or_refused() {
        let claims = json!({
            "exp": NOW, "unique_identifier": "alice", "info": {"name": "Alice"},
            "topics": ["room-*", {"name": "news", "rights": ["join"]}],
        });
        let restrictions = verify(&claims).unwrap().restrictions;
        assert_eq!(restrictions.unique_identifier.as_deref(), Some("alice"));
        assert_eq!(restrictions.topics.unwrap().len(), 2);
        for (name, value) in [("unique_identifier", json!(null)), ("topics", json!("all")), ("topics", json!([7]))] {
            assert_eq!(verify(&json!({"exp": NOW, name: value})), Err(Invalid::Malformed), "{name}");
        }
    }
}
