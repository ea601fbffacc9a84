//! An action has one wording in the audit log, whatever the entrance.

use pusher_lite::{
    auth::Permissions,
    store::{Reference, admin::applications},
};

use super::{ADMIN, LONE, MEMBER};
use crate::{
    portal::visitor::Visitor,
    sign_in::mailbox,
    support::{browser::Browser, database::TestDatabase, server::TestServer},
};

/// A root user at each entrance, and the log.
struct Entrances<'a> {
    server: &'a TestServer,
    database: &'a TestDatabase,
    root: Visitor<'a>,
    authorization: String,
}

impl<'a> Entrances<'a> {
    async fn of(server: &'a TestServer, database: &'a TestDatabase) -> Self {
        let authorization = format!("authorization: Bearer {}", server.jwt(ADMIN, Permissions::ADMIN));
        Self { server, database, root: Visitor::sign_in(server, ADMIN).await, authorization }
    }

    async fn rest(&self, method: &str, path: &str, body: &str) {
        let headers = ["content-type: application/json", self.authorization.as_str()];
        let answer = self.server.request(method, path, &headers, body).await;
        assert!(matches!(answer.status(), 200 | 201 | 204), "{method} {path}: {answer:?}");
    }

    /// Sends a form of the portal or the admin.
    async fn page(&self, method: &str, path: &str, fields: &[(&str, &str)]) {
        let answer = self.root.send(method, path, fields).await;
        assert!(matches!(answer.status(), 201 | 303), "{method} {path}: {answer:?}");
    }

    /// The entries about one row, in order: `action: details`.
    async fn told(&self, resource: &str, id: impl std::fmt::Display) -> Vec<String> {
        let rest = format!("audit_entries WHERE resource = '{resource}' AND resource_id = {id} ORDER BY id");
        self.database.texts("action || ': ' || details", &rest).await
    }

    /// The id of the row that was created last.
    async fn newest(&self, table: &str) -> i32 {
        self.database.text("max(id)", table).await.parse().unwrap()
    }
}

