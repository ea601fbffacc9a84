//! Sessions and tokens (D4, D10, D12, D14).

use pusher_lite::auth::Permissions;
use serde_json::{Value, json};

use super::{ADMIN, ADMIN_TOKEN, LONE, MEMBER, TEST_APP, client::Api};
use crate::support::database::TestDatabase;

const MEMBER_TOKEN: &str = "889898ca-e6c9-11f1-9b3a-f2fc4c7451a7";

async fn permissions(api: &Api, path: &str, body: Value) -> Permissions {
    let session = api.anonymous("POST", path, body).await;
    assert_eq!(session.status(), 201, "{session:?}");
    let jwt = session.json()["jwt"].as_str().unwrap().to_owned();
    api.app().jwt.verify(&jwt).unwrap().permissions
}

db_test!(sessions_carry_what_the_user_may);
async fn sessions_carry_what_the_user_may(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    assert_eq!(permissions(&api, "/api/sessions", json!({"token": ADMIN_TOKEN})).await, Permissions::ADMIN);
    assert_eq!(permissions(&api, "/api/sessions", json!({"token": MEMBER_TOKEN})).await, Permissions::USER);
}

db_test!(d10_a_session_for_channels_has_no_admin_permissions);
async fn d10_a_session_for_channels_has_no_admin_permissions(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let token = json!({"token": ADMIN_TOKEN});
    assert_eq!(permissions(&api, "/api/sessions?channel=true", token.clone()).await, Permissions::USER);
    let in_body = json!({"token": ADMIN_TOKEN, "channel": true});
    assert_eq!(permissions(&api, "/api/sessions", in_body).await, Permissions::USER);
    assert_eq!(permissions(&api, "/api/sessions?channel=false", token).await, Permissions::ADMIN);
    let in_body = json!({"token": ADMIN_TOKEN, "channel": false});
    assert_eq!(permissions(&api, "/api/sessions", in_body).await, Permissions::ADMIN);
}

db_test!(d10_what_may_be_meant_as_a_session_for_channels_gives_no_jwt);
async fn d10_what_may_be_meant_as_a_session_for_channels_gives_no_jwt(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let token = json!({"token": ADMIN_TOKEN});
    let refused = json!({"errors": {"channel": ["must be true or false"]}});
    for query in
        ["channel", "channel=", "channel=1", "channel=TRUE", "channel=yes", "channel=%20true", "channel[]=true"]
    {
        let answer = api.anonymous("POST", &format!("/api/sessions?{query}"), token.clone()).await;
        assert_eq!((answer.status(), answer.json()), (422, refused.clone()), "{query}");
    }
    for value in [json!(1), json!(0), json!(null), json!("True"), json!([true]), json!({"true": true})] {
        let body = json!({"token": ADMIN_TOKEN, "channel": value});
        let answer = api.anonymous("POST", "/api/sessions", body).await;
        assert_eq!((answer.status(), answer.json()), (422, refused.clone()), "{value}");
    }
}

db_test!(tokens_that_are_no_strings_are_malformed);
async fn tokens_that_are_no_strings_are_malformed(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    for (body, status) in [
        (json!({}), 400),
        (json!({"token": null}), 400),
        (json!({"token": 5}), 400),
        (json!({"token": {}}), 400),
        (json!({"token": "a\u{0}b"}), 422),
        (json!({"token": "x".repeat(1000)}), 422),
        (json!({"token": ""}), 422),
    ] {
        let answer = api.anonymous("POST", "/api/sessions", body.clone()).await;
        assert_eq!(answer.status(), status, "{body}");
    }
}

db_test!(d4_tokens_are_for_oneself_and_root_users);
async fn d4_tokens_are_for_oneself_and_root_users(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    for (user_id, of, status) in [(MEMBER, 3, 200), (ADMIN, 3, 200), (LONE, 3, 401), (MEMBER, 1, 401), (ADMIN, 99, 404)]
    {
        let path = format!("/api/users/{of}/tokens");
        assert_eq!(api.request(user_id, "POST", &path, json!(null)).await.status(), status, "user {user_id}: {path}");
    }
    let answer = api.anonymous("POST", "/api/users/1/tokens", json!(null)).await;
    assert_eq!((answer.status(), answer.body()), (401, "Unauthenticated"));

    let member_token = format!("/api/users/3/tokens/{MEMBER_TOKEN}");
    assert_eq!(api.anonymous("DELETE", &member_token, json!(null)).await.status(), 401);
    for path in [member_token.clone(), format!("/api/users/5/tokens/{MEMBER_TOKEN}")] {
        assert_eq!(api.request(LONE, "DELETE", &path, json!(null)).await.status(), 401, "{path}");
    }
    assert_eq!(api.request(LONE, "DELETE", "/api/users/5/tokens/nope", json!(null)).await.status(), 404);
    for user_id in [MEMBER, ADMIN] {
        let answer = api.request(user_id, "DELETE", &member_token, json!(null)).await;
        assert_eq!(answer.status(), 200);
        assert!(answer.json()["data"]["invalidated_at"].is_string());
    }
}

