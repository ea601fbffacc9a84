//! New accounts: created whole, confirmed by mail, and silent about those that are there.

use super::mailbox;
use crate::support::{browser::Browser, database::TestDatabase, server::TestServer};

const ZOE: [(&str, &str); 5] = [
    ("registration[name]", "Zoë"),
    ("registration[email]", "zoe@example.com"),
    ("registration[password]", "correct horse"),
    ("registration[password_confirmation]", "correct horse"),
    ("registration[organization_name]", "Zoë & Co."),
];

db_test!(people_sign_up_confirm_and_sign_in);
async fn people_sign_up_confirm_and_sign_in(database: TestDatabase) {
    let server = TestServer::start(database.migrated().await);
    let mut browser = Browser::new(&server);
    let fields = [&ZOE[..], &[("registration[is_root]", "true"), ("is_root", "true")]].concat();
    let answer = browser.fill("/registrations/new", "/registrations", &fields).await;
    assert_eq!(answer.status(), 303);
    let page = browser.follow(&answer).await;
    assert!(page.body().contains("Check your mail"));

    let user = "users WHERE email = 'zoe@example.com'";
    for (column, value) in [("name", "Zoë"), ("confirmed_at", "")] {
        assert_eq!(database.text(column, user).await, value);
    }
    assert!(["0", "false"].contains(&database.text("is_root", user).await.as_str()));
    assert!(database.text("password_hash", user).await.starts_with("$2b$12$"));
    assert_eq!(database.text("slug", "organizations").await, "zoe-and-co");
    assert!(["1", "true"].contains(&database.text("is_admin", "enrollments").await.as_str()));
    assert!(database.texts("id", "user_tokens").await.is_empty(), "the user creates the first one");
    let stored = database.text("confirmation_token", user).await;
    assert!(stored.starts_with("sha256$") && stored.len() == 7 + 64, "{stored}");

    let sign_in = [("email", "zoe@example.com"), ("password", "correct horse")];
    assert_eq!(browser.fill("/sessions/new", "/sessions", &sign_in).await.status(), 403);
    let link = mailbox::link(&database, "confirmation", "zoe@example.com", "/confirmations/").await;
    assert!(!link.contains("sha256"));
    let knows = [("_method", "put"), ("current_password", "correct horse")];
    let confirmed = browser.fill(&link, link.strip_suffix("/edit").unwrap(), &knows).await;
    let page = browser.follow(&confirmed).await;
    assert!(page.body().contains("Your email address is confirmed."), "{page:?}");
    let welcome = mailbox::newest(&database, "welcome", "zoe@example.com").await;
    assert!(welcome.contains("https://push.example.com:8443/account/tokens"), "{welcome}");
    assert_eq!(browser.submit("/sessions", &sign_in).await.header("location"), Some("/account"));
    let actions = database.texts("action || ' ' || resource", "audit_entries ORDER BY id").await;
    let created = ["sign_up users", "create organizations"];
    assert_eq!(actions, [&created[..], &["confirm users", "sign_in users"]].concat());
}

db_test!(a_taken_address_gets_the_same_answer_and_a_mail);
async fn a_taken_address_gets_the_same_answer_and_a_mail(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut locations = Vec::new();
    for email in ["new@example.com", "member@example.com", "MEMBER@example.com"] {
        let mut fields = ZOE;
        fields[1].1 = email;
        let answer = Browser::new(&server).fill("/registrations/new", "/registrations", &fields).await;
        assert_eq!(answer.status(), 303, "{email}");
        locations.push(answer.header("location").map(str::to_owned));
    }
    assert!(locations.iter().all(|location| *location == locations[0]));
    assert_eq!(database.texts("id", "users").await.len(), 6);
    let mail = mailbox::newest(&database, "already_registered", "member@example.com").await;
    assert!(mail.contains("/passwords/new") && mail.contains("/sessions/new"), "{mail}");
    assert_eq!(mailbox::count(&database, "already_registered").await, 2);
    assert_eq!(mailbox::count(&database, "confirmation").await, 1);
    assert!(database.text("password_hash", "users WHERE id = 3").await.starts_with("$2b$10$"));
}

