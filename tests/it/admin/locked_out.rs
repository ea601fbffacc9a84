//! Access to the admin, and protection of root users against locking themselves out.

use super::{ADMIN, Browser, LONE, MEMBER};
use crate::support::{database::TestDatabase, server::TestServer};

const PATHS: [&str; 12] = [
    "/admin",
    "/admin/live",
    "/admin/users",
    "/admin/users/export",
    "/admin/users/new",
    "/admin/users/1",
    "/admin/users/1/edit",
    "/admin/users/1/delete",
    "/admin/user_tokens/1",
    "/admin/mails",
    "/admin/audit",
    "/admin/nope",
];

db_test!(whoever_is_not_root_is_sent_away_with_a_message);
async fn whoever_is_not_root_is_sent_away_with_a_message(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let member = Browser::of(&server, MEMBER).await;
    for path in PATHS {
        let sent_away = member.get(path).await;
        assert_eq!((sent_away.status(), sent_away.header("location")), (303, Some("/")), "{path}");
        assert!(sent_away.header("set-cookie").unwrap().starts_with("pusher_lite_flash="), "{path}");
        let stranger = server.get(path, &[]).await;
        assert_eq!(stranger.status(), 303, "{path}");
        assert!(stranger.header("location").unwrap().starts_with("/sessions/new?return_to="), "{path}");
    }
}

db_test!(only_root_changes_anything_and_only_by_our_forms);
async fn only_root_changes_anything_and_only_by_our_forms(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let member = Browser::of(&server, MEMBER).await;
    let root = Browser::of(&server, ADMIN).await;
    for (path, fields) in [
        ("/admin/users", &[("email", "x@example.com"), ("name", "X")][..]),
        ("/admin/users/5", &[("_method", "put"), ("email", "x@example.com"), ("name", "X")]),
        ("/admin/users/5", &[("_method", "delete")]),
        ("/admin/users/5/delete", &[]),
        ("/admin/users/3/is_root", &[("_method", "put"), ("value", "true")]),
        ("/admin/users/batch", &[("action", "delete"), ("confirmed", "true"), ("ids[]", "5")]),
    ] {
        let answer = member.post(path, fields).await;
        assert_eq!((answer.status(), answer.header("location")), (303, Some("/")), "{path}");
        let forged = [fields, &[("_csrf_token", "guessed")]].concat();
        assert_eq!(root.post(path, &forged).await.status(), 403, "{path}");
    }
    assert_eq!(root.page("/admin/users").await.matches("name=\"ids[]\"").count(), 5);
    assert!(root.page("/admin/audit").await.contains("No entries yet"));
}

db_test!(a_root_user_cannot_lock_themselves_out);
async fn a_root_user_cannot_lock_themselves_out(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Browser::of(&server, ADMIN).await;
    let own = "/admin/users/1";
    let refusal = "You cannot delete yourself here. Delete your account under Account.";
    assert_eq!(root.send(&format!("{own}/delete"), &[], own).await, refusal);
    assert_eq!(root.send(own, &[("_method", "delete")], own).await, refusal);
    let said = root.send(&format!("{own}/confirmed"), &[("_method", "put"), ("value", "false")], "/admin/users").await;
    assert!(said.ends_with("cannot be taken from yourself."), "{said}");
    let fields = [("_method", "put"), ("name", "Kept"), ("email", "admin@example.com"), ("confirmed", "true")];
    let refused = root.post(own, &fields).await;
    assert_eq!(refused.status(), 422);
    assert!(refused.body().contains("cannot be taken from yourself") && refused.body().contains("value=\"Kept\""));
    let batch = [("action", "delete"), ("confirmed", "true"), ("ids[]", "1"), ("ids[]", "5")];
    let said = root.send("/admin/users/batch", &batch, "/admin/users").await;
    assert_eq!(said, format!("{refusal} Nothing was done."));
    assert_eq!(root.page("/admin/users").await.matches("name=\"ids[]\"").count(), 5, "all or none");
}

db_test!(nobody_is_offered_to_delete_themselves);
async fn nobody_is_offered_to_delete_themselves(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Browser::of(&server, ADMIN).await;
    assert!(!root.page("/admin/users/1").await.contains("/admin/users/1/delete"));
    assert!(root.page("/admin/users/3").await.contains("/admin/users/3/delete"));
    let asked = root.get("/admin/users/1/delete").await;
    assert_eq!((asked.status(), asked.header("location")), (303, Some("/admin/users/1")));
    assert!(root.flash(&asked).await.starts_with("You cannot delete yourself here."));
    // Not asked about either, among others.
    let batch = [("action", "delete"), ("ids[]", "5"), ("ids[]", "1")];
    let said = root.send("/admin/users/batch", &batch, "/admin/users").await;
    assert!(said.starts_with("You cannot delete yourself here."), "{said}");
    assert_eq!(root.post("/admin/users/batch", &batch[..2]).await.status(), 200);
    assert_eq!(database.texts("id", "users").await.len(), 5);
}