db_test!(d12_an_id_is_a_whole_number);
async fn d12_an_id_is_a_whole_number(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    for id in ["1abc", "abc", "1.0", "99999999999999999999"] {
        let answer = api.request(ADMIN, "POST", &format!("/api/users/{id}/tokens"), json!(null)).await;
        assert_eq!(answer.status(), 404, "{id}");
    }
}

db_test!(d14_new_tokens_and_keys_are_random);
async fn d14_new_tokens_and_keys_are_random(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let token = api.request(ADMIN, "POST", "/api/users/1/tokens", json!({"token": "mine"})).await.json();
    let body = json!({"application": {"name": "New", "app_key": ""}});
    let app = api.request(ADMIN, "POST", "/api/organizations/1/applications", body).await.json();
    for secret in [&token["data"]["token"], &app["data"]["app_key"], &app["data"]["app_secret"]] {
        let uuid = uuid::Uuid::parse_str(secret.as_str().unwrap()).unwrap();
        assert_eq!(uuid.get_version_num(), 4);
    }
}

db_test!(d1_a_jwt_of_nobody_finds_nothing);
async fn d1_a_jwt_of_nobody_finds_nothing(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    for (subject, status) in [
        (json!("User:99"), 404),
        (json!("User:99999999999"), 404),
        (json!("Foo:1"), 404),
        // As the original: these are no crashes there.
        (json!("User:abc"), 400),
        (json!("User:1abc"), 400),
        (json!("User:"), 400),
    ] {
        let jwt = api.mint(json!({"sub": subject, "pem": {"default": -1, "admin": -1}}));
        for (method, path) in [
            ("GET", "/api/organizations".to_owned()),
            ("POST", "/api/users/99/tokens".to_owned()),
            ("POST", format!("/api/organizations/1/applications/{TEST_APP}/event/x")),
        ] {
            let answer = api.with_jwt(&jwt, method, &path, json!(null)).await;
            assert_eq!(answer.status(), status, "{subject}: {method} {path}");
        }
        assert_eq!(api.connect(&jwt, TEST_APP, "me").await.unwrap_err(), 403, "{subject}");
    }
}

db_test!(wrong_tokens_are_limited_by_the_address_they_come_from);
async fn wrong_tokens_are_limited_by_the_address_they_come_from(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let exchange = async |address: &str, token: &str| {
        let from = format!("x-forwarded-for: {address}");
        let headers: &[&str] = if address.is_empty() { &[] } else { &[&from] };
        api.send("POST", "/api/sessions", headers, json!({"token": token})).await
    };
    for _ in 0..150 {
        assert_eq!(exchange("203.0.113.9", ADMIN_TOKEN).await.status(), 201, "only failures count");
    }
    for _ in 0..100 {
        assert_eq!(exchange("203.0.113.9", "wrong").await.status(), 422);
        assert_eq!(api.send("POST", "/api/sessions", &["x-forwarded-for: 203.0.113.9"], json!({})).await.status(), 400);
    }
    for token in ["wrong", ADMIN_TOKEN] {
        let refused = exchange("203.0.113.9", token).await;
        assert_eq!(refused.status(), 429, "{token}");
        let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
        let said = refused.json()["errors"]["detail"].as_str().unwrap().to_owned();
        assert!(said.starts_with("too many wrong tokens came from your address; try again in"), "{said}");
    }
    assert_eq!(exchange("203.0.113.10", ADMIN_TOKEN).await.status(), 201, "another address");
    // The proxy itself, and this machine, may stand for everybody.
    for _ in 0..101 {
        assert_eq!(exchange("", "wrong").await.status(), 422);
    }
    assert_eq!(exchange("", ADMIN_TOKEN).await.status(), 201);
}
