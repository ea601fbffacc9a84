//! Rows created, changed, and undone.

use pusher_lite::{
    auth::{Permissions, mailed_token::MailedToken, password},
    store::{Transaction, email_changes, rememberables, users},
};

use super::{ADMIN, Browser, LONE, MEMBER, TEST_APP};
use crate::support::{
    database::TestDatabase,
    server::{Answer, TestServer},
    socket::Socket,
};

/// The path of what was created.
fn created(answer: &Answer) -> String {
    assert_eq!(answer.status(), 303, "{answer:?}");
    answer.header("location").unwrap().to_owned()
}

db_test!(users_are_created_and_changed);
async fn users_are_created_and_changed(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Browser::of(&server, ADMIN).await;
    assert!(root.page("/admin/users/new").await.contains("name=\"password\""));
    let fields = [("name", "Zoë"), ("email", "zoe@example.com"), ("password", "a long one"), ("confirmed", "true")];
    let path = created(&root.post("/admin/users", &fields).await);
    let id = path.rsplit('/').next().unwrap().parse().unwrap();
    let conn = &mut server.app.db.conn().await.unwrap();
    let user = users::find(conn, id).await.unwrap().unwrap();
    assert!(user.confirmed_at.is_some() && !user.is_root);
    let hash = users::password_hash(conn, id).await.unwrap();
    assert!(password::verify("a long one", hash.as_deref()).await);

    let form = root.page(&format!("{path}/edit")).await;
    assert!(form.contains("value=\"zoe@example.com\"") && !form.contains("a long one"));
    let theirs = Browser::of(&server, id).await;
    let fields =
        [("_method", "put"), ("name", "Zoe"), ("email", "zoe@example.com"), ("password", ""), ("confirmed", "true")];
    assert_eq!(root.send(&path, &fields, &path).await, "Saved.");
    assert_eq!(root.send(&path, &fields, &path).await, "Nothing was changed.");
    assert_eq!(users::password_hash(conn, id).await.unwrap(), hash, "an empty password keeps the old one");
    assert_eq!(theirs.get("/admin").await.header("location"), Some("/"), "still signed in");

    let fields = fields.map(|(name, value)| if name == "password" { (name, "another one") } else { (name, value) });
    assert_eq!(root.send(&path, &fields, &path).await, "Saved.");
    let hash = users::password_hash(conn, id).await.unwrap();
    assert!(password::verify("another one", hash.as_deref()).await);
    let signed_out = theirs.get("/admin").await;
    assert!(signed_out.header("location").unwrap().starts_with("/sessions/new"), "a new password ends sessions");
    assert!(root.page("/admin/mails").await.contains("password changed"), "and the user is told");

    let fields = fields.map(|(name, value)| (name, if name == "email" { "z@example.com" } else { value }));
    assert_eq!(root.send(&path, &fields, &path).await, "Saved.");
    let told = "mails WHERE kind = 'address_changed' AND recipient = 'zoe@example.com'";
    assert!(database.text("text_body", told).await.contains("z@example.com"));
}

db_test!(an_address_that_root_sets_is_not_undone_by_an_older_link);
async fn an_address_that_root_sets_is_not_undone_by_an_older_link(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let token = MailedToken::new();
    let wish = (MEMBER, "thief@example.com", &token.stored());
    let keep = async |tx: &mut Transaction<'_>| email_changes::replace(tx, wish.0, wish.1, wish.2).await;
    server.app.db.transaction(keep).await.unwrap();
    let root = Browser::of(&server, ADMIN).await;
    let path = "/admin/users/3";
    let fields = |name| [("_method", "put"), ("name", name), ("email", "member@example.com"), ("confirmed", "true")];
    assert_eq!(root.send(path, &fields("Renamed"), path).await, "Saved.");
    assert_eq!(database.texts("email", "email_changes").await, ["thief@example.com"], "the address is as it was");

    let fields =
        fields("Renamed").map(|(name, value)| (name, if name == "email" { "safe@example.com" } else { value }));
    assert_eq!(root.send(path, &fields, path).await, "Saved.");
    let followed = server.get(&format!("/confirmations/{}/edit", token.text()), &[]).await;
    assert_eq!(followed.status(), 410, "{followed:?}");
    assert_eq!(database.text("email", "users WHERE id = 3").await, "safe@example.com");
}

