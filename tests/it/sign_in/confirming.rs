//! Addresses are confirmed by links: once, in time, and those of the original too.

use super::mailbox;
use crate::support::{browser::Browser, database::TestDatabase, server::TestServer};

/// Of the original's database.
const PLAIN: &str = "/confirmations/c0nf1rm-9d1f0a7e5b7a4c43/edit";
const CONFIRM: &str = "/confirmations/c0nf1rm-9d1f0a7e5b7a4c43";
const LONE: &str = "users WHERE id = 5";

/// The form of those who know the password of the account.
const KNOWS: [(&str, &str); 2] = [("_method", "put"), ("confirmation[current_password]", "password")];

/// The path that the form of a link's page is sent to.
fn action(link: &str) -> &str {
    link.strip_suffix("/edit").expect("a link leads to a form")
}

async fn sent(database: &TestDatabase, age: chrono::TimeDelta) {
    let sent_at = (chrono::Utc::now() - age).format("%Y-%m-%d %H:%M:%S");
    database.execute(&format!("UPDATE users SET confirmation_sent_at = '{sent_at}' WHERE id = 5")).await;
}

db_test!(a_link_of_the_original_confirms_once);
async fn a_link_of_the_original_confirms_once(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    sent(&database, chrono::TimeDelta::days(4)).await;
    let mut browser = Browser::new(&server);
    for method in ["HEAD", "GET", "GET"] {
        assert_eq!(server.request(method, PLAIN, &[], "").await.status(), 200, "{method}");
    }
    assert_eq!(database.text("confirmed_at", LONE).await, "", "opening the link confirms nothing");
    let wrong = browser.fill(PLAIN, CONFIRM, &[("_method", "put"), ("confirmation[current_password]", "wrong")]).await;
    assert!(wrong.status() == 422 && wrong.body().contains("is wrong"), "{wrong:?}");
    assert_eq!(browser.submit(CONFIRM, &[("_method", "put")]).await.status(), 422, "without a password");
    assert_eq!(server.request("PUT", CONFIRM, &[], "").await.status(), 403, "without the form");
    assert_eq!(database.text("confirmed_at", LONE).await, "");

    let done = browser.submit(CONFIRM, &KNOWS).await;
    assert_eq!((done.status(), done.header("location")), (303, Some("/sessions/new")));
    assert_ne!(database.text("confirmed_at", LONE).await, "");
    let token = "889db5d0-e6c9-11f1-bf31-f2fc4c7451a7";
    let welcome = mailbox::newest(&database, "welcome", "lone@example.com").await;
    assert!(welcome.contains("/account/tokens") && !welcome.contains(token), "{welcome}");
    let again = browser.get(PLAIN).await;
    assert_eq!(again.status(), 410);
    assert!(again.body().contains("no longer valid") && again.body().contains("/confirmations/new"), "{again:?}");
    Browser::signed_in(&server, "lone@example.com").await;
    assert_eq!(mailbox::count(&database, "welcome").await, 1);
}

db_test!(a_link_is_valid_for_five_days_and_then_another_one_is_sent);
async fn a_link_is_valid_for_five_days_and_then_another_one_is_sent(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    sent(&database, chrono::TimeDelta::days(5)).await;
    let mut browser = Browser::new(&server);
    assert_eq!(browser.get(PLAIN).await.status(), 410);
    let fields = [("confirmation[email]", "lone@example.com")];
    let answer = browser.fill("/confirmations/new", "/confirmations", &fields).await;
    assert_eq!((answer.status(), answer.header("location")), (303, Some("/sessions/new")));
    let first = mailbox::link(&database, "confirmation", "lone@example.com", "/confirmations/").await;
    browser.fill("/confirmations/new", "/confirmations", &fields).await;
    let second = mailbox::link(&database, "confirmation", "lone@example.com", "/confirmations/").await;
    let stored = format!("/confirmations/{}/edit", database.text("confirmation_token", LONE).await.replace('$', "%24"));
    for (link, status) in [(PLAIN, 410), (&first, 410), (&stored, 410), (&second, 200)] {
        assert_eq!(browser.get(link).await.status(), status, "{link}");
    }
    for (link, status) in [(&first, 410), (&second, 303), (&second, 410)] {
        assert_eq!(browser.submit(action(link), &KNOWS).await.status(), status, "{link}");
    }
}

