//! Sessions begin with the right password and end everywhere they should.

use crate::support::{browser::Browser, database::TestDatabase, server::TestServer};

const SESSION: &str = "pusher_lite_session";

db_test!(people_sign_in_and_out);
async fn people_sign_in_and_out(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut browser = Browser::new(&server);
    let form = browser.get("/sessions/new").await;
    assert!(form.body().contains("name=\"password\"") && !form.body().contains("Sign out"), "{form:?}");
    let before = browser.cookie(SESSION).unwrap().to_owned();
    let fields = [("session[email]", "admin@example.com"), ("session[password]", "password")];
    let answer = browser.submit("/sessions", &fields).await;
    assert_eq!((answer.status(), answer.header("location")), (303, Some("/account")));
    let during = browser.cookie(SESSION).unwrap().to_owned();
    assert_ne!(before, during);

    let own = browser.get("/registrations/1").await;
    assert_eq!(own.status(), 200);
    for text in ["You are signed in.", "Test Admin", "admin@example.com", "127.0.0.1", "Sign out"] {
        assert!(own.body().contains(text), "{text}: {own:?}");
    }
    for path in ["/registrations/2", "/registrations/2/edit", "/registrations/99/delete", "/registrations/x"] {
        assert_eq!(browser.get(path).await.status(), 404, "{path}");
    }
    assert_eq!(database.text("sign_in_count", "users WHERE id = 1").await, "4");
    assert_eq!(database.text("current_sign_in_ip", "users WHERE id = 1").await, "127.0.0.1");
    assert_eq!(database.text("last_sign_in_at", "users WHERE id = 1").await, "2026-11-22 23:07:47");

    assert_eq!(browser.get("/registrations/1").await.status(), 200);
    let stolen = browser.clone();
    let out = browser.sign_out().await;
    assert!(browser.follow(&out).await.body().contains("You are signed out."));
    assert_ne!(browser.cookie(SESSION), Some(during.as_str()));
    for mut browser in [browser, stolen] {
        let refused = browser.get("/registrations/1").await;
        assert_eq!(refused.header("location"), Some("/sessions/new?return_to=%2Fregistrations%2F1"));
    }
    assert_eq!(database.texts("id_hash", "sessions").await, [""; 0]);
    assert_eq!(database.texts("action", "audit_entries ORDER BY id").await, ["sign_in", "sign_out"]);
    assert_eq!(database.text("current_sign_in_at", "users WHERE id = 1").await, "");
}

db_test!(after_signing_in_people_come_to_the_page_they_wanted);
async fn after_signing_in_people_come_to_the_page_they_wanted(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let fields = [("email", "Member@Example.com"), ("password", "password")];
    let mut browser = Browser::new(&server);
    let asked = browser.get("/registrations/3/edit?x=1").await;
    let form = browser.follow(&asked).await;
    assert!(form.body().contains("name=\"return_to\" value=\"&#x2f;registrations&#x2f;3&#x2f;edit?x=1\""), "{form:?}");
    assert!(form.body().contains("Sign in to continue."));
    let fields = [&fields[..], &[("return_to", "/registrations/3/edit?x=1")]].concat();
    let answer = browser.submit("/sessions", &fields).await;
    assert_eq!(answer.header("location"), Some("/registrations/3/edit?x=1"));
    assert_eq!(browser.get("/sessions/new").await.header("location"), Some("/account"));
    assert_eq!(browser.get("/registrations/new").await.header("location"), Some("/account"));

    for evil in ["//evil.example", "/\\evil.example", "https://evil.example", "/%09/evil.example"] {
        let answer = browser.get(&format!("/sessions/new?return_to={evil}")).await;
        assert_eq!(answer.header("location"), Some("/account"), "{evil}");
    }
    let fields = [&fields[..2], &[("return_to", "//evil.example")]].concat();
    let answer = Browser::new(&server).fill("/sessions/new?return_to=//evil.example", "/sessions", &fields).await;
    assert_eq!(answer.header("location"), Some("/account"));
}

db_test!(only_forms_of_the_same_browser_are_taken);
async fn only_forms_of_the_same_browser_are_taken(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let fields = [("email", "admin@example.com"), ("password", "password")];
    assert_eq!(Browser::new(&server).submit("/sessions", &fields).await.status(), 403);
    let mut browser = Browser::new(&server);
    browser.get("/sessions/new").await;
    browser.forget(SESSION);
    assert_eq!(browser.submit("/sessions", &fields).await.status(), 403);
    for action in ["/registrations", "/passwords", "/confirmations", "/unlocks"] {
        assert_eq!(browser.submit(action, &[]).await.status(), 403, "{action}");
    }
}

db_test!(a_refusal_does_not_tell_whether_there_is_an_account);
async fn a_refusal_does_not_tell_whether_there_is_an_account(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    database.execute("UPDATE users SET locked_at = '2999-01-01 00:00:00' WHERE id = 3").await;
    let mut answers = Vec::new();
    for (email, password) in [
        ("admin@example.com", "wrong"),
        ("nobody@example.com", "password"),
        ("lone@example.com", "wrong"),
        ("member@example.com", "password"),
    ] {
        let mut browser = Browser::new(&server);
        let answer = browser.fill("/sessions/new", "/sessions", &[("email", email), ("password", password)]).await;
        assert_eq!(answer.status(), 401, "{email}");
        assert!(answer.body().contains(&format!("value=\"{email}\"")));
        answers.push(without_token(answer.body()).replace(email, "EMAIL"));
        assert!(!browser.is_signed_in().await);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
    let empty = Browser::new(&server).fill("/sessions/new", "/sessions", &[("email", "a@example.com")]).await;
    assert_eq!(empty.status(), 422);
    assert!(
        empty.body().contains("can&#x27;t be blank") && empty.body().contains("value=\"a@example.com\""),
        "{empty:?}"
    );
}

db_test!(whoever_knows_the_password_is_told_to_confirm_the_address);
async fn whoever_knows_the_password_is_told_to_confirm_the_address(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut browser = Browser::new(&server);
    let fields = [("email", "lone@example.com"), ("password", "password")];
    let answer = browser.fill("/sessions/new", "/sessions", &fields).await;
    assert_eq!(answer.status(), 403);
    assert!(answer.body().contains("Confirm your email address first"));
    assert!(!browser.is_signed_in().await);
}

db_test!(hashes_of_lower_cost_are_replaced);
async fn hashes_of_lower_cost_are_replaced(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let hash = async || database.text("password_hash", "users WHERE id = 2").await;
    assert!(hash().await.starts_with("$2b$10$"));
    Browser::signed_in(&server, "plainadmin@example.com").await;
    let better = hash().await;
    assert!(better.starts_with("$2b$12$"));
    Browser::signed_in(&server, "plainadmin@example.com").await;
    assert_eq!(hash().await, better);
}

db_test!(a_session_that_nobody_uses_ends);
async fn a_session_that_nobody_uses_ends(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut browser = Browser::signed_in(&server, "admin@example.com").await;
    assert!(browser.is_signed_in().await);
    database.execute("UPDATE sessions SET last_seen_at = '2026-01-01 00:00:00'").await;
    assert!(!browser.is_signed_in().await);
}

fn without_token(page: &str) -> String {
    page.split("value=\"")
        .map(|part| if part.split('"').next().is_some_and(|value| value.len() == 43) { &part[43..] } else { part })
        .collect::<Vec<_>>()
        .join("value=\"")
}
