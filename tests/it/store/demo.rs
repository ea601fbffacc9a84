//! Demo data, into an empty database only.

use pusher_lite::store::{Reference, applications, demo, enrollments, users};

use crate::support::database::TestDatabase;

db_test!(an_empty_database_is_filled_once);
async fn an_empty_database_is_filled_once(database: TestDatabase) {
    let db = database.migrated().await;
    assert_eq!(demo::find(&mut db.conn().await.unwrap()).await.unwrap(), None);
    assert!(demo::seed(&db, "hash").await.unwrap());
    assert!(!demo::seed(&db, "hash").await.unwrap());

    let conn = &mut db.conn().await.unwrap();
    let found = demo::find(conn).await.unwrap().unwrap();
    assert!(found.token.is_some());
    let admin = users::find_by_email(conn, &found.admin_email).await.unwrap().unwrap();
    assert!(admin.is_root && admin.confirmed_at.is_some());
    assert!(enrollments::administers(conn, admin.id, false, Reference::Name("acme-inc")).await.unwrap());
    assert!(!enrollments::is_admin_anywhere(conn, found.guest_id).await.unwrap());
    let app = applications::find_by_key(conn, &found.app_key).await.unwrap().unwrap();
    assert_eq!(app.name.as_deref(), Some("Test App"));
}

db_test!(several_at_once_fill_it_once);
async fn several_at_once_fill_it_once(database: TestDatabase) {
    let db = database.migrated().await;
    let seeding: Vec<_> = (0..4)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move { demo::seed(&db, "hash").await })
        })
        .collect();
    let mut filled = 0;
    for seeded in seeding {
        filled += usize::from(seeded.await.unwrap().unwrap());
    }
    assert_eq!(filled, 1);
}

db_test!(a_database_with_accounts_is_left_alone);
async fn a_database_with_accounts_is_left_alone(database: TestDatabase) {
    let db = database.with_original_rows().await;
    assert!(!demo::seed(&db, "hash").await.unwrap());
    assert_eq!(demo::find(&mut db.conn().await.unwrap()).await.unwrap(), None);
}
