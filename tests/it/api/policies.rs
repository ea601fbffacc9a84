//! What an application demands of those who connect to it, and the reasons for refusals.

use std::time::Duration;

use pusher_lite::auth::{
    Permissions,
    jwt::{Grant, Restrictions, Scope, TopicGrant},
};
use serde_json::{Value, json};

use super::{
    ADMIN, LONE, MEMBER, PLAIN_ADMIN, TEST_APP,
    client::{Api, join},
};
use crate::support::database::TestDatabase;

fn policy_path() -> String {
    format!("/api/organizations/acme-inc/applications/{TEST_APP}/policy")
}

async fn set_policy(api: &Api, policy: Value) {
    let answer = api.request(ADMIN, "PUT", &policy_path(), json!({ "policy": policy })).await;
    assert_eq!(answer.status(), 200, "{answer:?}");
}

/// A page's JWT of a member.
fn jwt(api: &Api, restrictions: &Restrictions, lifetime: u64) -> String {
    let grant = Grant {
        user_id: MEMBER,
        token_id: None,
        permissions: Permissions::USER,
        scope: Scope::Channel,
        lifetime: Duration::from_secs(lifetime),
        not_after: None,
    };
    api.server().app.jwt.issue_restricted(&grant, restrictions)
}

/// The status of a long-poll connect in its body, and the reason.
async fn open(api: &Api, jwt: &str, headers: &[&str]) -> (u64, String) {
    let path = format!("/socket/longpoll?vsn=2.0.0&app_key={TEST_APP}&unique_identifier=a&guardian_token={jwt}");
    let answer = api.server().get(&path, headers).await.json();
    (answer["status"].as_u64().unwrap(), answer["reason"].as_str().unwrap_or_default().to_owned())
}

db_test!(its_admins_alone_see_and_change_it);
async fn its_admins_alone_see_and_change_it(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let policy =
        json!({"policy": {"named_topics": [" private-* ", "x"], "allowed_origins": ["https://Example.com:443"]}});
    for user in [MEMBER, PLAIN_ADMIN, LONE] {
        for (method, body) in [("GET", json!(null)), ("PUT", policy.clone()), ("PATCH", policy.clone())] {
            assert_eq!(api.request(user, method, &policy_path(), body).await.status(), 401, "{user} {method}");
        }
    }
    let changed = api.request(ADMIN, "PATCH", &policy_path(), policy).await;
    let expected = json!({
        "accepts_signed": false, "requires_restricted": false, "named_topics": ["private-*", "x"],
        "allowed_origins": ["https://example.com"], "ends_expired": false,
    });
    assert_eq!((changed.status(), &changed.json()["data"]), (200, &expected));
    assert_eq!(api.request(ADMIN, "GET", &policy_path(), json!(null)).await.json()["data"], expected);
    let details = database.texts("details", "audit_entries").await;
    let said = r#"named_topics: "" -> "private-*, x"; allowed_origins: "" -> "https://example.com""#;
    assert_eq!(details, [said]);
    for (body, status) in [
        (json!({}), 400),
        (json!({"policy": []}), 400),
        (json!({"policy": {"allowed_origins": ["*"]}}), 422),
        (json!({"policy": {"accept_signed": true}}), 422),
    ] {
        assert_eq!(api.request(ADMIN, "PUT", &policy_path(), body.clone()).await.status(), status, "{body}");
    }
}

web_test!(jwts_that_are_restricted_can_be_required);
async fn jwts_that_are_restricted_can_be_required(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    set_policy(&api, json!({"requires_restricted": true})).await;
    let named = Restrictions { unique_identifier: Some("a".to_owned()), ..Restrictions::default() };
    let restricted = Restrictions { app_key: Some(TEST_APP.to_owned()), ..Restrictions::default() };
    let refused = (403, "JWT not restricted to the application".to_owned());
    assert_eq!(open(&api, &jwt(&api, &Restrictions::default(), 60), &[]).await, refused);
    assert_eq!(open(&api, &jwt(&api, &named, 60), &[]).await, refused, "to a name is not to the application");
    assert_eq!(open(&api, &jwt(&api, &restricted, 60), &[]).await, (410, String::new()));
}

