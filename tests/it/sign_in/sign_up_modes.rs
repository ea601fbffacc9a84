//! New accounts of visitors: by the setting, and without one by the installation.

use pusher_lite::{
    operations::accounts::{SignUpMode, SignUpPolicy},
    store::Db,
};

use super::mailbox;
use crate::support::{browser::Browser, database::TestDatabase, server::TestServer};

const ZOE: [(&str, &str); 5] = [
    ("name", "Zoë"),
    ("email", "zoe@example.com"),
    ("password", "correct horse"),
    ("password_confirmation", "correct horse"),
    ("organization_name", "Zoë & Co."),
];

/// The link of the invitation in the original's database, whose address has no account.
const INVITATION: &str = "/invitations/1nv1t3-5e0f6c1d2b7a4988/edit";
const ACCEPTANCE: [(&str, &str); 3] =
    [("token", "1nv1t3-5e0f6c1d2b7a4988"), ("name", "Invited"), ("password", "correct horse")];

/// The policy of a server that is not in demo mode.
fn policy(mode: Option<SignUpMode>, domains: &[&str]) -> SignUpPolicy {
    SignUpPolicy::new(mode, domains.iter().map(|domain| (*domain).to_owned()).collect(), false)
}

fn server(db: &Db, mode: Option<SignUpMode>) -> TestServer {
    TestServer::with_sign_up(db.clone(), policy(mode, &[]))
}

/// Sends the form for a sign-up, whether or not a page shows it. Returns the status.
async fn sign_up(server: &TestServer, email: &str) -> u16 {
    let mut browser = Browser::new(server);
    let mut fields = ZOE;
    fields[1].1 = email;
    browser.fill("/sessions/new", "/registrations", &fields).await.status()
}

/// Returns true if the pages for visitors offer to sign up; they all do, or none.
async fn offers_sign_up(server: &TestServer) -> bool {
    let mut browser = Browser::new(server);
    let form = browser.get("/registrations/new").await;
    let is_open = form.status() == 200;
    assert_eq!(form.body().contains("name=\"organization_name\""), is_open, "{form:?}");
    let entry = ">Sign up</a>";
    for (path, status) in [("/", 200), ("/sessions/new", 200), ("/dev/mailbox", 200), ("/nope", 404)] {
        let page = browser.get(path).await;
        assert_eq!(page.status(), status, "{path}");
        assert_eq!(page.body().contains(entry), is_open, "{path}: {page:?}");
    }
    let gone = browser.get("/invitations/no-such-token/edit").await;
    assert_eq!(gone.body().contains(entry), is_open, "{gone:?}");
    is_open
}

db_test!(a_new_installation_is_open_until_it_has_a_root_user);
async fn a_new_installation_is_open_until_it_has_a_root_user(database: TestDatabase) {
    let server = server(&database.migrated().await, None);
    assert!(offers_sign_up(&server).await);
    assert_eq!(sign_up(&server, "zoe@example.com").await, 303);
    assert!(offers_sign_up(&server).await, "a user who is not root closes nothing");
    let mut early = Browser::new(&server);
    assert_eq!(early.get("/registrations/new").await.status(), 200);
    database.execute("UPDATE users SET is_root = true").await;
    assert_eq!(
        early
            .submit("/registrations", &[&ZOE[..1], &[("email", "late@example.com")], &ZOE[2..]].concat())
            .await
            .status(),
        403
    );
    assert!(!offers_sign_up(&server).await);
    assert_eq!(sign_up(&server, "ann@example.com").await, 403);
    assert_eq!(database.texts("email", "users").await, ["zoe@example.com"]);
    // Another process knows it too.
    assert!(!offers_sign_up(&self::server(&server.app.db, None)).await);
}

db_test!(an_older_installation_stays_open);
async fn an_older_installation_stays_open(database: TestDatabase) {
    // Of the original; on Postgres as it was restored.
    let server = server(&database.with_original_rows().await, None);
    assert!(offers_sign_up(&server).await);
    assert_eq!(sign_up(&server, "zoe@example.com").await, 303);
}