db_test!(of_two_who_take_each_others_right_one_keeps_it);
async fn of_two_who_take_each_others_right_one_keeps_it(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    database.execute("UPDATE users SET is_root = true, confirmed_at = inserted_at WHERE id = 5").await;
    let (first, second) = (Browser::of(&server, ADMIN).await, Browser::of(&server, LONE).await);
    let demote = |email| [("_method", "put"), ("name", "X"), ("email", email), ("confirmed", "true")];
    let [lone, admin] = ["lone@example.com", "admin@example.com"].map(demote);
    let (one, other) = tokio::join!(first.post("/admin/users/5", &lone), second.post("/admin/users/1", &admin));
    assert!([one.status(), other.status()].contains(&303), "{one:?} {other:?}");
    let roots = [first.get("/admin").await.status(), second.get("/admin").await.status()];
    assert!(roots == [200, 303] || roots == [303, 200], "{roots:?}");
}

db_test!(whoever_takes_a_root_users_right_can_sign_in_again);
async fn whoever_takes_a_root_users_right_can_sign_in_again(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    database.execute("UPDATE users SET is_root = true, confirmed_at = inserted_at WHERE id = 5").await;
    let lone = Browser::of(&server, LONE).await;
    let off = [("_method", "put"), ("value", "false")];
    for cannot_sign_in in ["password_hash = NULL", "confirmed_at = NULL"] {
        database.execute(&format!("UPDATE users SET {cannot_sign_in} WHERE id = 5")).await;
        for (path, fields, list) in
            [("/admin/users/1/confirmed", &off[..], "/admin/users"), ("/admin/users/1/delete", &[], "/admin/users/1")]
        {
            let said = lone.send(path, fields, list).await;
            assert!(said.contains("You could not sign in again"), "{path}: {said}");
        }
        let batch = [("action", "delete"), ("confirmed", "true"), ("ids[]", "1"), ("ids[]", "2")];
        let said = lone.send("/admin/users/batch", &batch, "/admin/users").await;
        assert!(said.contains("You could not sign in again") && said.ends_with("Nothing was done."), "{said}");
        database.execute("UPDATE users SET password_hash = 'x', confirmed_at = inserted_at WHERE id = 5").await;
    }
    assert_eq!(lone.post("/admin/users/1/confirmed", &off).await.status(), 303);
    assert_eq!(database.texts("id", "users WHERE is_root AND confirmed_at IS NULL").await, ["1"]);
}

db_test!(of_two_who_unconfirm_each_other_one_stays);
async fn of_two_who_unconfirm_each_other_one_stays(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    database.execute("UPDATE users SET is_root = true, confirmed_at = inserted_at WHERE id = 5").await;
    let (first, second) = (Browser::of(&server, ADMIN).await, Browser::of(&server, LONE).await);
    let off = [("_method", "put"), ("value", "false")];
    let (one, other) =
        tokio::join!(first.post("/admin/users/5/confirmed", &off), second.post("/admin/users/1/confirmed", &off));
    assert_eq!((one.status(), other.status()), (303, 303));
    assert_eq!(database.texts("id", "users WHERE is_root AND confirmed_at IS NOT NULL").await.len(), 1);
}

db_test!(what_is_not_there_is_404);
async fn what_is_not_there_is_404(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Browser::of(&server, ADMIN).await;
    for path in [
        "/admin/nope",
        "/admin/users/99",
        "/admin/users/abc",
        "/admin/users/99999999999",
        "/admin/users/99/edit",
        "/admin/users/99/delete",
        "/admin/users/1/explode",
        "/admin/enrollments/1/archive",
        "/admin/audit/new",
        "/admin/audit/1",
        "/admin/mails/new",
    ] {
        assert_eq!(root.get(path).await.status(), 404, "{path}");
    }
    for (path, fields) in [
        ("/admin/users/99/delete", &[][..]),
        ("/admin/users/99/is_root", &[("_method", "put"), ("value", "true")]),
        ("/admin/users/5/password_hash", &[("_method", "put"), ("value", "x")]),
        ("/admin/users/5/email", &[("_method", "put"), ("value", "x@example.com")]),
        ("/admin/audit", &[]),
        ("/admin/audit/1", &[("_method", "delete")]),
        ("/admin/audit/1", &[("_method", "put")]),
    ] {
        assert_eq!(root.post(path, fields).await.status(), 404, "{path}");
    }
}