db_test!(who_is_confirmed_no_more_is_signed_out);
async fn who_is_confirmed_no_more_is_signed_out(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Browser::of(&server, ADMIN).await;
    let theirs = Browser::of(&server, MEMBER).await;
    let remember = async |tx: &mut Transaction<'_>| rememberables::create(tx, MEMBER, "series", "token").await;
    server.app.db.transaction(remember).await.unwrap();
    let jwt = server.jwt(MEMBER, Permissions::USER);
    let mut socket = Socket::open(&server, &jwt, TEST_APP, "me").await.unwrap();
    assert_eq!(theirs.get("/admin").await.header("location"), Some("/"), "signed in");

    let path = "/admin/users/3/confirmed";
    assert_eq!(root.post(path, &[("_method", "put"), ("value", "false")]).await.status(), 303);
    assert!(theirs.get("/admin").await.header("location").unwrap().starts_with("/sessions/new"));
    assert_eq!(database.texts("id", "rememberables").await, [""; 0]);
    assert_eq!(socket.close_code().await, 1008);
}

db_test!(each_fields_error_stands_beside_it_and_what_was_typed_is_kept);
async fn each_fields_error_stands_beside_it_and_what_was_typed_is_kept(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Browser::of(&server, ADMIN).await;
    let long = "x".repeat(256);
    for (path, fields, field, message) in [
        ("users", &[("name", "Kept"), ("email", "")][..], "email", "can&#x27;t be blank"),
        ("users", &[("name", "Kept"), ("email", "no address")], "email", "is no address"),
        ("users", &[("name", "Kept"), ("email", "lone@example.com")], "email", "has already been taken"),
        ("users", &[("name", "Kept"), ("email", "a@b.c"), ("password", "short")], "password", "at least 8"),
        ("users", &[("name", "Kept"), ("email", "a@b.c"), ("password", &long)], "password", "at most"),
        ("users/5", &[("_method", "put"), ("name", "Kept"), ("email", "member@example.com")], "email", "taken"),
        ("user_tokens", &[("user", "nobody@example.com")], "user", "no user"),
        ("user_tokens", &[("user", "")], "user", "can&#x27;t be blank"),
        ("user_tokens", &[("user", "3")], "scope", "can&#x27;t be blank"),
        ("user_tokens", &[("user", "3"), ("scope", "all"), ("name", &long[..101])], "name", "at most 100"),
        (
            "user_tokens",
            &[("user", "3"), ("scope", "all"), ("expires_on", "2020-01-01")],
            "expires_on",
            "today or later",
        ),
        ("user_tokens", &[("user", "3"), ("scope", "all"), ("expires_on", "soon")], "expires_on", "is no date"),
        ("organizations", &[("name", "Kept"), ("slug", "acme-inc")], "slug", "has already been taken"),
        ("organizations", &[("name", "北京"), ("slug", "")], "slug", "can&#x27;t be blank"),
        ("organizations", &[("name", "Kept"), ("admin", "nobody")], "admin", "no user"),
        ("organizations", &[("name", &long)], "name", "at most 255"),
        ("enrollments", &[("user", "1"), ("organization", "nope")], "organization", "no organization"),
        ("enrollments", &[("user", "1"), ("organization", "1")], "user", "has already been taken"),
        ("applications", &[("name", "Kept"), ("organization", "")], "organization", "can&#x27;t be blank"),
        ("applications", &[("name", "Kept"), ("organization", "1"), ("app_key", "a:b")], "app_key", "colon"),
        ("applications", &[("name", "Kept"), ("organization", "1"), ("app_key", TEST_APP)], "app_key", "taken"),
        ("applications/1", &[("_method", "put"), ("name", "")], "name", "can&#x27;t be blank"),
        ("ownerships", &[("organization", "1"), ("application", "nope")], "application", "no application"),
        ("ownerships", &[("organization", "1"), ("application", "1")], "application", "has already been taken"),
    ] {
        let answer = root.post(&format!("/admin/{path}"), fields).await;
        assert_eq!(answer.status(), 422, "{path} {fields:?}");
        let (_, errors) = answer.body().split_once(&format!("id=\"field-{field}-errors\"")).unwrap_or_else(|| {
            panic!("{path} {fields:?}: no error beside {field}: {}", answer.body());
        });
        assert!(errors.split("</p>").next().unwrap().contains(message), "{path} {fields:?}: {errors}");
        for (name, typed) in fields.iter().filter(|(name, _)| !["_method", "password"].contains(name)) {
            assert!(answer.body().contains(&format!("value=\"{typed}\"")), "{path}: {name} is not kept");
        }
    }
    let summary = root.post("/admin/users", &[("name", "Kept")]).await;
    assert!(summary.body().contains("Address can&#x27;t be blank"), "fields are called as they are labelled");
    assert!(root.page("/admin/audit").await.contains("No entries yet"));
}

