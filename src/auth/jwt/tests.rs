//! JWTs that are verified and issued.

use super::*;

const SECRET: &str = "d1As0fBqRZdpYJXXTDHeNjS3ftcGhev0u6vFNI4OWWqrvAwnOfVqwbcBfXhjtgvq";
const NOW: i64 = 1_795_390_000;

/// Returns a JWT with the claims of the recorded cases, changed by those of the case; `null` removes a claim.
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

const ADMIN: Claims = Claims {
    user_id: Ok(1),
    token_id: None,
    session: None,
    permissions: Permissions::ADMIN,
    restrictions: None,
    is_for_sockets_only: false,
    expires_at: Some(NOW + 864_000),
};

const SESSION: Grant = Grant {
    user_id: 1,
    token_id: None,
    permissions: Permissions::ADMIN,
    scope: Scope::Full,
    lifetime: SESSION_LIFETIME,
    not_after: None,
};

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
    let unending = Claims { expires_at: None, ..ADMIN };
    assert_eq!(verify(json!({"exp": null})), Ok(unending), "without exp it does not expire");
}

#[test]
fn it_is_not_valid_before_nbf_and_iat() {
    for name in ["nbf", "iat"] {
        assert!(verify(json!({name: NOW})).is_ok(), "{name}");
        assert!(verify(json!({name: NOW - 10})).is_ok(), "{name}");
        assert_eq!(verify(json!({name: NOW + 1000})), Err(Invalid::NotYet), "{name}");
        assert_eq!(verify(json!({name: NOW.to_string()})), Err(Invalid::NotYet), "{name}");
    }
}

#[test]
fn times_count_also_when_the_jwt_is_remembered() {
    let jwt = Jwt::new(SECRET);
    let token = minted(Algorithm::HS512, json!({"nbf": NOW, "exp": NOW + 1}));
    let valid = || Ok(Claims { expires_at: Some(NOW + 1), ..ADMIN });
    for (now, expected) in [
        (NOW, valid()),
        (NOW + 2, Err(Invalid::Expired(NOW + 1))),
        (NOW + 1, valid()),
        (NOW - 1, Err(Invalid::NotYet)),
        (NOW, valid()),
    ] {
        assert_eq!(jwt.verify_at(&token, now), expected, "{now}");
    }
    assert_eq!(jwt.0.signed.len(), 1);
    let (text, signature) = token.rsplit_once('.').unwrap();
    let forged = format!("{text}.{}{}", if signature.starts_with('A') { 'B' } else { 'A' }, &signature[1..]);
    assert_eq!(
        [jwt.verify_at(&forged, NOW), jwt.verify_at(&forged, NOW)],
        [Err(Invalid::Signature), Err(Invalid::Signature)]
    );
    assert_eq!(jwt.0.signed.len(), 1, "what is forged is not remembered");
}

#[test]
fn another_issuer_is_refused() {
    assert_eq!(verify(json!({"iss": "X"})), Err(Invalid::Malformed));
    assert_eq!(verify(json!({"iss": 1})), Err(Invalid::Malformed));
}

