//! Rules for every path: errors, CORS, request ids, files.

use serde_json::json;

use pusher_lite::http::Refusal;

use crate::support::{
    browser::Browser,
    client::{Client, status},
    database::TestDatabase,
    server::{Answer, TestServer},
};

web_test!(what_is_not_there_is_said_to_people_and_programs);
async fn what_is_not_there_is_said_to_people_and_programs(database: TestDatabase) {
    let server = TestServer::start(database.migrated().await);
    for (method, path, headers, is_json) in [
        ("GET", "/api", vec![], true),
        ("GET", "/api/nope", vec![], true),
        ("GET", "/api/nope", vec!["accept: text/html"], false),
        ("FOO", "/api/organizations", vec![], true),
        ("OPTIONS", "/api/organizations", vec!["origin: http://example.com"], true),
        ("GET", "/nope", vec![], false),
        ("GET", "/nope", vec!["accept: application/json"], true),
        ("GET", "/robots.txt", vec!["accept: application/json"], true),
        ("GET", "/socket", vec![], false),
    ] {
        let answer = server.request(method, path, &headers, "").await;
        assert_eq!(answer.status(), 404, "{method} {path}");
        if is_json {
            assert_eq!(answer.json(), json!({"errors": {"detail": "nothing is here for this method and path"}}));
        } else {
            assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{method} {path}");
            assert!(answer.body().contains("<h1>Not Found</h1>"), "{answer:?}");
        }
    }
}

/// Returns the kind of navigation that a page has.
fn navigation(page: &Answer) -> &'static str {
    let has = |text: &str| page.body().contains(text);
    match (has("Sign out"), has(">Admin</a>"), has(">Sign in</a>"), has(">Account</a>")) {
        (true, true, false, true) => "root",
        (true, false, false, true) => "a user",
        (false, false, true, false) => "a visitor",
        (false, false, false, true) => "somebody unknown",
        other => panic!("{other:?}: {page:?}"),
    }
}

web_test!(pages_of_errors_know_who_is_signed_in);
async fn pages_of_errors_know_who_is_signed_in(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    assert_eq!(navigation(&server.get("/nope", &[]).await), "a visitor");
    let forged = ["cookie: pusher_lite_session=forged.x"];
    assert_eq!(navigation(&server.get("/nope", &forged).await), "a visitor");
    let mut root = Browser::signed_in(&server, "admin@example.com").await;
    assert_eq!(navigation(&root.get("/admin/nope").await), "root");

    let mut member = Browser::new(&server);
    let fields = [("email", "member@example.com"), ("password", "password"), ("remember", "true")];
    member.fill("/sessions/new", "/sessions", &fields).await;
    for (path, status) in [("/nope", 404), ("/registrations/1", 404), ("/a%zz", 400)] {
        let page = member.get(path).await;
        assert_eq!((page.status(), navigation(&page)), (status, "a user"), "{path}");
    }
    let cookie = format!("cookie: pusher_lite_session={}", member.cookie("pusher_lite_session").unwrap());
    let refused = server.request("POST", "/account/tokens", &[&cookie], "").await;
    assert_eq!((refused.status(), navigation(&refused)), (403, "a user"));
    let program = server.get("/nope", &[&cookie, "accept: application/json"]).await;
    assert!(program.json()["errors"]["detail"].is_string());

    let mut reopened = member.clone();
    reopened.forget("pusher_lite_session");
    assert_eq!(navigation(&reopened.get("/nope").await), "somebody unknown");
    let mut other = member.clone();
    member.get("/nope").await;
    assert_eq!(member.sign_out().await.header("location"), Some("/"), "the form on the page of an error");
    assert_eq!(navigation(&other.get("/nope").await), "somebody unknown", "remembered, but signed out");
}

web_test!(pages_of_errors_need_no_database);
async fn pages_of_errors_need_no_database(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut member = Browser::signed_in(&server, "member@example.com").await;
    database.execute("DROP TABLE sessions").await;
    for (path, status) in [("/nope", 404), ("/account", 500)] {
        let page = member.get(path).await;
        assert_eq!((page.status(), navigation(&page)), (status, "somebody unknown"), "{path}");
    }
}

web_test!(malformed_requests_are_answered_with_the_reason);
async fn malformed_requests_are_answered_with_the_reason(database: TestDatabase) {
    let server = TestServer::start(database.migrated().await);
    let malformed = server.request("POST", "/api/sessions", &["content-type: application/json"], "{\"token\":").await;
    assert_eq!(malformed.status(), 400);
    assert!(malformed.json()["errors"]["detail"].as_str().unwrap().contains("not valid JSON"), "{malformed:?}");
    assert_eq!(server.get("/api/a%zz", &[]).await.status(), 400);
    // A request that no route takes is refused before the server looks at its body (D38).
    for (method, path) in [("POST", "/api/nope"), ("PUT", "/api/sessions")] {
        let refused = server.request(method, path, &["content-type: application/json"], "{\"token\":").await;
        assert_eq!(refused.status(), 404, "{method} {path}");
    }
}

