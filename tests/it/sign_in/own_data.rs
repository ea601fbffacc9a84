//! Changes of users to their own account.

use super::mailbox;
use crate::support::{browser::Browser, database::TestDatabase, server::TestServer};

const MEMBER: &str = "member@example.com";

async fn change(browser: &mut Browser<'_>, fields: &[(&str, &str)]) -> (u16, String) {
    let fields = [&[("_method", "put")], fields].concat();
    let answer = browser.fill("/registrations/3/edit", "/registrations/3", &fields).await;
    let status = answer.status();
    let page = if status == 303 { browser.follow(&answer).await } else { answer };
    (status, page.body().to_owned())
}

db_test!(a_name_changes_at_once);
async fn a_name_changes_at_once(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut browser = Browser::signed_in(&server, MEMBER).await;
    let fields = [("registration[name]", "<b>Ann</b>"), ("registration[email]", MEMBER)];
    let (status, page) = change(&mut browser, &fields).await;
    assert!(status == 303 && page.contains("Your changes are saved.") && page.contains("&lt;b&gt;Ann"), "{page}");
    let (status, page) = change(&mut browser, &[("name", ""), ("email", MEMBER)]).await;
    assert!(status == 422 && page.contains("can&#x27;t be blank"), "{page}");
    let answer = browser.submit("/registrations/1", &[("_method", "put"), ("name", "Evil")]).await;
    assert_eq!(answer.status(), 404);
    let root = [("name", "Ann"), ("email", MEMBER), ("is_root", "true"), ("registration[is_root]", "true")];
    assert_eq!(change(&mut browser, &root).await.0, 303);
    assert_eq!(database.texts("id", "users WHERE is_root").await, ["1"]);
}

db_test!(of_two_changes_with_the_same_password_at_once_one_counts);
async fn of_two_changes_with_the_same_password_at_once_one_counts(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut browsers = [Browser::signed_in(&server, MEMBER).await, Browser::signed_in(&server, MEMBER).await];
    let fields = |new| {
        let current = ("current_password", "password");
        [("name", "Member"), ("email", MEMBER), ("password", new), ("password_confirmation", new), current]
    };
    let [one, other] = &mut browsers;
    let (of_one, of_other) = (fields("correct horse"), fields("battery staple"));
    let (one, other) = tokio::join!(change(one, &of_one), change(other, &of_other));
    let changed = |(_, page): &&(u16, String)| page.contains("Your password is changed");
    let changes = [&one, &other].into_iter().filter(changed).count();
    assert_eq!(changes, 1, "{one:?} {other:?}");
    assert_eq!(database.texts("id", "audit_entries WHERE action = 'change_password'").await.len(), 1);
}

db_test!(a_sign_in_that_hashes_the_password_again_does_not_make_it_wrong);
async fn a_sign_in_that_hashes_the_password_again_does_not_make_it_wrong(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut browser = Browser::signed_in(&server, MEMBER).await;
    let outdated = "$2b$10$PCt1QQE/dEd/U7HxBjcPnu2Uw44E08zkRVY/lUM24YfK7d3NsIQMO";
    database.execute(&format!("UPDATE users SET password_hash = '{outdated}' WHERE id = 3")).await;
    let fields = [("name", "Member"), ("email", "ann@example.com"), ("current_password", "password")];
    let (changed, one, other) = tokio::join!(
        change(&mut browser, &fields),
        Browser::signed_in(&server, MEMBER),
        Browser::signed_in(&server, MEMBER)
    );
    assert_eq!(changed.0, 303, "{}", changed.1);
    drop((one, other));
    assert!(database.text("password_hash", "users WHERE id = 3").await.starts_with("$2b$12$"));
}

/// The status of the form of a link's page, filled in with a password.
async fn confirm(browser: &mut Browser<'_>, link: &str, password: &str) -> u16 {
    let fields = [("_method", "put"), ("current_password", password)];
    browser.get(link).await;
    browser.submit(link.strip_suffix("/edit").expect("a link leads to a form"), &fields).await.status()
}

