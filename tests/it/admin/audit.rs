//! The audit log: every change is recorded, can be found, and cannot be changed.

use pusher_lite::{
    auth::Permissions,
    store::{
        DbConn,
        admin::{Order, Slice, audit},
        audit::Entry,
    },
};

use super::{ADMIN, Browser, MEMBER};
use crate::support::{database::TestDatabase, server::TestServer};

async fn entries(conn: &mut DbConn) -> Vec<Entry> {
    let order = Order { by: audit::Sort::Id, descending: false };
    let slice = Slice { offset: 0, limit: 100 };
    audit::list(conn, &audit::Search::default(), order, slice).await.unwrap().rows
}

/// `action resource id: details` of each entry.
async fn told(server: &TestServer) -> Vec<String> {
    let entries = entries(&mut server.app.db.conn().await.unwrap()).await;
    let told = entries
        .iter()
        .map(|entry| format!("{} {} {}: {}", entry.action, entry.resource, entry.resource_id.unwrap(), entry.details));
    told.collect()
}

db_test!(changes_of_the_admin_are_told_and_secrets_are_not);
async fn changes_of_the_admin_are_told_and_secrets_are_not(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Browser::of(&server, ADMIN).await;
    let user = [("_method", "put"), ("name", "Lonely"), ("email", "lone@example.com"), ("password", "a new password")];
    let application = [("_method", "put"), ("name", "Chat"), ("app_key", "chat"), ("new_secret", "true")];
    for (path, fields) in [
        ("/admin/users/5", &user[..]),
        ("/admin/applications/1", &application),
        (
            "/admin/user_tokens",
            &[("user", "5"), ("name", "chat \u{202e}"), ("scope", "read"), ("expires_on", "9998-12-31")],
        ),
        ("/admin/user_tokens/1/invalidate", &[]),
        ("/admin/enrollments/3/is_admin", &[("_method", "put"), ("value", "true")]),
        ("/admin/ownerships/2/delete", &[]),
        ("/admin/organizations/1/delete", &[]),
        ("/admin/users/4/delete", &[]),
    ] {
        assert_eq!(root.post(path, fields).await.status(), 303, "{path}");
    }
    let ending = &database.text("token", "user_tokens WHERE id = 1").await[32..];
    let new_ending = &database.text("token", "user_tokens WHERE id = 7").await[32..];
    let expected = [
        "update users 5: name: \"Lone\" -> \"Lonely\"",
        "change_password users 5: email: \"lone@example.com\"",
        "update applications 1: name: \"Test App\" -> \"Chat\"; \
         app_key: \"88911bb8-e6c9-11f1-bf84-f2fc4c7451a7\" -> \"chat\"; app_secret: changed",
        &format!(
            "create user_tokens 7: user_id: 5; ends in: \"{new_ending}\"; name: \"chat \\u{{202e}}\"; scope: read; \
             expires_at: \"9999-01-01T00:00:00\""
        ),
        &format!("invalidate user_tokens 1: user_id: 1; ends in: \"{ending}\"; scope: all"),
        "update enrollments 3: user: \"member@example.com\"; user_id: 3; organization: \"Acme Inc.\"; \
         organization_id: 1; is_admin: false -> true",
        "delete ownerships 2: organization_id: 2; application_id: 2; archived applications: 1",
        "archive applications 2: name: \"Second App\"",
        "delete organizations 1: name: \"Acme Inc.\"; enrollments: 3; archived applications: 1",
        "archive applications 1: name: \"Chat\"",
        "delete users 4: email: \"mixed@example.com\"; tokens: 1; enrollments: 1",
    ];
    assert_eq!(told(&server).await, expected);
    let entry = &entries(&mut server.app.db.conn().await.unwrap()).await[0];
    assert_eq!((entry.actor_id, entry.actor.as_deref()), (Some(ADMIN), Some("admin@example.com")));
    assert_eq!(entry.ip.as_deref(), Some("127.0.0.1"));
}