db_test!(the_other_tables_are_created_and_changed);
async fn the_other_tables_are_created_and_changed(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Browser::of(&server, ADMIN).await;

    let token = created(
        &root
            .post(
                "/admin/user_tokens",
                &[("user", "Lone@Example.com"), ("name", "<chat>"), ("scope", "read"), ("expires_on", "9998-12-31")],
            )
            .await,
    );
    let page = root.page(&token).await;
    assert!(page.contains("badge-good\">Valid") && page.contains("&lt;chat&gt;"), "{page}");
    assert!(page.contains("9999-01-01T00:00:00") && page.contains("Opens no sockets."), "{page}");
    database.execute("UPDATE user_token_settings SET expires_at = '2026-01-01 00:00:00'").await;
    assert!(root.page(&token).await.contains("badge-warn\">Expired"));
    assert!(root.page("/admin/user_tokens?is_valid=no").await.contains("badge-warn\">Expired"));
    assert!(!root.page("/admin/user_tokens?is_valid=yes").await.contains("Expired</span>"));
    assert_eq!(root.send(&token, &[("_method", "put"), ("valid", "false")], &token).await, "Saved.");
    assert!(root.page(&token).await.contains("Invalid</span>"));

    let fields = [("name", "Neue Ünïque & Co."), ("slug", ""), ("admin", "5")];
    let organization = created(&root.post("/admin/organizations", &fields).await);
    let page = root.page(&organization).await;
    assert!(page.contains("neue-uenique-and-co") && page.contains("lone@example.com"), "{page}");
    let fields = [("_method", "put"), ("name", "Renamed"), ("slug", "renamed")];
    assert_eq!(root.send(&organization, &fields, &organization).await, "Saved.");
    assert!(root.page(&organization).await.contains("<h1>Renamed</h1>"));

    let fields = [("user", "3"), ("organization", "renamed"), ("is_admin", "false")];
    let enrollment = created(&root.post("/admin/enrollments", &fields).await);
    let fields = [("_method", "put"), ("is_admin", "true")];
    assert_eq!(root.send(&enrollment, &fields, &enrollment).await, "Saved.");

    let application =
        created(&root.post("/admin/applications", &[("name", "New App"), ("organization", "renamed")]).await);
    let fields = [("_method", "put"), ("name", "Old App"), ("app_key", "my-key"), ("new_secret", "true")];
    assert_eq!(root.send(&application, &fields, &application).await, "Saved.");
    assert!(root.page(&application).await.contains("<code>my-key</code>"));

    let fields = [("organization", "acme-inc"), ("application", "my-key")];
    let ownership = created(&root.post("/admin/ownerships", &fields).await);
    let fields = [("_method", "put"), ("is_owned", "false")];
    assert_eq!(root.send(&ownership, &fields, &ownership).await, "Saved.");
    assert!(root.page(&application).await.contains("Active</span>"), "another organization owns it still");
}

