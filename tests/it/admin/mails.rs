//! Mails: their state and retries, and never their bodies.

use super::{ADMIN, Browser};
use crate::support::{database::TestDatabase, server::TestServer};

const MAILS: &str = "INSERT INTO mails \
    (kind, recipient, subject, text_body, html_body, attempts, next_attempt_at, sent_at, last_error, inserted_at) VALUES
    ('reset', 'ann@example.com', 'Set a password', 'https://x/SECRET', 'SECRET', 3, NULL, NULL, 'no such mailbox',
     '2026-11-25 01:00:00'),
    ('confirmation', 'bob@example.com', 'Confirm', 'SECRET', 'SECRET', 1, '2099-01-01 00:00:00', NULL, 'try later',
     '2026-11-25 02:00:00'),
    ('welcome', 'cy@example.com', 'Welcome', NULL, NULL, 1, NULL, '2026-11-25 03:00:01', NULL, '2026-11-25 03:00:00');";

fn recipients(page: &str) -> Vec<&str> {
    let links = page.split("<a href=\"/admin/mails/").skip(1);
    let texts = links.filter_map(|rest| rest.split_once('>')?.1.split('<').next());
    texts.filter(|text| text.contains('@')).collect()
}

db_test!(mails_are_found_by_where_they_stand);
async fn mails_are_found_by_where_they_stand(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    database.execute(MAILS).await;
    let root = Browser::of(&server, ADMIN).await;
    let [ann, bob, cy] = ["ann@example.com", "bob@example.com", "cy@example.com"];
    for (query, expected) in [
        ("", &[cy, bob, ann][..]),
        ("?state=waiting", &[bob]),
        ("?state=failed", &[ann]),
        ("?state=sent", &[cy]),
        ("?q=BOB", &[bob]),
        ("?q=welcome", &[cy]),
        ("?sort=recipient", &[ann, bob, cy]),
        ("?sort=kind", &[bob, ann, cy]),
        ("?sort=next_attempt_at", &[bob, ann, cy]),
        ("?sort=inserted_at&direction=desc", &[cy, bob, ann]),
    ] {
        let page = root.page(&format!("/admin/mails{query}")).await;
        assert_eq!(recipients(&page), expected, "{query}");
        assert!(!page.contains("SECRET"), "{query}");
    }
    let failed = root.page("/admin/mails/1").await;
    assert!(failed.contains("no such mailbox") && !failed.contains("SECRET"), "{failed}");
    let dashboard = root.page("/admin").await;
    assert!(dashboard.contains("1 failed"), "{dashboard}");
}

db_test!(a_mail_is_tried_again_now);
async fn a_mail_is_tried_again_now(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    database.execute(MAILS).await;
    let root = Browser::of(&server, ADMIN).await;
    let path = "/admin/mails/1/retry";
    assert_eq!(root.send(path, &[], "/admin/mails/1").await, "Tried again: mail to ann@example.com.");
    assert_eq!(recipients(&root.page("/admin/mails?state=failed").await), [""; 0]);
    assert_eq!(root.send("/admin/mails/3/retry", &[], "/admin/mails/3").await, "There was nothing to do.");
    let both = [("action", "retry"), ("ids[]", "2"), ("ids[]", "3")];
    assert_eq!(root.send("/admin/mails/batch", &both, "/admin/mails").await, "Tried again: 1 of 2.");
    assert!(root.page("/admin/audit?resource=mails").await.contains("recipient: &quot;ann@example.com&quot;"));
}
