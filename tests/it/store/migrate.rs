//! Empty databases get the tables; existing tables stay.

use pusher_lite::store::{Error, users};

use crate::support::database::TestDatabase;

db_test!(starting_twice_is_harmless);
async fn starting_twice_is_harmless(database: TestDatabase) {
    let db = database.with_original_rows().await;
    db.migrate().await.unwrap();
    database.migrated().await;
    assert!(users::any(&mut db.conn().await.unwrap()).await.unwrap());
}

db_test!(starting_several_at_once_is_harmless);
async fn starting_several_at_once_is_harmless(database: TestDatabase) {
    let starting: Vec<_> = (0..4)
        .map(|_| {
            let database = database.clone();
            tokio::spawn(async move { database.connect().await.migrate().await })
        })
        .collect();
    for started in starting {
        started.await.unwrap().unwrap();
    }
}

db_test!(tables_of_something_else_are_refused_by_name);
async fn tables_of_something_else_are_refused_by_name(database: TestDatabase) {
    database.connect().await;
    database.execute("CREATE TABLE organizations (id integer, slug text, city text)").await;
    let error = database.connect().await.migrate().await.unwrap_err();
    assert!(matches!(&error, Error::Unusable(reason) if reason.contains("organizations")), "{error}");
}
