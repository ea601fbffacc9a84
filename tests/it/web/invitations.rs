//! Invitations: sent, sent again, withdrawn, accepted.
//!
//! In the original's data, user 2 administers Second Org (2), user 4 too and belongs to Acme Inc. (1), user 3 belongs
//! to Acme Inc., user 5 has never confirmed their address, and user 1 is root.

use pusher_lite::store::{
    Db, Error, Transaction,
    enrollments::{self, Enrollment},
    invitation_enrollments,
    mails::{self, State},
    users,
};
use tokio::sync::oneshot;

use crate::support::{
    browser::Browser,
    database::TestDatabase,
    server::{Answer, TestServer},
};

const ADMIN: &str = "plainadmin@example.com";
const NEW: &str = "zoe@example.com";
/// The pending invitation of the original's data.
const ORIGINAL: &str = "/invitations/1nv1t3-5e0f6c1d2b7a4988/edit";

db_test!(somebody_new_gets_an_account_in_the_organization);
async fn somebody_new_gets_an_account_in_the_organization(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut admin = Browser::signed_in(&server, ADMIN).await;
    let sent =
        invite(&mut admin, &[("name", "Zoë"), ("email", NEW), ("organization_id", "second-org"), ("role", "admin")])
            .await;
    assert_eq!((sent.status(), sent.header("location")), (303, Some("/account/organizations/2")), "{}", sent.body());
    let link = last_link(&server, NEW).await;

    let mut zoe = Browser::new(&server);
    let page = zoe.get(&link).await;
    assert!(page.body().contains("Second Org") && page.body().contains(NEW) && page.body().contains("value=\"Zoë\""));
    let token = token_of(&link);
    for (name, password, complaint) in [
        ("", "long enough", "can&#x27;t be blank"),
        ("Zoë", "short", "should be at least 8 characters"),
        ("Zoë", &"x".repeat(73), "should be at most 72 bytes"),
    ] {
        let refused = accept(&mut zoe, &link, &[("token", token), ("name", name), ("password", password)]).await;
        assert_eq!(refused.status(), 422);
        assert!(refused.body().contains(complaint), "{complaint}: {}", refused.body());
    }
    let accepted =
        accept(&mut zoe, &link, &[("token", token), ("user[name]", "Zoë Z."), ("user[password]", "long enough")]).await;
    assert_eq!((accepted.status(), accepted.header("location")), (303, Some("/account/organizations/2")));
    assert!(zoe.is_signed_in().await);

    let conn = &mut server.app.db.conn().await.unwrap();
    let user = users::find_by_email(conn, NEW).await.unwrap().unwrap();
    assert!(user.confirmed_at.is_some() && !user.is_root && user.name.as_deref() == Some("Zoë Z."));
    assert!(enrollments::find(conn, user.id, 2).await.unwrap().unwrap().is_admin);
    let welcome = text_of_last_mail(&server, NEW).await;
    assert!(welcome.contains("/account/tokens"), "{welcome}");
    assert!(database.texts("id", &format!("user_tokens WHERE user_id = {}", user.id)).await.is_empty());
    assert_gone(&mut Browser::new(&server), &link).await;
    assert_eq!(actions(&database).await, ["accept", "invite"]);
    let enrolled = format!(
        "zoe@example.com create user: \"zoe@example.com\"; user_id: {}; organization: \"Second Org\"; \
         organization_id: 2; is_admin: true",
        user.id
    );
    assert_eq!(enrollments_told(&database).await, [enrolled]);
}

db_test!(the_role_that_was_ticked_is_kept_with_what_was_typed);
async fn the_role_that_was_ticked_is_kept_with_what_was_typed(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut admin = Browser::signed_in(&server, ADMIN).await;
    let refused = invite(&mut admin, &[("email", "zoe"), ("organization_id", "2"), ("is_admin", "true")]).await;
    assert_eq!(refused.status(), 422);
    assert!(refused.body().contains("<option value=\"admin\" selected>"), "{}", refused.body());
}

