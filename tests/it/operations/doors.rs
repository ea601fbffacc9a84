//! Rules that hold at every entrance: the last admin, the last root user, and new passwords.

use super::{ADMIN, LONE, PLAIN_ADMIN};
use crate::{
    portal::visitor::Visitor,
    sign_in::mailbox,
    support::{
        browser::Browser,
        database::TestDatabase,
        server::{Answer, TestServer},
    },
};

type Fields<'a> = &'a [(&'a str, &'a str)];

/// Method, path and fields of a form.
type Door<'a> = (&'a str, &'a str, Fields<'a>);

/// An enrollment that makes Plain Admin the admin of Second Org.
const LAST_ADMIN: &str = "enrollments WHERE user_id = 2 AND organization_id = 2 AND is_admin";

/// Makes Plain Admin the only admin of Second Org, which has another member. Returns the id of the enrollment.
async fn with_last_admin(database: &TestDatabase) -> String {
    database.execute("UPDATE enrollments SET is_admin = (user_id = 2) WHERE organization_id = 2").await;
    database.text("id", LAST_ADMIN).await
}

db_test!(the_last_admin_stays_at_every_door_of_the_organization);
async fn the_last_admin_stays_at_every_door_of_the_organization(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    with_last_admin(&database).await;
    let member = "/account/organizations/second-org/members/2";
    let doors: [(i32, Door<'_>); 5] = [
        (PLAIN_ADMIN, ("put", member, &[("is_admin", "false")])),
        (ADMIN, ("put", member, &[("is_admin", "false")])),
        (PLAIN_ADMIN, ("delete", member, &[])),
        (ADMIN, ("delete", member, &[])),
        (PLAIN_ADMIN, ("delete", "/registrations", &[("registration[current_password]", "password")])),
    ];
    for (user_id, (method, path, fields)) in doors {
        let visitor = Visitor::sign_in(&server, user_id).await;
        let answer = visitor.send(method, path, fields).await;
        let page = if answer.status() == 303 { visitor.follow(&answer).await } else { answer };
        let said = "Make another member an admin first";
        assert!(page.body().contains(said), "{user_id} {method} {path}: {page:?}");
        assert_eq!(database.texts("id", LAST_ADMIN).await.len(), 1, "{user_id} {method} {path}");
    }
    assert_eq!(database.texts("details", "audit_entries").await, [""; 0]);
}

db_test!(a_root_user_may_take_the_last_admin_in_the_admin_and_the_log_says_so);
async fn a_root_user_may_take_the_last_admin_in_the_admin_and_the_log_says_so(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let id = with_last_admin(&database).await;
    let root = Visitor::sign_in(&server, ADMIN).await;
    let own = format!("/admin/enrollments/{id}");
    let (switch, delete) = (format!("{own}/is_admin"), format!("{own}/delete"));
    let batch = [("action", "delete"), ("confirmed", "true"), ("ids[]", id.as_str())];
    let doors: [Door<'_>; 5] = [
        ("put", &own, &[]),
        ("put", &switch, &[("value", "false")]),
        ("post", &delete, &[]),
        ("delete", &own, &[]),
        ("post", "/admin/enrollments/batch", &batch),
    ];
    for (method, path, fields) in doors {
        assert_eq!(root.send(method, path, fields).await.status(), 303, "{method} {path}");
        assert_eq!(database.texts("id", LAST_ADMIN).await, [""; 0], "{method} {path}");
        let told = database.text("details", "audit_entries ORDER BY id DESC LIMIT 1").await;
        assert!(told.ends_with("; active admins left: 0"), "{method} {path}: {told}");
        let again = "INSERT INTO enrollments (id, user_id, organization_id, is_admin, inserted_at, updated_at)";
        database.execute(&format!("DELETE FROM enrollments WHERE id = {id}")).await;
        database
            .execute(&format!("{again} VALUES ({id}, 2, 2, true, '2026-11-25 00:00:00', '2026-11-25 00:00:00')"))
            .await;
    }
    // With another active admin the entry says nothing.
    database.execute("UPDATE enrollments SET is_admin = true WHERE organization_id = 2").await;
    assert_eq!(root.send("post", &delete, &[]).await.status(), 303);
    let told = database.text("details", "audit_entries ORDER BY id DESC LIMIT 1").await;
    assert!(told.ends_with("organization_id: 2"), "{told}");
}

/// The doors at which root user 1 can lose root rights, confirmation, activity or the account.
const ROOT_DOORS: [Door<'static>; 10] = [
    ("put", "/admin/users/1", &[("name", "A"), ("email", "admin@example.com"), ("confirmed", "true")]),
    ("put", "/admin/users/1", &[("name", "A"), ("email", "admin@example.com"), ("is_root", "true")]),
    ("put", "/admin/users/1/is_root", &[("value", "false")]),
    ("put", "/admin/users/1/confirmed", &[("value", "false")]),
    ("post", "/admin/users/1/suspend", &[]),
    ("post", "/admin/users/batch", &[("action", "suspend"), ("confirmed", "true"), ("ids[]", "1")]),
    ("post", "/admin/users/1/delete", &[]),
    ("delete", "/admin/users/1", &[]),
    ("post", "/admin/users/batch", &[("action", "delete"), ("confirmed", "true"), ("ids[]", "1")]),
    ("delete", "/registrations", &[("registration[current_password]", "password")]),
];

db_test!(the_last_root_user_stays_at_every_door);
async fn the_last_root_user_stays_at_every_door(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    // So that the rule of the last admin is in no root user's way.
    database.execute("UPDATE enrollments SET is_admin = true").await;
    let able = "users WHERE is_root AND confirmed_at IS NOT NULL AND id NOT IN (SELECT user_id FROM user_suspensions)";
    // By oneself, the only root user; then with, and by, another root user who could not sign in again.
    for (user_id, other) in [(ADMIN, ""), (ADMIN, "is_root = true,"), (LONE, "is_root = true,")] {
        let cannot_sign_in = "confirmed_at = inserted_at, password_hash = NULL";
        database.execute(&format!("UPDATE users SET {other} {cannot_sign_in} WHERE id = {LONE}")).await;
        for (method, path, fields) in ROOT_DOORS.iter().filter(|door| user_id == ADMIN || door.1 != "/registrations") {
            let answer = Visitor::sign_in(&server, user_id).await.send(method, path, fields).await;
            assert!([303, 422].contains(&answer.status()), "{user_id} {method} {path}: {answer:?}");
            assert!(database.texts("id", able).await.contains(&"1".to_owned()), "{user_id} {method} {path}");
        }
    }
    assert_eq!(database.texts("details", "audit_entries").await, [""; 0]);
}

db_test!(a_suspended_root_user_does_not_stand_in_for_the_last_one);
async fn a_suspended_root_user_does_not_stand_in_for_the_last_one(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    database.execute("UPDATE users SET is_root = true, confirmed_at = inserted_at WHERE id = 5").await;
    database.execute("UPDATE enrollments SET is_admin = true").await;
    let root = Visitor::sign_in(&server, ADMIN).await;
    assert_eq!(root.send("post", "/admin/users/5/suspend", &[]).await.status(), 303);
    let (method, path, fields) = ROOT_DOORS[9];
    assert_eq!(root.send(method, path, fields).await.status(), 422);
    assert_eq!(root.send("post", "/admin/users/5/reinstate", &[]).await.status(), 303);
    assert_eq!(root.send(method, path, fields).await.header("location"), Some("/"));
}

/// A form with a new password: the page that shows it, where it is sent, the scope of its fields, and other fields.
struct PasswordDoor<'a> {
    browser: Browser<'a>,
    page: String,
    action: String,
    scope: &'static str,
    others: Fields<'static>,
}

