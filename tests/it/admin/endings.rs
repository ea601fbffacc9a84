//! A user whom a root user suspended has no access of any kind, until the suspension is lifted.

use serde_json::Value;

use super::{ADMIN, Browser, LONE, MEMBER, TEST_APP};
use crate::support::{
    browser::Browser as OwnBrowser,
    database::TestDatabase,
    server::{Answer, TestServer},
    socket::Socket,
};

const MIXED: i32 = 4;
const MIXED_EMAIL: &str = "mixed@example.com";
/// The key of Second App, which Second Org owns.
const SECOND_APP: &str = "8896169a-e6c9-11f1-bbfb-f2fc4c7451a7";

async fn exchange(server: &TestServer, token: &str) -> Answer {
    let body = format!(r#"{{"token":"{token}"}}"#);
    server.request("POST", "/api/sessions", &["content-type: application/json"], &body).await
}

async fn jwt_of(server: &TestServer, token: &str) -> String {
    exchange(server, token).await.json()["jwt"].as_str().unwrap().to_owned()
}

/// Statuses of what a JWT is good for: listing, creating, publishing, and opening a socket.
async fn doors(server: &TestServer, jwt: &str) -> [u16; 5] {
    let bearer = format!("authorization: Bearer {jwt}");
    let headers = [bearer.as_str(), "content-type: application/json"];
    let publish = format!("/api/organizations/second-org/applications/{SECOND_APP}/event/x");
    let socket = match Socket::open(server, jwt, SECOND_APP, "me").await {
        Ok(_) => 101,
        Err(status) => status,
    };
    let app = r#"{"application":{"name":"x"}}"#;
    [
        server.get("/api/organizations", &headers).await.status(),
        server.request("POST", &format!("/api/users/{MIXED}/tokens"), &headers, "{}").await.status(),
        server.request("POST", "/api/organizations/second-org/applications", &headers, app).await.status(),
        server.request("POST", &publish, &headers, "{}").await.status(),
        socket,
    ]
}

const OPEN: [u16; 5] = [200, 200, 201, 204, 101];
const SHUT: [u16; 5] = [401, 401, 401, 401, 403];

async fn sign_in(server: &TestServer, password: &str) -> Answer {
    let fields = [("email", MIXED_EMAIL), ("password", password)];
    OwnBrowser::new(server).fill("/sessions/new", "/sessions", &fields).await
}

fn confirmed(value: &str) -> Vec<(&str, &str)> {
    let mut fields = vec![("_method", "put"), ("email", MIXED_EMAIL), ("name", "Mixed")];
    if value == "true" {
        fields.push(("confirmed", "true"));
    }
    fields
}

db_test!(who_is_ended_is_out_by_every_door_until_that_is_taken_back);
async fn who_is_ended_is_out_by_every_door_until_that_is_taken_back(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Browser::of(&server, ADMIN).await;
    let user = format!("/admin/users/{MIXED}");
    let token = database.text("token", "user_tokens WHERE user_id = 4").await;
    for (path, end, undo, said) in [
        (format!("{user}/suspend"), vec![], (format!("{user}/reinstate"), vec![]), "This account is suspended."),
        (user.clone(), confirmed("false"), (user.clone(), confirmed("true")), "Confirm your email address first"),
    ] {
        let fields = [("email", MIXED_EMAIL), ("password", "password"), ("remember", "true")];
        let mut own = OwnBrowser::new(&server);
        assert_eq!(own.fill("/sessions/new", "/sessions", &fields).await.status(), 303);
        let with_token = jwt_of(&server, &token).await;
        // As the original issues them, and the console.
        let without_token = server.jwt(MIXED, pusher_lite::auth::Permissions::ADMIN);
        assert_eq!(doors(&server, &with_token).await, OPEN);
        let mut sockets = Vec::new();
        for jwt in [&with_token, &without_token] {
            sockets.push(Socket::open(&server, jwt, SECOND_APP, "me").await.unwrap());
        }

        assert_eq!(root.post(&path, &end).await.status(), 303, "{path}");
        for mut socket in sockets {
            assert_eq!(socket.close_code().await, 1008, "{path}");
        }
        for jwt in [&with_token, &without_token] {
            assert_eq!(doors(&server, jwt).await, SHUT, "{path}");
        }
        let refused = exchange(&server, &token).await;
        let invalid = exchange(&server, "no such token").await;
        assert_eq!((refused.status(), refused.json()), (invalid.status(), invalid.json()), "{path}");
        assert!(!own.is_signed_in().await, "neither by the session nor by what the browser keeps");
        assert_eq!(database.texts("id", "rememberables WHERE user_id = 4").await, [""; 0]);
        let right = sign_in(&server, "password").await;
        assert!(right.status() == 403 && right.body().contains(said), "{path}: {right:?}");
        let wrong = sign_in(&server, "wrong").await;
        assert!(wrong.status() == 401 && !wrong.body().contains(said), "only after the right password: {wrong:?}");

        assert_eq!(root.post(&undo.0, &undo.1).await.status(), 303, "{path}");
        for jwt in [&with_token, &without_token] {
            assert_eq!(doors(&server, jwt).await, OPEN, "{path}");
        }
        assert_eq!(exchange(&server, &token).await.status(), 201);
        assert_eq!(sign_in(&server, "password").await.status(), 303);
    }
    let actions = database.texts("action", "audit_entries WHERE resource = 'users' AND actor_id = 1 ORDER BY id").await;
    assert_eq!(actions, ["suspend", "reinstate", "unconfirm", "confirm"]);
}

db_test!(an_address_that_was_never_confirmed_ends_nobody);
async fn an_address_that_was_never_confirmed_ends_nobody(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let jwt = server.jwt(LONE, pusher_lite::auth::Permissions::USER);
    let bearer = format!("authorization: Bearer {jwt}");
    assert_eq!(server.get("/api/organizations", &[&bearer]).await.status(), 200, "as recorded");
    // Nor does a form that leaves it so.
    let root = Browser::of(&server, ADMIN).await;
    let fields = [("_method", "put"), ("email", "lone@example.com"), ("name", "Renamed")];
    assert_eq!(root.post("/admin/users/5", &fields).await.status(), 303);
    assert_eq!(server.get("/api/organizations", &[&bearer]).await.status(), 200);
}

db_test!(whoever_confirms_again_by_mail_is_in_again);
async fn whoever_confirms_again_by_mail_is_in_again(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Browser::of(&server, ADMIN).await;
    let jwt = server.jwt(MIXED, pusher_lite::auth::Permissions::ADMIN);
    assert_eq!(root.post(&format!("/admin/users/{MIXED}"), &confirmed("false")).await.status(), 303);
    assert_eq!(doors(&server, &jwt).await, SHUT);
    database.execute("UPDATE users SET confirmed_at = inserted_at WHERE id = 4").await;
    let another = TestServer::start(server.app.db.clone());
    assert_eq!(doors(&another, &jwt).await, OPEN, "however the address was confirmed");
}

db_test!(a_session_that_began_meanwhile_counts_for_nothing);
async fn a_session_that_began_meanwhile_counts_for_nothing(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Browser::of(&server, ADMIN).await;
    assert_eq!(root.post("/admin/users/3/suspend", &[]).await.status(), 303);
    // The password was right before, and the session is written after.
    let member = Browser::of(&server, MEMBER).await;
    let answer = member.get("/account/tokens").await;
    assert_eq!(answer.header("location"), Some("/sessions/new?return_to=%2Faccount%2Ftokens"), "{answer:?}");
}

db_test!(suspending_is_asked_about_and_shown);
async fn suspending_is_asked_about_and_shown(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Browser::of(&server, ADMIN).await;
    let question = root.page("/admin/users/3/suspend").await;
    assert!(
        question.contains("Suspend member@example.com?") && question.contains("Reinstating the user"),
        "{question}"
    );
    root.send("/admin/users/3/suspend", &[], "/admin/users/3").await;
    let page = root.page("/admin/users/3").await;
    assert!(page.contains("Suspended") && page.contains("Reinstate") && !page.contains("/users/3/suspend"), "{page}");
    assert!(root.page("/admin/users?is_suspended=yes").await.contains("member@example.com"));
    assert!(!root.page("/admin/users?is_suspended=no").await.contains("member@example.com"));
    assert_eq!(root.send("/admin/users/3/suspend", &[], "/admin/users/3").await, "There was nothing to do.");
    root.send("/admin/users/3/reinstate", &[], "/admin/users/3").await;
    assert!(!root.page("/admin/users/3").await.contains("Reinstate"));
}

db_test!(nobody_suspends_themselves_nor_whoever_is_left);
async fn nobody_suspends_themselves_nor_whoever_is_left(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Browser::of(&server, ADMIN).await;
    assert!(root.send("/admin/users/1/suspend", &[], "/admin/users/1").await.contains("yourself"));
    database.execute("UPDATE users SET is_root = true, confirmed_at = inserted_at WHERE id = 5").await;
    // The last root user must be one who could sign in again.
    database.execute("UPDATE users SET password_hash = NULL WHERE id = 1").await;
    assert!(root.send("/admin/users/5/suspend", &[], "/admin/users/5").await.contains("has to stay"));
    database.execute("UPDATE users SET password_hash = 'x' WHERE id = 1").await;
    root.send("/admin/users/5/suspend", &[], "/admin/users/5").await;
    assert_eq!(database.texts("user_id", "user_suspensions").await, ["5"]);
}

db_test!(a_new_password_by_an_admin_ends_consoles_and_browsers);
async fn a_new_password_by_an_admin_ends_consoles_and_browsers(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Browser::of(&server, ADMIN).await;
    let mut own = OwnBrowser::signed_in(&server, "member@example.com").await;
    let console = format!("/account/organizations/acme-inc/applications/{TEST_APP}/console");
    own.get(&console).await;
    let session = own.submit(&format!("{console}/session"), &[]).await;
    let of_console = session.json()["jwt"].as_str().unwrap().to_owned();
    let token = database.text("token", "user_tokens WHERE user_id = 3").await;
    let of_token = jwt_of(&server, &token).await;
    let mut console = Socket::open(&server, &of_console, TEST_APP, "console").await.unwrap();
    let mut backend = Socket::open(&server, &of_token, TEST_APP, "backend").await.unwrap();
    let fields = [
        ("_method", "put"),
        ("email", "member@example.com"),
        ("name", "Member"),
        ("confirmed", "true"),
        ("password", "another password"),
    ];
    assert_eq!(root.post("/admin/users/3", &fields).await.status(), 303);
    assert_eq!(console.close_code().await, 1008);
    assert!(!own.is_signed_in().await);
    backend.join(&format!("lobby:{TEST_APP}:still-there")).await;
    assert_eq!(exchange(&server, &token).await.status(), 201, "backends run on tokens");
    let mail = database.text("text_body", "mails WHERE kind = 'password_changed'").await;
    assert!(mail.contains(&token[token.len() - 4..]) && mail.contains("/account/tokens"), "{mail}");
}

db_test!(an_archived_organization_admits_nobody);
async fn an_archived_organization_admits_nobody(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Browser::of(&server, ADMIN).await;
    let jwt = |user_id| server.jwt(user_id, pusher_lite::auth::Permissions::ADMIN);
    let publish = async |user_id: i32, organization: &str| {
        let path = format!("/api/organizations/{organization}/applications/{TEST_APP}/event/x");
        let bearer = format!("authorization: Bearer {}", jwt(user_id));
        server.request("POST", &path, &[&bearer, "content-type: application/json"], "{}").await.status()
    };
    let put = async |archived_at: Value| {
        let bearer = format!("authorization: Bearer {}", jwt(ADMIN));
        let body = serde_json::json!({"organization": {"archived_at": archived_at}}).to_string();
        server
            .request("PUT", "/api/organizations/1", &[&bearer, "content-type: application/json"], &body)
            .await
            .status()
    };
    for by_rest in [true, false] {
        let mut member = Socket::open(&server, &jwt(MEMBER), TEST_APP, "member").await.unwrap();
        let mut of_root = Socket::open(&server, &jwt(ADMIN), TEST_APP, "root").await.unwrap();
        assert_eq!(publish(ADMIN, "acme-inc").await, 204);
        match by_rest {
            true => assert_eq!(put("2026-11-29T00:00:00".into()).await, 200),
            false => drop(root.send("/admin/organizations/1/archive", &[], "/admin/organizations/1").await),
        }
        for socket in [&mut member, &mut of_root] {
            assert_eq!(socket.close_code().await, 1008);
        }
        for user_id in [MEMBER, ADMIN] {
            assert_eq!(Socket::open(&server, &jwt(user_id), TEST_APP, "me").await.err(), Some(403));
        }
        assert_eq!(publish(ADMIN, "acme-inc").await, 404);
        let console = format!("/account/organizations/acme-inc/applications/{TEST_APP}/console");
        assert_eq!(root.get(&console).await.status(), 303, "the console publishes past REST");
        match by_rest {
            true => assert_eq!(put(Value::Null).await, 200),
            false => drop(root.send("/admin/organizations/1/restore", &[], "/admin/organizations/1").await),
        }
        assert_eq!(publish(ADMIN, "acme-inc").await, 204);
    }

    // Another active owner admits its own.
    let fields = [("organization", "second-org"), ("application", TEST_APP)];
    assert_eq!(root.post("/admin/ownerships", &fields).await.status(), 303);
    let mut member = Socket::open(&server, &jwt(MEMBER), TEST_APP, "member").await.unwrap();
    let mut other = Socket::open(&server, &jwt(2), TEST_APP, "other").await.unwrap();
    assert_eq!(put("2026-11-29T00:00:00".into()).await, 200);
    assert_eq!(member.close_code().await, 1008);
    other.join(&format!("lobby:{TEST_APP}:still-there")).await;
    assert_eq!(Socket::open(&server, &jwt(MEMBER), TEST_APP, "me").await.err(), Some(403));
    for user_id in [ADMIN, 2, MIXED] {
        assert!(Socket::open(&server, &jwt(user_id), TEST_APP, "me").await.is_ok(), "{user_id}");
    }
    assert_eq!((publish(ADMIN, "acme-inc").await, publish(2, "second-org").await), (404, 204));
}