db_test!(an_applications_limits_hold_at_once);
async fn an_applications_limits_hold_at_once(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Browser::of(&server, ADMIN).await;
    let path = "/admin/applications/1";
    assert!(root.page(path).await.contains("as the settings say"));
    let fields = |sockets| {
        [
            ("_method", "put"),
            ("name", "Test App"),
            ("app_key", TEST_APP),
            ("sockets", sockets),
            ("events_per_second", "0"),
        ]
    };
    for wrong in ["many", "-1", "1.5", "99999999999"] {
        let refused = root.post(path, &fields(wrong)).await;
        assert_eq!(refused.status(), 422, "{wrong}");
        assert!(refused.body().contains("id=\"field-sockets-errors\""), "{wrong}");
    }
    assert_eq!(root.send(path, &fields("1"), path).await, "Saved.");
    assert!(root.page(path).await.contains("no limit"));
    assert!(root.page(&format!("{path}/edit")).await.contains("name=\"sockets\" "));
    let jwt = server.jwt(ADMIN, Permissions::ADMIN);
    let first = Socket::open(&server, &jwt, TEST_APP, "one").await.unwrap();
    assert_eq!(Socket::open(&server, &jwt, TEST_APP, "two").await.unwrap_err(), 429);
    assert_eq!(root.send(path, &fields(""), path).await, "Saved.");
    assert!(Socket::open(&server, &jwt, TEST_APP, "two").await.is_ok());
    drop(first);
    let log = root.page("/admin/audit?resource=applications&sort=id").await;
    assert!(log.contains("sockets: &quot;1&quot;; events_per_second: &quot;0&quot;"), "{log}");
    assert!(log.contains("sockets: &quot;1&quot; -&gt; nothing"), "{log}");
}

db_test!(a_user_is_made_root_by_a_form_with_a_confirmation_alone);
async fn a_user_is_made_root_by_a_form_with_a_confirmation_alone(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Browser::of(&server, ADMIN).await;
    assert!(!root.page("/admin/users").await.contains("/is_root"), "no list offers it");
    let switch = [("_method", "put"), ("value", "true"), ("confirm_root", "true"), ("is_root", "true")];
    let said = root.send("/admin/users/3/is_root", &switch, "/admin/users/3/edit").await;
    assert!(said.contains("in this form"), "{said}");
    assert_eq!(root.post("/admin/users/3/confirm_root", &switch).await.status(), 404);
    assert_eq!(database.texts("id", "users WHERE is_root").await, ["1"]);

    let path = "/admin/users/3";
    let fields = |confirm_root| {
        let member = [("_method", "put"), ("name", "M"), ("email", "member@example.com"), ("confirmed", "true")];
        [&member[..], &[("is_root", "true"), ("confirm_root", confirm_root)]].concat()
    };
    for unconfirmed in ["", "false"] {
        let refused = root.post(path, &fields(unconfirmed)).await;
        assert!(refused.status() == 422 && refused.body().contains("must be ticked"), "{refused:?}");
    }
    let new = [("name", "New"), ("email", "new@example.com"), ("is_root", "true")];
    assert_eq!(root.post("/admin/users", &new).await.status(), 422);
    assert_eq!(database.texts("id", "users WHERE is_root").await, ["1"]);
    assert_eq!(root.send(path, &fields("true"), path).await, "Saved.");
    assert_eq!(database.texts("id", "users WHERE is_root ORDER BY id").await, ["1", "3"]);
    // A root user stays root without the confirmation, and ceases to be root without the checkbox.
    assert_eq!(root.send(path, &fields("false"), path).await, "Nothing was changed.");
    assert_eq!(root.send(path, &fields("false")[..4], path).await, "Saved.");
    assert_eq!(database.texts("id", "users WHERE is_root").await, ["1"]);
}

