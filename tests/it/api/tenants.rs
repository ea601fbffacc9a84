//! Tenants are isolated: every gap of the original is closed (D3, D5).

use pusher_lite::store::{Transaction, enrollments, ownerships};
use serde_json::{Value, json};

use super::{ADMIN, LONE, MEMBER, MIXED, PLAIN_ADMIN, SECOND_APP, TEST_APP, client::Api};
use crate::support::database::TestDatabase;

fn forbidden() -> Value {
    json!({"errors": {"token": ["forbidden"]}})
}

db_test!(d3_applications_are_for_admins_of_their_organization);
async fn d3_applications_are_for_admins_of_their_organization(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let app = json!({"application": {"name": "x"}});
    for user_id in [PLAIN_ADMIN, MEMBER, MIXED, LONE] {
        for (method, path, body) in [
            ("GET", "/api/organizations/acme-inc/applications", json!(null)),
            ("POST", "/api/organizations/1/applications", app.clone()),
            ("GET", "/api/organizations/1/applications/1", json!(null)),
            ("PUT", "/api/organizations/1/applications/1", app.clone()),
            ("DELETE", "/api/organizations/1/applications/1", json!(null)),
            ("POST", "/api/organizations/1/applications/1/event/x", json!({})),
            ("POST", "/api/organizations/1/applications/1/event/disconnect?topic=x", json!({})),
            ("POST", "/api/organizations/1/applications/1/event/presence_list", json!({})),
        ] {
            let answer = api.request(user_id, method, path, body).await;
            assert_eq!((answer.status(), answer.json()), (401, forbidden()), "user {user_id}: {method} {path}");
        }
    }
}

db_test!(d3_an_application_is_found_only_in_its_organization);
async fn d3_an_application_is_found_only_in_its_organization(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    for (method, id) in [("GET", "1"), ("GET", TEST_APP), ("DELETE", "1"), ("DELETE", TEST_APP)] {
        let path = format!("/api/organizations/second-org/applications/{id}");
        let answer = api.request(PLAIN_ADMIN, method, &path, json!(null)).await;
        assert_eq!(answer.status(), 404, "{method} {path}");
    }
    for id in ["1", TEST_APP] {
        let path = format!("/api/organizations/2/applications/{id}/event/x");
        assert_eq!(api.request(PLAIN_ADMIN, "POST", &path, json!({})).await.status(), 404, "{path}");
    }
}

db_test!(d3_members_and_strangers_cannot_change_an_organization);
async fn d3_members_and_strangers_cannot_change_an_organization(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let change = json!({"organization": {"name": "Mine"}});
    for (user_id, status) in [(MEMBER, 401), (MIXED, 401), (PLAIN_ADMIN, 404), (LONE, 404)] {
        for (method, body) in [("PUT", change.clone()), ("PATCH", change.clone()), ("DELETE", json!(null))] {
            let answer = api.request(user_id, method, "/api/organizations/1", body).await;
            assert_eq!(answer.status(), status, "user {user_id}: {method}");
        }
    }
    let acme = api.request(MEMBER, "GET", "/api/organizations/1", json!(null)).await;
    assert_eq!(acme.json()["data"]["name"], "Acme Inc.");
}

db_test!(d3_root_users_may_use_every_organization_that_there_is);
async fn d3_root_users_may_use_every_organization_that_there_is(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let path = format!("/api/organizations/second-org/applications/{SECOND_APP}/event/x");
    assert_eq!(api.request(ADMIN, "POST", &path, json!({})).await.status(), 204);
    let change = json!({"organization": {"name": "Renamed"}});
    assert_eq!(api.request(ADMIN, "PUT", "/api/organizations/2", change).await.status(), 200);
    let answer = api.request(ADMIN, "GET", "/api/organizations/nope/applications", json!(null)).await;
    assert_eq!((answer.status(), answer.json()), (401, forbidden()));
}

db_test!(d3_the_permission_counts_and_not_the_user_alone);
async fn d3_the_permission_counts_and_not_the_user_alone(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let jwt = api.mint(json!({"sub": "User:1", "pem": {"default": -1}}));
    for (method, path) in [
        ("PUT", "/api/organizations/1"),
        ("DELETE", "/api/organizations/1"),
        ("GET", "/api/organizations/1/applications"),
        ("POST", "/api/organizations/1/applications/1/event/x"),
    ] {
        let answer = api.with_jwt(&jwt, method, path, json!({})).await;
        assert_eq!((answer.status(), answer.json()), (401, forbidden()), "{method} {path}");
    }
    assert_eq!(api.with_jwt(&jwt, "GET", "/api/organizations/1", json!(null)).await.status(), 200);
}

db_test!(d5_sockets_are_for_members_of_the_application);
async fn d5_sockets_are_for_members_of_the_application(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    for (user_id, app_key, status) in [
        (MEMBER, TEST_APP, 101),
        (MEMBER, SECOND_APP, 403),
        (PLAIN_ADMIN, TEST_APP, 403),
        (LONE, TEST_APP, 403),
        (ADMIN, SECOND_APP, 101),
        (ADMIN, "nope", 403),
        (99, TEST_APP, 403),
    ] {
        let connected = api.connect(&api.jwt(user_id), app_key, "me").await;
        assert_eq!(connected.map_or_else(|status| status, |_| 101), status, "user {user_id}, {app_key}");
    }
}