db_test!(an_address_changes_when_it_is_confirmed);
async fn an_address_changes_when_it_is_confirmed(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut browser = Browser::signed_in(&server, MEMBER).await;
    let mut fields = [("name", "Member"), ("email", "ann@example.com"), ("current_password", "wrong")];
    let (status, page) = change(&mut browser, &fields).await;
    assert!(status == 422 && page.contains("is wrong") && page.contains("ann@example.com"), "{page}");
    let (status, page) = change(&mut browser, &fields[..2]).await;
    assert!(status == 422 && page.contains("can&#x27;t be blank"), "{page}");

    fields[2].1 = "password";
    let (status, page) = change(&mut browser, &fields).await;
    assert!(status == 303 && page.contains("Your address becomes ann@example.com when"), "{page}");
    assert_eq!(database.text("email", "users WHERE id = 3").await, MEMBER);
    let letter = mailbox::newest(&database, "confirmation", "ann@example.com").await;
    assert!(letter.contains("instead of the one you had") && !letter.contains("sign up"), "{letter}");
    let link = mailbox::link(&database, "confirmation", "ann@example.com", "/confirmations/").await;
    let old = (chrono::Utc::now() - chrono::TimeDelta::days(5)).format("%Y-%m-%d %H:%M:%S");
    database.execute(&format!("UPDATE email_changes SET inserted_at = '{old}'")).await;
    assert_eq!(browser.get(&link).await.status(), 410);
    change(&mut browser, &fields).await;
    let newer = mailbox::link(&database, "confirmation", "ann@example.com", "/confirmations/").await;
    assert_eq!(browser.get(&newer).await.status(), 200);
    assert_eq!(database.text("email", "users WHERE id = 3").await, MEMBER, "opening the link changes nothing");
    // A mistyped address does not give the account away: its reader neither knows the password nor may set one.
    let new = [("_method", "put"), ("password", "correct horse"), ("password_confirmation", "correct horse")];
    assert_eq!(browser.submit(newer.strip_suffix("/edit").unwrap(), &new).await.status(), 422);
    for (link, status) in [(&link, 410), (&newer, 303), (&newer, 410)] {
        assert_eq!(confirm(&mut browser, link, "password").await, status);
    }
    assert_eq!(database.text("email", "users WHERE id = 3").await, "ann@example.com");
    Browser::signed_in(&server, "ann@example.com").await;
}

db_test!(the_old_address_is_told_of_a_new_one);
async fn the_old_address_is_told_of_a_new_one(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut thief = Browser::signed_in(&server, MEMBER).await;
    let fields = [("name", "Member"), ("email", "thief@example.com"), ("current_password", "password")];
    change(&mut thief, &fields).await;
    let warning = mailbox::newest(&database, "address_change_asked", MEMBER).await;
    assert!(warning.contains("thief@example.com") && warning.contains("/passwords/new"), "{warning}");

    // The owner does as the mail says.
    let mut owner = Browser::new(&server);
    owner.fill("/passwords/new", "/passwords", &[("email", MEMBER)]).await;
    let reset = mailbox::link(&database, "reset", MEMBER, "/passwords/").await;
    owner.get(&reset).await;
    let password = [("_method", "put"), ("password", "correct horse"), ("password_confirmation", "correct horse")];
    assert_eq!(owner.submit(reset.strip_suffix("/edit").unwrap(), &password).await.status(), 303);
    let link = mailbox::link(&database, "confirmation", "thief@example.com", "/confirmations/").await;
    assert_eq!(thief.get(&link).await.status(), 410);
    assert_eq!(database.text("email", "users WHERE id = 3").await, MEMBER);
    assert_eq!(mailbox::count(&database, "address_changed").await, 0);

    let fields = [("email", MEMBER), ("password", "correct horse")];
    assert_eq!(owner.fill("/sessions/new", "/sessions", &fields).await.status(), 303);
    let fields = [("name", "Member"), ("email", "ann@example.com"), ("current_password", "correct horse")];
    change(&mut owner, &fields).await;
    owner.fill("/passwords/new", "/passwords", &[("email", MEMBER)]).await;
    let reset = mailbox::link(&database, "reset", MEMBER, "/passwords/").await;
    assert_eq!(owner.get(&reset).await.status(), 200);
    let link = mailbox::link(&database, "confirmation", "ann@example.com", "/confirmations/").await;
    assert_eq!(confirm(&mut owner, &link, "correct horse").await, 303);
    assert!(mailbox::newest(&database, "address_changed", MEMBER).await.contains("ann@example.com"));
    assert_eq!(owner.get(&reset).await.status(), 410, "whoever reads mail to the old address is nobody now");
}