db_test!(actions_on_applications_have_one_wording);
async fn actions_on_applications_have_one_wording(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let at = Entrances::of(&server, &database).await;
    let portal = "/account/organizations/acme-inc/applications";
    let key = async |id: i32| {
        let mut conn = server.app.db.conn().await.unwrap();
        applications::find(&mut conn, Reference::Id(id)).await.unwrap().unwrap().1.app_key.unwrap()
    };

    at.rest("POST", "/api/organizations/1/applications", r#"{"application":{"name":"One"}}"#).await;
    at.page("post", portal, &[("name", "One")]).await;
    at.page("post", "/admin/applications", &[("name", "One"), ("organization", "1")]).await;
    let keys = [key(3).await, key(4).await, key(5).await];
    let by_rest = format!("/api/organizations/1/applications/{}", keys[0]);
    let by_page = format!("{portal}/{}", keys[1]);

    at.rest("PUT", &by_rest, r#"{"application":{"name":"Two"}}"#).await;
    at.page("put", &by_page, &[("name", "Two")]).await;
    at.page("put", "/admin/applications/5", &[("name", "Two"), ("app_key", &keys[2])]).await;

    at.rest("PUT", &by_rest, r#"{"application":{"app_secret":""}}"#).await;
    at.page("post", &format!("{by_page}/secret"), &[]).await;
    let fields = [("name", "Two"), ("app_key", &keys[2]), ("new_secret", "true")];
    at.page("put", "/admin/applications/5", &fields).await;

    at.rest("DELETE", &by_rest, "").await;
    at.page("delete", &by_page, &[]).await;
    at.page("post", "/admin/applications/5/archive", &[]).await;
    at.page("post", &format!("{by_page}/restore"), &[]).await;
    at.page("post", "/admin/applications/5/restore", &[]).await;

    for (id, key) in (3..).zip(&keys) {
        let mut expected = vec![
            format!("create: name: \"One\"; app_key: \"{key}\"; organization_id: 1"),
            "update: name: \"One\" -> \"Two\"".to_owned(),
            "update: app_secret: changed".to_owned(),
            "archive: name: \"Two\"".to_owned(),
        ];
        // REST restores nothing by itself.
        expected.extend((id > 3).then(|| "restore: name: \"Two\"".to_owned()));
        assert_eq!(at.told("applications", id).await, expected);
    }
}

db_test!(actions_on_organizations_have_one_wording);
async fn actions_on_organizations_have_one_wording(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let at = Entrances::of(&server, &database).await;
    at.rest("POST", "/api/organizations", r#"{"organization":{"name":"One"}}"#).await;
    at.page("post", "/account/organizations", &[("name", "Two")]).await;
    at.page("post", "/admin/organizations", &[("name", "Three")]).await;
    let sign_up = [
        ("registration[name]", "Zoë"),
        ("registration[email]", "zoe@example.com"),
        ("registration[password]", "correct horse"),
        ("registration[password_confirmation]", "correct horse"),
        ("registration[organization_name]", "Four"),
    ];
    let mut stranger = Browser::new(&server);
    assert_eq!(stranger.fill("/registrations/new", "/registrations", &sign_up).await.status(), 303);

    at.rest("PUT", "/api/organizations/3", r#"{"organization":{"name":"New"}}"#).await;
    at.page("put", "/account/organizations/two", &[("name", "New")]).await;
    at.page("put", "/admin/organizations/5", &[("name", "New"), ("slug", "three")]).await;

    at.page("post", "/admin/organizations/5/archive", &[]).await;
    at.page("post", "/admin/organizations/5/restore", &[]).await;

    at.rest("DELETE", "/api/organizations/3", "").await;
    at.page("delete", "/account/organizations/two", &[("confirmation", "New")]).await;
    at.page("post", "/admin/organizations/5/delete", &[]).await;

    for (id, name, slug) in [(3, "One", "one"), (4, "Two", "two"), (5, "Three", "three")] {
        let mut told = at.told("organizations", id).await;
        told.retain(|entry| !entry.starts_with("archive") && !entry.starts_with("restore"));
        let expected = [
            format!("create: name: {name:?}; slug: {slug:?}; admin_id: 1"),
            format!("update: name: {name:?} -> \"New\""),
            "delete: name: \"New\"; enrollments: 1; archived applications: 0".to_owned(),
        ];
        assert_eq!(told, expected);
    }
    let admin_id = database.text("id", "users WHERE email = 'zoe@example.com'").await;
    let expected = format!("create: name: \"Four\"; slug: \"four\"; admin_id: {admin_id}");
    assert_eq!(at.told("organizations", 6).await, [expected]);
}

db_test!(actions_on_tokens_have_one_wording);
async fn actions_on_tokens_have_one_wording(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let at = Entrances::of(&server, &database).await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let body = r#"{"name":"chat","scope":"manage","expires_at":"9999-01-01T00:00:00Z"}"#;
        at.rest("POST", "/api/users/1/tokens", body).await;
        ids.push(at.newest("user_tokens").await);
        let fields = [("name", "chat"), ("scope", "manage"), ("expires", "date"), ("expires_on", "9998-12-31")];
        at.page("post", "/account/tokens", &fields).await;
        ids.push(at.newest("user_tokens").await);
        let fields = [("user", "1"), ("name", "chat"), ("scope", "manage"), ("expires_on", "9998-12-31")];
        at.page("post", "/admin/user_tokens", &fields).await;
        ids.push(at.newest("user_tokens").await);
    }
    let token = async |id: i32| database.text("token", &format!("user_tokens WHERE id = {id}")).await;
    let tokens = [token(ids[0]).await, token(ids[1]).await, token(ids[2]).await, token(ids[3]).await];

    at.rest("DELETE", &format!("/api/users/1/tokens/{}", tokens[0]), "").await;
    // The answer is the same as at first, and nothing more is told.
    at.rest("DELETE", &format!("/api/users/1/tokens/{}", tokens[0]), "").await;
    at.page("delete", &format!("/account/tokens/{}", ids[1]), &[]).await;
    at.page("post", &format!("/admin/user_tokens/{}/invalidate", ids[2]), &[]).await;
    at.page("put", &format!("/admin/user_tokens/{}", ids[3]), &[("valid", "false")]).await;
    at.page("delete", "/account/tokens", &[]).await;

    at.page("put", &format!("/admin/user_tokens/{}", ids[3]), &[("valid", "true")]).await;
    at.page("post", &format!("/admin/user_tokens/{}/delete", ids[3]), &[]).await;

    for (at_index, id) in ids.iter().enumerate() {
        let ending = match tokens.get(at_index) {
            Some(token) => token[32..].to_owned(),
            None => token(*id).await[32..].to_owned(),
        };
        let actions: &[&str] =
            if at_index == 3 { &["create", "invalidate", "restore", "delete"] } else { &["create", "invalidate"] };
        let settings = "name: \"chat\"; scope: manage; expires_at: \"9999-01-01T00:00:00\"";
        let expected: Vec<String> =
            actions.iter().map(|action| format!("{action}: user_id: 1; ends in: {ending:?}; {settings}")).collect();
        assert_eq!(at.told("user_tokens", id).await, expected);
    }
}

db_test!(actions_on_members_have_one_wording);
async fn actions_on_members_have_one_wording(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let at = Entrances::of(&server, &database).await;
    // Lone and Mixed by the admin and the portal, Member by an invitation.
    at.page("post", "/admin/enrollments", &[("user", "5"), ("organization", "1")]).await;
    let by_admin = at.newest("enrollments").await;
    database.execute("DELETE FROM enrollments WHERE user_id = 3").await;
    let invite = async |role| {
        let fields = [("invitation[email]", "member@example.com"), ("organization_id", "1"), ("role", role)];
        at.page("post", "/invitations", &fields).await;
        let link = mailbox::link(&database, "invitation", "member@example.com", "/invitations/").await;
        let member = Visitor::sign_in(&server, MEMBER).await;
        let token = [("token", link.split('/').nth(2).unwrap())];
        assert_eq!(member.send("post", "/invitations/create", &token).await.status(), 303);
    };
    invite("member").await;
    let by_invitation = at.newest("enrollments").await;
    at.page("put", &format!("/admin/enrollments/{by_admin}/is_admin"), &[("value", "true")]).await;
    database.execute(&format!("UPDATE enrollments SET is_admin = false WHERE id = {by_invitation}")).await;
    at.page("put", "/account/organizations/acme-inc/members/3", &[("is_admin", "true")]).await;
    at.page("post", &format!("/admin/enrollments/{by_admin}/delete"), &[]).await;
    at.page("delete", "/account/organizations/acme-inc/members/3", &[]).await;

    for (id, email, user_id) in [(by_admin, "lone@example.com", LONE), (by_invitation, "member@example.com", MEMBER)] {
        let who = format!("user: {email:?}; user_id: {user_id}; organization: \"Acme Inc.\"; organization_id: 1");
        let expected = [
            format!("create: {who}; is_admin: false"),
            format!("update: {who}; is_admin: false -> true"),
            format!("delete: {who}"),
        ];
        assert_eq!(at.told("enrollments", id).await, expected);
    }
}

db_test!(actions_on_accounts_have_one_wording);
async fn actions_on_accounts_have_one_wording(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let at = Entrances::of(&server, &database).await;
    let mut own = Browser::signed_in(&server, "member@example.com").await;

    // Names.
    let fields = [("_method", "put"), ("name", "New"), ("email", "member@example.com")];
    assert_eq!(own.fill("/registrations/3/edit", "/registrations/3", &fields).await.status(), 303);
    let mixed = |name, email| [("name", name), ("email", email), ("confirmed", "true")];
    at.page("put", "/admin/users/4", &mixed("New", "mixed@example.com")).await;

    // Addresses.
    let fields = [fields[0], fields[1], ("email", "new3@example.com"), ("current_password", "password")];
    assert_eq!(own.fill("/registrations/3/edit", "/registrations/3", &fields).await.status(), 303);
    let link = mailbox::link(&database, "confirmation", "new3@example.com", "/confirmations/").await;
    let password = [("_method", "put"), ("current_password", "password")];
    assert_eq!(own.fill(&link, link.strip_suffix("/edit").unwrap(), &password).await.status(), 303);
    at.page("put", "/admin/users/4", &mixed("New", "new4@example.com")).await;

    // Passwords.
    let new = [("password", "correct horse"), ("password_confirmation", "correct horse")];
    let fields = [&[fields[0], fields[1], fields[2], fields[3]][..], &new].concat();
    assert_eq!(own.fill("/registrations/3/edit", "/registrations/3", &fields).await.status(), 303);
    at.page("put", "/admin/users/4", &[&mixed("New", "new4@example.com")[..], &new].concat()).await;

    // Locks.
    let locked_at = chrono::Utc::now().format("%Y-%m-%d %H:%M:%S");
    let lock = format!("UPDATE users SET locked_at = '{locked_at}', unlock_token = 'pl41n' WHERE id =");
    database.execute(&format!("{lock} 3")).await;
    let mut stranger = Browser::new(&server);
    let unlocked = stranger.fill("/unlocks/pl41n/edit", "/unlocks/pl41n", &[("_method", "put")]).await;
    assert_eq!(unlocked.status(), 303);
    database.execute(&format!("{lock} 4")).await;
    at.page("post", "/admin/users/4/unlock", &[]).await;

    // Confirmations.
    let sent_at = chrono::Utc::now().format("%Y-%m-%d %H:%M:%S");
    let pending = "confirmed_at = NULL, confirmation_token = 'c0nf1rm3d'";
    database.execute(&format!("UPDATE users SET {pending}, confirmation_sent_at = '{sent_at}' WHERE id = 3")).await;
    let knows = [("_method", "put"), ("current_password", "correct horse")];
    let confirmed = stranger.fill("/confirmations/c0nf1rm3d/edit", "/confirmations/c0nf1rm3d", &knows).await;
    assert_eq!(confirmed.status(), 303);
    database.execute("UPDATE users SET confirmed_at = NULL WHERE id = 4").await;
    at.page("put", "/admin/users/4/confirmed", &[("value", "true")]).await;

    // Deletion.
    let mut own = Browser::new(&server);
    let fields = [("email", "new3@example.com"), ("password", "correct horse")];
    assert_eq!(own.fill("/sessions/new", "/sessions", &fields).await.status(), 303);
    let leave = [("_method", "delete"), ("registration[current_password]", "correct horse")];
    assert_eq!(own.fill("/registrations/3/delete", "/registrations", &leave).await.header("location"), Some("/"));
    at.page("post", "/admin/users/4/delete", &[]).await;

    for (id, name, old, enrollments) in [(3, "Member", "member@example.com", 1), (4, "Mixed", "mixed@example.com", 2)] {
        let mut told = at.told("users", id).await;
        told.retain(|entry| !entry.starts_with("sign_in") && !entry.starts_with("ask_email"));
        let new = format!("email: \"new{id}@example.com\"");
        let expected = [
            format!("update: name: {name:?} -> \"New\""),
            format!("update: email: {old:?} -> \"new{id}@example.com\""),
            format!("change_password: {new}"),
            format!("unlock: {new}"),
            format!("confirm: {new}"),
            format!("delete: {new}; tokens: 1; enrollments: {enrollments}"),
        ];
        assert_eq!(told, expected);
    }
}