db_test!(d5_archiving_an_application_closes_its_sockets_only);
async fn d5_archiving_an_application_closes_its_sockets_only(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let mut archived = api.connect(&api.jwt(MEMBER), TEST_APP, "me").await.unwrap();
    let mut other = api.connect(&api.jwt(PLAIN_ADMIN), SECOND_APP, "me").await.unwrap();
    other.join(&format!("lobby:{SECOND_APP}:t")).await;
    let path = format!("/api/organizations/1/applications/{TEST_APP}");
    assert_eq!(api.request(ADMIN, "DELETE", &path, json!(null)).await.status(), 200);
    assert_eq!(archived.close_code().await, 1008);
    assert_eq!(api.connect(&api.jwt(MEMBER), TEST_APP, "me").await.unwrap_err(), 403);

    let path = format!("/api/organizations/2/applications/{SECOND_APP}/event/hello?topic=t");
    assert_eq!(api.request(PLAIN_ADMIN, "POST", &path, json!({})).await.status(), 204);
    assert_eq!(other.message().await[3], "hello");
}

db_test!(d5_sockets_follow_changes_of_the_application);
async fn d5_sockets_follow_changes_of_the_application(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    for change in [json!({"app_key": "another"}), json!({"archived_at": "2026-11-23T00:00:00Z"})] {
        let app = api.request(ADMIN, "GET", "/api/organizations/1/applications/1", json!(null)).await.json();
        let app_key = app["data"]["app_key"].as_str().unwrap();
        let mut socket = api.connect(&api.jwt(MEMBER), app_key, "me").await.unwrap();
        let body = json!({ "application": change });
        let answer = api.request(ADMIN, "PUT", "/api/organizations/1/applications/1", body).await;
        assert_eq!((answer.status(), socket.close_code().await), (200, 1008), "{change}");
        assert_eq!(api.connect(&api.jwt(MEMBER), app_key, "me").await.unwrap_err(), 403);
    }
}

db_test!(d5_invalidating_a_token_closes_the_sockets_that_came_from_it);
async fn d5_invalidating_a_token_closes_the_sockets_that_came_from_it(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let created = api.request(MEMBER, "POST", "/api/users/3/tokens", json!(null)).await;
    let token = created.json()["data"]["token"].as_str().unwrap().to_owned();
    let session = api.anonymous("POST", "/api/sessions", json!({ "token": token })).await;
    let jwt = session.json()["jwt"].as_str().unwrap().to_owned();
    let mut socket = api.connect(&jwt, TEST_APP, "me").await.unwrap();

    let path = format!("/api/users/3/tokens/{token}");
    assert_eq!(api.request(MEMBER, "DELETE", &path, json!(null)).await.status(), 200);
    assert_eq!(socket.close_code().await, 1008);
    assert_eq!(api.connect(&jwt, TEST_APP, "me").await.unwrap_err(), 403, "the JWT opens no sockets any more");
    let session = api.anonymous("POST", "/api/sessions", json!({ "token": token })).await;
    assert_eq!((session.status(), session.json()), (422, json!({"errors": {"token": ["invalid"]}})));
}

db_test!(d5_deleting_an_organization_closes_the_sockets_that_lived_by_it);
async fn d5_deleting_an_organization_closes_the_sockets_that_lived_by_it(database: TestDatabase) {
    let db = database.with_original_rows().await;
    // Test App belongs to both organizations, and Plain Admin is a member of Acme too.
    db.transaction(async |tx: &mut Transaction<'_>| {
        ownerships::create(tx, 2, 1).await?;
        enrollments::create(tx, PLAIN_ADMIN, 1, false).await
    })
    .await
    .unwrap();
    let api = Api::start(db);
    let mut member = api.connect(&api.jwt(MEMBER), TEST_APP, "me").await.unwrap();
    assert_eq!(api.request(ADMIN, "DELETE", "/api/organizations/1", json!(null)).await.status(), 204);
    assert_eq!(member.close_code().await, 1008);
    assert_eq!(api.connect(&api.jwt(MEMBER), TEST_APP, "me").await.unwrap_err(), 403);
    assert!(api.connect(&api.jwt(PLAIN_ADMIN), TEST_APP, "me").await.is_ok(), "by the other organization");

    let mut last = api.connect(&api.jwt(ADMIN), TEST_APP, "me").await.unwrap();
    assert_eq!(api.request(ADMIN, "DELETE", "/api/organizations/2", json!(null)).await.status(), 204);
    assert_eq!(last.close_code().await, 1008, "nobody owns the application any more");
}

db_test!(d5_topics_of_another_application_cannot_be_joined);
async fn d5_topics_of_another_application_cannot_be_joined(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let mut socket = api.connect(&api.jwt(MIXED), TEST_APP, "me").await.unwrap();
    let topic = format!("lobby:{SECOND_APP}:t");
    socket.send(json!(["1", "1", topic, "phx_join", {}])).await;
    let refused = json!({"status": "error", "response": {"reason": "unauthorized"}});
    assert_eq!(socket.message().await[4], refused);
}

db_test!(d5_an_application_key_cannot_reach_into_another_application);
async fn d5_an_application_key_cannot_reach_into_another_application(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let invalid = json!({"app_key": ["is invalid"]});
    let body = json!({"application": {"name": "x", "app_key": format!("{TEST_APP}:general")}});
    let created = api.request(PLAIN_ADMIN, "POST", "/api/organizations/2/applications", body.clone()).await;
    assert_eq!((created.status(), created.json()), (422, json!({"errors": {"application": invalid}})));
    let updated = api.request(PLAIN_ADMIN, "PUT", "/api/organizations/2/applications/2", body).await;
    assert_eq!((updated.status(), updated.json()), (422, json!({"errors": invalid})));
}
