//! Remembered browsers, and the detection of stolen cookies.

use crate::support::{browser::Browser, database::TestDatabase, server::TestServer};

const SESSION: &str = "pusher_lite_session";
const REMEMBER: &str = "pusher_lite_remember";

/// Signed in for good, with the browser closed meanwhile.
async fn remembered<'a>(server: &'a TestServer) -> Browser<'a> {
    let mut browser = Browser::new(server);
    let fields = [("email", "admin@example.com"), ("password", "password"), ("remember", "true")];
    assert_eq!(browser.fill("/sessions/new", "/sessions", &fields).await.status(), 303);
    browser.forget(SESSION);
    browser
}

db_test!(a_closed_browser_is_signed_in_on_its_next_page);
async fn a_closed_browser_is_signed_in_on_its_next_page(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut browser = remembered(&server).await;
    for count in ["5", "6"] {
        let before = browser.cookie(REMEMBER).unwrap().to_owned();
        let again = browser.get("/registrations/1?x=1").await;
        assert_eq!((again.status(), again.header("location")), (303, Some("/registrations/1?x=1")));
        assert_ne!(browser.cookie(REMEMBER), Some(before.as_str()));
        assert_eq!(browser.follow(&again).await.status(), 200);
        assert_eq!(database.text("sign_in_count", "users WHERE id = 1").await, count);
        browser.forget(SESSION);
    }
    // A path that a browser would take for the address of another server leads there no more.
    assert_eq!(browser.get("//registrations/1").await.header("location"), Some("/"));
}

db_test!(two_tabs_that_are_restored_at_once_are_both_signed_in);
async fn two_tabs_that_are_restored_at_once_are_both_signed_in(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut one = remembered(&server).await;
    let mut two = one.clone();
    let (first, second) = tokio::join!(one.get("/registrations/1/edit"), two.get("/registrations/1/edit"));
    assert_eq!((first.status(), second.status()), (303, 303));
    assert_eq!((one.cookie(SESSION), one.cookie(REMEMBER)), (two.cookie(SESSION), two.cookie(REMEMBER)));
    for mut tab in [one, two] {
        assert_eq!(tab.get("/registrations/1/edit").await.status(), 200);
        let fields = [("_method", "put"), ("name", "Admin"), ("email", "admin@example.com")];
        assert_eq!(tab.submit("/registrations/1", &fields).await.status(), 303);
    }
    assert_eq!(database.texts("id_hash", "sessions").await.len(), 2, "that of the closed browser, and one");
}

db_test!(a_stolen_cookie_ends_all_that_is_remembered);
async fn a_stolen_cookie_ends_all_that_is_remembered(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut elsewhere = Browser::signed_in(&server, "admin@example.com").await;
    let mut victim = remembered(&server).await;
    let mut thief = victim.clone();
    assert!(victim.get("/registrations/1").await.status() == 303 && victim.is_signed_in().await);
    let two_minutes_ago = (chrono::Utc::now() - chrono::TimeDelta::minutes(2)).format("%Y-%m-%d %H:%M:%S");
    database.execute(&format!("UPDATE rememberables SET token_created_at = '{two_minutes_ago}'")).await;

    let caught = thief.get("/registrations/1").await;
    assert_eq!((caught.status(), caught.header("location")), (303, Some("/sessions/new")));
    assert_eq!(thief.cookie(REMEMBER), None);
    let page = thief.follow(&caught).await;
    assert!(page.body().contains("signed out everywhere") && page.body().contains("change your password"), "{page:?}");
    for browser in [&mut victim, &mut elsewhere] {
        assert!(!browser.is_signed_in().await);
    }
    assert_eq!(database.texts("id", "rememberables").await, [""; 0]);
    let told = database.text("details", "audit_entries ORDER BY id DESC LIMIT 1").await;
    assert_eq!(told, "everywhere: a remembered sign-in was used twice");
}

db_test!(after_two_days_a_browser_is_forgotten);
async fn after_two_days_a_browser_is_forgotten(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut browser = remembered(&server).await;
    let just_over = (chrono::Utc::now() - chrono::TimeDelta::hours(48)).format("%Y-%m-%d %H:%M:%S");
    database.execute(&format!("UPDATE rememberables SET token_created_at = '{just_over}'")).await;
    assert!(!browser.is_signed_in().await);
    assert_eq!(browser.cookie(REMEMBER), None);
}

db_test!(signing_out_and_other_passwords_forget_a_browser);
async fn signing_out_and_other_passwords_forget_a_browser(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut browser = remembered(&server).await;
    assert!(browser.is_signed_in().await);
    let mut copy = browser.clone();
    browser.get("/registrations/1").await;
    browser.sign_out().await;
    assert_eq!(browser.cookie(REMEMBER), None);
    copy.forget(SESSION);
    assert!(!copy.is_signed_in().await);

    let mut browser = remembered(&server).await;
    let mut other = Browser::signed_in(&server, "admin@example.com").await;
    let fields = [
        ("_method", "put"),
        ("name", "Test Admin"),
        ("email", "admin@example.com"),
        ("password", "another password"),
        ("password_confirmation", "another password"),
        ("current_password", "password"),
    ];
    assert_eq!(other.fill("/registrations/1/edit", "/registrations/1", &fields).await.status(), 303);
    assert!(!browser.is_signed_in().await && other.is_signed_in().await);
}

db_test!(a_remembered_browser_leaves_a_lock_as_it_is);
async fn a_remembered_browser_leaves_a_lock_as_it_is(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut browser = remembered(&server).await;
    for _ in 0..5 {
        let wrong = [("email", "admin@example.com"), ("password", "wrong")];
        assert_eq!(Browser::new(&server).fill("/sessions/new", "/sessions", &wrong).await.status(), 401);
    }
    let lock = "users WHERE id = 1";
    let before = database.text("locked_at", lock).await;
    assert!(browser.get("/registrations/1").await.status() == 303 && browser.is_signed_in().await);
    let after = (database.text("locked_at", lock).await, database.text("failed_attempts", lock).await);
    assert_eq!(after, (before, "5".to_owned()));
    let right = [("email", "admin@example.com"), ("password", "password")];
    assert_eq!(Browser::new(&server).fill("/sessions/new", "/sessions", &right).await.status(), 401);
}

db_test!(an_address_that_is_not_confirmed_any_more_signs_nobody_in);
async fn an_address_that_is_not_confirmed_any_more_signs_nobody_in(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut browser = remembered(&server).await;
    database.execute("UPDATE users SET confirmed_at = NULL WHERE id = 1").await;
    assert!(!browser.is_signed_in().await);
    assert_eq!(browser.cookie(REMEMBER), None);
}

db_test!(only_those_who_ask_for_it_stay_signed_in);
async fn only_those_who_ask_for_it_stay_signed_in(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut browser = Browser::new(&server);
    let fields = [("email", "admin@example.com"), ("password", "password"), ("remember", "false")];
    browser.fill("/sessions/new", "/sessions", &fields).await;
    assert_eq!(browser.cookie(REMEMBER), None);
    // The server ignores cookies that it did not sign.
    for forged in ["x", "a.b", "a.b.c", ""] {
        let answer = server.get("/sessions/new", &[&format!("cookie: {REMEMBER}={forged}")]).await;
        assert_eq!(answer.status(), 200, "{forged}");
    }
}
