//! Actions on several rows.

use super::{ADMIN, Browser};
use crate::support::{database::TestDatabase, server::TestServer};

db_test!(what_cannot_be_undone_is_asked_about_first);
async fn what_cannot_be_undone_is_asked_about_first(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Browser::of(&server, ADMIN).await;
    let selected = [("action", "delete"), ("ids[]", "2"), ("ids[]", "5")];
    let asked = root.post("/admin/users/batch", &selected).await;
    assert_eq!(asked.status(), 200);
    for text in ["Delete these 2?", "plainadmin@example.com", "lone@example.com", "value=\"5\"", "sockets are closed"] {
        assert!(asked.body().contains(text), "{text}: {}", asked.body());
    }
    assert!(root.page("/admin/users").await.contains("lone@example.com"), "nothing is done yet");
    let confirmed = [&selected[..], &[("confirmed", "true")]].concat();
    assert_eq!(root.send("/admin/users/batch", &confirmed, "/admin/users").await, "Deleted 2 of 2.");
    let page = root.page("/admin/users").await;
    assert!(!page.contains("lone@example.com") && !page.contains("plainadmin@example.com"));
    let log = root.page("/admin/audit?action=delete&resource=users").await;
    assert!(log.contains("lone@example.com") && log.contains("plainadmin@example.com"));
}

db_test!(every_action_works_on_several_rows);
async fn every_action_works_on_several_rows(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    database.execute("UPDATE users SET locked_at = '2099-01-01 00:00:00' WHERE id = 5").await;
    let root = Browser::of(&server, ADMIN).await;
    for (table, action, said) in [
        ("users", "unlock", "Unlocked 1 of 2."),
        ("applications", "archive", "Archived 2 of 2."),
        ("applications", "archive", "Archived 0 of 2."),
        ("applications", "restore", "Restored 2 of 2."),
        ("organizations", "archive", "Archived 2 of 2."),
        ("organizations", "restore", "Restored 2 of 2."),
        ("user_tokens", "invalidate", "Invalidated 2 of 2."),
        ("user_tokens", "delete", "Deleted 2 of 2."),
        ("enrollments", "delete", "Deleted 2 of 2."),
        ("ownerships", "delete", "Deleted 2 of 2."),
        ("applications", "delete", "Deleted 2 of 2."),
        ("organizations", "delete", "Deleted 2 of 2."),
    ] {
        let ids = if table == "users" { ["4", "5"] } else { ["1", "2"] };
        let fields = [("action", action), ("confirmed", "true"), ("ids[]", ids[0]), ("ids[]", ids[1])];
        let list = format!("/admin/{table}");
        assert_eq!(root.send(&format!("{list}/batch"), &fields, &list).await, said, "{action} {table}");
    }
}

db_test!(without_rows_or_an_action_nothing_is_done);
async fn without_rows_or_an_action_nothing_is_done(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Browser::of(&server, ADMIN).await;
    for (fields, said) in [
        (&[("action", "delete")][..], "Select some rows first."),
        (&[("action", "delete"), ("ids[]", "x"), ("ids", "5")], "Select some rows first."),
        (&[("action", ""), ("ids[]", "5")], "Choose an action."),
        (&[("action", "explode"), ("ids[]", "5")], "Choose an action."),
        (&[("action", "archive"), ("ids[]", "5")], "Choose an action."),
    ] {
        assert_eq!(root.send("/admin/users/batch", fields, "/admin/users").await, said, "{fields:?}");
    }
    let many: Vec<String> = (0..101).map(|id| id.to_string()).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|id| ("ids[]", id.as_str())).chain([("action", "delete")]).collect();
    assert_eq!(root.post("/admin/users/batch", &many).await.status(), 400);
    let gone = [("action", "unlock"), ("ids[]", "99")];
    assert_eq!(root.send("/admin/users/batch", &gone, "/admin/users").await, "Unlocked 0 of 1.");
}
