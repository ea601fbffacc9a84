//! Errors of a Postgres server that speaks German: they are recognized by what is not translated.

use std::{sync::Arc, time::Duration};

use pusher_lite::store::{DatabaseUrl, Db, Error, Options, Transaction, user_tokens};
use tokio::sync::Barrier;

use crate::support::{
    database::{TestDatabase, on_german_postgres},
    postgres,
};

fn url(database: &TestDatabase) -> &str {
    let DatabaseUrl::Postgres(url) = &database.url else { panic!("only Postgres has these errors") };
    url
}

/// Invalidates one token, and the other when the other transaction has begun as well.
async fn both(db: Db, [first, second]: [i32; 2], barrier: Arc<Barrier>) -> Result<(), Error> {
    db.transaction(async |tx: &mut Transaction<'_>| {
        user_tokens::invalidate(tx, first).await?;
        barrier.wait().await;
        user_tokens::invalidate(tx, second).await.map(drop)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_two_that_wait_for_each_other_conflicts() {
    on_german_postgres(deadlock).await;
}

async fn deadlock(database: TestDatabase) {
    let db = database.with_original_rows().await;
    let create = async || db.transaction(async |tx| user_tokens::create(tx, 3).await).await.unwrap().id;
    let (one, other) = (create().await, create().await);
    let barrier = Arc::new(Barrier::new(2));
    let first = tokio::spawn(both(db.clone(), [one, other], Arc::clone(&barrier)));
    let second = tokio::spawn(both(db.clone(), [other, one], barrier));
    let outcomes = [first.await.unwrap(), second.await.unwrap()];
    let conflicts = outcomes.iter().filter(|outcome| matches!(outcome, Err(Error::Conflict))).count();
    assert_eq!((conflicts, outcomes.iter().filter(|outcome| outcome.is_ok()).count()), (1, 1), "{outcomes:?}");
    let valid = format!("user_tokens WHERE invalidated_at IS NULL AND id IN ({one}, {other})");
    assert_eq!(database.texts("id", &valid).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_the_server_ends_is_an_outage() {
    on_german_postgres(ended).await;
}

async fn ended(database: TestDatabase) {
    let direct = database.with_original_rows().await;
    let token = direct.transaction(async |tx| user_tokens::create(tx, 3).await).await.unwrap();
    let url = url(&database);
    let name = format!("ended_{}", uuid::Uuid::new_v4().simple());
    let options = Options { pool_size: 2, timeout: Duration::from_secs(30) };
    let named = format!("{url}&application_name={name}").parse().unwrap();
    let db = Db::connect(&named, &options).await.unwrap();
    let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{name}'");

    let idle = db.transaction(async |tx: &mut Transaction<'_>| {
        user_tokens::find(tx, &token.token).await?;
        postgres::execute(url, &end).await;
        user_tokens::invalidate(tx, token.id).await
    });
    let idle = idle.await;
    assert!(matches!(idle, Err(Error::Unavailable(_))), "{idle:?}");

    let busy = direct.transaction(async |tx: &mut Transaction<'_>| {
        user_tokens::invalidate(tx, token.id).await?;
        let waiting = tokio::spawn({
            let (db, id) = (db.clone(), token.id);
            async move { db.transaction(async |tx: &mut Transaction<'_>| user_tokens::invalidate(tx, id).await).await }
        });
        let waits =
            format!("SELECT 'it' FROM pg_stat_activity WHERE application_name = '{name}' AND wait_event_type = 'Lock'");
        while postgres::texts(url, &waits).await.is_empty() {}
        postgres::execute(url, &end).await;
        Ok::<_, Error>(waiting.await.unwrap())
    });
    let busy = busy.await.unwrap();
    assert!(matches!(busy, Err(Error::Unavailable(_))), "{busy:?}");
    // The pool opens another one.
    assert!(user_tokens::find(&mut db.conn().await.unwrap(), &token.token).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_takes_no_changes_is_an_outage() {
    on_german_postgres(read_only).await;
}

async fn read_only(database: TestDatabase) {
    database.with_original_rows().await;
    let url = format!("{}%20-cdefault_transaction_read_only%3Don", url(&database));
    let db = Db::connect(&url.parse().unwrap(), &Options::default()).await.unwrap();
    let refused = db.transaction(async |tx| user_tokens::create(tx, 3).await).await;
    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_that_is_wrong_is_not() {
    on_german_postgres(wrong).await;
}

async fn wrong(database: TestDatabase) {
    let db = database.with_original_rows().await;
    database.execute("ALTER TABLE user_tokens RENAME COLUMN invalidated_at TO other").await;
    let refused = db.transaction(async |tx| user_tokens::create(tx, 3).await).await;
    assert!(matches!(refused, Err(Error::Query(_))), "{refused:?}");
}
