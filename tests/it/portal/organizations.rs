//! Organizations: their admins create, rename and delete them; for others they do not exist.

use pusher_lite::auth::Permissions;

use super::{ACME, audit, test_app, visitor::Visitor};
use crate::{
    api::{ADMIN, LONE, MEMBER, MIXED, PLAIN_ADMIN, SECOND_APP, TEST_APP},
    support::{database::TestDatabase, server::TestServer, socket::Socket},
};

const LIST: &str = "/account/organizations";
const SECOND: &str = "/account/organizations/second-org";

db_test!(whoever_creates_an_organization_administers_it);
async fn whoever_creates_an_organization_administers_it(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let lone = Visitor::sign_in(&server, LONE).await;
    assert!(lone.get(LIST).await.body().contains("You are in no organization yet"));
    let created = lone.send("post", LIST, &[("name", "  Grüne <Wiese> ")]).await;
    assert_eq!(created.header("location"), Some("/account/organizations/gruene-lesswiesegreater"));
    let page = lone.follow(&created).await;
    assert!(
        page.body().contains("<h1>Grüne &lt;Wiese&gt;</h1>") && page.body().contains("New application"),
        "{page:?}"
    );
    let list = lone.get(LIST).await;
    assert!(list.body().contains("Grüne &lt;Wiese&gt;") && list.body().contains("Admin"));
    assert_eq!(audit(&database).await, ["lone@example.com create organizations 3"]);
}

db_test!(a_name_that_others_have_gets_a_slug_of_its_own);
async fn a_name_that_others_have_gets_a_slug_of_its_own(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let lone = Visitor::sign_in(&server, LONE).await;
    for path in ["/account/organizations/acme-inc-2", "/account/organizations/acme-inc-3"] {
        let created = lone.send("post", LIST, &[("organization[name]", "Acme Inc.")]).await;
        assert_eq!(created.header("location"), Some(path));
    }
    for (name, id) in [("New", 5), ("2000", 6)] {
        let created = lone.send("post", LIST, &[("name", name)]).await;
        assert_eq!(created.header("location"), Some(format!("{LIST}/{id}").as_str()), "what no slug can lead to");
        assert_eq!(lone.follow(&created).await.status(), 200);
    }
}

db_test!(a_name_that_cannot_be_is_said_beside_the_field);
async fn a_name_that_cannot_be_is_said_beside_the_field(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let plain_admin = Visitor::sign_in(&server, PLAIN_ADMIN).await;
    for (name, message) in
        [("", "can&#x27;t be blank"), ("北京", "needs a letter or digit"), ("x".repeat(256).as_str(), "at most 255")]
    {
        let refused = plain_admin.send("post", LIST, &[("name", name)]).await;
        assert_eq!(refused.status(), 422);
        assert!(
            refused.body().contains(message) && refused.body().contains(&format!("value=\"{name}\"")),
            "{refused:?}"
        );
    }
    let refused = plain_admin.send("put", SECOND, &[("name", " ")]).await;
    assert_eq!(refused.status(), 422);
    assert!(refused.body().contains("can&#x27;t be blank"));
    assert_eq!(audit(&database).await, [""; 0]);
}

db_test!(renaming_keeps_the_slug);
async fn renaming_keeps_the_slug(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let plain_admin = Visitor::sign_in(&server, PLAIN_ADMIN).await;
    let renamed = plain_admin.send("put", SECOND, &[("name", "Another")]).await;
    assert_eq!(renamed.header("location"), Some(SECOND));
    assert!(plain_admin.follow(&renamed).await.body().contains("<h1>Another</h1>"));
    assert_eq!(audit(&database).await, ["plainadmin@example.com update organizations 2"]);
}

db_test!(deleting_takes_the_typed_name_and_ends_what_lived_by_it);
async fn deleting_takes_the_typed_name_and_ends_what_lived_by_it(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let plain_admin = Visitor::sign_in(&server, PLAIN_ADMIN).await;
    let jwt = server.jwt(MIXED, Permissions::USER);
    let mut socket = Socket::open(&server, &jwt, SECOND_APP, "me").await.unwrap();
    let refused = plain_admin.send("delete", SECOND, &[("confirmation", "second org")]).await;
    assert_eq!(refused.status(), 422);
    assert!(refused.body().contains("is not the name of the organization"));

    let deleted = plain_admin.send("delete", SECOND, &[("confirmation", "Second Org")]).await;
    assert!(plain_admin.follow(&deleted).await.body().contains("Second Org is deleted."));
    assert_eq!(socket.close_code().await, 1008);
    assert_eq!(Socket::open(&server, &jwt, SECOND_APP, "me").await.unwrap_err(), 403);
    assert_eq!(plain_admin.get(SECOND).await.status(), 404);
    let entries = ["plainadmin@example.com delete organizations 2", "plainadmin@example.com archive applications 2"];
    assert_eq!(audit(&database).await, entries);
}