db_test!(changes_by_rest_are_told_too);
async fn changes_by_rest_are_told_too(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let authorization = format!("authorization: Bearer {}", server.jwt(ADMIN, Permissions::ADMIN));
    let key = "88911bb8-e6c9-11f1-bf84-f2fc4c7451a7";
    for (method, path, body, status) in [
        ("POST", "/api/organizations", r#"{"organization":{"name":"Third"}}"#, 201),
        ("PUT", "/api/organizations/1", r#"{"organization":{"name":"Acme"}}"#, 200),
        ("PUT", "/api/organizations/1", r#"{"organization":{"name":"Acme"}}"#, 200),
        ("POST", "/api/organizations/1/applications", r#"{"application":{"name":"Two","app_key":"two"}}"#, 201),
        ("PUT", "/api/organizations/1/applications/two", r#"{"application":{"app_secret":"hidden"}}"#, 200),
        ("DELETE", "/api/organizations/1/applications/two", "", 200),
        ("POST", "/api/users/3/tokens", "", 200),
        ("DELETE", "/api/users/1/tokens/88927080-e6c9-11f1-85bf-f2fc4c7451a7", "", 200),
        ("DELETE", "/api/organizations/2", "", 204),
        ("PUT", "/api/organizations/1", r#"{"organization":{"slug":"third"}}"#, 422),
    ] {
        let headers = ["content-type: application/json", authorization.as_str()];
        assert_eq!(server.request(method, path, &headers, body).await.status(), status, "{method} {path}");
    }
    let new_ending = &database.text("token", "user_tokens WHERE id = 7").await[32..];
    let expected = [
        "create organizations 3: name: \"Third\"; slug: \"third\"; admin_id: 1",
        "update organizations 1: name: \"Acme Inc.\" -> \"Acme\"",
        "create applications 3: name: \"Two\"; app_key: \"two\"; organization_id: 1",
        "update applications 3: app_secret: changed",
        "archive applications 3: name: \"Two\"",
        &format!("create user_tokens 7: user_id: 3; ends in: \"{new_ending}\"; scope: all"),
        "invalidate user_tokens 1: user_id: 1; ends in: \"51a7\"; scope: all",
        "delete organizations 2: name: \"Second Org\"; enrollments: 2; archived applications: 1",
        "archive applications 2: name: \"Second App\"",
    ];
    assert_eq!(told(&server).await, expected);
    assert!(told(&server).await.iter().all(|entry| !entry.contains(key) && !entry.contains("hidden")));
}

db_test!(what_is_archived_along_is_found_by_its_own_id);
async fn what_is_archived_along_is_found_by_its_own_id(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Browser::of(&server, ADMIN).await;
    let fields = [("_method", "put"), ("value", "false")];
    assert_eq!(root.post("/admin/ownerships/1/is_owned", &fields).await.status(), 303);
    let batch = [("action", "delete"), ("confirmed", "true"), ("ids[]", "2")];
    assert_eq!(root.post("/admin/organizations/batch", &batch).await.status(), 303);
    for id in [1, 2] {
        let page = root.page(&format!("/admin/audit?action=archive&resource=applications&resource_id={id}")).await;
        assert!(page.contains("1 in all") && page.contains("admin@example.com"), "{page}");
    }
}

db_test!(the_log_is_searched);
async fn the_log_is_searched(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    database
        .execute(
            "INSERT INTO audit_entries (actor_id, actor, ip, action, resource, resource_id, details, inserted_at) VALUES
             (1, 'Admin@example.com', '10.0.0.1', 'create', 'users', 7, 'name: \"Ann\"', '2026-01-01 23:59:59'),
             (3, 'member@example.com', '10.0.0.2', 'delete', 'applications', 2, 'name: \"50%\"', '2026-01-02 00:00:00'),
             (NULL, NULL, NULL, 'sign_in', 'users', NULL, '', '2026-01-03 12:00:00');",
        )
        .await;
    let root = Browser::of(&server, ADMIN).await;
    for (query, expected) in [
        ("", &[3, 2, 1][..]),
        ("?q=ANN", &[1]),
        ("?q=50%25", &[2]),
        ("?actor=admin", &[1]),
        ("?actor=10.0.0", &[2, 1]),
        ("?action=delete", &[2]),
        ("?resource=users", &[3, 1]),
        ("?resource=users&resource_id=7", &[1]),
        ("?from=2026-01-02", &[3, 2]),
        ("?until=2026-01-02", &[2, 1]),
        ("?from=2026-01-02&until=2026-01-02", &[2]),
        ("?from=yesterday", &[3, 2, 1]),
        ("?from=%2B262142-12-31&until=0000-01-01", &[3, 2, 1]),
        ("?sort=action", &[1, 2, 3]),
        ("?sort=actor", &[1, 2, 3]),
        ("?sort=resource", &[2, 3, 1]),
    ] {
        let page = root.page(&format!("/admin/audit{query}")).await;
        let links = page.split("href=\"/admin/audit/").skip(1);
        let ids: Vec<i32> = links.filter_map(|rest| rest.split('"').next().unwrap().parse().ok()).collect();
        assert_eq!(ids, expected, "{query}");
    }
    assert!(root.page("/admin/audit/2").await.contains("href=\"/admin/applications/2\""));
}

db_test!(nothing_changes_what_the_log_says);
async fn nothing_changes_what_the_log_says(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Browser::of(&server, ADMIN).await;
    root.send("/admin/users/3/delete", &[], "/admin/users").await;
    let before = entries(&mut server.app.db.conn().await.unwrap()).await;
    assert_eq!(before.len(), 1);
    for sql in [
        "UPDATE audit_entries SET details = 'nothing'",
        "UPDATE audit_entries SET actor_id = NULL WHERE id = 1",
        "DELETE FROM audit_entries",
        "DELETE FROM audit_entries WHERE id = 1",
    ] {
        let reason = database.refusal(sql).await;
        assert!(reason.contains("the audit log is only ever added to"), "{sql}: {reason}");
    }
    assert_eq!(entries(&mut server.app.db.conn().await.unwrap()).await, before);
    assert_eq!(before[0].resource_id, Some(MEMBER), "it outlives what it tells of");
}
