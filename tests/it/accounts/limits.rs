//! Attempts are limited by where they come from, and by account.

use pusher_lite::auth::Attempt;

use crate::support::{browser::Browser, database::TestDatabase, server::TestServer};

db_test!(an_account_gets_only_so_many_mails);
async fn an_account_gets_only_so_many_mails(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    for email in ["member@example.com", "nobody@example.com"] {
        let mut browser = Browser::new(&server);
        for _ in 0..5 {
            assert_eq!(browser.fill("/passwords/new", "/passwords", &[("email", email)]).await.status(), 303);
        }
        let refused = browser.fill("/passwords/new", "/passwords", &[("email", email)]).await;
        assert_eq!(refused.status(), 429, "{email}");
        let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((290..=300).contains(&wait), "{wait}");
        assert!(refused.body().contains("Too many attempts; try again in 5 minutes."), "{refused:?}");
    }
}

db_test!(every_form_is_limited);
async fn every_form_is_limited(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let fields = [
        ("name", "Zoë"),
        ("email", "zoe@example.com"),
        ("password", "correct horse"),
        ("password_confirmation", "correct horse"),
        ("organization_name", "Zoë"),
    ];
    for (attempt, page, action) in [
        (Attempt::SignIn, "/sessions/new", "/sessions"),
        (Attempt::SignUp, "/registrations/new", "/registrations"),
        (Attempt::Reset, "/passwords/new", "/passwords"),
        (Attempt::Confirmation, "/confirmations/new", "/confirmations"),
        (Attempt::Unlock, "/unlocks/new", "/unlocks"),
    ] {
        let attempts = &server.app.accounts.attempts;
        while attempts.check_account(attempt, "ZOE@example.com").is_ok() {}
        let mut browser = Browser::new(&server);
        let refused = browser.fill(page, action, &fields).await;
        assert_eq!(refused.status(), 429, "{action}, by account");
        assert!(refused.header("retry-after").is_some() && refused.body().contains("Too many attempts; try again in"));
        assert!(refused.body().contains("value=\"zoe@example.com\""), "what was typed is kept: {refused:?}");
        while attempts.check_client(attempt, "127.0.0.1").is_ok() {}
        let mut fields = fields;
        fields[1].1 = "ann@example.com";
        assert_eq!(browser.fill(page, action, &fields).await.status(), 429, "{action}, by address");
    }
    while server.app.accounts.attempts.check_client(Attempt::Link, "127.0.0.1").is_ok() {}
    for path in ["/confirmations/x/edit", "/passwords/x/edit", "/unlocks/x/edit"] {
        assert_eq!(server.get(path, &[]).await.status(), 429, "{path}");
    }
}
