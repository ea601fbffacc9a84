//! Applications: created, renamed, given another secret, archived and restored.

use pusher_lite::auth::Permissions;

use super::{ACME, audit, test_app, visitor::Visitor};
use crate::{
    api::{ADMIN, MEMBER, TEST_APP},
    support::{database::TestDatabase, server::TestServer, socket::Socket},
};

/// The secret of Test App.
const SECRET: &str = "8891252c-e6c9-11f1-afc0-f2fc4c7451a7";

db_test!(an_application_is_created_with_a_key_and_can_be_used);
async fn an_application_is_created_with_a_key_and_can_be_used(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let admin = Visitor::sign_in(&server, ADMIN).await;
    assert_eq!(admin.get(&format!("{ACME}/applications/new")).await.status(), 200);
    let refused = admin.send("post", &format!("{ACME}/applications"), &[("name", "")]).await;
    assert_eq!(refused.status(), 422);
    assert!(refused.body().contains("can&#x27;t be blank"));

    let created = admin.send("post", &format!("{ACME}/applications"), &[("name", "Chat <1>")]).await;
    let page = admin.follow(&created).await;
    assert!(page.body().contains("<h1>Chat &lt;1&gt;</h1>"), "{page:?}");
    let app_key = created.header("location").unwrap().rsplit('/').next().unwrap();
    assert!(page.body().contains(&format!(">{app_key}</code>")));
    let jwt = server.jwt(MEMBER, Permissions::USER);
    assert!(Socket::open(&server, &jwt, app_key, "me").await.is_ok());
    assert!(admin.get(ACME).await.body().contains("Chat &lt;1&gt;"));
    assert_eq!(audit(&database).await, ["admin@example.com create applications 3"]);
}

db_test!(it_is_renamed_and_its_secret_rotated);
async fn it_is_renamed_and_its_secret_rotated(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let admin = Visitor::sign_in(&server, ADMIN).await;
    let page = admin.get(&test_app()).await;
    assert!(page.body().contains(SECRET) && page.body().contains("<details class=\"copyable\">"), "{page:?}");
    let renamed = admin.send("put", &test_app(), &[("application[name]", "Renamed")]).await;
    assert!(admin.follow(&renamed).await.body().contains("<h1>Renamed</h1>"));
    let refused = admin.send("put", &test_app(), &[("name", "  ")]).await;
    assert_eq!(refused.status(), 422);
    assert!(refused.body().contains("can&#x27;t be blank"));

    let rotated = admin.send("post", &format!("{}/secret", test_app()), &[]).await;
    let page = admin.follow(&rotated).await;
    assert!(page.body().contains("The application has a new secret.") && !page.body().contains(SECRET));
    assert!(page.body().contains(TEST_APP), "the key stays");
    assert_eq!(audit(&database).await, ["admin@example.com update applications 1"; 2]);
    let details = database.texts("details", "audit_entries ORDER BY id").await;
    assert_eq!(details, ["name: \"Test App\" -> \"Renamed\"", "app_secret: changed"]);
}

db_test!(an_archived_application_takes_no_sockets_until_it_is_restored);
async fn an_archived_application_takes_no_sockets_until_it_is_restored(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let admin = Visitor::sign_in(&server, ADMIN).await;
    let jwt = server.jwt(MEMBER, Permissions::USER);
    let mut socket = Socket::open(&server, &jwt, TEST_APP, "me").await.unwrap();
    let archived = admin.send("delete", &test_app(), &[]).await;
    let page = admin.follow(&archived).await;
    assert!(page.body().contains("Restore") && !page.body().contains("On your backend"), "{page:?}");
    assert_eq!(socket.close_code().await, 1008);
    assert_eq!(Socket::open(&server, &jwt, TEST_APP, "me").await.unwrap_err(), 403);
    assert!(admin.get(ACME).await.body().contains("Archived applications (1)"));
    let console = admin.get(&format!("{}/console", test_app())).await;
    assert_eq!(console.header("location"), Some(test_app().as_str()));

    assert_eq!(admin.send("post", &format!("{}/restore", test_app()), &[]).await.status(), 303);
    assert!(Socket::open(&server, &jwt, TEST_APP, "me").await.is_ok());
    let entries = ["admin@example.com archive applications 1", "admin@example.com restore applications 1"];
    assert_eq!(audit(&database).await, entries);
}

db_test!(members_see_the_key_and_not_the_secret);
async fn members_see_the_key_and_not_the_secret(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let member = Visitor::sign_in(&server, MEMBER).await;
    let page = member.get(&test_app()).await;
    assert!(page.body().contains(TEST_APP) && page.body().contains("Live console"));
    assert!(!page.body().contains(SECRET) && !page.body().contains("Rotate"), "{page:?}");
    assert_eq!(member.get(&format!("{ACME}/applications/1")).await.status(), 200, "by its id");
}