web_test!(raw_characters_in_a_query_are_taken_as_they_were);
async fn raw_characters_in_a_query_are_taken_as_they_were(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let jwt = server.jwt(1, pusher_lite::auth::Permissions::ADMIN);
    let authorization = format!("authorization: Bearer {jwt}");
    let path = "/api/organizations/acme-inc/applications/1/event/e?topic=general&data={\"a\":1}&x=<b>`";
    assert_eq!(server.request("POST", path, &[&authorization], "").await.status(), 204);
    // Two on one connection, the first with a body.
    let mut client = Client::connect(server.address).await;
    for body in ["{}", ""] {
        let length = body.len();
        client.send(format!("POST {path} HTTP/1.1\r\nhost: x\r\n{authorization}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}")).await;
        assert_eq!(status(&client.until("\r\n\r\n").await), 204, "{body}");
    }
}

web_test!(malformed_heads_are_answered_logged_and_counted);
async fn malformed_heads_are_answered_logged_and_counted(database: TestDatabase) {
    let server = TestServer::start(database.migrated().await);
    for (head, expected, detail, reason) in [
        ("GET /api/a\x01 HTTP/1.1\r\nhost: x\r\n\r\n", 400, "percent-encoded", "malformed target"),
        ("GET /api/a HTTP/1.2\r\nhost: x\r\n\r\n", 400, "HTTP/1.1", "malformed version"),
        ("GET /api/a HTTP/1.1\r\nhost: x\r\n folded\r\n\r\n", 400, "header", "malformed header"),
        (
            "POST /api/a HTTP/1.1\r\nhost: x\r\ncontent-length: x\r\n\r\n",
            400,
            "Content-Length",
            "malformed content length",
        ),
        ("GE\"T /api/a HTTP/1.1\r\nhost: x\r\n\r\n", 400, "method", "malformed method"),
    ] {
        let mut client = Client::connect(server.address).await;
        client.send(head).await;
        let answer = Answer::new(client.rest().await);
        assert_eq!(answer.status(), expected, "{head}");
        assert!(answer.json()["errors"]["detail"].as_str().unwrap().contains(detail), "{answer:?}");
        assert_eq!(answer.header("x-request-id").unwrap().len(), 32, "{head}");
        let counted = |(refusal, count): (Refusal, u64)| refusal.reason() == reason && count > 0;
        assert!(server.refusals.counts().any(counted), "{reason}");
    }
}

web_test!(other_origins_may_ask);
async fn other_origins_may_ask(database: TestDatabase) {
    let server = TestServer::start(database.migrated().await);
    let origin = "origin: http://example.com";
    let preflight = ["access-control-request-method: POST", "access-control-request-headers: content-type", origin];
    let allowed = server.request("OPTIONS", "/api/sessions", &preflight, "").await;
    assert_eq!((allowed.status(), allowed.header("access-control-allow-origin")), (200, Some("*")));
    assert!(allowed.header("access-control-allow-headers").unwrap().contains("authorization"));
    assert!(allowed.header("access-control-allow-methods").unwrap().contains("PATCH"));

    let refused =
        server.request("OPTIONS", "/api/sessions", &["access-control-request-method: TRACE", origin], "").await;
    assert_eq!(refused.header("access-control-allow-methods"), None);
    let simple = server.get("/api/nope", &[origin]).await;
    assert_eq!(simple.header("access-control-allow-origin"), Some("*"));
    assert_eq!(server.get("/api/nope", &[]).await.header("access-control-allow-origin"), None);
}

web_test!(every_answer_has_a_request_id);
async fn every_answer_has_a_request_id(database: TestDatabase) {
    let server = TestServer::start(database.migrated().await);
    let given = server.get("/nope", &["x-request-id: abcdefghijklmnopqrstuvwxyz"]).await;
    assert_eq!(given.header("x-request-id"), Some("abcdefghijklmnopqrstuvwxyz"));
    let made = server.get("/nope", &["x-request-id: short"]).await;
    assert_eq!(made.header("x-request-id").unwrap().len(), 32);
}

web_test!(the_client_is_served_compressed_and_validated);
async fn the_client_is_served_compressed_and_validated(database: TestDatabase) {
    let server = TestServer::start(database.migrated().await);
    let plain = server.get("/js/pusher.js", &[]).await;
    assert_eq!((plain.status(), plain.header("content-type")), (200, Some("text/javascript; charset=utf-8")));
    let tag = format!("if-none-match: {}", plain.header("etag").unwrap());
    assert_eq!(server.get("/js/pusher.js", &[&tag]).await.status(), 304);
    let compressed = server.get("/js/pusher.js", &["accept-encoding: gzip"]).await;
    assert_eq!(compressed.header("content-encoding"), Some("gzip"));
    let head = server.request("HEAD", "/js/pusher.js", &[], "").await;
    assert_eq!((head.header("content-length"), head.body()), (plain.header("content-length"), ""));
}

web_test!(those_who_watch_are_told_that_it_runs);
async fn those_who_watch_are_told_that_it_runs(database: TestDatabase) {
    let server = TestServer::start(database.migrated().await);
    assert_eq!(server.get("/health/live", &[]).await.status(), 200);
    assert_eq!(server.get("/health/ready", &[]).await.status(), 200);
    server.app.tasks.watch("one that ends", std::future::ready(())).await;
    let failed = server.get("/health/ready", &[]).await;
    assert_eq!((failed.status(), failed.body()), (503, "not ready: a task of the server failed\n"));
    assert_eq!(server.get("/health/live", &[]).await.status(), 200);
}
