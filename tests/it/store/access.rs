//! The cached look-ups for connecting and publishing.

use std::time::Duration;

use pusher_lite::store::{
    Reference, Transaction,
    access::{Access, Limits},
    applications, enrollments, organizations,
    sessions::{self, NewSession, SessionHash},
    token_scope::TokenScope,
    user_tokens, users,
};

use crate::support::database::TestDatabase;

const APP1: &str = "88911bb8-e6c9-11f1-bf84-f2fc4c7451a7";

/// Answers that are given for ever, unless something is written.
fn long_lived() -> Limits {
    Limits { entries: 100, lifetime: Duration::from_secs(86_400), ..Limits::default() }
}

db_test!(sockets_are_for_members_and_root_users);
async fn sockets_are_for_members_and_root_users(database: TestDatabase) {
    let access = Access::new(database.with_original_rows().await, &long_lived());
    for (user_id, app_key, allowed) in [
        (1, APP1, true),
        (2, APP1, false),
        (3, APP1, true),
        (4, APP1, true),
        (5, APP1, false),
        (99, APP1, false),
        (1, "8896169a-e6c9-11f1-bbfb-f2fc4c7451a7", true),
        (1, "nope", false),
        (1, "", false),
        (1, "a\0b", false),
        (1, &"x".repeat(1000), false),
    ] {
        for _ in 0..2 {
            let found = access.socket(user_id, None, None, app_key).await.unwrap();
            assert_eq!(found.may_connect(), allowed, "user {user_id}, {app_key}");
        }
    }
    assert_eq!(access.socket(4, None, None, APP1).await.unwrap().organization_ids, [1]);
}

db_test!(publishing_is_for_admins);
async fn publishing_is_for_admins(database: TestDatabase) {
    let access = Access::new(database.with_original_rows().await, &long_lived());
    for (user_id, organization, application, is_admin, found) in [
        (1, "acme-inc", APP1, true, true),
        (1, "1", "1", true, true),
        (1, "1", "2", true, false),
        (1, "2", "2", true, true),
        (1, "1abc", "1", true, false),
        (1, "nope", "1", false, false),
        (3, "1", "1", false, false),
        (2, "1", "1", false, false),
        (2, "second-org", "2", true, true),
    ] {
        let publisher = access.publisher(user_id, None, organization, application).await.unwrap();
        let answer = (publisher.user_active, publisher.is_admin, publisher.application.is_some());
        assert_eq!(answer, (true, is_admin, found), "user {user_id}, {organization}/{application}");
    }
    assert!(!access.publisher(99, None, "1", "1").await.unwrap().user_exists);
}