db_test!(an_invitation_of_the_original_is_accepted);
async fn an_invitation_of_the_original_is_accepted(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut invited = Browser::new(&server);
    let page = invited.get(ORIGINAL).await;
    assert!(page.body().contains("invited@example.com") && page.body().contains("value=\"Invited Person\""));
    let fields = [("token", token_of(ORIGINAL)), ("name", "Invited Person"), ("password", "long enough")];
    let accepted = accept(&mut invited, ORIGINAL, &fields).await;
    assert_eq!((accepted.status(), accepted.header("location")), (303, Some("/account")));
    assert!(invited.is_signed_in().await);
    assert_gone(&mut invited, ORIGINAL).await;

    let mut root = Browser::signed_in(&server, "admin@example.com").await;
    assert_eq!(root.get("/invitations/1/resend").await.status(), 404, "it is gone for the root user, too");
}

db_test!(who_has_an_account_accepts_with_it);
async fn who_has_an_account_accepts_with_it(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut admin = Browser::signed_in(&server, ADMIN).await;
    let to_member = [("email", "Member@example.com"), ("organization_id", "2")];
    let answer = invite(&mut admin, &to_member).await;
    let other = invite(&mut admin, &[("email", NEW), ("organization_id", "2")]).await;
    let told = |answer: &Answer| (answer.status(), answer.header("location").map(str::to_owned));
    assert_eq!(told(&answer), told(&other), "whether the address has an account is not told");
    let link = last_link(&server, "Member@example.com").await;

    let mut nobody = Browser::new(&server);
    let page = nobody.get(&link).await;
    assert!(page.body().contains("new?return_to=%2Finvitations%2F"), "{}", page.body());
    let fields = [("token", token_of(&link)), ("name", "Thief"), ("password", "long enough")];
    assert_eq!(accept(&mut nobody, &link, &fields).await.status(), 403);
    assert!(admin.get(&link).await.body().contains("Sign out"), "it is not for this user");
    assert_eq!(accept(&mut admin, &link, &fields).await.status(), 403);

    let mut member = Browser::signed_in(&server, "member@example.com").await;
    assert!(member.get(&link).await.body().contains("Accept the invitation"));
    assert_eq!(enrollment(&server.app.db, 3, 2).await, None, "looking at it changes nothing");
    let accepted = accept(&mut member, &link, &[("token", token_of(&link))]).await;
    assert_eq!((accepted.status(), accepted.header("location")), (303, Some("/account/organizations/2")));
    assert!(!enrollment(&server.app.db, 3, 2).await.unwrap().is_admin);
    assert_gone(&mut member, &link).await;
}

db_test!(a_member_may_become_an_admin_by_an_invitation);
async fn a_member_may_become_an_admin_by_an_invitation(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut admin = Browser::signed_in(&server, ADMIN).await;
    let mut member = Browser::signed_in(&server, "member@example.com").await;
    let promoted = "member@example.com update user: \"member@example.com\"; user_id: 3; organization: \"Second Org\"; \
                    organization_id: 2; is_admin: false -> true";
    for (role, told) in [("admin", &[promoted][..]), ("member", &[])] {
        invite(&mut admin, &[("email", "member@example.com"), ("organization_id", "2"), ("role", role)]).await;
        let link = last_link(&server, "member@example.com").await;
        // Somebody else enrolls them meanwhile.
        database
            .execute(
                "DELETE FROM enrollments WHERE user_id = 3 AND organization_id = 2;
                 INSERT INTO enrollments (user_id, organization_id, is_admin, inserted_at, updated_at) VALUES
                 (3, 2, false, '2026-11-25 00:00:00', '2026-11-25 00:00:00');",
            )
            .await;
        let before = enrollments_told(&database).await.len();
        assert_eq!(accept(&mut member, &link, &[("token", token_of(&link))]).await.status(), 303);
        assert_eq!(enrollments_told(&database).await[before..], *told);
        let is_admin = enrollment(&server.app.db, 3, 2).await.unwrap().is_admin;
        assert_eq!(is_admin, role == "admin");
        database.execute("DELETE FROM enrollments WHERE user_id = 3 AND organization_id = 2").await;
    }
}