#[test]
fn hs512_with_the_right_secret_only() {
    let jwt = Jwt::new(SECRET);
    for algorithm in [Algorithm::HS256, Algorithm::HS384] {
        assert_eq!(jwt.verify_at(&minted(algorithm, json!({})), NOW), Err(Invalid::Algorithm), "{algorithm:?}");
    }
    let right = minted(Algorithm::HS512, json!({}));
    assert_eq!(Jwt::new("another secret").verify_at(&right, NOW), Err(Invalid::Signature));
    let (unsigned, _) = right.rsplit_once('.').unwrap();
    let (_, claims) = unsigned.split_once('.').unwrap();
    // {"alg":"none","typ":"JWT"}
    let none = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.");
    for forged in [none.as_str(), unsigned, &format!("{unsigned}."), "", "garbage", "a.b.c", &"a".repeat(100_000)] {
        assert!(jwt.verify_at(forged, NOW).is_err(), "{forged}");
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
    let grant = Grant { token_id: Some(9), ..SESSION };
    let verified = jwt.verify(&jwt.issue(&grant)).unwrap();
    let expires_at = verified.expires_at.filter(|expires_at| *expires_at > Utc::now().timestamp());
    assert!(expires_at.is_some());
    assert_eq!(verified, Claims { token_id: Some(9), expires_at, ..ADMIN });
    let without = Grant { token_id: None, ..grant };
    assert_eq!(jwt.verify(&jwt.issue(&without)).unwrap().token_id, None);
}

#[test]
fn no_jwt_expires_after_its_token() {
    let expiry = |not_after: Option<i64>| {
        let not_after = not_after.map(|time| chrono::DateTime::from_timestamp(time, 0).unwrap().naive_utc());
        let issued = Jwt::new(SECRET).issue(&Grant { not_after, ..SESSION });
        let claims = jsonwebtoken::dangerous::insecure_decode::<Map<String, Value>>(&issued).unwrap().claims;
        (claims["exp"].as_i64().unwrap(), claims["iat"].as_i64().unwrap())
    };
    let lifetime = i64::try_from(SESSION.lifetime.as_secs()).unwrap();
    let now = chrono::Utc::now().timestamp();
    assert_eq!(expiry(Some(now + 60)).0, now + 60);
    assert_eq!(expiry(Some(now - 60)).0, now - 60);
    for later in [None, Some(now + lifetime + 3600)] {
        let (expiry, issued_at) = expiry(later);
        assert_eq!(expiry, issued_at + lifetime);
    }
}

#[test]
fn it_is_issued_with_the_claims_of_the_original() {
    let issued = Jwt::new(SECRET).issue(&SESSION);
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
    assert_eq!(jwt.verify_at(root_far, NOW), Ok(Claims { expires_at: Some(2_110_748_868), ..ADMIN }));
    assert_eq!(jwt.verify_at(expired, NOW), Err(Invalid::Expired(1_795_385_268)));
    let then = Claims { expires_at: Some(1_795_385_268), ..ADMIN };
    assert_eq!(jwt.verify_at(expired, 1_795_385_268), Ok(then));
    for spelled in [format!("{root_far} "), format!(" {root_far}"), format!("\"{root_far}\"")] {
        assert!(jwt.verify_at(&spelled, NOW).is_err(), "{spelled}");
    }
}

#[test]
fn a_jwt_for_sockets_says_what_it_was_issued_for() {
    let jwt = Jwt::new(SECRET);
    let console = Scope::Console(SessionHash::of("id"));
    for (scope, purpose) in [(Scope::Channel, "channel"), (console, "console"), (Scope::Demo, "demo")] {
        let issued = jwt.issue(&Grant { scope, ..SESSION });
        let claims = jsonwebtoken::dangerous::insecure_decode::<Map<String, Value>>(&issued).unwrap().claims;
        assert_eq!(claims[USE_CLAIM], purpose);
        assert!(jwt.verify(&issued).unwrap().is_for_sockets_only, "{purpose}");
    }
    assert!(!jwt.verify(&jwt.issue(&SESSION)).unwrap().is_for_sockets_only);
}

#[test]
fn the_claim_counts_by_its_presence_alone() {
    let mut claims = json!({"sub": "User:1", "pem": {"default": -1, "admin": -1}});
    let values = [json!(null), json!(false), json!(0), json!(""), json!("rest"), json!("channel"), json!([])];
    let of_use = values.into_iter().map(|value| (USE_CLAIM, value));
    for (claim, value) in of_use.chain([("pusher_lite:of_a_later_version", json!(1))]) {
        claims.as_object_mut().unwrap().retain(|name, _| !name.starts_with(OWN_CLAIMS));
        claims[claim] = value.clone();
        let key = EncodingKey::from_secret(SECRET.as_bytes());
        let minted = jsonwebtoken::encode(&Header::new(Algorithm::HS512), &claims, &key).unwrap();
        assert!(Jwt::new(SECRET).verify_at(&minted, NOW).unwrap().is_for_sockets_only, "{value}");
    }
}

#[test]
fn a_token_is_named_by_its_id_or_not_at_all() {
    assert_eq!(verify(json!({"tid": 7})), Ok(Claims { token_id: Some(7), ..ADMIN }));
    for unreadable in [json!("7"), json!(7.5), json!(99_999_999_999_u64), json!({}), json!(false)] {
        assert_eq!(verify(json!({"tid": unreadable})), Err(Invalid::Malformed), "{unreadable}");
    }
}

#[test]
fn the_jwt_of_a_page_names_its_session_and_nothing_that_signs_in() {
    let (jwt, session) = (Jwt::new(SECRET), SessionHash::of("the id in the cookie"));
    let issued = jwt.issue(&Grant { scope: Scope::Console(session), ..SESSION });
    let claims = jsonwebtoken::dangerous::insecure_decode::<Map<String, Value>>(&issued).unwrap().claims;
    assert_eq!(claims[SESSION_CLAIM], session.to_string());
    assert!(!Value::from(claims).to_string().contains("the id in the cookie"));
    assert_eq!(jwt.verify(&issued).unwrap().session, Some(session));
    for scope in [Scope::Full, Scope::Channel, Scope::Demo] {
        assert_eq!(jwt.verify(&jwt.issue(&Grant { scope, ..SESSION })).unwrap().session, None, "{scope:?}");
    }
}

#[test]
fn a_session_is_named_by_its_hash_or_the_jwt_is_not_valid() {
    let verify = |value: Value| {
        let claims = json!({"sub": "User:1", "pem": {"default": -1, "admin": -1}, SESSION_CLAIM: value});
        let key = EncodingKey::from_secret(SECRET.as_bytes());
        let minted = jsonwebtoken::encode(&Header::new(Algorithm::HS512), &claims, &key).unwrap();
        Jwt::new(SECRET).verify_at(&minted, NOW)
    };
    let session = SessionHash::of("id");
    let claims = Claims { session: Some(session), is_for_sockets_only: true, expires_at: None, ..ADMIN };
    assert_eq!(verify(json!(session.to_string())), Ok(claims));
    for unreadable in [json!(null), json!(""), json!("id"), json!(7), json!([]), json!(session.to_string() + "0")] {
        assert_eq!(verify(unreadable.clone()), Err(Invalid::Malformed), "{unreadable}");
    }
}

#[test]
fn critical_extensions_are_refused() {
    let claims = json!({"sub": "User:1", "pem": {"default": -1, "admin": -1}});
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    for crit in [vec![], vec!["exp".to_owned()], vec!["b64".to_owned(), "unknown".to_owned()]] {
        let header = Header { crit: Some(crit.clone()), ..Header::new(Algorithm::HS512) };
        let minted = jsonwebtoken::encode(&header, &claims, &key).unwrap();
        assert_eq!(Jwt::new(SECRET).verify_at(&minted, NOW), Err(Invalid::Malformed), "{crit:?}");
    }
}

#[test]
fn padding_must_fill_the_part() {
    let jwt = Jwt::new(SECRET);
    // A payload that needs padding, and has both characters that the alphabets write differently.
    let token = minted(Algorithm::HS512, json!({"a": "???>>>~~~\u{ff}\u{fe}\u{bf}"}));
    let [header, payload, signature] = token.split('.').collect::<Vec<_>>()[..] else { unreachable!("three parts") };
    assert!(payload.contains(['-', '_']) && payload.len() % 4 != 0, "{payload}");
    let standard = |part: &str| part.replace('-', "+").replace('_', "/");
    let padding = "=".repeat(payload.len().next_multiple_of(4) - payload.len());
    for spelled in [
        format!("{header}.{}.{}", standard(payload), standard(signature)),
        format!("{header}.{payload}{padding}.{signature}"),
        format!("{header}.{payload}.{signature}=="),
        format!("{header}.{payload}{padding}.{signature}=="),
    ] {
        assert_eq!(jwt.verify_at(&spelled, NOW), Ok(ADMIN), "{spelled}");
    }
    assert_eq!(jwt.0.signed.len(), 1, "however it is spelled, it is remembered once");
    for spelled in [
        format!("{token}="),
        format!("{token}==="),
        format!("{token}===="),
        format!("{token}=a"),
        format!("{header}.{payload}{padding}=.{signature}"),
        format!("{header}.={payload}.{signature}"),
        format!("{header}.{payload}.={signature}"),
        format!("{header}=.{payload}.{signature}"),
        format!("{header}==.{payload}.{signature}"),
        format!("={token}"),
        format!("{header}.{payload}.{signature}.="),
        format!("{header}.{payload}.="),
    ] {
        assert!(jwt.verify_at(&spelled, NOW).is_err(), "{spelled}");
    }
}
