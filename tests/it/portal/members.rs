//! Members: made admins, removed, and one admin always stays.

use pusher_lite::{auth::Permissions, store::enrollments};

use super::{ACME, audit, visitor::Visitor};
use crate::{
    api::{ADMIN, MEMBER, MIXED, PLAIN_ADMIN, SECOND_APP, TEST_APP},
    support::{database::TestDatabase, server::TestServer, socket::Socket},
};

const SECOND: &str = "/account/organizations/second-org";

fn of_acme(user_id: i32) -> String {
    format!("{ACME}/members/{user_id}")
}

fn of_second(user_id: i32) -> String {
    format!("{SECOND}/members/{user_id}")
}

db_test!(members_become_admins_and_cease_to_be);
async fn members_become_admins_and_cease_to_be(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let admin = Visitor::sign_in(&server, ADMIN).await;
    let member = Visitor::sign_in(&server, MEMBER).await;
    let promoted = admin.send("put", &of_acme(MEMBER), &[("is_admin", "true")]).await;
    assert!(admin.follow(&promoted).await.body().contains("Member is an admin now."));
    assert!(member.get(ACME).await.body().contains("New application"));
    let demoted = admin.send("put", &of_acme(MEMBER), &[("is_admin", "false")]).await;
    assert!(admin.follow(&demoted).await.body().contains("Member is no longer an admin."));
    assert!(!member.get(ACME).await.body().contains("New application"));
    assert_eq!(audit(&database).await, ["admin@example.com update enrollments 3"; 2]);
    assert_eq!(admin.send("put", &of_acme(MEMBER), &[("is_admin", "perhaps")]).await.status(), 400);
    assert_eq!(admin.send("put", &of_acme(PLAIN_ADMIN), &[("is_admin", "true")]).await.status(), 404);
}

db_test!(removing_a_member_ends_their_sockets);
async fn removing_a_member_ends_their_sockets(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let jwt = server.jwt(MIXED, Permissions::USER);
    let mut removed = Socket::open(&server, &jwt, TEST_APP, "me").await.unwrap();
    let mut kept = Socket::open(&server, &jwt, SECOND_APP, "me").await.unwrap();
    let admin = Visitor::sign_in(&server, ADMIN).await;
    let removal = admin.send("delete", &of_acme(MIXED), &[]).await;
    assert!(admin.follow(&removal).await.body().contains("Mixed is removed from Acme Inc."));
    assert_eq!(removed.close_code().await, 1008);
    assert_eq!(Socket::open(&server, &jwt, TEST_APP, "me").await.unwrap_err(), 403);
    kept.join(&format!("lobby:{SECOND_APP}:t")).await;
    assert_eq!(Visitor::sign_in(&server, MIXED).await.get(ACME).await.status(), 404);
    assert_eq!(audit(&database).await, ["admin@example.com delete enrollments 4"]);
    assert_eq!(admin.send("delete", &of_acme(MIXED), &[]).await.status(), 404);
}

db_test!(one_may_leave);
async fn one_may_leave(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let member = Visitor::sign_in(&server, MEMBER).await;
    assert!(member.get(ACME).await.body().contains("Leave Acme Inc."));
    let left = member.send("delete", &of_acme(MEMBER), &[]).await;
    assert_eq!(left.header("location"), Some("/account/organizations"));
    assert!(member.follow(&left).await.body().contains("You have left Acme Inc."));
    assert_eq!(member.get(ACME).await.status(), 404);
    assert_eq!(audit(&database).await, ["member@example.com delete enrollments 3"]);
}

db_test!(the_last_admin_stays);
async fn the_last_admin_stays(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let plain_admin = Visitor::sign_in(&server, PLAIN_ADMIN).await;
    let demoted = plain_admin.send("put", &of_second(MIXED), &[("is_admin", "false")]).await;
    assert_eq!(demoted.status(), 303);
    assert!(plain_admin.get(SECOND).await.body().contains("The only active admin, who cannot leave"));
    let root = Visitor::sign_in(&server, ADMIN).await;
    for visitor in [&plain_admin, &root] {
        for refused in [
            visitor.send("put", &of_second(PLAIN_ADMIN), &[("is_admin", "false")]).await,
            visitor.send("delete", &of_second(PLAIN_ADMIN), &[]).await,
        ] {
            assert!(visitor.follow(&refused).await.body().contains("needs at least one active admin"), "{refused:?}");
        }
    }
    assert_eq!(audit(&database).await.len(), 1);
}

db_test!(a_suspended_admin_does_not_stand_in_for_the_last_one);
async fn a_suspended_admin_does_not_stand_in_for_the_last_one(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let plain_admin = Visitor::sign_in(&server, PLAIN_ADMIN).await;
    let root = Visitor::sign_in(&server, ADMIN).await;
    let path = format!("/admin/users/{MIXED}");
    for is_out in [true, false] {
        let change = if is_out { "suspend" } else { "reinstate" };
        assert_eq!(root.send("post", &format!("{path}/{change}"), &[]).await.status(), 303);
        let page = plain_admin.get(SECOND).await;
        assert_eq!(page.body().contains("The only active admin, who cannot leave"), is_out, "{page:?}");
        let answers = [
            root.send("put", &of_second(PLAIN_ADMIN), &[("is_admin", "false")]).await,
            root.send("delete", &of_second(PLAIN_ADMIN), &[]).await,
        ];
        for answer in answers {
            let stays = root.follow(&answer).await.body().contains("needs at least one active admin");
            assert_eq!(stays, is_out, "{answer:?}");
        }
    }
    // A suspended admin may be removed, since another admin is active. The last admin may not, suspended or not.
    let enrolled = server.app.db.transaction(async |tx| enrollments::create(tx, PLAIN_ADMIN, 2, true).await);
    enrolled.await.unwrap();
    for user_id in [MIXED, PLAIN_ADMIN] {
        assert_eq!(root.send("post", &format!("/admin/users/{user_id}/suspend"), &[]).await.status(), 303);
    }
    let refused = root.send("delete", &of_second(MIXED), &[]).await;
    assert!(root.follow(&refused).await.body().contains("needs at least one active admin"), "{refused:?}");
    assert_eq!(root.send("post", &format!("/admin/users/{PLAIN_ADMIN}/reinstate"), &[]).await.status(), 303);
    let removed = root.send("delete", &of_second(MIXED), &[]).await;
    assert!(root.follow(&removed).await.body().contains("is removed from"), "{removed:?}");
}

db_test!(two_admins_cannot_remove_each_other_at_once);
async fn two_admins_cannot_remove_each_other_at_once(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let plain_admin = Visitor::sign_in(&server, PLAIN_ADMIN).await;
    let mixed = Visitor::sign_in(&server, MIXED).await;
    let (by_plain_admin, by_mixed) = (of_second(MIXED), of_second(PLAIN_ADMIN));
    tokio::join!(plain_admin.send("delete", &by_plain_admin, &[]), mixed.send("delete", &by_mixed, &[]));
    let members = "users JOIN enrollments ON user_id = users.id WHERE organization_id = 2";
    assert_eq!(database.texts("email", members).await.len(), 1);
}