db_test!(what_is_withdrawn_while_it_is_accepted_enrolls_nobody);
async fn what_is_withdrawn_while_it_is_accepted_enrolls_nobody(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut admin = Browser::signed_in(&server, ADMIN).await;
    invite(&mut admin, &[("email", "member@example.com"), ("organization_id", "2")]).await;
    let link = last_link(&server, "member@example.com").await;
    let mut member = Browser::signed_in(&server, "member@example.com").await;
    member.get(&link).await;

    let (withdrawn, is_withdrawn) = oneshot::channel();
    let (commit, may_commit) = oneshot::channel();
    let withdrawing = server.app.db.transaction(async |tx: &mut Transaction<'_>| {
        assert!(invitation_enrollments::delete(tx, 2, 2).await?);
        withdrawn.send(()).unwrap();
        may_commit.await.unwrap();
        Ok::<_, Error>(())
    });
    let token = [("token", token_of(&link))];
    let accepting = async {
        is_withdrawn.await.unwrap();
        member.submit("/invitations/create", &token).await
    };
    let releasing = async {
        database.until_somebody_waits().await;
        commit.send(()).unwrap();
    };
    let (withdrawal, accepted, ()) = tokio::join!(withdrawing, accepting, releasing);
    withdrawal.unwrap();
    assert_eq!(accepted.header("location"), Some("/account"), "{accepted:?}");
    assert_eq!(enrollment(&server.app.db, 3, 2).await, None);
    assert_eq!(
        database.text("details", "audit_entries WHERE action = 'accept'").await,
        "email: \"member@example.com\""
    );
}

db_test!(several_organizations_hang_on_one_invitation);
async fn several_organizations_hang_on_one_invitation(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut admin = Browser::signed_in(&server, ADMIN).await;
    let mut root = Browser::signed_in(&server, "admin@example.com").await;
    invite(&mut admin, &[("email", NEW), ("organization_id", "2")]).await;
    let first = last_link(&server, NEW).await;
    invite(&mut root, &[("email", "ZOE@example.com"), ("organization_id", "1"), ("is_admin", "true")]).await;
    assert_eq!(last_link(&server, NEW).await, first, "each mail has the same link");

    let managed = admin.get("/invitations/new").await;
    assert!(managed.body().contains(NEW) && !managed.body().contains("Acme"), "an admin learns of their own alone");
    let again = invite(&mut admin, &[("email", NEW), ("organization_id", "2")]).await;
    assert!(again.status() == 422 && again.body().contains("is invited already"), "{}", again.body());

    let mut zoe = Browser::new(&server);
    let fields = [("token", token_of(&first)), ("name", "Zoë"), ("password", "long enough")];
    let accepted = accept(&mut zoe, &first, &fields).await;
    assert_eq!(accepted.header("location"), Some("/account/organizations"));
    let conn = &mut server.app.db.conn().await.unwrap();
    let zoe = users::find_by_email(conn, NEW).await.unwrap().unwrap();
    assert!(enrollments::find(conn, zoe.id, 1).await.unwrap().unwrap().is_admin);
    assert!(!enrollments::find(conn, zoe.id, 2).await.unwrap().unwrap().is_admin);
}

