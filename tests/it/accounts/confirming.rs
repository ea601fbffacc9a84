//! Addresses are confirmed by links: once, in time, and those of the original too.

use super::mailbox;
use crate::support::{browser::Browser, database::TestDatabase, server::TestServer};

/// Of the original's database.
const PLAIN: &str = "/confirmations/c0nf1rm-9d1f0a7e5b7a4c43/edit";
const LONE: &str = "users WHERE id = 5";

async fn sent(database: &TestDatabase, age: chrono::TimeDelta) {
    let sent_at = (chrono::Utc::now() - age).format("%Y-%m-%d %H:%M:%S");
    database.execute(&format!("UPDATE users SET confirmation_sent_at = '{sent_at}' WHERE id = 5")).await;
}

db_test!(a_link_of_the_original_confirms_once);
async fn a_link_of_the_original_confirms_once(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    sent(&database, chrono::TimeDelta::days(4)).await;
    assert_eq!(server.request("HEAD", PLAIN, &[], "").await.status(), 200);
    assert_eq!(database.text("confirmed_at", LONE).await, "");

    let mut browser = Browser::new(&server);
    assert_eq!(browser.get(PLAIN).await.header("location"), Some("/sessions/new"));
    assert_ne!(database.text("confirmed_at", LONE).await, "");
    let token = "889db5d0-e6c9-11f1-bf31-f2fc4c7451a7";
    assert!(mailbox::newest(&database, "welcome", "lone@example.com").await.contains(token));
    let again = browser.get(PLAIN).await;
    assert_eq!(again.status(), 410);
    assert!(again.body().contains("not valid any more") && again.body().contains("/confirmations/new"), "{again:?}");
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
    for (link, status) in [(PLAIN, 410), (&first, 410), (&stored, 410), (&second, 303), (&second, 410)] {
        assert_eq!(browser.get(link).await.status(), status, "{link}");
    }
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
        assert!(answer.status() == 422 && answer.body().contains("is no email address"), "{answer:?}");
    }
}
