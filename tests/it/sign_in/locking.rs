//! Too many wrong passwords lock an account, for a while or until its owner unlocks it by mail.

use chrono::{TimeDelta, Utc};
use sha2::{Digest, Sha256};

use super::mailbox;
use crate::support::{browser::Browser, database::TestDatabase, server::TestServer};

const MEMBER: &str = "member@example.com";
const ROW: &str = "users WHERE id = 3";

async fn sign_in(server: &TestServer, password: &str) -> u16 {
    let mut browser = Browser::new(server);
    browser.fill("/sessions/new", "/sessions", &[("email", MEMBER), ("password", password)]).await.status()
}

async fn lock(server: &TestServer) {
    for _ in 0..5 {
        assert_eq!(sign_in(server, "wrong").await, 401);
    }
}

fn ago(time: TimeDelta) -> String {
    (Utc::now() - time).format("%Y-%m-%d %H:%M:%S").to_string()
}

db_test!(five_wrong_passwords_lock_an_account_for_twenty_minutes);
async fn five_wrong_passwords_lock_an_account_for_twenty_minutes(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    for _ in 0..4 {
        assert_eq!(sign_in(&server, "wrong").await, 401);
    }
    assert_eq!(sign_in(&server, "password").await, 303);
    assert_eq!(database.text("failed_attempts", ROW).await, "0");

    lock(&server).await;
    assert_eq!(sign_in(&server, "password").await, 401);
    assert_eq!(sign_in(&server, "wrong").await, 401);
    assert_eq!(database.text("failed_attempts", ROW).await, "5", "a lock is not prolonged");
    assert_eq!(mailbox::count(&database, "unlock").await, 1);
    assert_eq!(database.texts("action", "audit_entries ORDER BY id").await, ["sign_in", "lock"]);

    let over = ago(TimeDelta::minutes(20));
    database.execute(&format!("UPDATE users SET locked_at = '{over}' WHERE id = 3")).await;
    assert_eq!(sign_in(&server, "wrong").await, 401);
    assert_eq!(database.text("failed_attempts", ROW).await, "1", "counted anew");
    assert_eq!(sign_in(&server, "password").await, 303);
    assert_eq!(database.text("locked_at", ROW).await, "");
}

db_test!(guesses_at_the_same_time_lock_once);
async fn guesses_at_the_same_time_lock_once(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let guesses = (0..8).map(|_| sign_in(&server, "wrong"));
    assert_eq!(futures_util::future::join_all(guesses).await, [401; 8]);
    assert_eq!(mailbox::count(&database, "unlock").await, 1);
    assert_eq!(sign_in(&server, "password").await, 401);
}

db_test!(a_link_unlocks_an_account_once);
async fn a_link_unlocks_an_account_once(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    lock(&server).await;
    let first = mailbox::link(&database, "unlock", MEMBER, "/unlocks/").await;
    let mut browser = Browser::new(&server);
    let asked = browser.fill("/unlocks/new", "/unlocks", &[("unlock[email]", MEMBER)]).await;
    assert_eq!(asked.header("location"), Some("/sessions/new"));
    let link = mailbox::link(&database, "unlock", MEMBER, "/unlocks/").await;
    for (method, link, status) in [("HEAD", &link, 200), ("GET", &link, 200), ("GET", &first, 410)] {
        assert_eq!(server.request(method, link, &[], "").await.status(), status, "{method} {link}");
    }
    assert_eq!(sign_in(&server, "password").await, 401, "opening the link unlocks nothing");
    browser.get(&link).await;
    for (link, status) in [(&first, 410), (&link, 303), (&link, 410)] {
        let action = link.strip_suffix("/edit").unwrap();
        assert_eq!(server.request("PUT", action, &[], "").await.status(), 403, "without the form");
        assert_eq!(browser.submit(action, &[("_method", "put")]).await.status(), status, "{link}");
    }
    assert_eq!(sign_in(&server, "password").await, 303);
    assert_eq!(
        database.texts("action", "audit_entries ORDER BY id").await,
        ["lock", "ask_unlock", "unlock", "sign_in"]
    );
}

db_test!(a_link_is_valid_for_five_minutes);
async fn a_link_is_valid_for_five_minutes(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    for (minutes, status) in [(5, 410), (4, 200)] {
        let token = format!("{}-random", (Utc::now() - TimeDelta::minutes(minutes)).timestamp());
        let hash: String = Sha256::digest(&token).iter().map(|byte| format!("{byte:02x}")).collect();
        let (locked_at, set) = (ago(TimeDelta::minutes(minutes)), "failed_attempts = 5, unlock_token");
        let sql = format!("UPDATE users SET locked_at = '{locked_at}', {set} = 'sha256${hash}' WHERE id = 3");
        database.execute(&sql).await;
        let answer = server.get(&format!("/unlocks/{token}/edit"), &[]).await;
        assert_eq!(answer.status(), status, "{minutes}");
    }
    // Those of the original are valid while the lock lasts.
    for (minutes, status) in [(20, 410), (19, 200)] {
        let locked_at = ago(TimeDelta::minutes(minutes));
        let sql = format!("UPDATE users SET locked_at = '{locked_at}', unlock_token = 'pl41n' WHERE id = 3");
        database.execute(&sql).await;
        assert_eq!(server.get("/unlocks/pl41n/edit", &[]).await.status(), status, "{minutes}");
    }
}