db_test!(whoever_proves_an_unconfirmed_address_chooses_the_password);
async fn whoever_proves_an_unconfirmed_address_chooses_the_password(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut admin = Browser::signed_in(&server, ADMIN).await;
    invite(&mut admin, &[("email", "lone@example.com"), ("organization_id", "2")]).await;
    let link = last_link(&server, "lone@example.com").await;
    let mut lone = Browser::new(&server);
    let fields = [("token", token_of(&link)), ("name", "Lone"), ("password", "my own password")];
    assert_eq!(accept(&mut lone, &link, &fields).await.status(), 303);
    let conn = &mut server.app.db.conn().await.unwrap();
    assert!(users::find(conn, 5).await.unwrap().unwrap().confirmed_at.is_some());
    let hash = users::password_hash(conn, 5).await.unwrap();
    assert!(pusher_lite::auth::password::verify("my own password", hash.as_deref()).await, "the old one is of no use");
    assert!(enrollment(&server.app.db, 5, 2).await.is_some());
}

db_test!(only_admins_invite_into_an_organization);
async fn only_admins_invite_into_an_organization(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut member = Browser::signed_in(&server, "member@example.com").await;
    for organization in ["1", "acme-inc", "2", "99", "x"] {
        let refused = invite(&mut member, &[("email", NEW), ("organization_id", organization)]).await;
        assert_eq!(refused.status(), 404, "{organization}");
    }
    assert_eq!(invite(&mut member, &[("email", NEW)]).await.status(), 303, "to the server everybody may");
    assert_eq!(Browser::new(&server).get("/invitations/new").await.status(), 303, "who is signed in, that is");

    let mut admin = Browser::signed_in(&server, ADMIN).await;
    for (email, complaint) in [
        ("", "can&#x27;t be blank"),
        ("zoe", "is not an email address"),
        ("zoe@example.com\r\nBcc: x@example.com", "is not an email address"),
        (ADMIN, "is your own"),
        ("mixed@example.com", "is a member of this organization already"),
    ] {
        let refused = invite(&mut admin, &[("email", email), ("organization_id", "2")]).await;
        assert!(refused.status() == 422 && refused.body().contains(complaint), "{email}: {}", refused.body());
    }
}

db_test!(an_invitation_is_sent_again_and_withdrawn);
async fn an_invitation_is_sent_again_and_withdrawn(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut admin = Browser::signed_in(&server, ADMIN).await;
    invite(&mut admin, &[("email", NEW), ("organization_id", "2")]).await;
    let link = last_link(&server, NEW).await;

    let mut stranger = Browser::signed_in(&server, "member@example.com").await;
    stranger.get("/invitations/new").await;
    assert_eq!(stranger.get("/invitations/2/resend").await.status(), 404);
    assert_eq!(stranger.submit("/invitations/2/resend", &[]).await.status(), 404);
    assert_eq!(stranger.submit("/invitations/2", &[("_method", "delete")]).await.status(), 404);

    let before = mails_to(&server, NEW).await;
    assert!(admin.get("/invitations/2/resend").await.body().contains("Send again"));
    assert_eq!(mails_to(&server, NEW).await, before, "a link alone sends nothing");
    // Another admin of the organization.
    let mut other = Browser::signed_in(&server, "mixed@example.com").await;
    let resent = other.fill("/invitations/2/resend", "/invitations/2/resend", &[]).await;
    assert_eq!((resent.status(), resent.header("location")), (303, Some("/account/organizations/2")));
    assert_eq!(mails_to(&server, NEW).await, before + 1);
    assert_eq!(last_link(&server, NEW).await, link);

    let withdrawn =
        admin.fill("/invitations/new", "/invitations/2", &[("_method", "delete"), ("organization_id", "2")]).await;
    assert_eq!(withdrawn.status(), 303);
    assert_gone(&mut Browser::new(&server), &link).await;
    assert_eq!(actions(&database).await, ["withdraw", "resend", "invite"]);
}