db_test!(an_address_that_somebody_has_is_not_given_away);
async fn an_address_that_somebody_has_is_not_given_away(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut browser = Browser::signed_in(&server, MEMBER).await;
    let fields = [("name", "Member"), ("email", "mixed@example.com"), ("current_password", "password")];
    let (status, page) = change(&mut browser, &fields).await;
    assert!(status == 303 && page.contains("Your address becomes mixed@example.com when"), "{page}");
    assert!(page.contains("mixed@example.com, once you follow the link"), "as with any other address: {page}");
    assert_eq!(mailbox::count(&database, "already_registered").await, 1);
    assert_eq!(mailbox::count(&database, "confirmation").await, 0);
    assert_eq!(mailbox::count(&database, "address_change_asked").await, 1, "as with any other address");

    // Somebody signs up with it while the link is on its way.
    let fields = [("name", "Member"), ("email", "new@example.com"), ("current_password", "password")];
    change(&mut browser, &fields).await;
    database.execute("UPDATE users SET email = 'new@example.com' WHERE id = 5").await;
    let link = mailbox::link(&database, "confirmation", "new@example.com", "/confirmations/").await;
    assert_eq!(confirm(&mut browser, &link, "password").await, 410);
    assert_eq!(database.text("email", "users WHERE id = 3").await, MEMBER);
}

db_test!(an_address_that_somebody_has_in_other_letters_is_taken);
async fn an_address_that_somebody_has_in_other_letters_is_taken(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut browser = Browser::signed_in(&server, MEMBER).await;
    // The address comes to be that of somebody else, or one's own, while the link is on its way.
    for (wanted, other, id, status) in
        [("new@example.com", "New@Example.com", 5, 410), ("ann@example.com", "Ann@Example.com", 3, 303)]
    {
        let fields = [("name", "Member"), ("email", wanted), ("current_password", "password")];
        change(&mut browser, &fields).await;
        database.execute(&format!("UPDATE users SET email = '{other}' WHERE id = {id}")).await;
        let link = mailbox::link(&database, "confirmation", wanted, "/confirmations/").await;
        assert_eq!(confirm(&mut browser, &link, "password").await, status, "{wanted}");
        assert_eq!(database.texts("id", &format!("users WHERE lower(email) = '{wanted}'")).await, [id.to_string()]);
    }
    assert_eq!(database.text("email", "users WHERE id = 3").await, "ann@example.com");
}

db_test!(a_new_password_ends_all_other_sessions);
async fn a_new_password_ends_all_other_sessions(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut browser = Browser::signed_in(&server, MEMBER).await;
    let mut other = Browser::signed_in(&server, MEMBER).await;
    let before = browser.clone();
    let mut fields = [
        ("name", "Member"),
        ("email", MEMBER),
        ("password", "correct horse"),
        ("password_confirmation", "correct horse"),
        ("current_password", "wrong"),
    ];
    assert_eq!(change(&mut browser, &fields).await.0, 422);
    fields[4].1 = "password";
    let (status, page) = change(&mut browser, &fields).await;
    assert!(status == 303 && page.contains("signed out everywhere else"), "{page}");
    assert!(!page.contains("correct horse"));
    assert!(browser.is_signed_in().await && !other.is_signed_in().await && !before.clone().is_signed_in().await);
    assert_eq!(mailbox::count(&database, "password_changed").await, 1);
    let sign_in = [("email", MEMBER), ("password", "correct horse")];
    assert_eq!(other.fill("/sessions/new", "/sessions", &sign_in).await.status(), 303);
}