impl PasswordDoor<'_> {
    async fn send(&mut self, password: &str) -> Answer {
        let [field, again] = ["password", "password_confirmation"].map(|name| format!("{}[{name}]", self.scope));
        let passwords = [(field.as_str(), password), (again.as_str(), password)];
        self.browser.fill(&self.page, &self.action, &[self.others, &passwords].concat()).await
    }
}

async fn password_doors<'a>(server: &'a TestServer, database: &TestDatabase) -> Vec<PasswordDoor<'a>> {
    const PUT: (&str, &str) = ("_method", "put");
    let stranger = || Browser::new(server);
    let root = Browser::signed_in(server, "admin@example.com").await;
    let asked = stranger().fill("/passwords/new", "/passwords", &[("password[email]", "member@example.com")]).await;
    assert_eq!(asked.status(), 303);
    let reset = mailbox::link(database, "reset", "member@example.com", "/passwords/").await;
    let sent_at = chrono::Utc::now().format("%Y-%m-%d %H:%M:%S");
    database.execute(&format!("UPDATE users SET confirmation_sent_at = '{sent_at}' WHERE id = {LONE}")).await;
    let confirmation = "/confirmations/c0nf1rm-9d1f0a7e5b7a4c43";
    let door = |browser, page: &str, action: &str, scope, others| PasswordDoor {
        browser,
        page: page.to_owned(),
        action: action.to_owned(),
        scope,
        others,
    };
    vec![
        door(
            stranger(),
            "/registrations/new",
            "/registrations",
            "registration",
            &[("name", "Zoë"), ("email", "zoe@example.com"), ("organization_name", "Zoë")],
        ),
        door(
            Browser::signed_in(server, "plainadmin@example.com").await,
            "/registrations/2/edit",
            "/registrations/2",
            "registration",
            &[PUT, ("name", "Plain Admin"), ("email", "plainadmin@example.com"), ("current_password", "password")],
        ),
        door(stranger(), &reset, reset.strip_suffix("/edit").unwrap(), "password", &[PUT]),
        door(stranger(), &format!("{confirmation}/edit"), confirmation, "confirmation", &[PUT]),
        door(
            stranger(),
            "/invitations/1nv1t3-5e0f6c1d2b7a4988/edit",
            "/invitations/create",
            "user",
            &[("token", "1nv1t3-5e0f6c1d2b7a4988"), ("name", "Invited")],
        ),
        door(
            root.clone(),
            "/admin/users/new",
            "/admin/users",
            "users",
            &[("name", "Ann"), ("email", "ann@example.com"), ("confirmed", "true")],
        ),
        door(
            root,
            "/admin/users/4/edit",
            "/admin/users/4",
            "users",
            &[PUT, ("name", "Mixed"), ("email", "mixed@example.com"), ("confirmed", "true")],
        ),
    ]
}

db_test!(a_new_password_follows_the_rules_at_every_door);
async fn a_new_password_follows_the_rules_at_every_door(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let (users, longest) = ("users ORDER BY id", "x".repeat(72));
    let mut doors = password_doors(&server, &database).await;
    let before = database.texts("password_hash", users).await;
    for door in &mut doors {
        for (password, reason) in [
            ("1234567", "should be at least 8 characters"),
            ("ü ü ü ü", "should be at least 8 characters"),
            (&"x".repeat(73), "should be at most 72 bytes"),
            (&"ü".repeat(37), "should be at most 72 bytes"),
        ] {
            let refused = door.send(password).await;
            assert_eq!(refused.status(), 422, "{}: {password}: {refused:?}", door.action);
            assert!(refused.body().contains(reason), "{}: {password}: {refused:?}", door.action);
        }
    }
    assert_eq!(database.texts("password_hash", users).await, before);
    for (count, door) in doors.iter_mut().enumerate() {
        let changed = database.texts("password_hash", users).await;
        let password = if count % 2 == 0 { "üüüüüüüü" } else { &longest };
        assert_eq!(door.send(password).await.status(), 303, "{}", door.action);
        assert_ne!(database.texts("password_hash", users).await, changed, "{}", door.action);
    }
}