db_test!(an_invitation_counts_while_its_inviter_may_invite);
async fn an_invitation_counts_while_its_inviter_may_invite(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut leaving = Browser::signed_in(&server, "mixed@example.com").await;
    let mut admin = Browser::signed_in(&server, ADMIN).await;
    let as_admin = |email| [("email", email), ("organization_id", "2"), ("role", "admin")];
    invite(&mut leaving, &as_admin(NEW)).await;
    let link = last_link(&server, NEW).await;
    let fields = [("token", token_of(&link)), ("name", "Zoë"), ("password", "long enough")];
    let enrollment = "UPDATE enrollments SET is_admin";
    for (ended, back) in [
        // Demoted, removed, suspended.
        (
            format!("{enrollment} = false WHERE user_id = 4 AND organization_id = 2"),
            format!("{enrollment} = true WHERE user_id = 4 AND organization_id = 2"),
        ),
        (
            "DELETE FROM enrollments WHERE user_id = 4 AND organization_id = 2".to_owned(),
            "INSERT INTO enrollments (user_id, organization_id, is_admin, inserted_at, updated_at) VALUES
          (4, 2, true, '2026-11-25 00:00:00', '2026-11-25 00:00:00')"
                .to_owned(),
        ),
        (
            "INSERT INTO user_suspensions VALUES (4, 'suspended', '2026-11-25 00:00:00')".to_owned(),
            "DELETE FROM user_suspensions".to_owned(),
        ),
    ] {
        database.execute(&ended).await;
        let mut zoe = Browser::new(&server);
        assert_gone(&mut zoe, &link).await;
        assert_eq!(accept(&mut zoe, &link, &fields).await.status(), 410, "{ended}");
        assert_eq!(database.texts("id", "users WHERE email = 'zoe@example.com'").await, [""; 0], "{ended}");
        let page = admin.get("/account/organizations/second-org").await;
        assert!(page.body().contains(NEW) && page.body().contains("Void"), "{ended}: {}", page.body());
        if !ended.starts_with("INSERT") {
            assert_eq!(leaving.get("/invitations/2/resend").await.status(), 404, "{ended}");
            leaving.get("/invitations/new").await;
            assert_eq!(leaving.submit("/invitations/2/resend", &[]).await.status(), 404, "{ended}");
            assert_eq!(leaving.submit("/invitations/2", &[("_method", "delete")]).await.status(), 404, "{ended}");
        }
        database.execute(&back).await;
        assert_eq!(zoe.get(&link).await.status(), 200, "{back}");
    }
    database.execute(&format!("{enrollment} = false WHERE user_id = 4")).await;
    // An admin who sends it again invites in their own name.
    assert_eq!(admin.fill("/invitations/2/resend", "/invitations/2/resend", &[]).await.status(), 303);
    assert!(!admin.get("/account/organizations/second-org").await.body().contains("Void"));
    let mut zoe = Browser::new(&server);
    assert_eq!(accept(&mut zoe, &link, &fields).await.header("location"), Some("/account/organizations/2"));
}

db_test!(of_several_organizations_those_count_whose_inviter_still_may);
async fn of_several_organizations_those_count_whose_inviter_still_may(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut leaving = Browser::signed_in(&server, "mixed@example.com").await;
    let mut root = Browser::signed_in(&server, "admin@example.com").await;
    invite(&mut leaving, &[("email", NEW), ("organization_id", "2"), ("role", "admin")]).await;
    invite(&mut root, &[("email", NEW), ("organization_id", "1")]).await;
    let link = last_link(&server, NEW).await;
    database.execute("DELETE FROM enrollments WHERE user_id = 4").await;
    let mut zoe = Browser::new(&server);
    let page = zoe.get(&link).await;
    assert!(page.body().contains("Acme") && !page.body().contains("Second Org"), "{}", page.body());
    let fields = [("token", token_of(&link)), ("name", "Zoë"), ("password", "long enough")];
    assert_eq!(accept(&mut zoe, &link, &fields).await.header("location"), Some("/account/organizations/1"));
    let zoe = users::find_by_email(&mut server.app.db.conn().await.unwrap(), NEW).await.unwrap().unwrap();
    assert_eq!(enrollment(&server.app.db, zoe.id, 2).await, None);
}

