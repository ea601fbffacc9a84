//! JWTs that a backend signs with its application's secret: each claim admits what it names, and no way around it.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use pusher_lite::web::sweep::sweep;
use serde_json::{Value, json};

use super::{
    ADMIN, SECOND_APP, TEST_APP,
    client::{Api, join},
};
use crate::support::database::TestDatabase;

const SECRET: &str = "a secret that the backend keeps: 7d1f0e2b";
const OTHER_SECRET: &str = "another secret, of another application";

/// The path of Test App.
fn test_app() -> String {
    format!("/api/organizations/acme-inc/applications/{TEST_APP}")
}

/// Returns a JWT for Test App. `null` removes a claim.
fn sign(secret: &str, kid: Option<&str>, changes: &Value) -> String {
    let mut claims = json!({"exp": chrono::Utc::now().timestamp() + 600});
    claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    let header = Header { kid: kid.map(str::to_owned), ..Header::new(Algorithm::HS256) };
    jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

/// Starts a server where Test App accepts JWTs that [`SECRET`] signed.
async fn start(database: &TestDatabase) -> Api {
    let api = Api::start(database.with_original_rows().await);
    let secret = json!({"application": {"app_secret": SECRET}});
    assert_eq!(api.request(ADMIN, "PUT", &test_app(), secret).await.status(), 200);
    set_policy(&api, json!({"accepts_signed": true})).await;
    api
}

async fn set_policy(api: &Api, policy: Value) {
    let answer = api.request(ADMIN, "PUT", &format!("{}/policy", test_app()), json!({ "policy": policy })).await;
    assert_eq!(answer.status(), 200, "{answer:?}");
}

/// The reason why a connect is refused; empty if it is not.
async fn reason(api: &Api, jwt: &str, app_key: &str, name: &str) -> String {
    let path = format!("/socket/diagnose?app_key={app_key}&unique_identifier={name}&vsn=2.0.0");
    let answer = api.server().get(&path, &[&format!("x-phoenix-authtoken: {jwt}")]).await;
    let (opened, answer) = (api.connect(jwt, app_key, name).await, answer.json());
    assert_eq!(opened.err(), answer.get("reason").map(|_| 403), "{answer}");
    answer["reason"].as_str().unwrap_or_default().to_owned()
}

db_test!(the_door_is_shut_until_the_owner_opens_it_and_has_a_strong_secret);
async fn the_door_is_shut_until_the_owner_opens_it_and_has_a_strong_secret(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let original = api.request(ADMIN, "GET", &test_app(), json!(null)).await.json()["data"]["app_secret"].clone();
    let weak = sign(original.as_str().unwrap(), Some(TEST_APP), &json!({}));
    assert_eq!(reason(&api, &weak, TEST_APP, "a").await, "signed JWTs not accepted");
    set_policy(&api, json!({"accepts_signed": true})).await;
    assert_eq!(reason(&api, &weak, TEST_APP, "a").await, "weak application secret");
    let rotated = api.request(ADMIN, "POST", &format!("{}/secret", test_app()), json!({})).await.json();
    let secret = rotated["data"]["app_secret"].as_str().unwrap().to_owned();
    assert_eq!(reason(&api, &weak, TEST_APP, "a").await, "bad signature");
    assert_eq!(reason(&api, &sign(&secret, Some(TEST_APP), &json!({})), TEST_APP, "a").await, "");
    let again = api.request(ADMIN, "DELETE", &format!("{}/secret", test_app()), json!(null)).await;
    assert_eq!(again.status(), 404, "a weak secret is not kept");
}

db_test!(a_new_application_accepts_what_its_secret_signs);
async fn a_new_application_accepts_what_its_secret_signs(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let path = "/api/organizations/acme-inc/applications";
    let made = api.request(ADMIN, "POST", path, json!({"application": {"name": "New"}})).await.json();
    let [app_key, secret] = ["app_key", "app_secret"].map(|name| made["data"][name].as_str().unwrap().to_owned());
    assert_eq!(reason(&api, &sign(&secret, Some(&app_key), &json!({})), &app_key, "a").await, "");
    let policy = api.request(ADMIN, "GET", &format!("{path}/{app_key}/policy"), json!(null)).await.json();
    let expected = json!({
        "accepts_signed": true, "requires_restricted": false, "named_topics": [], "allowed_origins": [],
        "ends_expired": false,
    });
    assert_eq!(policy["data"], expected, "made by REST, as in the original");
}

web_test!(it_is_for_its_application_alone);
async fn it_is_for_its_application_alone(database: TestDatabase) {
    let api = start(&database).await;
    let second = format!("/api/organizations/second-org/applications/{SECOND_APP}");
    let secret = json!({"application": {"app_secret": OTHER_SECRET}});
    assert_eq!(api.request(ADMIN, "PUT", &second, secret).await.status(), 200);
    let policy = json!({"policy": {"accepts_signed": true}});
    assert_eq!(api.request(ADMIN, "PUT", &format!("{second}/policy"), policy).await.status(), 200);
    let by_claim = json!({"app_key": TEST_APP});
    assert_eq!(reason(&api, &sign(SECRET, None, &by_claim), TEST_APP, "a").await, "");
    let other = "other application in JWT";
    for (secret, kid, claims, app_key, expected) in [
        (SECRET, Some(TEST_APP), json!({}), TEST_APP, ""),
        (SECRET, Some(TEST_APP), json!({}), SECOND_APP, other),
        (SECRET, Some(SECOND_APP), json!({}), SECOND_APP, "bad signature"),
        (SECRET, Some(SECOND_APP), json!({}), TEST_APP, other),
        (SECRET, Some(TEST_APP), json!({"app_key": SECOND_APP}), TEST_APP, other),
        (OTHER_SECRET, Some(TEST_APP), json!({}), TEST_APP, "bad signature"),
        (OTHER_SECRET, Some(TEST_APP), json!({}), SECOND_APP, other),
        (SECRET, Some(&TEST_APP.to_uppercase()), json!({}), TEST_APP, other),
        (SECRET, Some("unknown"), json!({}), "unknown", "unknown app_key"),
        (SECRET, None, json!({}), TEST_APP, "JWT with another algorithm"),
    ] {
        let jwt = sign(secret, kid, &claims);
        assert_eq!(reason(&api, &jwt, app_key, "a").await, expected, "{kid:?} {claims} for {app_key}");
    }
    let now = chrono::Utc::now().timestamp();
    for (exp, expected) in [
        (json!(now - 30), ""),
        (json!(0), "JWT expired at 1970-01-01T00:00:00Z"),
        (json!(now + 100_000), "JWT with an exp too far ahead"),
    ] {
        assert_eq!(reason(&api, &sign(SECRET, Some(TEST_APP), &json!({"exp": exp})), TEST_APP, "a").await, expected);
    }
}

web_test!(its_claims_restrict_the_socket);
async fn its_claims_restrict_the_socket(database: TestDatabase) {
    let api = start(&database).await;
    let topics = json!(["room-*", {"name": "news", "rights": ["join"]}]);
    let claims = json!({"unique_identifier": "alice", "topics": topics, "info": {"name": "Alice"}});
    let jwt = sign(SECRET, Some(TEST_APP), &claims);
    for other in ["bob", "Alice", "alice%20", "*"] {
        assert_eq!(reason(&api, &jwt, TEST_APP, other).await, "other name in JWT", "{other}");
    }
    let mut socket = api.connect(&jwt, TEST_APP, "alice").await.unwrap();
    for (topic, expected) in [("news", ""), ("room-1", ""), ("Room-1", "topic not in JWT"), ("x", "topic not in JWT")] {
        assert_eq!(join(&mut socket, topic).await, expected, "{topic}");
    }
    let path = format!("{}/event/presence_list?topic=room-1", test_app());
    let present = api.request(ADMIN, "POST", &path, json!(null)).await;
    assert!(present.body().contains("Alice"), "{present:?}");
    let malformed = sign(SECRET, Some(TEST_APP), &json!({"topics": "all"}));
    assert_eq!(reason(&api, &malformed, TEST_APP, "alice").await, "malformed JWT");
}

db_test!(two_secrets_are_valid_during_a_rotation);
async fn two_secrets_are_valid_during_a_rotation(database: TestDatabase) {
    let api = start(&database).await;
    let old = sign(SECRET, Some(TEST_APP), &json!({}));
    let mut by_old = api.connect(&old, TEST_APP, "a").await.unwrap();
    let rotated = api.request(ADMIN, "POST", &format!("{}/secret", test_app()), json!({})).await.json();
    let new = sign(rotated["data"]["app_secret"].as_str().unwrap(), Some(TEST_APP), &json!({}));
    let mut by_new = api.connect(&new, TEST_APP, "a").await.unwrap();
    assert_eq!(reason(&api, &old, TEST_APP, "a").await, "", "until it is ended");
    assert_eq!(join(&mut by_old, "t").await, "");
    let ended = api.request(ADMIN, "DELETE", &format!("{}/secret", test_app()), json!(null)).await;
    assert_eq!(ended.status(), 200, "{ended:?}");
    assert_eq!(by_old.close_code().await, 1008);
    assert_eq!(reason(&api, &old, TEST_APP, "a").await, "bad signature");
    assert_eq!(join(&mut by_new, "t").await, "", "the other stays");
    let details = database.texts("details", "audit_entries ORDER BY id").await;
    assert!(
        details.ends_with(&["app_secret: changed".to_owned(), "previous_secret: changed".to_owned()]),
        "{details:?}"
    );
    assert_eq!(api.request(ADMIN, "DELETE", &format!("{}/secret", test_app()), json!(null)).await.status(), 404);
}

db_test!(its_sockets_end_with_what_they_live_by);
async fn its_sockets_end_with_what_they_live_by(database: TestDatabase) {
    let api = start(&database).await;
    let jwt = sign(SECRET, Some(TEST_APP), &json!({}));
    let other_secret = json!({"application": {"app_secret": OTHER_SECRET}});
    let same_secret = json!({"application": {"app_secret": SECRET}});
    // A secret that is replaced outside of a rotation ends.
    let mut socket = api.connect(&jwt, TEST_APP, "a").await.unwrap();
    assert_eq!(api.request(ADMIN, "PUT", &test_app(), other_secret).await.status(), 200);
    assert_eq!(socket.close_code().await, 1008);
    assert_eq!(api.request(ADMIN, "PUT", &test_app(), same_secret).await.status(), 200);

    let mut socket = api.connect(&jwt, TEST_APP, "a").await.unwrap();
    set_policy(&api, json!({"accepts_signed": false})).await;
    assert_eq!(socket.close_code().await, 1008);
    set_policy(&api, json!({"accepts_signed": true})).await;

    // Changes of another process are found by the sweep.
    let mut socket = api.connect(&jwt, TEST_APP, "a").await.unwrap();
    database.execute("UPDATE applications SET app_secret = 'a secret that is another, and strong' WHERE id = 1").await;
    sweep(&api.server().app).await.unwrap();
    assert_eq!(socket.close_code().await, 1008);
    database.execute(&format!("UPDATE applications SET app_secret = '{SECRET}' WHERE id = 1")).await;
    sweep(&api.server().app).await.unwrap();

    let policy = json!({"policy": {"accepts_signed": true}});
    assert_eq!(api.request(ADMIN, "PUT", &format!("{}/policy", test_app()), policy).await.status(), 200);
    let mut socket = api.connect(&jwt, TEST_APP, "a").await.unwrap();
    assert_eq!(api.request(ADMIN, "DELETE", &test_app(), json!(null)).await.status(), 200);
    assert_eq!(socket.close_code().await, 1008);
    assert_eq!(reason(&api, &jwt, TEST_APP, "a").await, "application archived");
}

web_test!(it_opens_sockets_and_nothing_else);
async fn it_opens_sockets_and_nothing_else(database: TestDatabase) {
    let api = start(&database).await;
    let jwt = sign(SECRET, Some(TEST_APP), &json!({"sub": "User:1", "pem": {"admin": -1, "default": -1}}));
    assert_eq!(reason(&api, &jwt, TEST_APP, "a").await, "");
    let authorization = format!("authorization: Bearer {jwt}");
    for path in ["/api/organizations".to_owned(), test_app()] {
        assert_eq!(api.server().get(&path, &[&authorization]).await.status(), 401, "{path}");
    }
}