db_test!(an_upgraded_installation_stays_open);
async fn an_upgraded_installation_stays_open(database: TestDatabase) {
    let db = database.migrated().await;
    database.execute("DROP TABLE installation").await;
    database.execute("DELETE FROM __diesel_schema_migrations WHERE version = '20261130000003'").await;
    db.migrate().await.unwrap();
    let server = server(&db, None);
    assert_eq!(sign_up(&server, "zoe@example.com").await, 303);
    database.execute("UPDATE users SET is_root = true").await;
    assert!(offers_sign_up(&server).await);
    assert_eq!(sign_up(&server, "ann@example.com").await, 303);
}

db_test!(a_setting_wins_over_the_installation);
async fn a_setting_wins_over_the_installation(database: TestDatabase) {
    let db = database.with_original_rows().await;
    for mode in [SignUpMode::Invited, SignUpMode::Off] {
        let server = server(&db, Some(mode));
        assert!(!offers_sign_up(&server).await);
        // Whether or not the address has an account.
        for email in ["zoe@example.com", "member@example.com", "not an address"] {
            assert_eq!(sign_up(&server, email).await, 403, "{email}");
        }
    }
    database.execute("UPDATE installation SET is_new = true").await;
    let server = server(&db, Some(SignUpMode::Open));
    assert!(offers_sign_up(&server).await);
    assert_eq!(database.texts("id", "mails").await, [""; 0]);
    assert_eq!(sign_up(&server, "zoe@example.com").await, 303);
}

web_test!(a_closed_sign_up_says_how_to_get_an_account);
async fn a_closed_sign_up_says_how_to_get_an_account(database: TestDatabase) {
    let db = database.with_original_rows().await;
    let invite = "to invite you";
    for (mode, has_mail, said, unsaid) in [
        (SignUpMode::Invited, true, invite, "sends no mail yet"),
        (SignUpMode::Invited, false, "sends no mail yet", "invitations open no accounts"),
        (SignUpMode::Off, true, "invitations open no accounts", invite),
        (SignUpMode::Off, false, "invitations open no accounts", invite),
    ] {
        let start = if has_mail { TestServer::with_sign_up } else { TestServer::with_sign_up_without_mail };
        let server = start(db.clone(), policy(Some(mode), &[]));
        let page = Browser::new(&server).get("/registrations/new").await;
        assert_eq!(page.status(), 403);
        assert!(page.body().contains(said) && !page.body().contains(unsaid), "{mode:?}: {page:?}");
    }
}

db_test!(an_invitation_opens_an_account_unless_that_is_off);
async fn an_invitation_opens_an_account_unless_that_is_off(database: TestDatabase) {
    let db = database.with_original_rows().await;
    let before = database.texts("id", "users").await.len();
    let off = server(&db, Some(SignUpMode::Off));
    let mut invited = Browser::new(&off);
    let page = invited.get(INVITATION).await;
    assert!(page.status() == 200 && page.body().contains("Ask its operator to create your account"), "{page:?}");
    assert!(!page.body().contains("type=\"password\""), "{page:?}");
    assert_eq!(invited.submit("/invitations/create", &ACCEPTANCE).await.status(), 403);
    assert_eq!(database.texts("id", "users").await.len(), before);

    // With domains that are not the invitation's: those are of sign-up alone.
    let by_invitation = TestServer::with_sign_up(db, policy(Some(SignUpMode::Invited), &["other.example"]));
    let mut invited = Browser::new(&by_invitation);
    let accepted = invited.fill(INVITATION, "/invitations/create", &ACCEPTANCE).await;
    assert_eq!(accepted.status(), 303, "{accepted:?}");
    assert_eq!(database.texts("id", "users").await.len(), before + 1);
}

