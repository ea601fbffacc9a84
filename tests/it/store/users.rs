//! Users and their tokens.

use pusher_lite::store::{Error, Transaction, user_tokens, users};

use crate::support::database::TestDatabase;

db_test!(a_new_user_is_found_by_id_and_address);
async fn a_new_user_is_found_by_id_and_address(database: TestDatabase) {
    let db = database.migrated().await;
    let new = users::NewUser {
        name: "Zoë",
        email: "zoe@example.com",
        password_hash: Some("hash"),
        is_root: true,
        confirmed: true,
    };
    let user = db.transaction(async |tx: &mut Transaction<'_>| users::create(tx, &new).await).await.unwrap();
    let conn = &mut db.conn().await.unwrap();
    assert!(user.is_root && user.confirmed_at.is_some());
    assert_eq!(users::find(conn, user.id).await.unwrap().as_ref(), Some(&user));
    assert_eq!(users::find_by_email(conn, "zoe@example.com").await.unwrap(), Some(user));
    assert_eq!(users::find_by_email(conn, "zoe\0@example.com").await.unwrap(), None);
    assert_eq!(users::find(conn, 99).await.unwrap(), None);
}

db_test!(a_token_opens_sessions_until_it_is_invalidated);
async fn a_token_opens_sessions_until_it_is_invalidated(database: TestDatabase) {
    let db = database.with_original_rows().await;
    let token = db.transaction(async |tx: &mut Transaction<'_>| user_tokens::create(tx, 5).await).await.unwrap();
    assert_eq!(uuid::Uuid::parse_str(&token.token).unwrap().get_version_num(), 4);
    let conn = &mut db.conn().await.unwrap();
    assert!(user_tokens::find_active(conn, &token.token).await.unwrap().is_some());
    assert!(!format!("{token:?}").contains(&token.token));

    for _ in 0..2 {
        let invalidate = async |tx: &mut Transaction<'_>| user_tokens::invalidate(tx, token.id).await;
        assert!(db.transaction(invalidate).await.unwrap().invalidated_at.is_some());
    }
    assert_eq!(user_tokens::find_active(conn, &token.token).await.unwrap(), None);
}

db_test!(tokens_of_nobody_are_refused);
async fn tokens_of_nobody_are_refused(database: TestDatabase) {
    let db = database.migrated().await;
    let refused = db.transaction(async |tx: &mut Transaction<'_>| user_tokens::create(tx, 99).await).await;
    assert!(matches!(refused, Err(Error::NotFound)), "{refused:?}");
    let refused = db.transaction(async |tx: &mut Transaction<'_>| user_tokens::invalidate(tx, 99).await).await;
    assert!(matches!(refused, Err(Error::NotFound)), "{refused:?}");
}
