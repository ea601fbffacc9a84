//! Invitations on the page of an organization: sent from its form, listed until they are accepted or withdrawn.

use super::{
    ACME, audit,
    visitor::{Visitor, unescaped},
};
use crate::{
    api::{ADMIN, MEMBER},
    support::{database::TestDatabase, server::TestServer},
};

db_test!(who_is_invited_is_listed_until_it_is_taken_back);
async fn who_is_invited_is_listed_until_it_is_taken_back(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let admin = Visitor::sign_in(&server, ADMIN).await;
    // As browsers send the form: the hidden field below the checkbox, too.
    let fields = [
        ("invitation[organization_id]", "1"),
        ("invitation[name]", ""),
        ("invitation[email]", "zoe@example.com"),
        ("invitation[is_admin]", "false"),
        ("invitation[is_admin]", "true"),
    ];
    let sent = admin.send("post", "/invitations", &fields).await;
    let page = unescaped(&admin.follow(&sent).await);
    let (_, pending) = page.split_once("Pending invitations").unwrap_or_else(|| panic!("{page}"));
    let (pending, _) = pending.split_once("</section>").unwrap();
    assert!(pending.contains("zoe@example.com") && pending.contains("badge-good\">Admin"), "{pending}");
    assert!(pending.contains("action=\"/invitations/2/resend\""), "{pending}");
    let member = Visitor::sign_in(&server, MEMBER).await;
    assert!(!member.get(ACME).await.body().contains("zoe@example.com"), "members need not know");

    assert_eq!(member.send("delete", "/invitations/2", &[("organization_id", "1")]).await.status(), 404);
    assert_eq!(admin.send("delete", "/invitations/2", &[("organization_id", "1")]).await.status(), 303);
    assert!(!admin.get(ACME).await.body().contains("zoe@example.com"));
    let entries = audit(&database).await;
    assert_eq!(entries[0], "admin@example.com invite invitations 2");
    assert_eq!(entries.len(), 2, "{entries:?}");
}
