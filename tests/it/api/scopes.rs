//! Scopes and expiry of tokens (D45): at each route of REST, at sessions, and at sockets.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use pusher_lite::web::sweep::sweep;
use serde_json::{Value, json};

use super::{ADMIN, ADMIN_TOKEN, MEMBER, PLAIN_ADMIN, TEST_APP, client::Api, credentials::routes};
use crate::support::{database::TestDatabase, server::Answer};

const EVENT: &str = "/api/organizations/1/applications/1/event/news";
const APPLICATION: &str = "/api/organizations/1/applications/1";

/// Creates a token of ADMIN with these settings. Returns the answer's data.
async fn create(api: &Api, settings: Value) -> Value {
    let answer = api.request(ADMIN, "POST", &format!("/api/users/{ADMIN}/tokens"), settings).await;
    assert_eq!(answer.status(), 200, "{answer:?}");
    answer.json()["data"].clone()
}

async fn exchange(api: &Api, token: &Value, channel: bool) -> Answer {
    api.anonymous("POST", "/api/sessions", json!({ "token": token, "channel": channel })).await
}

/// A JWT from a new token of ADMIN with this scope.
async fn jwt_of(api: &Api, scope: &str) -> String {
    let token = create(api, json!({ "scope": scope })).await;
    exchange(api, &token["token"], false).await.json()["jwt"].as_str().unwrap().to_owned()
}

/// What a route needs, said without a look at the table.
fn need(method: &str, path: &str) -> &'static str {
    match method {
        _ if path.contains("/event/") => "publish",
        _ if path.contains("/tokens") => "tokens",
        "GET" => "read",
        _ => "manage",
    }
}

const PERMITTED: [(&str, &[&str]); 5] = [
    ("unknown to this version", &[]),
    ("publish", &["publish"]),
    ("read", &["read"]),
    ("manage", &["publish", "read", "manage"]),
    ("all", &["publish", "read", "manage", "tokens"]),
];

db_test!(each_scope_opens_its_routes_and_no_others);
async fn each_scope_opens_its_routes_and_no_others(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let (mut kept, mut deleting): (Vec<_>, Vec<_>) =
        routes(&api).into_iter().partition(|(method, _)| method.as_str() != "DELETE");
    kept.append(&mut deleting);
    for (scope, permitted) in PERMITTED {
        let token = create(&api, json!({ "scope": "publish" })).await;
        let jwt = exchange(&api, &token["token"], false).await.json()["jwt"].as_str().unwrap().to_owned();
        let id = &token["id"];
        database.execute(&format!("UPDATE user_token_settings SET scope = '{scope}' WHERE user_token_id = {id}")).await;
        let before = api.request(ADMIN, "GET", "/api/organizations", json!(null)).await.json();
        let is_permitted = |(method, path): &&(String, String)| permitted.contains(&need(method, path));
        let (allowed, refused): (Vec<_>, Vec<_>) = kept.iter().partition(is_permitted);
        assert_eq!(allowed.is_empty(), permitted.is_empty());
        for (method, path) in refused {
            let answer = api.with_jwt(&jwt, method, path, json!({ "organization": { "name": "No" } })).await;
            assert_eq!(answer.status(), 403, "{scope}: {method} {path}: {answer:?}");
            let detail = answer.json()["errors"]["detail"].as_str().unwrap().to_owned();
            assert!(detail.starts_with("this needs a token with the scope "), "{detail}");
        }
        assert_eq!(api.request(ADMIN, "GET", "/api/organizations", json!(null)).await.json(), before);
        for (method, path) in allowed {
            let answer = api.with_jwt(&jwt, method, path, json!(null)).await;
            // 401 with `forbidden` is the answer for an organization that an earlier scope has deleted.
            let is_refused = answer.status() == 403 || answer.body() == "Unauthenticated";
            assert!(!is_refused, "{scope}: {method} {path}: {answer:?}");
        }
    }
}

db_test!(the_database_decides_and_no_claim);
async fn the_database_decides_and_no_claim(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let token = create(&api, json!({ "scope": "read" })).await;
    let everything = json!({
        "sub": "User:1", "tid": token["id"], "pem": { "default": -1, "admin": -1 }, "scope": "all", "scp": "all",
    });
    let jwt = api.mint(everything);
    let name = json!({ "organization": { "name": "New" } });
    assert_eq!(api.with_jwt(&jwt, "POST", "/api/organizations", name.clone()).await.status(), 403);
    database.execute("UPDATE user_token_settings SET scope = 'manage'").await;
    assert_eq!(api.with_jwt(&jwt, "POST", "/api/organizations", name).await.status(), 201, "from the next request on");
    database.execute("UPDATE user_token_settings SET scope = 'publish'").await;
    assert_eq!(api.with_jwt(&jwt, "GET", "/api/organizations", json!(null)).await.status(), 403);
    database.execute("DELETE FROM user_token_settings").await;
    let created = api.with_jwt(&jwt, "POST", &format!("/api/users/{ADMIN}/tokens"), json!(null)).await;
    assert_eq!(created.status(), 200, "a token without settings is as the original's");
}

