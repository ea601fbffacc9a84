//! Rules for every route of pages, so that a new one is not forgotten.

use crate::support::{browser::Browser, database::TestDatabase, server::TestServer};

const ROUTES: &str = include_str!("../../../src/web/routes.rs");

/// Routes by their method and a path of them, with ids of the original's database. Not those that programs use.
fn routes() -> Vec<(String, String)> {
    let routes = ROUTES.lines().filter_map(|line| {
        let (method, rest) = line.trim().strip_prefix(".route(Method::")?.split_once(',')?;
        let path = rest.split('"').nth(1)?;
        Some((method.to_owned(), path.to_owned()))
    });
    let of_people = routes.filter(|(_, path)| !["/api/", "/metrics", "/health/"].iter().any(|of| path.starts_with(of)));
    of_people.map(|(method, path)| (method, with_ids(&path))).collect()
}

fn with_ids(path: &str) -> String {
    let ids = [
        ("{table}", "users"),
        ("{what}", "delete"),
        ("{app_key}", "88911bb8-e6c9-11f1-bf84-f2fc4c7451a7"),
        ("{token}", "no-such-token"),
        ("{slug}", "1"),
        ("{user_id}", "3"),
        ("{id}", "1"),
    ];
    ids.iter().fold(path.to_owned(), |path, (param, id)| path.replace(param, id))
}

db_test!(a_form_that_was_not_given_to_the_browser_changes_nothing);
async fn a_form_that_was_not_given_to_the_browser_changes_nothing(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut root = Browser::signed_in(&server, "admin@example.com").await;
    let mut seen = 0;
    // The demo's scripts have no cookie that another site could make use of.
    for (method, path) in routes().iter().filter(|(method, path)| method != "GET" && !path.starts_with("/demo/")) {
        for token in ["", "another"] {
            let answer = root.submit_with_token(token, path, &[("_method", method)]).await;
            assert_eq!(answer.status(), 403, "{method} {path}");
        }
        seen += 1;
    }
    assert!(seen > 30, "{seen}");
    assert!(root.is_signed_in().await);
}

db_test!(every_page_says_what_it_may_load);
async fn every_page_says_what_it_may_load(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut root = Browser::signed_in(&server, "admin@example.com").await;
    let mut pages = 0;
    for (_, path) in routes().iter().filter(|(method, _)| method == "GET") {
        let page = root.get(path).await;
        if !page.header("content-type").is_some_and(|kind| kind.starts_with("text/html")) {
            continue;
        }
        let policy = page.header("content-security-policy").unwrap_or_else(|| panic!("{path} has none"));
        assert!(policy.contains("default-src") && !policy.contains("unsafe-inline"), "{path}: {policy}");
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert!(!page.body().contains(" style=\"") && !page.body().contains(" onclick="), "{path}");
        pages += 1;
    }
    assert!(pages >= 30, "{pages}");
}

db_test!(looking_changes_nothing);
async fn looking_changes_nothing(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let now = chrono::Utc::now().format("%Y-%m-%d %H:%M:%S");
    // Links that are good: in the original's database one waits to be confirmed, and one is invited.
    let good =
        format!("confirmation_sent_at = '{now}', reset_password_sent_at = '{now}', reset_password_token = 'r3s3t'");
    let locked = format!("locked_at = '{now}', failed_attempts = 5, unlock_token = 'unl0ck'");
    database.execute(&format!("UPDATE users SET {good}, {locked} WHERE id = 5")).await;
    let confirmation = database.text("confirmation_token", "users WHERE id = 5").await;
    let invitation = database.text("token", "invitations").await;
    let tokens = [("confirmations", confirmation.as_str()), ("passwords", "r3s3t"), ("unlocks", "unl0ck")];
    let mut paths: Vec<String> =
        routes().into_iter().filter(|(method, _)| method == "GET").map(|(_, path)| path).collect();
    for (page, token) in tokens.into_iter().chain([("invitations", invitation.as_str())]) {
        paths.push(format!("/{page}/{token}/edit"));
    }

    let mut root = Browser::signed_in(&server, "admin@example.com").await;
    let mut stranger = Browser::new(&server);
    let before = everything(&database).await;
    for path in &paths {
        for browser in [&mut stranger, &mut root] {
            let status = browser.get(path).await.status();
            assert!(status < 500, "{path}: {status}");
        }
        assert_eq!(everything(&database).await, before, "GET {path}");
    }
    for (page, token) in tokens {
        assert_eq!(
            stranger.get(&format!("/{page}/{token}/edit")).await.status(),
            200,
            "{page}: the link is still good"
        );
    }
}