db_test!(switches_work_in_place_and_lead_back);
async fn switches_work_in_place_and_lead_back(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Browser::of(&server, ADMIN).await;
    let list = "/admin/users?q=l&sort=email&direction=asc";
    for (path, filter) in [
        ("/admin/users/5/confirmed", "/admin/users?is_confirmed=yes&q=5"),
        ("/admin/enrollments/3/is_admin", "/admin/enrollments?is_admin=yes&user_id=3"),
        ("/admin/ownerships/1/is_owned", "/admin/ownerships?is_owned=yes&q=acme"),
        ("/admin/user_tokens/6/valid", "/admin/user_tokens?is_valid=yes&user_id=5&q=6"),
    ] {
        for value in ["false", "true", "false"] {
            let answer = root.post_from(path, list, &[("_method", "put"), ("value", value)]).await;
            assert_eq!((answer.status(), answer.header("location")), (303, Some(list)), "{path} {value}");
            let is_listed = root.page(filter).await.contains("name=\"ids[]\"");
            assert_eq!(is_listed, value == "true", "{path} {value}");
        }
    }
    let elsewhere = root.post_from("/admin/users/5/confirmed", "//evil.example/", &[("_method", "put")]).await;
    assert_eq!(elsewhere.header("location"), Some("/admin/users"));
}

db_test!(rows_are_archived_restored_and_deleted);
async fn rows_are_archived_restored_and_deleted(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Browser::of(&server, ADMIN).await;
    for table in ["organizations", "applications"] {
        let path = format!("/admin/{table}/1");
        assert!(root.send(&format!("{path}/archive"), &[], &path).await.starts_with("Archived "));
        assert_eq!(root.send(&format!("{path}/archive"), &[], &path).await, "There was nothing to do.");
        assert!(root.page(&path).await.contains("Archived</span>"));
        assert!(root.send(&format!("{path}/restore"), &[], &path).await.starts_with("Restored "));
        assert!(root.page(&path).await.contains("Active</span>"));
    }
    database.execute("UPDATE users SET locked_at = '2099-01-01 00:00:00', failed_attempts = 5 WHERE id = 5").await;
    assert!(root.page("/admin/users?is_locked=yes").await.contains("lone@example.com"));
    assert_eq!(root.send("/admin/users/5/unlock", &[], "/admin/users/5").await, "Unlocked lone@example.com.");
    assert!(root.page("/admin/users?is_locked=yes").await.contains("No entries found"));

    // The order is that of what depends on what.
    for (table, id) in [
        ("user_tokens", 1),
        ("ownerships", 2),
        ("enrollments", 5),
        ("applications", 1),
        ("organizations", 1),
        ("users", 4),
    ] {
        let path = format!("/admin/{table}/{id}");
        let said = root.send(&path, &[("_method", "delete")], &format!("/admin/{table}")).await;
        assert!(said.starts_with("Deleted "), "{said}");
        assert_eq!(root.get(&path).await.status(), 404, "{path}");
    }
    assert!(root.page("/admin/applications/2").await.contains("Archived</span>"), "nobody owned it any more");
}

db_test!(with_a_user_go_tokens_enrollments_and_sessions);
async fn with_a_user_go_tokens_enrollments_and_sessions(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Browser::of(&server, ADMIN).await;
    let theirs = Browser::of(&server, LONE).await;
    let fields = [("user", "5"), ("organization", "1")];
    assert_eq!(root.post("/admin/enrollments", &fields).await.status(), 303);
    assert_eq!(theirs.get("/admin").await.header("location"), Some("/"));
    root.send("/admin/users/5/delete", &[], "/admin/users").await;
    assert!(theirs.get("/admin").await.header("location").unwrap().starts_with("/sessions/new"));
    assert!(root.page("/admin/user_tokens?user_id=5").await.contains("No entries found"));
    assert!(root.page("/admin/enrollments?user_id=5").await.contains("No entries found"));
}
