//! Deletion of the own account, and the remaining data.

use futures_util::StreamExt;
use pusher_lite::auth::Permissions;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{browser::Browser, database::TestDatabase, server::TestServer};

const SECOND_APP: &str = "8896169a-e6c9-11f1-bbfb-f2fc4c7451a7";
const APP: &str = "88911bb8-e6c9-11f1-bf84-f2fc4c7451a7";
const LEAVE: [(&str, &str); 2] = [("_method", "delete"), ("registration[current_password]", "password")];

db_test!(an_account_is_deleted_with_what_belongs_to_it_alone);
async fn an_account_is_deleted_with_what_belongs_to_it_alone(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    // Plain Admin is alone in Second Org then.
    database.execute("DELETE FROM enrollments WHERE user_id = 4 AND organization_id = 2").await;
    let mut browser = Browser::signed_in(&server, "plainadmin@example.com").await;
    let mut other = Browser::signed_in(&server, "plainadmin@example.com").await;
    let jwt = server.jwt(2, Permissions::USER);
    let query = format!("app_key={SECOND_APP}&guardian_token={jwt}&unique_identifier=a");
    let mut socket = server.socket(&query).await.unwrap();

    let page = browser.get("/registrations/2/delete").await;
    assert!(page.body().contains("Second Org"), "{page:?}");
    let wrong = browser.submit("/registrations", &[LEAVE[0], ("current_password", "wrong")]).await;
    assert!(wrong.status() == 422 && wrong.body().contains("is wrong"), "{wrong:?}");
    let gone = browser.submit("/registrations", &LEAVE).await;
    assert_eq!((gone.status(), gone.header("location")), (303, Some("/")));
    assert!(browser.follow(&gone).await.body().contains("Your account is deleted."));
    assert!(!browser.is_signed_in().await && !other.is_signed_in().await);

    let Some(Ok(Message::Close(Some(frame)))) = socket.next().await else { panic!("the socket is still open") };
    assert_eq!(u16::from(frame.code), 1008);
    for rest in ["users WHERE id = 2", "user_tokens WHERE user_id = 2", "enrollments WHERE user_id = 2"] {
        assert_eq!(database.texts("id", rest).await, [""; 0], "{rest}");
    }
    assert_eq!(database.texts("id", "organizations ORDER BY id").await, ["1"]);
    assert_ne!(database.text("archived_at", "applications WHERE id = 2").await, "");
    let entry = "actor || ' ' || action || ' ' || resource || ' ' || resource_id || ' ' || details";
    let entries = [
        "plainadmin@example.com delete organizations 2 name: \"Second Org\"; enrollments: 1; archived applications: 1",
        "plainadmin@example.com archive applications 2 name: \"Second App\"",
        "plainadmin@example.com delete users 2 email: \"plainadmin@example.com\"; tokens: 1; enrollments: 0",
    ];
    let of_leaving = "audit_entries WHERE action IN ('delete', 'archive') ORDER BY id";
    assert_eq!(database.texts(entry, of_leaving).await, entries);
    let fields = [("email", "plainadmin@example.com"), ("password", "password")];
    assert_eq!(browser.fill("/sessions/new", "/sessions", &fields).await.status(), 401);
}

db_test!(a_member_leaves_organizations_as_they_are);
async fn a_member_leaves_organizations_as_they_are(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut browser = Browser::signed_in(&server, "member@example.com").await;
    let jwt = server.jwt(3, Permissions::USER);
    let query = format!("app_key={APP}&guardian_token={jwt}&unique_identifier=a");
    let mut socket = server.socket(&query).await.unwrap();
    assert_eq!(browser.fill("/registrations/3/delete", "/registrations", &LEAVE).await.status(), 303);
    assert!(matches!(socket.next().await, Some(Ok(Message::Close(Some(frame)))) if u16::from(frame.code) == 1008));
    assert_eq!(database.texts("id", "organizations ORDER BY id").await, ["1", "2"]);
    assert_eq!(server.socket(&query).await.err(), Some(403));
}

db_test!(nobody_leaves_an_organization_or_the_server_without_an_admin);
async fn nobody_leaves_an_organization_or_the_server_without_an_admin(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut root = Browser::signed_in(&server, "admin@example.com").await;
    let page = root.get("/registrations/1/delete").await;
    assert!(page.body().contains("the only administrator of this server"), "{page:?}");
    assert!(page.body().contains("Acme Inc.") && !page.body().contains("name=\"current_password\""), "{page:?}");
    assert_eq!(root.submit("/registrations", &LEAVE).await.status(), 422);

    // Another root user, but still nobody else who administers Acme Inc.
    database.execute("UPDATE users SET is_root = (id = 1 OR id = 2)").await;
    for cannot_sign_in in ["confirmed_at = NULL", "password_hash = NULL"] {
        let before = database.text("confirmed_at", "users WHERE id = 2").await;
        let hash = database.text("password_hash", "users WHERE id = 2").await;
        database.execute(&format!("UPDATE users SET {cannot_sign_in} WHERE id = 2")).await;
        let page = root.get("/registrations/1/delete").await;
        assert!(page.body().contains("the only administrator of this server"), "{cannot_sign_in}: {page:?}");
        let back = format!("UPDATE users SET confirmed_at = '{before}', password_hash = '{hash}' WHERE id = 2");
        database.execute(&back).await;
    }
    let page = root.get("/registrations/1/delete").await;
    assert!(!page.body().contains("administrator of this server") && page.body().contains("Acme Inc."), "{page:?}");
    assert_eq!(root.submit("/registrations", &LEAVE).await.status(), 422);
    database.execute("UPDATE enrollments SET is_admin = (1 = 1) WHERE user_id = 3").await;
    // A suspended user administers nothing.
    let suspended = "INSERT INTO user_suspensions VALUES (3, 'suspended', '2026-11-23 00:00:00')";
    database.execute(suspended).await;
    let page = root.get("/registrations/1/delete").await;
    assert!(page.body().contains("Acme Inc."), "{page:?}");
    assert_eq!(root.submit("/registrations", &LEAVE).await.status(), 422);
    database.execute("DELETE FROM user_suspensions").await;
    assert_eq!(root.fill("/registrations/1/delete", "/registrations", &LEAVE).await.status(), 303);
    assert_eq!(database.texts("id", "users WHERE is_root").await, ["2"]);
}