db_test!(who_did_not_choose_the_password_sets_a_new_one);
async fn who_did_not_choose_the_password_sets_a_new_one(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    sent(&database, chrono::TimeDelta::days(1)).await;
    let set = |again| {
        [
            ("_method", "put"),
            ("confirmation[password]", "quite another"),
            ("confirmation[password_confirmation]", again),
        ]
    };
    let mut browser = Browser::new(&server);
    let differs = browser.fill(PLAIN, CONFIRM, &set("quite an other")).await;
    assert!(differs.status() == 422 && differs.body().contains("does not match"), "{differs:?}");
    assert_eq!(database.text("confirmed_at", LONE).await, "");
    assert_eq!(browser.submit(CONFIRM, &set("quite another")).await.status(), 303);
    assert_ne!(database.text("confirmed_at", LONE).await, "");
    // A stranger who signed up with somebody else's address does not get in.
    let sign_in = |password| [("email", "lone@example.com"), ("password", password)];
    assert_eq!(Browser::new(&server).fill("/sessions/new", "/sessions", &sign_in("password")).await.status(), 401);
    assert_eq!(Browser::new(&server).fill("/sessions/new", "/sessions", &sign_in("quite another")).await.status(), 303);
    let log = database.texts("action", "audit_entries ORDER BY id").await;
    assert_eq!(log, ["confirm", "change_password", "sign_in"]);
}

db_test!(an_account_without_a_password_is_confirmed_by_setting_one);
async fn an_account_without_a_password_is_confirmed_by_setting_one(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    sent(&database, chrono::TimeDelta::days(1)).await;
    database.execute("UPDATE users SET password_hash = NULL WHERE id = 5").await;
    let mut browser = Browser::new(&server);
    let page = browser.get(PLAIN).await;
    assert!(page.status() == 200 && !page.body().contains("current_password"), "{page:?}");
    assert_eq!(browser.submit(CONFIRM, &KNOWS).await.status(), 422);
    let new = [("_method", "put"), ("password", "a new password"), ("password_confirmation", "a new password")];
    assert_eq!(browser.submit(CONFIRM, &new).await.status(), 303);
    assert_ne!(database.text("confirmed_at", LONE).await, "");
}

db_test!(asking_for_a_link_does_not_tell_who_needs_one);
async fn asking_for_a_link_does_not_tell_who_needs_one(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let cases = [
        ("/confirmations", ["lone@example.com", "member@example.com", "nobody@example.com"], "confirmation", 1),
        ("/passwords", ["lone@example.com", "member@example.com", "nobody@example.com"], "reset", 2),
        ("/unlocks", ["lone@example.com", "member@example.com", "nobody@example.com"], "unlock", 0),
    ];
    for (path, emails, kind, mails) in cases {
        let mut pages = Vec::new();
        for email in emails {
            let mut browser = Browser::new(&server);
            let answer = browser.fill(&format!("{path}/new"), path, &[("email", email)]).await;
            assert_eq!((answer.status(), answer.header("location")), (303, Some("/sessions/new")), "{path} {email}");
            let page = browser.follow(&answer).await;
            let message = page.body().split("role=\"status\"").nth(1).unwrap().split("</p>").next().unwrap().to_owned();
            assert!(message.contains("on its way"), "{message}");
            pages.push(message);
        }
        assert!(pages.iter().all(|page| *page == pages[0]), "{pages:?}");
        assert_eq!(mailbox::count(&database, kind).await, mails, "{kind}");
        let mut browser = Browser::new(&server);
        let answer = browser.fill(&format!("{path}/new"), path, &[("email", "no address")]).await;
        assert!(answer.status() == 422 && answer.body().contains("is not an email address"), "{answer:?}");
    }
}
