//! Lists: search, filters, order, pages, and files.

use super::{ADMIN, Browser};
use crate::support::{database::TestDatabase, server::TestServer};

/// The ids in a list, in its order.
fn ids(page: &str) -> Vec<i32> {
    let lines = page.split("name=\"ids[]\" value=\"").skip(1);
    lines.map(|rest| rest.split('"').next().unwrap().parse().unwrap()).collect()
}

db_test!(every_table_is_searched_filtered_and_sorted);
async fn every_table_is_searched_filtered_and_sorted(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Browser::of(&server, ADMIN).await;
    for (list, expected) in [
        ("users", &[1, 2, 3, 4, 5][..]),
        ("users?q=PLAIN", &[2]),
        ("users?q=%25", &[]),
        ("users?q=_", &[]),
        ("users?q=3", &[3]),
        ("users?q=%27%3B", &[]),
        ("users?is_root=yes", &[1]),
        ("users?is_root=no&q=m", &[2, 3, 4, 5]),
        ("users?is_confirmed=no", &[5]),
        ("users?is_locked=yes", &[]),
        ("users?is_locked=no&sort=id&direction=desc", &[5, 4, 3, 2, 1]),
        ("users?sort=email", &[1, 5, 3, 4, 2]),
        ("users?sort=name&direction=desc", &[1, 2, 4, 3, 5]),
        ("users?sort=is_root&direction=desc", &[1, 2, 3, 4, 5]),
        ("users?sort=confirmed_at", &[1, 2, 3, 4, 5]),
        ("users?sort=inserted_at", &[1, 2, 3, 4, 5]),
        ("user_tokens", &[1, 2, 3, 4, 5, 6]),
        ("user_tokens?q=lone", &[5, 6]),
        ("user_tokens?user_id=5&is_valid=no", &[6]),
        ("user_tokens?user_id=nobody", &[]),
        ("user_tokens?sort=user&direction=desc", &[2, 4, 3, 5, 6, 1]),
        ("user_tokens?sort=invalidated_at", &[6, 1, 2, 3, 4, 5]),
        ("user_tokens?sort=name", &[1, 2, 3, 4, 5, 6]),
        ("user_tokens?sort=expires_at&direction=desc", &[1, 2, 3, 4, 5, 6]),
        ("user_tokens?sort=used_at&direction=desc", &[1, 2, 3, 4, 5, 6]),
        ("user_tokens?sort=inserted_at", &[1, 2, 3, 4, 5, 6]),
        ("organizations?q=ACME-", &[1]),
        ("organizations?is_archived=yes", &[]),
        ("organizations?sort=slug&direction=desc", &[2, 1]),
        ("organizations?sort=name", &[1, 2]),
        ("organizations?sort=archived_at", &[1, 2]),
        ("organizations?sort=inserted_at", &[1, 2]),
        ("enrollments?q=acme", &[1, 3, 4]),
        ("enrollments?is_admin=yes", &[1, 2, 5]),
        ("enrollments?user_id=4&organization_id=2", &[5]),
        ("enrollments?sort=user", &[1, 3, 4, 5, 2]),
        ("enrollments?sort=organization&direction=desc", &[2, 5, 1, 3, 4]),
        ("enrollments?sort=is_admin", &[3, 4, 1, 2, 5]),
        ("applications?q=second", &[2]),
        ("applications?q=88911bb8", &[1]),
        ("applications?organization_id=1", &[1]),
        ("applications?is_archived=no&sort=app_key&direction=desc", &[2, 1]),
        ("applications?sort=name", &[2, 1]),
        ("ownerships?q=Test+App", &[1]),
        ("ownerships?application_id=2", &[2]),
        ("ownerships?organization_id=1", &[1]),
        ("ownerships?is_owned=no", &[]),
        ("ownerships?sort=application", &[2, 1]),
        ("ownerships?sort=organization", &[1, 2]),
        ("ownerships?sort=is_owned", &[1, 2]),
    ] {
        assert_eq!(ids(&root.page(&format!("/admin/{list}")).await), expected, "{list}");
    }
}

db_test!(what_was_searched_for_stays_in_the_fields);
async fn what_was_searched_for_stays_in_the_fields(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Browser::of(&server, ADMIN).await;
    let page = root.page("/admin/users?q=%22%3Cb%3E&is_root=yes").await;
    assert!(page.contains("value=\"&quot;&lt;b&gt;\"") && !page.contains("<b>"), "{page}");
    assert!(page.contains("<option value=\"yes\" selected>"), "{page}");
    assert!(page.contains("/admin/users/export?q=%22%3Cb%3E&amp;is_root=yes&amp;sort=id"), "{page}");
}