/// The method, path and fields of a form.
type Sent = (&'static str, String, Vec<(&'static str, &'static str)>);

/// Every form of Acme's pages that changes something.
fn changes() -> Vec<Sent> {
    vec![
        ("put", ACME.to_owned(), vec![("name", "Mine")]),
        ("delete", ACME.to_owned(), vec![("confirmation", "Acme Inc.")]),
        ("put", format!("{ACME}/members/{MIXED}"), vec![("is_admin", "true")]),
        ("delete", format!("{ACME}/members/{MIXED}"), vec![]),
        ("post", format!("{ACME}/applications"), vec![("name", "Mine")]),
        ("put", test_app(), vec![("name", "Mine")]),
        ("delete", test_app(), vec![]),
        ("post", format!("{}/secret", test_app()), vec![]),
        ("post", format!("{}/restore", test_app()), vec![]),
        ("post", format!("{}/console", test_app()), vec![("topic", "t"), ("name", "e"), ("payload", "{}")]),
    ]
}

db_test!(for_strangers_nothing_of_it_is_there);
async fn for_strangers_nothing_of_it_is_there(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    for user_id in [PLAIN_ADMIN, LONE] {
        let stranger = Visitor::sign_in(&server, user_id).await;
        for path in ["", "/applications/new", &test_app()[ACME.len()..], &format!("/applications/{TEST_APP}/console")] {
            assert_eq!(stranger.get(&format!("{ACME}{path}")).await.status(), 404, "{path}");
        }
        for (method, path, fields) in changes() {
            assert_eq!(stranger.send(method, &path, &fields).await.status(), 404, "{method} {path}");
        }
        let session = stranger.send("post", &format!("{}/console/session", test_app()), &[]).await;
        assert_eq!(session.status(), 404);
    }
    // Nor is it there by way of an organization that one may see.
    let plain_admin = Visitor::sign_in(&server, PLAIN_ADMIN).await;
    assert_eq!(plain_admin.get(&format!("{SECOND}/applications/{TEST_APP}")).await.status(), 404);
    assert_eq!(plain_admin.send("delete", &format!("{SECOND}/members/{MEMBER}"), &[]).await.status(), 404);
    assert_eq!(audit(&database).await, [""; 0]);
}

db_test!(members_see_it_and_cannot_change_it);
async fn members_see_it_and_cannot_change_it(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let member = Visitor::sign_in(&server, MEMBER).await;
    let page = member.get(ACME).await;
    assert!(page.body().contains("admin@example.com") && page.body().contains(TEST_APP), "{page:?}");
    for control in ["New application", "Make admin", "Invite a user", "Rename", "Delete"] {
        assert!(!page.body().contains(control), "{control}");
    }
    for (method, path, fields) in changes() {
        let refused = member.send(method, &path, &fields).await;
        assert_eq!(refused.header("location"), Some(ACME), "{method} {path}: {refused:?}");
        assert!(member.follow(&refused).await.body().contains("Only the admins of this organization can do that."));
    }
    let unchanged = member.get(ACME).await;
    assert!(unchanged.body().contains("<h1>Acme Inc.</h1>") && unchanged.body().contains("mixed@example.com"));
    assert_eq!(audit(&database).await, [""; 0]);
}

db_test!(root_users_may_open_every_organization);
async fn root_users_may_open_every_organization(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Visitor::sign_in(&server, ADMIN).await;
    let page = root.get(SECOND).await;
    assert!(page.body().contains("because you are root") && page.body().contains("New application"), "{page:?}");
    assert_eq!(root.send("put", SECOND, &[("name", "Renamed")]).await.status(), 303);
    assert_eq!(audit(&database).await, ["admin@example.com update organizations 2"]);
    assert_eq!(root.get("/account/organizations/nope").await.status(), 404);
}