db_test!(errors_stand_beside_the_fields_and_what_was_typed_is_kept);
async fn errors_stand_beside_the_fields_and_what_was_typed_is_kept(database: TestDatabase) {
    let server = TestServer::start(database.migrated().await);
    let mut browser = Browser::new(&server);
    let fields = [
        ("name", "Zoë"),
        ("email", "zoe at example"),
        ("password", "short-secret-but-"),
        ("password_confirmation", "other-secret"),
    ];
    let answer = browser.fill("/registrations/new", "/registrations", &fields).await;
    assert_eq!(answer.status(), 422);
    for text in
        ["is not an email address", "does not match the password", "can&#x27;t be blank", "zoe at example", "Zoë"]
    {
        assert!(answer.body().contains(text), "{text}: {answer:?}");
    }
    assert!(!answer.body().contains("secret"), "{answer:?}");
    for (field, value) in [("password", "1234567"), ("name", ""), ("email", &"x".repeat(300)), ("name", "a\0b")] {
        let mut fields =
            ZOE.map(|(name, value)| (name.strip_prefix("registration[").unwrap().trim_end_matches(']'), value));
        for (name, typed) in &mut fields {
            if *name == field || (field == "password" && *name == "password_confirmation") {
                *typed = value;
            }
        }
        assert_eq!(browser.submit("/registrations", &fields).await.status(), 422, "{field} {value:?}");
    }
    assert_eq!(database.texts("id", "users").await, [""; 0]);
}

db_test!(the_form_of_the_original_works_and_names_may_be_the_same);
async fn the_form_of_the_original_works_and_names_may_be_the_same(database: TestDatabase) {
    let server = TestServer::start(database.migrated().await);
    for (email, name, slug) in [
        ("a@example.com", "Acme", "acme"),
        ("b@example.com", "Acme", "acme-2"),
        ("c@example.com", "北京", "organization"),
    ] {
        let mut fields = ZOE;
        fields[1].1 = email;
        fields[4] = ("registration[enrollments][0][organization][name]", name);
        let answer = Browser::new(&server).fill("/registrations/new", "/registrations", &fields).await;
        assert_eq!(answer.status(), 303, "{answer:?}");
        assert_eq!(database.text("name", &format!("organizations WHERE slug = '{slug}'")).await, name);
    }
}

db_test!(the_same_form_sent_twice_at_once_creates_one_account);
async fn the_same_form_sent_twice_at_once_creates_one_account(database: TestDatabase) {
    let server = TestServer::start(database.migrated().await);
    let (mut one, mut two) = (Browser::new(&server), Browser::new(&server));
    let (first, second) = tokio::join!(
        one.fill("/registrations/new", "/registrations", &ZOE),
        two.fill("/registrations/new", "/registrations", &ZOE)
    );
    assert_eq!((first.status(), second.status()), (303, 303));
    assert_eq!(database.texts("id", "users").await.len(), 1);
    assert_eq!(mailbox::count(&database, "confirmation").await, 1);
    assert_eq!(mailbox::count(&database, "already_registered").await, 1);
}

db_test!(where_no_mail_leaves_none_is_promised);
async fn where_no_mail_leaves_none_is_promised(database: TestDatabase) {
    let server = TestServer::without_mail(database.with_original_rows().await);
    let mut browser = Browser::new(&server);
    for page in ["/registrations/new", "/passwords/new", "/confirmations/new", "/unlocks/new"] {
        let form = browser.get(page).await;
        assert!(form.body().contains("This server sends no mail yet"), "{page}: {form:?}");
    }
    let fields = [
        ("name", "Zoë"),
        ("email", "zoe@example.com"),
        ("password", "long enough"),
        ("password_confirmation", "long enough"),
        ("organization_name", "Zoo"),
    ];
    let sent = browser.fill("/registrations/new", "/registrations", &fields).await;
    let said = browser.follow(&sent).await;
    assert!(!said.body().contains("We sent") && said.body().contains("PUSHER_LITE_SMTP_URL"), "{said:?}");
    let unconfirmed = [("email", "zoe@example.com"), ("password", "long enough")];
    let refused = browser.fill("/sessions/new", "/sessions", &unconfirmed).await;
    assert!(refused.status() == 403 && refused.body().contains("Ask its operator to confirm"), "{refused:?}");
    let asked = browser.fill("/passwords/new", "/passwords", &[("email", "zoe@example.com")]).await;
    let said = browser.follow(&asked).await;
    assert!(said.body().contains("sends no mail yet") && !said.body().contains("on its way"), "{said:?}");

    let mut member = Browser::signed_in(&server, "member@example.com").await;
    assert!(member.get("/invitations/new").await.body().contains("This server sends no mail yet"));
    let invited = member.submit("/invitations", &[("invitation[email]", "new@example.com")]).await;
    assert!(!member.follow(&invited).await.body().contains("on its way"));
    let fields = [("name", "Member"), ("email", "new@example.com"), ("current_password", "password")];
    let fields = [&[("_method", "put")], &fields[..]].concat();
    let changed = member.fill("/registrations/3/edit", "/registrations/3", &fields).await;
    assert!(!member.follow(&changed).await.body().contains("we sent there"), "{changed:?}");

    let with_mail = TestServer::without_mailbox(server.app.db.clone());
    let form = Browser::new(&with_mail).get("/registrations/new").await;
    assert!(!form.body().contains("sends no mail"), "{form:?}");
    assert!(Browser::new(&with_mail).get("/registrations/sent").await.body().contains("We sent a mail"));
}
