//! `/dev/mailbox`.

use pusher_lite::{
    mail::Letter,
    store::{
        Transaction,
        mails::{self, Counts},
    },
};

use crate::support::{database::TestDatabase, server::TestServer};

const LINK: &str = "https://push.example.com:8443/confirmations/t0ken/edit";

db_test!(mails_that_stay_can_be_read);
async fn mails_that_stay_can_be_read(database: TestDatabase) {
    let server = TestServer::start(database.migrated().await);
    assert!(server.get("/dev/mailbox", &[]).await.body().contains("No mails yet"));
    let letter = Letter::Confirmation { name: "<b>Zoë", is_new_account: true, url: LINK };
    let app = &server.app;
    let writing = async |tx: &mut Transaction<'_>| app.accounts.postbox.write(tx, "zoe@example.com", &letter).await;
    app.db.record(writing).await.unwrap();
    let conn = &mut app.db.conn().await.unwrap();
    assert_eq!(mails::counts(conn).await.unwrap(), Counts { waiting: 0, sent: 1, failed: 0 }, "it never leaves");

    let list = server.get("/dev/mailbox", &[]).await;
    assert!(list.body().contains("href=\"/dev/mailbox/1\"") && list.body().contains("zoe@example.com"));
    let mail = server.get("/dev/mailbox/1", &[]).await;
    let link = format!("<a href=\"{}\">", LINK.replace('/', "&#x2f;"));
    assert!(mail.body().contains(&link) && !mail.body().contains("<b>"), "{}", mail.body());
    let html = server.get("/dev/mailbox/1/html", &[]).await;
    assert!(html.body().contains(LINK) && !html.body().contains("<b>"));
    let policy = html.header("content-security-policy").unwrap();
    assert!(policy.starts_with("sandbox") && policy.contains("default-src 'none'"), "{policy}");
    for path in ["/dev/mailbox/2", "/dev/mailbox/x", "/dev/mailbox/99999999999/html"] {
        assert_eq!(server.get(path, &[]).await.status(), 404, "{path}");
    }
}

db_test!(where_mails_leave_there_is_no_mailbox);
async fn where_mails_leave_there_is_no_mailbox(database: TestDatabase) {
    let server = TestServer::without_mailbox(database.migrated().await);
    for path in ["/dev/mailbox", "/dev/mailbox/1", "/dev/mailbox/1/html"] {
        assert_eq!(server.get(path, &[]).await.status(), 404, "{path}");
    }
}
