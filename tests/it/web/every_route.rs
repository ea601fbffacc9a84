//! What holds for every route of people's pages, so that one that is added is not forgotten.

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
    assert!(pages > 30, "{pages}");
}
