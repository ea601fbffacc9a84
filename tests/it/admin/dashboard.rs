//! The dashboard.

use pusher_lite::auth::Permissions;
use serde_json::json;

use super::{ADMIN, Browser, MEMBER, TEST_APP};
use crate::support::{database::TestDatabase, server::TestServer, socket::Socket};

/// The text behind a label, as a tile has it.
fn tile<'a>(page: &'a str, label: &str) -> &'a str {
    let (_, tile) = page.split_once(&format!("<dt>{label}</dt>")).unwrap_or_else(|| panic!("no tile {label}: {page}"));
    let (_, value) = tile.split_once("<span class=\"stat-value").unwrap();
    value.split_once('>').unwrap().1.split('<').next().unwrap()
}

db_test!(the_dashboard_shows_what_is_going_on);
async fn the_dashboard_shows_what_is_going_on(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Browser::of(&server, ADMIN).await;
    let quiet = root.page("/admin").await;
    assert_eq!((tile(&quiet, "Sockets"), tile(&quiet, "Topics"), tile(&quiet, "Mails waiting")), ("0", "0", "0"));
    assert!(quiet.contains("No activity"));

    let jwt = server.jwt(MEMBER, Permissions::USER);
    let mut socket = Socket::open(&server, &jwt, TEST_APP, "me").await.unwrap();
    let topic = format!("lobby:{TEST_APP}:general");
    socket.join(&topic).await;
    socket.send(json!(["1", "2", topic, "hello", {}])).await;
    socket.message().await;
    for path in ["/admin", "/admin/live"] {
        let page = root.page(path).await;
        assert_eq!((tile(&page, "Sockets"), tile(&page, "Topics")), ("1", "1"), "{path}");
        assert_eq!(tile(&page, "Events since start"), "1", "{path}");
        assert!(page.contains("<a href=\"/admin/applications/1\">Test App</a>"), "{path}");
        assert!(tile(&page, "Memory").ends_with("B"), "{path}");
        assert!(page.contains("<polyline class=\"chart-line\" points=\""), "{path}");
        assert!(!page.contains(" style=\"") && !page.contains("<script>"), "{path}");
    }
    assert!(!root.page("/admin/live").await.contains("<html"), "only the part that changes");
}

db_test!(the_dashboard_knows_its_database);
async fn the_dashboard_knows_its_database(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Browser::of(&server, ADMIN).await;
    let page = root.page("/admin").await;
    let kind = if matches!(database.url, pusher_lite::store::DatabaseUrl::Sqlite(_)) { "SQLite" } else { "Postgres" };
    assert!(tile(&page, kind).ends_with("B"), "{page}");
    assert!(tile(&page, "Database connections").ends_with("of 4 in use"), "{page}");
}