db_test!(where_accounts_are_off_users_still_accept_invitations);
async fn where_accounts_are_off_users_still_accept_invitations(database: TestDatabase) {
    let db = database.with_original_rows().await;
    let server = server(&db, Some(SignUpMode::Off));
    let mut root = Browser::signed_in(&server, "admin@example.com").await;
    let form = root.get("/invitations/new").await;
    assert!(form.body().contains("Invitations open no accounts on this server"), "{form:?}");
    let page = root.get("/account/organizations/second-org").await;
    assert!(page.body().contains("Invitations open no accounts on this server"), "{page:?}");
    let fields = [("invitation[email]", "member@example.com"), ("invitation[organization_id]", "second-org")];
    assert_eq!(root.submit("/invitations", &fields).await.status(), 303);
    let link = mailbox::link(&database, "invitation", "member@example.com", "/invitations/").await;
    let token = link.split('/').nth(2).unwrap().to_owned();
    let mut member = Browser::signed_in(&server, "member@example.com").await;
    assert_eq!(member.fill(&link, "/invitations/create", &[("token", &token)]).await.status(), 303);
    assert_eq!(database.texts("id", "enrollments WHERE user_id = 3 AND organization_id = 2").await.len(), 1);
}

db_test!(an_account_that_was_never_confirmed_is_not_claimed_where_accounts_are_off);
async fn an_account_that_was_never_confirmed_is_not_claimed_where_accounts_are_off(database: TestDatabase) {
    let db = database.with_original_rows().await;
    database.execute("UPDATE users SET email = (SELECT email FROM invitations) WHERE id = 5").await;
    let hash = database.text("password_hash", "users WHERE id = 5").await;
    let server = server(&db, Some(SignUpMode::Off));
    let mut invited = Browser::new(&server);
    let page = invited.get(INVITATION).await;
    assert!(page.body().contains("/confirmations/new"), "{page:?}");
    assert_eq!(invited.submit("/invitations/create", &ACCEPTANCE).await.status(), 403);
    assert_eq!(database.text("password_hash", "users WHERE id = 5").await, hash);
}

db_test!(root_users_create_accounts_in_every_mode);
async fn root_users_create_accounts_in_every_mode(database: TestDatabase) {
    let server = server(&database.with_original_rows().await, Some(SignUpMode::Off));
    let mut root = Browser::signed_in(&server, "admin@example.com").await;
    let fields = [
        ("users[name]", "Ann"),
        ("users[email]", "ann@example.com"),
        ("users[password]", "correct horse"),
        ("users[password_confirmation]", "correct horse"),
    ];
    assert_eq!(root.fill("/admin/users/new", "/admin/users", &fields).await.status(), 303);
    assert_eq!(database.texts("id", "users WHERE email = 'ann@example.com'").await.len(), 1);
}

db_test!(addresses_of_other_domains_do_not_sign_up);
async fn addresses_of_other_domains_do_not_sign_up(database: TestDatabase) {
    let db = database.with_original_rows().await;
    let server = TestServer::with_sign_up(db, policy(None, &["example.com", "xn--bcher-kva.example"]));
    let form = Browser::new(&server).get("/registrations/new").await;
    assert!(form.body().contains("An address of example.com or xn--bcher-kva.example."), "{form:?}");
    database.execute("UPDATE users SET email = 'taken@example.org' WHERE id = 4").await;
    // The same answer for an address that has an account.
    for email in ["zoe@example.org", "taken@example.org", "zoe@sub.example.com", "zoe@notexample.com"] {
        let mut fields = ZOE;
        fields[1].1 = email;
        let refused = Browser::new(&server).fill("/registrations/new", "/registrations", &fields).await;
        assert_eq!(refused.status(), 422, "{email}");
        assert!(refused.body().contains("has a mail domain that this server takes no sign-ups from"), "{refused:?}");
    }
    for email in ["zoe@Example.COM", "member@example.com", "zoe@xn--bcher-kva.example"] {
        assert_eq!(sign_up(&server, email).await, 303, "{email}");
    }
    assert_eq!(mailbox::count(&database, "confirmation").await, 2);
    assert_eq!(mailbox::count(&database, "already_registered").await, 1);
}
