//! Credentials that `/api` accepts: JWTs that are not for sockets only, and whose token is valid.

use pusher_lite::{store::demo, web::Endpoint};
use serde_json::{Value, json};

use super::{ADMIN, TEST_APP, client::Api};
use crate::support::{browser::Browser, database::TestDatabase};

const ADMIN_TOKEN: &str = "88927080-e6c9-11f1-85bf-f2fc4c7451a7";

/// Every route under `/api` but those that begin a session, with ids of the original's database.
pub(super) fn routes(api: &Api) -> Vec<(String, String)> {
    let endpoint = Endpoint::new(api.app().clone());
    let routes = endpoint.routes().filter(|(pattern, _)| pattern.split('/').nth(1) == Some("api"));
    let ids = [
        ("{organization_id}", "1"),
        ("{application_id}", TEST_APP),
        ("{event}", "new_message"),
        ("{user_id}", "1"),
        ("{token}", ADMIN_TOKEN),
        ("{id}", "1"),
    ];
    let path = |pattern: &str| ids.iter().fold(pattern.to_owned(), |path, (name, id)| path.replace(name, id));
    let routes =
        routes.map(|(pattern, method)| (method.expect("no route is for all methods").to_string(), path(pattern)));
    let (open, closed): (Vec<_>, Vec<_>) = routes.partition(|(_, path)| path == "/api/sessions");
    assert_eq!(open, [("POST".to_owned(), "/api/sessions".to_owned())]);
    assert!(closed.len() >= 15, "{closed:?}");
    assert!(closed.iter().all(|(_, path)| !path.contains('{')), "{closed:?}");
    closed
}

/// The JWT in an answer.
async fn exchange(api: &Api, body: Value) -> String {
    let session = api.anonymous("POST", "/api/sessions", body).await;
    session.json()["jwt"].as_str().unwrap_or_else(|| panic!("{session:?}")).to_owned()
}

/// A JWT from a token that has ended since.
async fn of_an_ended_token(api: &Api) -> String {
    let path = format!("/api/users/{ADMIN}/tokens");
    let token = api.request(ADMIN, "POST", &path, json!(null)).await.json()["data"]["token"].clone();
    let jwt = exchange(api, json!({"token": token})).await;
    assert_eq!(api.with_jwt(&jwt, "GET", "/api/organizations", json!(null)).await.status(), 200);
    let path = format!("{path}/{}", token.as_str().unwrap());
    assert_eq!(api.with_jwt(&jwt, "DELETE", &path, json!(null)).await.status(), 200);
    jwt
}

/// The headers of a request with each credential that is good for nothing here.
async fn useless(api: &Api) -> Vec<(&'static str, Option<String>)> {
    let token = json!(ADMIN_TOKEN);
    let channel = exchange(api, json!({"token": token, "channel": true})).await;
    let channel_text = exchange(api, json!({"token": token, "channel": "true"})).await;
    let mut root = Browser::signed_in(api.server(), "admin@example.com").await;
    let console = format!("/account/organizations/1/applications/{TEST_APP}/console");
    root.get(&console).await;
    let console = root.submit(&format!("{console}/session"), &[]).await.json()["jwt"].as_str().unwrap().to_owned();
    let of_root = |claims: Value| {
        let mut all = json!({"sub": "User:1", "pem": {"default": -1, "admin": -1}});
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        api.mint(all)
    };
    let claim = |value: Value| of_root(json!({"pusher_lite:use": value}));
    let full = of_root(json!({}));
    let ended = of_an_ended_token(api).await;
    let bearer = |jwt: String| Some(format!("authorization: Bearer {jwt}"));
    vec![
        ("no credential", None),
        ("channel", bearer(channel)),
        ("channel as text", bearer(channel_text)),
        ("console", bearer(console)),
        ("a use that is unknown", bearer(claim(json!("everything")))),
        ("a use without a value", bearer(claim(json!(null)))),
        ("a restriction alone", bearer(of_root(json!({"pusher_lite:app_key": TEST_APP})))),
        ("a restriction that is malformed", bearer(of_root(json!({"pusher_lite:topics": null})))),
        ("a session", bearer(of_root(json!({"pusher_lite:session": "0".repeat(64)})))),
        ("a session that is no name", bearer(of_root(json!({"pusher_lite:session": null})))),
        ("an ended token", bearer(ended)),
        ("a token of somebody else", bearer(of_root(json!({"tid": 3})))),
        ("a token that never was", bearer(of_root(json!({"tid": 99_999})))),
        ("a token that is no id", bearer(of_root(json!({"tid": "1"})))),
        ("garbage", bearer("garbage".to_owned())),
        ("a padded JWT", bearer(format!("{full}="))),
        ("the token itself", bearer(ADMIN_TOKEN.to_owned())),
        ("another scheme", Some(format!("authorization: Basic {full}"))),
    ]
}