db_test!(nobody_sends_invitations_without_end);
async fn nobody_sends_invitations_without_end(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut admin = Browser::signed_in(&server, ADMIN).await;
    invite(&mut admin, &[("email", NEW), ("organization_id", "2")]).await;
    let insert = "INSERT INTO audit_entries (actor_id, action, resource, details, inserted_at) \
                  SELECT actor_id, action, resource, details, inserted_at FROM audit_entries WHERE action = 'invite';";
    // 2, 4, 8, 16, 32.
    database.execute(&insert.repeat(5)).await;
    let refused = invite(&mut admin, &[("email", "another@example.com")]).await;
    assert!(refused.status() == 422 && refused.body().contains("within an hour"), "{}", refused.body());
    let refused = admin.fill("/invitations/2/resend", "/invitations/2/resend", &[]).await;
    assert!(admin.follow(&refused).await.body().contains("within an hour") || refused.status() == 303);
    assert_eq!(mails_to(&server, NEW).await, 1);
}

async fn invite(browser: &mut Browser<'_>, fields: &[(&str, &str)]) -> Answer {
    let scoped: Vec<(String, &str)> =
        fields.iter().map(|(name, value)| (format!("invitation[{name}]"), *value)).collect();
    let scoped: Vec<(&str, &str)> = scoped.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    browser.fill("/invitations/new", "/invitations", &scoped).await
}

async fn accept(browser: &mut Browser<'_>, link: &str, fields: &[(&str, &str)]) -> Answer {
    // Pages without a form have no token, but every browser gets one with the first form it sees.
    browser.get("/invitations/new").await;
    browser.get("/sessions/new").await;
    browser.get(link).await;
    browser.submit("/invitations/create", fields).await
}

async fn assert_gone(browser: &mut Browser<'_>, link: &str) {
    let page = browser.get(link).await;
    assert_eq!(page.status(), 410);
    assert!(page.body().contains("This invitation can no longer be used"));
}

fn token_of(link: &str) -> &str {
    link.split('/').nth(2).unwrap()
}

/// The path of the link in the last mail to this address.
async fn last_link(server: &TestServer, email: &str) -> String {
    let text = text_of_last_mail(server, email).await;
    let at = text.find("https://push.example.com:8443/invitations/").unwrap_or_else(|| panic!("no link: {text}"));
    let url = text[at..].split_whitespace().next().unwrap();
    url.trim_start_matches("https://push.example.com:8443").to_owned()
}

async fn text_of_last_mail(server: &TestServer, email: &str) -> String {
    let conn = &mut server.app.db.conn().await.unwrap();
    let mails = mails::list(conn, State::Sent, 0, 100).await.unwrap();
    let mail = mails.iter().find(|mail| mail.recipient.eq_ignore_ascii_case(email)).expect("there is a mail");
    mails::find_bodies(conn, mail.id).await.unwrap().unwrap().text_body.unwrap()
}

async fn mails_to(server: &TestServer, email: &str) -> usize {
    let mails = mails::list(&mut server.app.db.conn().await.unwrap(), State::Sent, 0, 100).await.unwrap();
    mails.iter().filter(|mail| mail.recipient == email).count()
}

async fn enrollment(db: &Db, user_id: i32, organization_id: i32) -> Option<Enrollment> {
    enrollments::find(&mut db.conn().await.unwrap(), user_id, organization_id).await.unwrap()
}

/// Returns the audit entries about invitations, the newest first.
async fn actions(database: &TestDatabase) -> Vec<String> {
    database.texts("action", "audit_entries WHERE resource = 'invitations' ORDER BY id DESC").await
}

/// Returns the audit entries about enrollments, as `who action details`, in order.
async fn enrollments_told(database: &TestDatabase) -> Vec<String> {
    let rest = "audit_entries WHERE resource = 'enrollments' ORDER BY id";
    database.texts("actor || ' ' || action || ' ' || details", rest).await
}