/// Returns the data in which users would notice a change, table by table.
async fn everything(database: &TestDatabase) -> Vec<Vec<String>> {
    let user = "id || ' ' || coalesce(email, '') || ' ' || is_root || ' ' || coalesce(password_hash, '') || ' ' || \
        coalesce(CAST(confirmed_at AS text), '') || ' ' || coalesce(CAST(locked_at AS text), '') || ' ' || \
        coalesce(confirmation_token, '') || ' ' || coalesce(reset_password_token, '') || ' ' || \
        coalesce(unlock_token, '')";
    let tables = [
        (user, "users"),
        ("id || ' ' || coalesce(CAST(invalidated_at AS text), '')", "user_tokens"),
        ("id", "organizations"),
        ("id || ' ' || coalesce(CAST(archived_at AS text), '')", "applications"),
        ("id", "enrollments"),
        ("id", "invitations"),
        ("id", "mails"),
        ("id", "audit_entries"),
    ];
    let mut all = Vec::new();
    for (columns, table) in tables {
        all.push(database.texts(columns, &format!("{table} ORDER BY id")).await);
    }
    let settings = "user_token_id || ' ' || scope";
    all.push(database.texts(settings, "user_token_settings ORDER BY user_token_id").await);
    all.push(database.texts("id_hash", "sessions ORDER BY id_hash").await);
    all.push(database.texts("email", "email_changes ORDER BY user_id").await);
    all
}

/// Every path of the table, those of programs included, with the methods that it is for.
fn paths() -> Vec<(String, Vec<String>)> {
    let mut paths: Vec<(String, Vec<String>)> = Vec::new();
    for line in ROUTES.lines() {
        let line = [".route(Method::", ".rest(Method::", ".open(Method::"]
            .into_iter()
            .find_map(|call| line.trim().strip_prefix(call));
        let Some((method, rest)) = line.and_then(|rest| rest.split_once(',')) else {
            continue;
        };
        let path = with_ids(rest.split('"').nth(1).unwrap()).replace(['{', '}'], "");
        let methods = if method == "GET" { vec!["GET".to_owned(), "HEAD".to_owned()] } else { vec![method.to_owned()] };
        match paths.iter_mut().find(|(other, _)| *other == path) {
            Some((_, known)) => known.extend(methods),
            None => paths.push((path, methods)),
        }
    }
    paths
}

db_test!(a_wrong_method_is_told_the_right_ones);
async fn a_wrong_method_is_told_the_right_ones(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let files = [("/js/pusher.js".to_owned(), vec!["GET".to_owned(), "HEAD".to_owned()])];
    assert!(paths().len() > 40, "the table is read");
    for (path, methods) in paths().into_iter().chain(files) {
        let allowed = |answer: &crate::support::server::Answer| {
            answer.header("allow").unwrap_or_else(|| panic!("{path}: {answer:?}")).to_owned()
        };
        let wrong = server.request("TRACE", &path, &[], "").await;
        let is_api = path.starts_with("/api/");
        assert_eq!(wrong.status(), if is_api { 404 } else { 405 }, "{path}");
        // Two patterns can have one path here; the table says which is meant.
        assert!(
            methods.iter().all(|method| allowed(&wrong).split(", ").any(|named| named == method))
                || path.contains("/users/"),
            "{path}"
        );
        let options = server.request("OPTIONS", &path, &[], "").await;
        assert_eq!(options.status(), if is_api { 404 } else { 204 }, "{path}");
        assert!(!allowed(&options).is_empty());
    }
}

db_test!(other_origins_read_what_is_for_programs_and_nothing_else);
async fn other_origins_read_what_is_for_programs_and_nothing_else(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let origin = "origin: https://other.example";
    let preflight = [origin, "access-control-request-method: GET"];
    for (path, _) in paths().into_iter().chain([("/nope".to_owned(), vec![]), ("/socket/websocket".to_owned(), vec![])])
    {
        let is_for_programs = path.starts_with("/api/") || path.starts_with("/socket/");
        for (method, headers) in [("GET", &[origin][..]), ("TRACE", &[origin]), ("OPTIONS", &preflight)] {
            let answer = server.request(method, &path, headers, "").await;
            let allowed = answer.header("access-control-allow-origin");
            assert_eq!(allowed, is_for_programs.then_some("*"), "{method} {path}");
        }
    }
    for headers in [&[][..], &[origin]] {
        let file = server.get("/js/pusher.js", headers).await;
        assert_eq!(file.header("access-control-allow-origin"), Some("*"), "caches give one answer to all");
    }
}