db_test!(the_whole_api_needs_a_jwt_for_more_than_sockets);
async fn the_whole_api_needs_a_jwt_for_more_than_sockets(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let useless = useless(&api).await;
    let before = database.texts("id", "user_tokens").await.len();
    for (method, path) in routes(&api) {
        for (what, header) in &useless {
            let headers: Vec<&str> = header.iter().map(String::as_str).collect();
            let answer = api.send(&method, &path, &headers, json!(null)).await;
            assert_eq!((answer.status(), answer.body()), (401, "Unauthenticated"), "{what}: {method} {path}");
            let headers = [headers.as_slice(), &["accept: application/json"]].concat();
            let answer = api.send(&method, &path, &headers, json!(null)).await;
            assert_eq!(answer.json(), json!({"errors": ["Unauthenticated"]}), "{what}: {method} {path}");
        }
        // Sent last, since it may delete what the path names.
        let is_kept = !matches!(method.as_str(), "DELETE");
        if is_kept {
            let answer = api.request(ADMIN, &method, &path, json!(null)).await;
            assert_ne!(answer.status(), 401, "{method} {path}");
        }
    }
    let made_by_the_last = 1;
    assert_eq!(database.texts("id", "user_tokens").await.len(), before + made_by_the_last);
}

db_test!(the_jwt_of_the_demo_opens_nothing_of_the_api);
async fn the_jwt_of_the_demo_opens_nothing_of_the_api(database: TestDatabase) {
    let db = database.migrated().await;
    demo::seed(&db, "hash").await.unwrap();
    let guest_id = demo::find(&mut db.conn().await.unwrap()).await.unwrap().unwrap().guest_id;
    let api = Api::start(db);
    let session = api.anonymous("POST", "/demo/session", json!(null)).await.json();
    let jwt = session["jwt"].as_str().unwrap();
    let own_tokens = ("POST".to_owned(), format!("/api/users/{guest_id}/tokens"));
    for (method, path) in routes(&api).into_iter().chain([own_tokens]) {
        let answer = api.with_jwt(jwt, &method, &path, json!(null)).await;
        assert_eq!((answer.status(), answer.body()), (401, "Unauthenticated"), "{method} {path}");
    }
    assert!(api.connect(jwt, session["app_key"].as_str().unwrap(), "me").await.is_ok());
}

db_test!(sockets_open_with_what_is_for_sockets_only);
async fn sockets_open_with_what_is_for_sockets_only(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let jwt = exchange(&api, json!({"token": ADMIN_TOKEN, "channel": true})).await;
    assert!(api.connect(&jwt, TEST_APP, "me").await.is_ok());
    let jwt = of_an_ended_token(&api).await;
    assert_eq!(api.connect(&jwt, TEST_APP, "me").await.unwrap_err(), 403);
}

db_test!(jwts_of_the_original_name_no_token_and_stay_valid);
async fn jwts_of_the_original_name_no_token_and_stay_valid(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let path = format!("/api/users/{ADMIN}/tokens/{ADMIN_TOKEN}");
    assert_eq!(api.request(ADMIN, "DELETE", &path, json!(null)).await.status(), 200);
    for (name, pem) in
        [("One", json!({"default": -1})), ("Two", json!({"default": 3})), ("Three", json!({"default": 1}))]
    {
        let jwt = api.mint(json!({"sub": "User:1", "pem": pem}));
        assert_eq!(api.with_jwt(&jwt, "GET", "/api/organizations", json!(null)).await.status(), 200, "{pem}");
        let body = json!({"organization": {"name": name}});
        assert_eq!(api.with_jwt(&jwt, "POST", "/api/organizations", body).await.status(), 201, "{pem}");
    }
}

db_test!(what_is_wrong_with_a_request_is_told_before_its_credential);
async fn what_is_wrong_with_a_request_is_told_before_its_credential(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let get = async |path: &str, accept: &str| api.send("GET", path, &[accept], json!(null)).await.status();
    assert_eq!(get("/api/nope", "accept: */*").await, 404);
    assert_eq!(get("/api/organizations", "accept: text/html").await, 406);
    assert_eq!(get("/api/organizations", "accept: */*").await, 401);
    let malformed = ["content-type: application/json"];
    let answer = api.server().request("POST", "/api/organizations", &malformed, "{").await;
    assert_eq!(answer.status(), 400);
}