db_test!(a_page_has_thirty_rows);
async fn a_page_has_thirty_rows(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let rows: String = (0..60)
        .map(|number| {
            format!(
                "INSERT INTO organizations (name, slug, inserted_at, updated_at) VALUES \
                 ('Many {number:02}', 'many-{number}', '2026-11-25 00:00:00', '2026-11-25 00:00:00');"
            )
        })
        .collect();
    database.execute(&rows).await;
    let root = Browser::of(&server, ADMIN).await;
    let first = root.page("/admin/organizations?q=MANY&sort=name").await;
    assert_eq!(ids(&first).len(), 30);
    assert!(first.contains("1 to 30 of 60") && first.contains("?q=MANY&amp;sort=name&amp;direction=asc&amp;page=2"));
    let second = ids(&root.page("/admin/organizations?q=MANY&sort=name&page=2").await);
    assert_eq!(second.len(), 30);
    assert!(ids(&first).iter().all(|id| !second.contains(id)));
    let beyond = ids(&root.page("/admin/organizations?q=MANY&sort=name&page=999999999999999999999").await);
    assert_eq!(beyond, ids(&first), "what is no number of a page is the first");
    let beyond = ids(&root.page("/admin/organizations?q=MANY&sort=name&page=1000").await);
    assert_eq!(beyond, second, "behind the last page is the last");
    assert!(root.page("/admin/organizations?q=nothing+of+this").await.contains("No entries found"));
}

db_test!(lists_are_files_too);
async fn lists_are_files_too(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    database.execute("UPDATE organizations SET name = '=HYPERLINK(\"http://evil.example\")' WHERE id = 2").await;
    let root = Browser::of(&server, ADMIN).await;
    let file = root.get("/admin/organizations/export?sort=id&direction=desc").await;
    assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(file.header("content-disposition"), Some("attachment; filename=\"organizations.csv\""));
    let lines: Vec<&str> = file.body().lines().collect();
    assert_eq!(
        lines,
        [
            "Id,Name,Slug,State,Created",
            "2,\"'=HYPERLINK(\"\"http://evil.example\"\")\",second-org,Active,2026-11-22T23:07:47",
            "1,Acme Inc.,acme-inc,Active,2026-11-22T23:07:47",
        ]
    );
    let filtered = root.get("/admin/users/export?q=lone").await;
    assert_eq!(filtered.body().lines().count(), 2);
    for table in
        ["users", "user_tokens", "organizations", "enrollments", "applications", "ownerships", "mails", "audit"]
    {
        let file = root.get(&format!("/admin/{table}/export")).await;
        assert_eq!(file.status(), 200, "{table}");
        for secret in ["$2b$", "8892", "8891252c", "c0nf1rm"] {
            assert!(!file.body().contains(secret), "{table} gives away {secret}");
        }
    }
}

db_test!(a_file_that_is_not_the_whole_list_says_so);
async fn a_file_that_is_not_the_whole_list_says_so(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let row = "INSERT INTO audit_entries (action, resource, details, inserted_at) VALUES
               ('create', 'users', '', '2026-11-25 00:00:00');";
    let double = "INSERT INTO audit_entries (action, resource, details, inserted_at)
                  SELECT action, resource, details, inserted_at FROM audit_entries;";
    database.execute(&format!("{row}{}", double.repeat(14))).await;
    let root = Browser::of(&server, ADMIN).await;
    assert!(root.page("/admin/audit").await.contains("Download CSV (first 10000 of 16384)"));
    let file = root.get("/admin/audit/export").await;
    let name = "attachment; filename=\"audit-first-10000-of-16384.csv\"";
    assert_eq!(file.header("content-disposition"), Some(name));
    assert_eq!(file.body().lines().count(), 10_001);
    let whole = root.page("/admin/audit?resource_id=1").await;
    assert!(!whole.contains("(first "), "{whole}");
}

db_test!(secrets_are_in_no_list);
async fn secrets_are_in_no_list(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Browser::of(&server, ADMIN).await;
    for (list, page, secret) in [
        ("/admin/user_tokens", "/admin/user_tokens/1", "88927080-e6c9-11f1-85bf-f2fc4c7451a7"),
        ("/admin/applications", "/admin/applications/1", "8891252c-e6c9-11f1-afc0-f2fc4c7451a7"),
    ] {
        assert!(!root.page(list).await.contains(secret), "{list}");
        let page = root.page(page).await;
        let (before, _) = page.split_once(secret).expect("the secret is on the row's own page");
        assert!(before.rfind("<details") > before.rfind("</details>"), "it is folded up");
    }
    for path in ["/admin/users", "/admin/users/1", "/admin/users/1/edit"] {
        assert!(!root.page(path).await.contains("$2b$"), "{path}");
    }
}