db_test!(a_token_that_reads_sees_no_secret);
async fn a_token_that_reads_sees_no_secret(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    for (scope, is_shown) in [("read", false), ("manage", true), ("all", true)] {
        let jwt = jwt_of(&api, scope).await;
        let one = api.with_jwt(&jwt, "GET", APPLICATION, json!(null)).await.json()["data"].clone();
        let all = api.with_jwt(&jwt, "GET", "/api/organizations/1/applications", json!(null)).await.json();
        for application in [&one, &all["data"][0]] {
            assert_eq!(application["app_key"], TEST_APP, "{scope}");
            assert_eq!(application["app_secret"].is_string(), is_shown, "{scope}: {application}");
            assert!(application.as_object().unwrap().contains_key("app_secret"), "{scope}: {application}");
        }
    }
}

db_test!(sockets_and_jwts_for_pages_need_a_scope_that_publishes);
async fn sockets_and_jwts_for_pages_need_a_scope_that_publishes(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    for (scope, is_let_in) in [("publish", true), ("read", false), ("manage", true), ("all", true)] {
        let token = create(&api, json!({ "scope": scope })).await;
        let full = exchange(&api, &token["token"], false).await.json()["jwt"].as_str().unwrap().to_owned();
        assert_eq!(api.connect(&full, TEST_APP, "me").await.err(), (!is_let_in).then_some(403), "{scope}");
        let channel = exchange(&api, &token["token"], true).await;
        if !is_let_in {
            assert_eq!(channel.status(), 403, "{scope}");
            let detail = "this needs a token with the scope publish, manage or all; the scope of yours is read";
            assert_eq!(channel.json(), json!({ "errors": { "detail": detail } }));
            continue;
        }
        assert!(api.connect(channel.json()["jwt"].as_str().unwrap(), TEST_APP, "me").await.is_ok(), "{scope}");
    }
}

db_test!(sockets_close_when_the_scope_of_their_token_no_longer_includes_them);
async fn sockets_close_when_the_scope_of_their_token_no_longer_includes_them(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let mut socket = api.connect(&jwt_of(&api, "publish").await, TEST_APP, "me").await.unwrap();
    let mut stays = api.connect(&jwt_of(&api, "all").await, TEST_APP, "me").await.unwrap();
    database.execute("UPDATE user_token_settings SET scope = 'read'").await;
    sweep(api.app()).await.unwrap();
    assert_eq!(socket.close_code().await, 1008);
    stays.send(json!([null, "hb", "phoenix", "heartbeat", {}])).await;
    assert_eq!(stays.message().await[1], "hb", "that token has no settings");
}

db_test!(an_expired_token_is_as_a_wrong_one_and_ends_what_came_from_it);
async fn an_expired_token_is_as_a_wrong_one_and_ends_what_came_from_it(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let token = create(&api, json!({ "scope": "all", "expires_in": 3600 })).await;
    let jwt = exchange(&api, &token["token"], false).await.json()["jwt"].as_str().unwrap().to_owned();
    let channel = exchange(&api, &token["token"], true).await.json()["jwt"].as_str().unwrap().to_owned();
    let mut socket = api.connect(&jwt, TEST_APP, "me").await.unwrap();
    let mut page = api.connect(&channel, TEST_APP, "you").await.unwrap();
    assert_eq!(api.with_jwt(&jwt, "GET", APPLICATION, json!(null)).await.status(), 200);
    sweep(api.app()).await.unwrap();
    page.send(json!([null, "hb", "phoenix", "heartbeat", {}])).await;
    assert_eq!(page.message().await[1], "hb", "it has not expired yet");

    let now = chrono::Utc::now().format("%Y-%m-%d %H:%M:%S");
    database.execute(&format!("UPDATE user_token_settings SET expires_at = '{now}'")).await;
    let expired = exchange(&api, &token["token"], false).await;
    let wrong = exchange(&api, &json!("no such token"), false).await;
    assert_eq!((expired.status(), expired.body()), (422, wrong.body()));
    for (method, path) in [("GET", APPLICATION), ("POST", EVENT)] {
        let answer = api.with_jwt(&jwt, method, path, json!(null)).await;
        assert_eq!((answer.status(), answer.body()), (401, "Unauthenticated"), "{method} {path}");
    }
    sweep(api.app()).await.unwrap();
    assert_eq!((socket.close_code().await, page.close_code().await), (1008, 1008));
    for jwt in [&jwt, &channel] {
        assert_eq!(api.connect(jwt, TEST_APP, "me").await.err(), Some(403));
    }
    let invalidated = database.text("invalidated_at", &format!("user_tokens WHERE id = {}", token["id"])).await;
    assert_eq!(invalidated, "", "the row stays as it was");
}

