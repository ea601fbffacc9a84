//! The page of one row, with the rows that belong to it.

use super::{ADMIN, Browser};
use crate::support::{database::TestDatabase, server::TestServer};

db_test!(a_row_is_shown_with_what_belongs_to_it);
async fn a_row_is_shown_with_what_belongs_to_it(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Browser::of(&server, ADMIN).await;
    for (path, links) in [
        ("/admin/users/4", &["/admin/user_tokens/4", "/admin/enrollments/4", "/admin/organizations/2"][..]),
        ("/admin/user_tokens/6", &["/admin/users/5"]),
        ("/admin/organizations/1", &["/admin/users/3", "/admin/applications/1", "/admin/ownerships/1"]),
        ("/admin/enrollments/5", &["/admin/users/4", "/admin/organizations/2"]),
        ("/admin/applications/1", &["/admin/ownerships/1", "/admin/organizations/1"]),
        ("/admin/ownerships/2", &["/admin/organizations/2", "/admin/applications/2"]),
    ] {
        let page = root.page(path).await;
        for link in links {
            assert!(page.contains(&format!("<a href=\"{link}\"")), "{path} does not lead to {link}");
        }
        assert!(!page.contains(" style=\"") && !page.contains(" onclick="), "{path}");
    }
    let page = root.page("/admin/users/4").await;
    assert!(page.contains("/admin/enrollments/new?user=4"));
    assert!(root.page("/admin/enrollments/new?user=4").await.contains("value=\"4\""));
}

db_test!(destructive_actions_are_asked_about_first);
async fn destructive_actions_are_asked_about_first(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Browser::of(&server, ADMIN).await;
    let page = root.page("/admin/users/4/delete").await;
    assert!(page.contains("Delete mixed@example.com?") && page.contains("sockets are closed"), "{page}");
    assert!(page.contains("User tokens</a>: 1") && page.contains("Enrollments</a>: 2"), "{page}");
    assert!(page.contains("action=\"/admin/users/4/delete\" method=\"post\""));
    for path in [
        "/admin/user_tokens/1/invalidate",
        "/admin/user_tokens/1/delete",
        "/admin/organizations/1/archive",
        "/admin/organizations/1/delete",
        "/admin/enrollments/1/delete",
        "/admin/applications/1/archive",
        "/admin/applications/1/delete",
        "/admin/ownerships/1/delete",
    ] {
        assert!(root.page(path).await.contains(&format!("action=\"{path}\" method=\"post\"")), "{path}");
    }
}
