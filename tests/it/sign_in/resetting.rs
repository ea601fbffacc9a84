//! A lost password is replaced by mail, which ends everything that began with the old one.

use super::mailbox;
use crate::support::{browser::Browser, database::TestDatabase, server::TestServer};

const MEMBER: &str = "member@example.com";
const NEW: [(&str, &str); 3] =
    [("_method", "put"), ("password[password]", "correct horse"), ("password[password_confirmation]", "correct horse")];

async fn ask(browser: &mut Browser<'_>, database: &TestDatabase, email: &str) -> String {
    let answer = browser.fill("/passwords/new", "/passwords", &[("password[email]", email)]).await;
    assert_eq!(answer.status(), 303);
    mailbox::link(database, "reset", email, "/passwords/").await
}

/// Returns the target of the form behind a link.
fn action(link: &str) -> &str {
    link.strip_suffix("/edit").unwrap()
}

db_test!(a_password_is_set_by_mail);
async fn a_password_is_set_by_mail(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut signed_in = Browser::signed_in(&server, MEMBER).await;
    let mut browser = Browser::new(&server);
    let older = ask(&mut browser, &database, MEMBER).await;
    let link = ask(&mut browser, &database, MEMBER).await;
    assert!(database.text("reset_password_token", "users WHERE id = 3").await.starts_with("sha256$"));
    assert_eq!(browser.get(&older).await.status(), 410);
    for _ in 0..2 {
        assert_eq!(browser.get(&link).await.status(), 200, "looking changes nothing");
    }
    let short = [NEW[0], ("password", "short"), ("password_confirmation", "short")];
    let refused = browser.submit(action(&link), &short).await;
    assert!(refused.status() == 422 && refused.body().contains("should be at least 8 characters"), "{refused:?}");
    assert!(signed_in.is_signed_in().await);

    let done = browser.submit(action(&link), &NEW).await;
    // The dump's token of this user.
    let ending = &database.text("token", "user_tokens WHERE user_id = 3").await[32..];
    assert_eq!(done.header("location"), Some("/sessions/new?return_to=%2Faccount%2Ftokens"), "where tokens are ended");
    let said = browser.follow(&done).await;
    assert!(said.body().contains("Your password is changed.") && said.body().contains(ending), "{said:?}");
    assert!(!signed_in.is_signed_in().await);
    let mail = mailbox::newest(&database, "password_changed", MEMBER).await;
    assert!(mail.contains("/passwords/new") && mail.contains(ending) && mail.contains("/account/tokens"), "{mail}");
    assert_eq!(database.text("invalidated_at", "user_tokens WHERE user_id = 3").await, "", "none is ended by itself");
    let used = browser.submit(action(&link), &NEW).await;
    assert!(used.status() == 410 && used.body().contains("/passwords/new"), "{used:?}");
    for (password, status) in [("password", 401), ("correct horse", 303)] {
        let fields = [("email", MEMBER), ("password", password)];
        assert_eq!(browser.fill("/sessions/new", "/sessions", &fields).await.status(), status, "{password}");
    }
    let actions = database.texts("action", "audit_entries ORDER BY id").await;
    assert_eq!(actions, ["sign_in", "ask_reset", "ask_reset", "change_password", "sign_in"]);
}

db_test!(a_link_is_valid_for_two_days);
async fn a_link_is_valid_for_two_days(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut browser = Browser::new(&server);
    let link = ask(&mut browser, &database, MEMBER).await;
    browser.get(&link).await;
    for (hours, status) in [(47, 200), (48, 410)] {
        let sent_at = (chrono::Utc::now() - chrono::TimeDelta::hours(hours)).format("%Y-%m-%d %H:%M:%S");
        database.execute(&format!("UPDATE users SET reset_password_sent_at = '{sent_at}' WHERE id = 3")).await;
        assert_eq!(browser.clone().get(&link).await.status(), status);
    }
    assert_eq!(browser.submit(action(&link), &NEW).await.status(), 410);
}

db_test!(links_of_the_original_work_and_what_is_stored_does_not);
async fn links_of_the_original_work_and_what_is_stored_does_not(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let now = chrono::Utc::now().format("%Y-%m-%d %H:%M:%S");
    let set = async |token: &str| {
        let sql =
            format!("UPDATE users SET reset_password_token = '{token}', reset_password_sent_at = '{now}' WHERE id = 5");
        database.execute(&sql).await;
    };
    let mut browser = Browser::new(&server);
    set("sha256$abc").await;
    assert_eq!(browser.get("/passwords/sha256%24abc/edit").await.status(), 410);
    assert_eq!(browser.get("/passwords/x/edit").await.status(), 410);
    set("pl41n-token").await;
    assert_eq!(browser.get("/passwords/pl41n-token/edit").await.status(), 200);
    // The original's form has the token in a field, and the user in the path.
    let fields = [&NEW[..], &[("password[reset_password_token]", "pl41n-token")]].concat();
    assert_eq!(browser.submit("/passwords/5", &fields).await.status(), 303);
    // A user who reads mail to the address has confirmed it, too.
    let fields = [("email", "lone@example.com"), ("password", "correct horse")];
    assert_eq!(browser.fill("/sessions/new", "/sessions", &fields).await.status(), 303);
}