db_test!(no_jwt_expires_after_its_token);
async fn no_jwt_expires_after_its_token(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let expiry_of = |answer: &Answer| {
        let jwt = answer.json()["jwt"].as_str().unwrap().to_owned();
        let claims = BASE64_URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        (claims["exp"].as_i64().unwrap(), claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap())
    };
    let token = create(&api, json!({ "expires_at": "2126-01-01T00:00:00" })).await;
    assert_eq!(expiry_of(&exchange(&api, &token["token"], false).await).1, 864_000, "as without an expiry");

    let token = create(&api, json!({ "expires_in": 5000 })).await;
    let expires_at = chrono::NaiveDateTime::parse_from_str(token["expires_at"].as_str().unwrap(), "%Y-%m-%dT%H:%M:%S");
    let expires_at = expires_at.unwrap().and_utc().timestamp();
    for channel in [false, true] {
        assert_eq!(expiry_of(&exchange(&api, &token["token"], channel).await).0, expires_at);
    }
    let body = json!({ "token": token["token"], "channel": true, "expires_in": 60 });
    assert_eq!(expiry_of(&api.anonymous("POST", "/api/sessions", body).await).1, 60, "the earlier one counts");
}

db_test!(the_answer_has_the_settings_that_were_given_and_no_others);
async fn the_answer_has_the_settings_that_were_given_and_no_others(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let names = |data: &Value| data.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let recorded = ["id", "invalidated_at", "token"];
    for settings in [json!(null), json!({}), json!({ "token": "of my own" })] {
        let answer = api.request(ADMIN, "POST", &format!("/api/users/{ADMIN}/tokens"), settings).await;
        let data = answer.json()["data"].clone();
        let (id, token) = (&data["id"], data["token"].as_str().unwrap());
        assert_eq!(answer.body(), format!(r#"{{"data":{{"id":{id},"invalidated_at":null,"token":"{token}"}}}}"#));
    }
    assert!(database.texts("user_token_id", "user_token_settings").await.is_empty(), "as the original's");
    for (settings, given) in [
        (json!({ "name": " chat " }), json!({ "name": "chat" })),
        (json!({ "scope": "read" }), json!({ "scope": "read" })),
        (json!({ "scope": null, "name": "" }), json!({ "scope": "all", "name": null })),
        (json!({ "expires_at": "2126-01-02T03:04:05.678Z" }), json!({ "expires_at": "2126-01-02T03:04:05" })),
        (json!({ "expires_at": "2126-01-02T03:04:05+02:00" }), json!({ "expires_at": "2126-01-02T01:04:05" })),
        (json!({ "expires_at": "2126-01-02T03:04:05" }), json!({ "expires_at": "2126-01-02T03:04:05" })),
    ] {
        let data = create(&api, settings.clone()).await;
        let mut expected: Vec<_> = recorded.map(str::to_owned).into_iter().chain(names(&given)).collect();
        expected.sort_unstable();
        assert_eq!(names(&data), expected, "{settings}");
        for (name, value) in given.as_object().unwrap() {
            assert_eq!(data[name], *value, "{settings}");
        }
    }
    // In a query, as everywhere.
    let path = format!("/api/users/{ADMIN}/tokens?scope=publish&expires_in=60");
    let data = api.request(ADMIN, "POST", &path, json!(null)).await.json()["data"].clone();
    assert_eq!(names(&data), ["expires_at", "id", "invalidated_at", "scope", "token"]);
}

db_test!(settings_that_no_token_can_have_are_refused);
async fn settings_that_no_token_can_have_are_refused(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let before = database.texts("id", "user_tokens").await;
    for (settings, field, message) in [
        (json!({ "name": "x".repeat(101) }), "name", "should be at most 100 character(s)"),
        (json!({ "name": "a\u{0}" }), "name", "is invalid"),
        (json!({ "name": 5 }), "name", "is invalid"),
        (json!({ "scope": "everything" }), "scope", "must be one of publish, read, manage, all"),
        (json!({ "scope": "unknown" }), "scope", "must be one of publish, read, manage, all"),
        (json!({ "scope": ["all"] }), "scope", "is invalid"),
        (json!({ "expires_at": "2020-01-01T00:00:00" }), "expires_at", "must be in the future"),
        (json!({ "expires_at": "tomorrow" }), "expires_at", "is invalid"),
        (json!({ "expires_at": "" }), "expires_at", "is invalid"),
        (json!({ "expires_at": 1_900_000_000 }), "expires_at", "is invalid"),
        (json!({ "expires_at": "9999-12-31T23:59:59-01:00" }), "expires_at", "must be before the year 10000"),
        (json!({ "expires_in": 0 }), "expires_in", "must be a whole number of seconds above 0"),
        (json!({ "expires_in": -1 }), "expires_in", "must be a whole number of seconds above 0"),
        (json!({ "expires_in": 1.5 }), "expires_in", "must be a whole number of seconds above 0"),
        (json!({ "expires_in": "soon" }), "expires_in", "must be a whole number of seconds above 0"),
        (json!({ "expires_in": i64::MAX }), "expires_at", "must be before the year 10000"),
        (json!({ "expires_in": 1_000_000_000_000_000_i64 }), "expires_at", "must be before the year 10000"),
        (
            json!({ "expires_in": 60, "expires_at": "2126-01-01T00:00:00" }),
            "expires_in",
            "cannot be given together with expires_at",
        ),
    ] {
        let answer = api.request(ADMIN, "POST", &format!("/api/users/{ADMIN}/tokens"), settings.clone()).await;
        assert_eq!(answer.status(), 422, "{settings}: {answer:?}");
        assert_eq!(answer.json(), json!({ "errors": { field: [message] } }), "{settings}");
    }
    assert_eq!(database.texts("id", "user_tokens").await, before);
}

db_test!(no_token_creates_one_that_outlives_it);
async fn no_token_creates_one_that_outlives_it(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let token = create(&api, json!({ "expires_at": "2126-01-01T00:00:00" })).await;
    let jwt = exchange(&api, &token["token"], false).await.json()["jwt"].as_str().unwrap().to_owned();
    // For itself, and as a root user for another.
    for user_id in [ADMIN, MEMBER] {
        let path = format!("/api/users/{user_id}/tokens");
        let inherited = api.with_jwt(&jwt, "POST", &path, json!({ "scope": "all" })).await.json();
        assert_eq!(inherited["data"]["expires_at"], "2126-01-01T00:00:00");
        let earlier = api.with_jwt(&jwt, "POST", &path, json!({ "expires_at": "2125-12-31T23:59:59" })).await;
        assert_eq!(earlier.status(), 200);
        let later = api.with_jwt(&jwt, "POST", &path, json!({ "expires_at": "2126-01-01T00:00:01" })).await;
        assert_eq!(later.status(), 422);
        assert_eq!(later.json(), json!({ "errors": { "expires_at": ["must not be after that of your own token"] } }));
    }
}

db_test!(expired_tokens_do_not_count_as_valid_ones);
async fn expired_tokens_do_not_count_as_valid_ones(database: TestDatabase) {
    let limits = pusher_lite::store::user_quotas::UserLimits { tokens: 2, ..Default::default() };
    let api = Api::with_user_limits(database.with_original_rows().await, limits);
    let path = format!("/api/users/{PLAIN_ADMIN}/tokens");
    let create = async || api.request(PLAIN_ADMIN, "POST", &path, json!({ "expires_in": 60 })).await.status();
    assert_eq!((create().await, create().await), (200, 422));
    database.execute("UPDATE user_token_settings SET expires_at = '2026-01-01 00:00:00'").await;
    assert_eq!((create().await, create().await), (200, 422));
}

db_test!(the_tokens_of_an_existing_installation_stay_as_they_are);
async fn the_tokens_of_an_existing_installation_stay_as_they_are(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let jwt = exchange(&api, &json!(ADMIN_TOKEN), false).await.json()["jwt"].as_str().unwrap().to_owned();
    for (method, path) in routes(&api).iter().filter(|(method, _)| method.as_str() != "DELETE") {
        let answer = api.with_jwt(&jwt, method, path, json!(null)).await;
        assert!(![401, 403].contains(&answer.status()), "{method} {path}: {answer:?}");
    }
    assert!(api.connect(&jwt, TEST_APP, "me").await.is_ok());
}