db_test!(what_is_written_here_counts_at_once);
async fn what_is_written_here_counts_at_once(database: TestDatabase) {
    let db = database.with_original_rows().await;
    let access = Access::new(db.clone(), &long_lived());
    let token = db.transaction(async |tx: &mut Transaction<'_>| user_tokens::create(tx, 3).await).await.unwrap();
    assert!(access.socket(3, Some(token.id), None, APP1).await.unwrap().may_connect());
    assert!(!access.socket(4, Some(token.id), None, APP1).await.unwrap().may_connect(), "somebody else's token");

    db.transaction(async |tx: &mut Transaction<'_>| user_tokens::invalidate(tx, token.id).await).await.unwrap();
    assert!(!access.socket(3, Some(token.id), None, APP1).await.unwrap().token_active);
    assert!(access.socket(3, None, None, APP1).await.unwrap().may_connect());

    let token = db.transaction(async |tx: &mut Transaction<'_>| user_tokens::create(tx, 1).await).await.unwrap();
    let publisher = access.publisher(1, Some(token.id), "1", "1").await.unwrap();
    assert!(publisher.token_scope == Some(TokenScope::All) && publisher.application.is_some());
    assert_eq!(access.publisher(2, Some(token.id), "2", "2").await.unwrap().token_scope, None, "somebody else's token");
    db.transaction(async |tx: &mut Transaction<'_>| user_tokens::invalidate(tx, token.id).await).await.unwrap();
    let publisher = access.publisher(1, Some(token.id), "1", "1").await.unwrap();
    assert!(publisher.token_scope.is_none() && !publisher.is_admin && publisher.application.is_none());

    db.transaction(async |tx: &mut Transaction<'_>| enrollments::delete(tx, 3, 1).await).await.unwrap();
    assert!(!access.socket(3, None, None, APP1).await.unwrap().may_connect());
    db.transaction(async |tx: &mut Transaction<'_>| enrollments::create(tx, 3, 1, true).await).await.unwrap();
    assert!(access.socket(3, None, None, APP1).await.unwrap().may_connect());

    assert!(access.publisher(3, None, "1", APP1).await.unwrap().application.is_some());
    db.transaction(async |tx: &mut Transaction<'_>| applications::archive(tx, 1).await).await.unwrap();
    assert!(access.publisher(3, None, "1", APP1).await.unwrap().application.is_none());
    assert!(!access.socket(1, None, None, APP1).await.unwrap().may_connect());

    let renamed = organizations::Changes { slug: Some("acme".to_owned()), ..Default::default() };
    assert!(access.publisher(1, None, "acme-inc", "1").await.unwrap().is_admin);
    db.transaction(async |tx: &mut Transaction<'_>| organizations::update(tx, 1, &renamed).await).await.unwrap();
    assert!(!access.publisher(1, None, "acme-inc", "1").await.unwrap().is_admin);
}

db_test!(a_session_counts_for_its_user_until_it_ends);
async fn a_session_counts_for_its_user_until_it_ends(database: TestDatabase) {
    let db = database.with_original_rows().await;
    let (remembers, forgets) = (
        Access::new(db.clone(), &long_lived()),
        Access::new(db.clone(), &Limits { lifetime: Duration::ZERO, ..long_lived() }),
    );
    let [first, second] = ["first", "second"].map(SessionHash::of);
    for session in [first, second] {
        let new = NewSession { id_hash: &session.to_string(), user_id: 3, ip: "127.0.0.1", user_agent: None };
        db.record(async |tx| sessions::create(tx, &new).await).await.unwrap();
    }
    let may_connect = async |access: &Access, user_id, session| {
        let found = access.socket(user_id, None, Some(session), APP1).await.unwrap();
        assert_eq!(found.may_connect(), found.session_active, "nothing else is in the way");
        found.may_connect()
    };
    assert!(may_connect(&remembers, 3, first).await && may_connect(&remembers, 3, second).await);
    assert!(!may_connect(&remembers, 4, first).await, "somebody else's session");
    assert!(!may_connect(&remembers, 3, SessionHash::of("third")).await);

    // A request of a page makes nothing stale, the end of a session does.
    db.record(async |tx| sessions::delete(tx, &first.to_string()).await).await.unwrap();
    assert!(!may_connect(&remembers, 3, first).await && may_connect(&remembers, 3, second).await);
    let old = (chrono::Utc::now() - chrono::TimeDelta::hours(13)).format("%Y-%m-%d %H:%M:%S");
    database.execute(&format!("UPDATE sessions SET last_seen_at = '{old}'")).await;
    assert!(may_connect(&remembers, 3, second).await && !may_connect(&forgets, 3, second).await);
    assert!(remembers.socket(3, None, None, APP1).await.unwrap().may_connect(), "a JWT that names none");
}

db_test!(what_others_write_counts_when_the_answer_is_too_old);
async fn what_others_write_counts_when_the_answer_is_too_old(database: TestDatabase) {
    let db = database.with_original_rows().await;
    let remembers = Access::new(db.clone(), &long_lived());
    let forgets = Access::new(db.clone(), &Limits { lifetime: Duration::ZERO, ..long_lived() });
    for access in [&remembers, &forgets] {
        assert!(access.socket(3, None, None, APP1).await.unwrap().may_connect());
    }
    database.execute("UPDATE applications SET archived_at = '2026-11-23 00:00:00'").await;
    assert!(remembers.socket(3, None, None, APP1).await.unwrap().may_connect());
    assert!(!forgets.socket(3, None, None, APP1).await.unwrap().may_connect());
    let conn = &mut db.conn().await.unwrap();
    assert_eq!(applications::find_active(conn, Reference::Id(1), Reference::Id(1)).await.unwrap(), None);
    assert!(users::find(conn, 3).await.unwrap().is_some());
}

db_test!(those_who_ask_at_once_get_one_answer);
async fn those_who_ask_at_once_get_one_answer(database: TestDatabase) {
    let access = Access::new(database.with_original_rows().await, &long_lived());
    let asking: Vec<_> = (0..50)
        .map(|_| {
            let access = access.clone();
            tokio::spawn(async move { access.socket(3, None, None, APP1).await })
        })
        .collect();
    let mut answers = Vec::new();
    for asked in asking {
        answers.push(asked.await.unwrap().unwrap());
    }
    assert!(answers.iter().all(|answer| std::sync::Arc::ptr_eq(answer, &answers[0])));
}