web_test!(topics_can_be_closed_to_jwts_that_do_not_name_them);
async fn topics_can_be_closed_to_jwts_that_do_not_name_them(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    set_policy(&api, json!({"named_topics": ["private-*"]})).await;
    let mut unnamed = api.connect(&jwt(&api, &Restrictions::default(), 60), TEST_APP, "a").await.unwrap();
    let refused = "topic not in JWT";
    for (topic, expected) in [("private-1", refused), ("private-", refused), ("Private-1", ""), ("news", "")] {
        assert_eq!(join(&mut unnamed, topic).await, expected, "{topic}");
    }
    let topics = Some(vec![TopicGrant::everything()]);
    let everything = Restrictions { topics, ..Restrictions::default() };
    let mut named = api.connect(&jwt(&api, &everything, 60), TEST_APP, "a").await.unwrap();
    assert_eq!(join(&mut named, "private-1").await, "");
}

web_test!(pages_of_other_origins_can_be_refused);
async fn pages_of_other_origins_can_be_refused(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let jwt = jwt(&api, &Restrictions::default(), 60);
    assert_eq!(open(&api, &jwt, &["origin: https://anywhere.example"]).await.0, 410, "without a list");
    set_policy(&api, json!({"allowed_origins": ["https://*.example.com"]})).await;
    for (origin, is_allowed) in [
        ("https://app.example.com", true),
        ("https://example.com", false),
        ("https://anywhere.example", false),
        ("null", false),
        // The server's own pages.
        ("http://x", true),
    ] {
        let (status, reason) = open(&api, &jwt, &[&format!("origin: {origin}")]).await;
        assert_eq!(status, if is_allowed { 410 } else { 403 }, "{origin}");
        assert_eq!(reason == "origin not allowed", !is_allowed, "{origin}");
    }
    assert_eq!(open(&api, &jwt, &[]).await.0, 410, "no browser");
}

web_test!(sockets_can_be_closed_when_their_jwt_expires);
async fn sockets_can_be_closed_when_their_jwt_expires(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let mut unending = api.connect(&jwt(&api, &Restrictions::default(), 1), TEST_APP, "a").await.unwrap();
    set_policy(&api, json!({"ends_expired": true})).await;
    let mut lasting = api.connect(&jwt(&api, &Restrictions::default(), 600), TEST_APP, "a").await.unwrap();
    let mut ending = api.connect(&jwt(&api, &Restrictions::default(), 1), TEST_APP, "a").await.unwrap();
    assert_eq!(ending.close_code().await, 4401);
    assert_eq!(join(&mut lasting, "t").await, "");
    assert_eq!(join(&mut unending, "t").await, "", "it was opened before");
}

web_test!(refusals_are_shown_in_the_console_and_by_diagnose);
async fn refusals_are_shown_in_the_console_and_by_diagnose(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let stranger = api.server().jwt(LONE, Permissions::USER);
    let origin = "origin: https://page.example";
    assert_eq!(open(&api, &stranger, &[origin]).await, (403, "not enrolled".to_owned()));
    let path = format!("/socket/diagnose?app_key={TEST_APP}&unique_identifier=%3Cb%3E");
    let answer = api.server().get(&path, &[&format!("x-phoenix-authtoken: {stranger}"), origin]).await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    let advice = "Have an admin invite the user into an organization that owns the application.";
    assert_eq!(answer.json(), json!({"status": 403, "reason": "not enrolled", "advice": advice}));
    let header = format!("x-phoenix-authtoken: {}", api.server().jwt(MEMBER, Permissions::USER));
    assert_eq!(api.server().get(&path, &[&header]).await.json(), json!({"status": 200}));
    assert_eq!(api.server().app.hub.socket_count(), 0, "it opens none");
    assert_eq!(api.server().request("POST", &path, &[], "").await.status(), 405);
    let preflight = ["origin: https://page.example", "access-control-request-headers: x-phoenix-authtoken"];
    let preflight = api.server().request("OPTIONS", &path, &preflight, "").await;
    assert_eq!(preflight.header("access-control-allow-headers"), Some("x-phoenix-authtoken"));

    let admin = crate::portal::visitor::Visitor::sign_in(api.server(), ADMIN).await;
    let console = admin.get(&format!("/account/organizations/acme-inc/applications/{TEST_APP}/console")).await;
    assert_eq!(console.body().matches("<strong>not enrolled</strong>").count(), 2, "{console:?}");
    assert!(console.body().contains("page.example") && console.body().contains("&lt;b&gt;"), "{console:?}");
    assert!(!console.body().contains(&stranger));
}
