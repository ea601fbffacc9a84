//! The visitor's own tokens.

use pusher_lite::store::{
    token_scope::TokenScope,
    user_token_settings::{self, TokenSettings},
};
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
    let created = member.send("post", "/account/tokens", &[("scope", "publish"), ("expires", "never")]).await;
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

db_test!(a_token_gets_the_settings_of_the_form);
async fn a_token_gets_the_settings_of_the_form(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let member = Visitor::sign_in(&server, MEMBER).await;
    let page = unescaped(&member.get("/account/tokens").await);
    assert_eq!(checked(&page), ["publish"], "the least is preselected");
    for sentence in TokenScope::ALL.map(TokenScope::sentence) {
        assert!(page.contains(sentence), "{sentence}: {page}");
    }
    let mut ids = 7..;
    for (fields, name, scope, days) in [
        (&[("scope", "publish"), ("expires", "never")][..], "", "publish", None),
        (&[("name", " chat & more "), ("scope", "read"), ("expires", "30")], "chat & more", "read", Some(30)),
        (&[("name", ""), ("scope", "manage"), ("expires", "90")], "", "manage", Some(90)),
        (&[("scope", "all"), ("expires", "365")], "", "all", Some(365)),
    ] {
        let earliest = chrono::Utc::now().naive_utc();
        let created = member.send("post", "/account/tokens", fields).await;
        assert_eq!(created.status(), 201, "{fields:?}: {created:?}");
        let settings = find(&server, ids.next().unwrap()).await;
        assert_eq!((settings.name.as_deref().unwrap_or_default(), settings.scope.name()), (name, scope));
        let latest = chrono::Utc::now().naive_utc();
        let second = chrono::TimeDelta::seconds(1);
        match (settings.expires_at, days.map(chrono::TimeDelta::days)) {
            (None, None) => {}
            (Some(at), Some(days)) => assert!(at + second > earliest + days && at <= latest + days, "{fields:?}: {at}"),
            other => panic!("{fields:?}: {other:?}"),
        }
    }
    let fields = [("name", "dated"), ("scope", "read"), ("expires", "date"), ("expires_on", "9998-12-31")];
    assert_eq!(member.send("post", "/account/tokens", &fields).await.status(), 201);
    assert_eq!(
        find(&server, 11).await.expires_at,
        Some("9999-01-01T00:00:00".parse().unwrap()),
        "the day counts whole"
    );
    let page = unescaped(&member.get("/account/tokens").await);
    assert!(page.contains("chat & more, ending in") && page.contains("9999-01-01T00:00:00"), "{page}");
    assert!(page.contains("Publish only</span>") && page.contains("Manage</span>") && page.contains("Does not expire"));
}

db_test!(errors_stand_beside_the_fields_of_a_token_and_what_was_typed_is_kept);
async fn errors_stand_beside_the_fields_of_a_token_and_what_was_typed_is_kept(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let member = Visitor::sign_in(&server, MEMBER).await;
    let long = "x".repeat(101);
    for (fields, field, message) in [
        (&[("name", "kept"), ("expires", "never")][..], "scope", "can't be blank"),
        (&[("name", "kept"), ("scope", "everything"), ("expires", "never")], "scope", "is invalid"),
        (&[("name", &long), ("scope", "read"), ("expires", "never")], "name", "at most 100"),
        (&[("name", "kept"), ("scope", "read")], "expires", "is invalid"),
        (&[("name", "kept"), ("scope", "read"), ("expires", "7")], "expires", "is invalid"),
        (&[("name", "kept"), ("scope", "read"), ("expires", "date")], "expires_on", "can't be blank"),
        (
            &[("name", "kept"), ("scope", "read"), ("expires", "date"), ("expires_on", "soon")],
            "expires_on",
            "is no date",
        ),
        (
            &[("name", "kept"), ("scope", "read"), ("expires", "date"), ("expires_on", "2020-01-01")],
            "expires_on",
            "must be today or later",
        ),
        (
            &[("name", "kept"), ("scope", "read"), ("expires", "never"), ("expires_on", "2126-01-01")],
            "expires",
            "choose that, or empty the date",
        ),
    ] {
        let answer = member.send("post", "/account/tokens", fields).await;
        assert_eq!(answer.status(), 422, "{fields:?}");
        let page = unescaped(&answer);
        let errors = between(&page, &format!("id=\"field-{field}-errors\""), "</p>");
        assert!(errors.contains(message), "{fields:?}: {errors}");
        let (_, name) = fields[0];
        assert!(page.contains(&format!("value=\"{name}\"")), "{fields:?}");
        let scope = fields.iter().find(|(field, value)| *field == "scope" && *value == "read");
        assert_eq!(checked(&page), scope.map(|(_, value)| *value).into_iter().collect::<Vec<_>>(), "{fields:?}");
    }
    assert_eq!(database.texts("id", "user_tokens").await.len(), 6);
    assert_eq!(audit(&database).await, [""; 0]);
}

db_test!(an_expired_token_is_listed_as_such);
async fn an_expired_token_is_listed_as_such(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let member = Visitor::sign_in(&server, MEMBER).await;
    database.execute("INSERT INTO user_token_settings VALUES (3, 'old', 'later', '2026-01-01 00:00:00')").await;
    let page = unescaped(&member.get("/account/tokens").await);
    assert!(page.contains("Invalidated and expired tokens (1)") && page.contains("Expired</span>"), "{page}");
    assert!(page.contains("No valid token") && !page.contains(&format!("action=\"{MEMBERS_TOKEN}\"")), "{page}");
    assert!(page.contains("unknown</span>"), "a scope of a later version");
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

async fn find(server: &TestServer, token_id: i32) -> TokenSettings {
    user_token_settings::find(&mut server.app.db.conn().await.unwrap(), token_id).await.unwrap()
}

/// The values of the radio buttons that are chosen.
fn checked(page: &str) -> Vec<&str> {
    let buttons = page.split("<input type=\"radio\"").skip(1).filter_map(|rest| rest.split('>').next());
    buttons.filter(|button| button.contains(" checked")).map(|button| between(button, "value=\"", "\"")).collect()
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).unwrap_or_else(|| panic!("{start} is missing: {text}"));
    rest.split_once(end).unwrap().0
}
