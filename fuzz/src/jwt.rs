//! JWTs: none of another issuer is valid, and of the signed ones only those with the required claims.

#[path = "../../src/auth/jwt/mod.rs"]
pub mod source;

use std::sync::LazyLock;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value};
use sha2::Sha512;

use self::source::{Claims, Jwt, OWN_CLAIMS, Presented};
use crate::{Permissions, store::signing_secret::SigningSecret};

static JWT: LazyLock<Jwt> = LazyLock::new(|| Jwt::new(SECRET));

const SECRET: &str = "a secret that no recording was signed with, and that no input holds";

/// Header of every issued JWT.
const HEADER: &str = r#"{"alg":"HS512","typ":"JWT"}"#;

/// Longer JWTs are ignored.
const MAX_BYTES: usize = 16 * 1024;

/// Runs the target `jwt`. The input is a JWT. It is also used as claims, and as a header with claims on the next line,
/// which the check signs correctly.
pub fn check(input: &[u8]) {
    let Ok(input) = std::str::from_utf8(input) else { return };
    assert!(JWT.verify(input).is_err(), "nobody knows the secret");
    assert!(verify_presented(input).is_none_or(|is_valid| !is_valid), "nobody knows the secret");
    check_signed(HEADER, input);
    if let Some((header, claims)) = input.split_once('\n') {
        check_signed(header, claims);
    }
}

fn check_signed(header: &str, claims: &str) {
    let signed = sign(header, claims);
    check_presented(header, claims, &signed);
    let sound = sound_claims(claims).filter(|_| signed.len() <= MAX_BYTES);
    // The second call finds it in the cache, if its signature was valid.
    assert_eq!(JWT.verify(&signed), JWT.verify(&signed));
    match (JWT.verify(&signed), sound) {
        (Ok(read), Some(claims)) => {
            assert_eq!(algorithm(header).as_deref(), Some("HS512"), "{header}");
            assert!(!member(header, "crit"), "an extension that is not known: {header}");
            check_read(&read, &claims);
        }
        (Ok(_), None) => panic!("took for claims that hold now: {claims}"),
        // A sound JWT may be refused too: for example one with a repeated claim.
        (Err(_), _) => {}
    }
    let (text, signature) = signed.rsplit_once('.').expect("it is signed");
    let other = if signature.starts_with('A') { "B" } else { "A" };
    assert!(JWT.verify(&format!("{text}.{other}{}", &signature[1..])).is_err(), "a forged signature");
    assert!(JWT.verify(text).is_err() && JWT.verify(&format!("{text}.")).is_err(), "no signature");
}

/// Application of the JWTs that a backend signs.
const APP_KEY: &str = "key";

/// Verifies a JWT for the application [`APP_KEY`], which signs with [`SECRET`]; `None` if it names no application.
fn verify_presented(jwt: &str) -> Option<bool> {
    let secret = SigningSecret::of(SECRET).expect("it is long");
    let day = std::time::Duration::from_secs(86_400);
    Some(Presented::read(jwt)?.verify(jwt, APP_KEY, &[secret], day).is_ok())
}

/// Checks that a JWT which is valid for the application names it in every place, and expires.
fn check_presented(header: &str, claims: &str, signed: &str) {
    if verify_presented(signed) != Some(true) {
        return;
    }
    let [header, claims]: [Map<String, Value>; 2] =
        [header, claims].map(|part| serde_json::from_str(part).expect("it was read"));
    let names: Vec<_> = [header.get("kid"), claims.get("app_key")].into_iter().flatten().collect();
    assert!(!names.is_empty() && names.iter().all(|name| *name == APP_KEY), "{header:?} {claims:?}");
    assert_eq!(header["alg"], "HS512");
    assert!(!header.contains_key("crit") && claims["exp"].is_number());
}

fn sign(header: &str, claims: &str) -> String {
    let [header, claims] = [header, claims].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part));
    let text = format!("{header}.{claims}");
    let signing = Hmac::<Sha512>::new_from_slice(SECRET.as_bytes()).expect("HMAC takes keys of every length");
    let signature = signing.chain_update(&text).finalize().into_bytes();
    format!("{text}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

fn algorithm(header: &str) -> Option<String> {
    let header: Map<String, Value> = serde_json::from_str(header).ok()?;
    header.get("alg")?.as_str().map(str::to_owned)
}

fn member(header: &str, name: &str) -> bool {
    serde_json::from_str::<Map<String, Value>>(header).is_ok_and(|header| header.contains_key(name))
}

/// Returns the claims if they have the right issuer and are valid now. A time that is not a number is later than all
/// others.
fn sound_claims(claims: &str) -> Option<Map<String, Value>> {
    let claims: Map<String, Value> = serde_json::from_str(claims).ok()?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok()?.as_secs() as f64;
    let time = |name| match claims.get(name) {
        None | Some(Value::Null) => None,
        Some(Value::Number(time)) => time.as_f64(),
        Some(_) => Some(f64::INFINITY),
    };
    let holds = time("exp").is_none_or(|time| time >= now)
        && ["nbf", "iat"].into_iter().all(|name| time(name).is_none_or(|time| time <= now));
    let is_ours = claims.get("iss").is_none_or(|issuer| issuer == "ExPusherLite");
    (holds && is_ours).then_some(claims)
}

fn check_read(read: &Claims, claims: &Map<String, Value>) {
    let id = claims.get("sub").and_then(Value::as_str).and_then(|subject| subject.strip_prefix("User:")?.parse().ok());
    assert_eq!(read.user_id.ok(), id);
    if claims.get("pem").is_none_or(|pem| !pem.is_object()) {
        assert_eq!(read.permissions, Permissions::default(), "who is allowed nothing");
    }
    assert_eq!(read.is_for_sockets_only, claims.keys().any(|name| name.starts_with(OWN_CLAIMS)));
    assert_eq!(read.token_id.map(i64::from), claims.get("tid").and_then(Value::as_i64), "an id, or no claim");
    if read.permissions.may_administer() {
        assert!(!claims["pem"]["admin"].is_null());
    }
}
