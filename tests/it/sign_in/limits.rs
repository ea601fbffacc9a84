//! Limits on attempts, by client address and by account.

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
        assert_eq!(wait, 300);
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

/// Somebody else, far away, uses up what the account and the proxy's address may try, and locks the account.
async fn attack(server: &TestServer, email: &str) {
    let mut attacker = Browser::new(server);
    for _ in 0..5 {
        attacker.fill("/sessions/new", "/sessions", &[("email", email), ("password", "wrong")]).await;
    }
    use_up(server, email);
}

/// Uses up what strangers may try.
fn use_up(server: &TestServer, email: &str) {
    let attempts = &server.app.accounts.attempts;
    while attempts.check_account(Attempt::SignIn, email).is_ok() {}
}

db_test!(nobody_locks_an_owner_out_of_a_known_browser);
async fn nobody_locks_an_owner_out_of_a_known_browser(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let email = "member@example.com";
    let mut known = Browser::signed_in(&server, email).await;
    known.get("/account/tokens").await;
    assert_eq!(known.sign_out().await.status(), 303);
    database.execute("UPDATE users SET current_sign_in_ip = NULL, last_sign_in_ip = NULL").await;
    attack(&server, email).await;
    // As behind a proxy that is not trusted, where everybody is one address.
    let attempts = &server.app.accounts.attempts;
    while attempts.check_client(Attempt::SignIn, "127.0.0.1").is_ok() {}
    while attempts.check_client(Attempt::Reset, "127.0.0.1").is_ok() {}
    while attempts.check_client(Attempt::Link, "127.0.0.1").is_ok() {}
    assert_ne!(database.text("locked_at", "users WHERE id = 3").await, "");

    let right = [("email", email), ("password", "password")];
    let other = [("email", "mixed@example.com"), ("password", "password")];
    assert_eq!(Browser::new(&server).fill("/sessions/new", "/sessions", &right).await.status(), 429, "a stranger");
    use_up(&server, "mixed@example.com");
    assert_eq!(known.clone().fill("/sessions/new", "/sessions", &other).await.status(), 429, "another account");
    assert_eq!(known.clone().fill("/passwords/new", "/passwords", &[("email", email)]).await.status(), 303);
    assert_eq!(known.get("/unlocks/x/edit").await.status(), 410);
    let copy = known.clone();
    assert_eq!(known.fill("/sessions/new", "/sessions", &right).await.status(), 303);
    // The budget is small: the cookie opens no way to guess.
    let mut thief = copy;
    let wrong = [("email", email), ("password", "wrong")];
    for _ in 0..4 {
        assert_eq!(thief.fill("/sessions/new", "/sessions", &wrong).await.status(), 401);
    }
    assert_eq!(thief.fill("/sessions/new", "/sessions", &right).await.status(), 429);
}

db_test!(nobody_locks_an_owner_out_of_a_known_address);
async fn nobody_locks_an_owner_out_of_a_known_address(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let right = "session[email]=member@example.com&session[password]=password";
    // The status of signing in from this address, in a browser that was never here.
    let sign_in = async |address: &str| {
        let from = format!("x-forwarded-for: {address}");
        let page = server.get("/sessions/new", &[&from]).await;
        let cookie = format!("cookie: {}", page.header("set-cookie").unwrap().split(';').next().unwrap());
        let token = page.body().split("name=\"_csrf_token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        let form = "content-type: application/x-www-form-urlencoded";
        let body = format!("_csrf_token={token}&{right}");
        server.request("POST", "/sessions", &[&from, &cookie, form], &body).await.status()
    };
    for address in ["203.0.113.7", "2001:db8:7::1"] {
        assert_eq!(sign_in(address).await, 303);
    }
    attack(&server, "member@example.com").await;
    assert_eq!(sign_in("198.51.100.1").await, 429, "from elsewhere");
    assert_eq!(sign_in("203.0.113.7").await, 303);
    attack(&server, "member@example.com").await;
    assert_eq!(sign_in("2001:db8:7::2").await, 303, "the address before that, by its network");
}

db_test!(what_others_try_stops_nobody_from_changing_a_password);
async fn what_others_try_stops_nobody_from_changing_a_password(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut owner = Browser::signed_in(&server, "member@example.com").await;
    let mut other = Browser::signed_in(&server, "member@example.com").await;
    attack(&server, "member@example.com").await;
    while server.app.accounts.attempts.check_client(Attempt::SignIn, "127.0.0.1").is_ok() {}
    let change = |current| {
        let new = [("password", "correct horse"), ("password_confirmation", "correct horse")];
        let own = [("_method", "put"), ("name", "Member"), ("email", "member@example.com")];
        [&own[..], &new, &[("current_password", current)]].concat()
    };
    // Nor does who sits before another browser in which the account is open.
    let (page, action) = ("/registrations/3/edit", "/registrations/3");
    assert_eq!(other.fill(page, action, &change("wrong")).await.status(), 422);
    let session = other.cookie("pusher_lite_session").unwrap().rsplit_once('.').unwrap().0.to_owned();
    while server.app.accounts.attempts.check_session(Attempt::OwnPassword, &session).is_ok() {}
    assert_eq!(other.fill(page, action, &change("password")).await.status(), 429);
    assert_eq!(owner.fill(page, action, &change("password")).await.status(), 303);
    let leave = [("_method", "delete"), ("current_password", "correct horse")];
    assert_eq!(owner.fill("/registrations/3/delete", "/registrations", &leave).await.status(), 303);
}
