//! The visitor's own tokens.

use serde_json::json;

use super::{
    audit,
    visitor::{Visitor, unescaped},
};
use crate::{
    api::{ADMIN, MEMBER, PLAIN_ADMIN, TEST_APP},
    support::{
        database::TestDatabase,
        server::{Answer, TestServer},
        socket::Socket,
    },
};

/// The id of Member's token in the dump.
const MEMBERS_TOKEN: &str = "/account/tokens/3";

db_test!(a_token_is_shown_once_and_opens_sessions_until_it_is_invalidated);
async fn a_token_is_shown_once_and_opens_sessions_until_it_is_invalidated(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let member = Visitor::sign_in(&server, MEMBER).await;
    let created = member.send("post", "/account/tokens", &[]).await;
    assert_eq!((created.status(), created.header("cache-control")), (201, Some("no-store")));
    let token = between(created.body(), "<code data-copy=\"Token\">", "</code>");
    let list = member.get("/account/tokens").await;
    assert!(!list.body().contains(token), "it is shown once");
    assert!(list.body().contains(&format!("<code>{}</code>", &token[32..])) && list.body().contains("never used"));

    let jwt = exchange(&server, token).await.json()["jwt"].as_str().unwrap().to_owned();
    let mut socket = Socket::open(&server, &jwt, TEST_APP, "me").await.unwrap();
    let invalidated = member.send("delete", "/account/tokens/7", &[]).await;
    assert!(member.follow(&invalidated).await.body().contains("The token is invalidated"));
    assert_eq!(socket.close_code().await, 1008);
    assert_eq!(exchange(&server, token).await.status(), 422);
    let entries = ["member@example.com create user_tokens 7", "member@example.com invalidate user_tokens 7"];
    assert_eq!(audit(&database).await, entries);
}

db_test!(when_and_from_where_a_token_was_used_is_shown);
async fn when_and_from_where_a_token_was_used_is_shown(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let token = database.text("token", "user_tokens WHERE id = 3").await;
    let member = Visitor::sign_in(&server, MEMBER).await;
    assert_eq!(exchange(&server, &token).await.status(), 201);
    // The session does not wait for it to be noted.
    while !member.get("/account/tokens").await.body().contains("from 127.0.0.1") {
        tokio::task::yield_now().await;
    }
    database.execute("UPDATE user_token_uses SET ip = 'before'").await;
    assert_eq!(exchange(&server, &token).await.status(), 201);
    let other = database.text("token", "user_tokens WHERE id = 1").await;
    assert_eq!(exchange(&server, &other).await.status(), 201);
    let admin = Visitor::sign_in(&server, ADMIN).await;
    while !admin.get("/account/tokens").await.body().contains("from 127.0.0.1") {
        tokio::task::yield_now().await;
    }
    assert!(member.get("/account/tokens").await.body().contains("from before"), "noted once a minute");
}

db_test!(a_session_does_not_depend_on_its_being_noted);
async fn a_session_does_not_depend_on_its_being_noted(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let token = database.text("token", "user_tokens WHERE id = 3").await;
    database.execute("DROP TABLE user_token_uses").await;
    assert_eq!(exchange(&server, &token).await.status(), 201);
    assert_eq!(exchange(&server, &token).await.status(), 201);
}

db_test!(tokens_of_others_are_not_there);
async fn tokens_of_others_are_not_there(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    for user_id in [PLAIN_ADMIN, ADMIN] {
        let visitor = Visitor::sign_in(&server, user_id).await;
        assert_eq!(visitor.send("delete", MEMBERS_TOKEN, &[]).await.status(), 404);
        assert_eq!(visitor.send("delete", "/account/tokens/nope", &[]).await.status(), 404);
    }
    let member = Visitor::sign_in(&server, MEMBER).await;
    let page = unescaped(&member.get("/account/tokens").await);
    assert!(page.contains(&format!("action=\"{MEMBERS_TOKEN}\"")), "{page}");
}

db_test!(nobody_who_is_not_signed_in_is_let_in);
async fn nobody_who_is_not_signed_in_is_let_in(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    for path in ["/account", "/account/tokens", "/account/organizations", super::ACME, &super::test_app()] {
        let answer = server.get(path, &[]).await;
        assert_eq!(answer.status(), 303, "{path}");
        assert!(answer.header("location").unwrap().starts_with("/sessions/new?return_to=%2Faccount"), "{answer:?}");
    }
    let member = Visitor::sign_in(&server, MEMBER).await;
    assert_eq!(member.get("/account").await.header("location"), Some("/registrations/3"));
    for path in ["/account/tokens", "/account/organizations"] {
        assert_eq!(member.send_forged(path).await.status(), 403, "{path}");
    }
    assert_eq!(audit(&database).await, [""; 0]);
}

async fn exchange(server: &TestServer, token: &str) -> Answer {
    let body = json!({ "token": token }).to_string();
    server.request("POST", "/api/sessions", &["content-type: application/json"], &body).await
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("{start} is missing: {text}"));
    rest.split_once(end).unwrap().0
}
