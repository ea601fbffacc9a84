//! Empty databases get the tables; existing tables stay.

use pusher_lite::store::{Db, Error, installation, users};

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

async fn is_new(db: &Db) -> bool {
    installation::is_new(&mut db.conn().await.unwrap()).await.unwrap()
}

db_test!(an_empty_database_becomes_a_new_installation);
async fn an_empty_database_becomes_a_new_installation(database: TestDatabase) {
    let db = database.migrated().await;
    assert!(is_new(&db).await);
    db.migrate().await.unwrap();
    assert!(is_new(&db).await, "another start changes nothing");
    assert_eq!(database.text("count(*)", "installation").await, "1");
}

db_test!(a_database_of_the_original_is_no_new_installation);
async fn a_database_of_the_original_is_no_new_installation(database: TestDatabase) {
    assert!(!is_new(&database.with_original_rows().await).await);
}

db_test!(one_table_of_the_original_is_enough);
async fn one_table_of_the_original_is_enough(database: TestDatabase) {
    database.connect().await;
    let columns =
        "id integer, name text, slug text, archived_at timestamp, inserted_at timestamp, updated_at timestamp";
    database.execute(&format!("CREATE TABLE organizations ({columns}, PRIMARY KEY (id))")).await;
    assert!(!is_new(&database.migrated().await).await);
}

db_test!(an_upgraded_database_is_no_new_installation);
async fn an_upgraded_database_is_no_new_installation(database: TestDatabase) {
    let db = database.migrated().await;
    database.execute("DROP TABLE installation").await;
    database.execute("DELETE FROM __diesel_schema_migrations WHERE version = '20261130000003'").await;
    db.migrate().await.unwrap();
    assert!(!is_new(&db).await);
}
