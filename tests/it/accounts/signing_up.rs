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
    let token = database.text("token", "user_tokens").await;
    let stored = database.text("confirmation_token", user).await;
    assert!(stored.starts_with("sha256$") && stored.len() == 7 + 64, "{stored}");

    let sign_in = [("email", "zoe@example.com"), ("password", "correct horse")];
    assert_eq!(browser.fill("/sessions/new", "/sessions", &sign_in).await.status(), 403);
    let link = mailbox::link(&database, "confirmation", "zoe@example.com", "/confirmations/").await;
    assert!(!link.contains("sha256"));
    let confirmed = browser.get(&link).await;
    let page = browser.follow(&confirmed).await;
    assert!(page.body().contains("Your email address is confirmed."), "{page:?}");
    assert!(mailbox::newest(&database, "welcome", "zoe@example.com").await.contains(&token));
    assert_eq!(browser.submit("/sessions", &sign_in).await.header("location"), Some("/account"));
    assert_eq!(database.texts("action", "audit_entries ORDER BY id").await, ["sign_up", "confirm", "sign_in"]);
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
    for text in ["is no email address", "does not match the password", "can&#x27;t be blank", "zoe at example", "Zoë"]
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
